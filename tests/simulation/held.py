"""What the checker knows of runs that people paused, skipped a step of, or ran again (I14)."""

from functools import cache
from typing import Any

import msgspec

from tests.simulation.automations import AUTOMATIONS
from upshot.core import advance
from upshot.core.automations import normalise, read
from upshot.core.automations.action_shape import ActionShape
from upshot.core.commands import StepError
from upshot.core.invariants import ASLEEP
from upshot.core.journal import Outcome
from upshot.core.program import Program
from upshot.store.runs import PAUSED

Row = dict[str, Any]
Key = tuple[str, str]
ACTIONS = ("call", "emit_event", "update_entity", "add_to_segment", "remove_from_segment")


@cache
def program_of(automation: str) -> Program:
    """The program of one of the simulated automations."""
    shapes = {name: ActionShape(name) for name in ACTIONS}
    canonical, _ = normalise({"name": automation, **AUTOMATIONS[automation]}, actions=shapes)
    return Program(read(canonical, actions=shapes))


def opened(automation: str, kept: dict[str, Row]) -> frozenset[str]:
    """Where a run stands that kept these steps, in order."""
    decode = msgspec.json.decode
    journal = [
        Outcome(
            row["step_id"],
            row["status"],
            decode(row["output"]) if row["output"] is not None else None,
            decode(row["error"], type=StepError) if row["error"] is not None else None,
        )
        for row in kept.values()
    ]
    return frozenset(advance.resume(program_of(automation), journal)[0].open)


class HeldBack:
    """Which runs people took from their course."""

    def __init__(self) -> None:
        self._open: dict[Key, frozenset[str]] = {}
        self.taken: set[Key] = set()
        """Runs that may be ready or driven though they have timers, since people took them from their sleep."""

    def moved(self, key: Key, old: Row | None, new: Row, automation: str, kept: dict[str, Row]) -> bool:
        """A run is held differently; whether a timer must have woken it."""
        before = old["parked"] if old is not None else 0
        if new["parked"] == PAUSED != before:
            self._open[key] = opened(automation, kept)
            self.taken.add(key)
        elif new["parked"] == ASLEEP:
            self.taken.discard(key)
        elif before == ASLEEP and new["worker_id"] is None:
            self.taken.add(key)
        return before == ASLEEP and not new["parked"] and new["worker_id"] is not None

    def kept_while_paused(self, key: Key, step: Row) -> str | None:
        """What is wrong with this step being kept of a run that is paused; None for a step that was in flight."""
        if step["step_id"] not in self._open[key]:
            return f"step {step} of run {key} began though it was paused"
        if (step["kind"], step["status"]) == ("delay", "completed"):
            return f"delay {step} was over though its run is paused"
        return None
