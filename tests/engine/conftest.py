"""An Upshot on each of the databases, its engine on a real thread, and time that the test moves."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from upshot import ActionError, PermanentError, Upshot
from upshot.testing import Harness, VirtualClock


class Bench(Harness):
    """What the engine's tests need of one Upshot."""

    def __init__(self, url: str) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        super().__init__(self._open, url=url)

    def open(self) -> Upshot:
        """A new Upshot object on the same database, as a restarted process would make it."""
        return self._open(self.url, self.clock)

    def _open(self, url: str, clock: VirtualClock) -> Upshot:
        upshot = Upshot(url, clock=clock)
        declare(upshot, self.calls)
        return upshot

    def automation(self, *steps: dict[str, Any], **more: Any) -> str:
        """An active automation of `test/happened`; its id."""
        document = {"name": "test", "trigger": {"event": "test/happened"}, "steps": list(steps), "status": "active"}
        return self.upshot.automations.create("default", {**document, **more})["id"]

    def happen(self, data: dict[str, Any] | None = None, **more: Any) -> str:
        """Emit `test/happened` and wait until all that follows now is done; the event's id."""
        return self.emit("test/happened", data, **more)

    def run(self) -> dict[str, Any]:
        """The only run."""
        (run,) = self.runs()
        return run


def declare(upshot: Upshot, calls: list[tuple[str, dict[str, Any]]]) -> None:
    """Actions that note their calls and then do what their name says."""

    @upshot.action("note")
    async def note(args: dict, context) -> dict:  # type: ignore[type-arg] - an action may take plain arguments
        calls.append((context.step_id, args))
        context.log("noted", attempt=context.attempt)
        return {"noted": args, "key": context.idempotency_key}

    @upshot.action("raise")
    def raise_(args: dict, context) -> None:
        calls.append((context.step_id, args))
        raise RuntimeError("it broke")

    @upshot.action("raise_until")
    async def raise_until(args: dict, context) -> int:
        calls.append((context.step_id, args))
        if context.attempt < args["attempt"]:
            raise ActionError("not yet")
        return context.attempt

    @upshot.action("raise_for_good")
    async def raise_for_good(args: dict, context) -> None:
        calls.append((context.step_id, args))
        raise PermanentError("never")

    @upshot.action("hang")
    async def hang(args: dict, context) -> None:
        calls.append((context.step_id, args))
        await asyncio.Event().wait()

    @upshot.action("junk")
    async def junk(args: dict, context) -> object:
        calls.append((context.step_id, args))
        return {"not": object()}


@pytest.fixture
def bench(url: str) -> Iterator[Bench]:
    with Bench(url) as made:
        yield made
