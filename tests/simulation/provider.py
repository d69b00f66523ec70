"""The outside: a provider whose ledger of calls outlives every process, and the actions through which the engine calls it."""

import asyncio
from typing import TYPE_CHECKING, Any

from upshot import ActionError, PermanentError, Upshot

if TYPE_CHECKING:
    from tests.simulation.process import SimulatedProcess
    from tests.simulation.world import World

SECOND = 1_000_000

Step = tuple[str, str, str]
"""Tenant, run, step."""


class Provider:
    """Takes calls, keeps each in its ledger, and answers, or not."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.ledger: list[tuple[Step, str]] = []
        self._keys: dict[Step, str] = {}
        self._steps: dict[str, Step] = {}

    def declare(self, upshot: Upshot, process: "SimulatedProcess") -> None:
        """Give an application the action that calls this provider."""

        @upshot.action("call")
        async def call(args: dict, context) -> object:
            return await self._called(process, args, context)

    async def _called(self, process: "SimulatedProcess", args: dict[str, Any], context: Any) -> object:
        world, draw = self._world, self._world.draw.effects
        step = (context.tenant_id, context.run_id, context.step_id)
        world.note(process.name, f"call {step[2]} of run {step[1]}, attempt {context.attempt}")
        if args.get("mark") != mark_of(context.tenant_id):
            world.broken("I10", f"a step of tenant {context.tenant_id} was given {args}")
        if args.get("deadly"):
            process.is_dying = True
            await asyncio.Event().wait()
        happens = {kind: draw.random() < world.faults.rate(kind) for kind in _EFFECT_FAULTS}
        is_done, is_permanent, delay = draw.random() < 0.5, draw.random() < 0.1, draw.random()
        if is_done or not (happens["effect_raises"] or happens["effect_hangs"]):
            self._keep(step, context.idempotency_key)
        if happens["effect_slow"]:
            await process.rest(3 * delay)
        elif delay < 0.5:
            await process.rest(0.1 * delay)
        if happens["effect_hangs"]:
            await asyncio.Event().wait()
        if happens["effect_raises"]:
            raise PermanentError("refused for good") if is_permanent else ActionError("not now")
        return object() if happens["effect_junk"] else {"call": len(self.ledger)}

    def _keep(self, step: Step, key: str) -> None:
        if step[2] == "at most once" and step in self._keys:
            self._world.broken("I9", f"step {step} was to be performed at most once and was performed again")
        self.ledger.append((step, key))
        if self._keys.setdefault(step, key) != key:
            self._world.broken("I9", f"step {step} was performed with keys {self._keys[step]} and {key}")
        if self._steps.setdefault(key, step) != step:
            self._world.broken("I9", f"steps {self._steps[key]} and {step} were performed with one key, {key}")


_EFFECT_FAULTS = ("effect_raises", "effect_hangs", "effect_slow", "effect_junk")


def mark_of(tenant_id: str) -> str:
    """What every event of this tenant carries, and nothing of another tenant may."""
    return f"mark-of-{tenant_id}"
