"""What the checker knows of waits (I15): what meets a wait first meets it, and a run that says something hears it, once."""

from collections import defaultdict
from collections.abc import Container
from typing import Any

import msgspec

from upshot.core.invariants import ASLEEP
from upshot.core.waits import RUN_ENDED

Row = dict[str, Any]
Key = tuple[str, str]


class Waiting:
    """The waits of every run."""

    def __init__(self) -> None:
        self.of: dict[Key, dict[str, Row]] = defaultdict(dict)

    def changed(self, key: Key, old: Row | None, new: Row | None) -> str | None:
        """A wait changed; what is wrong with that."""
        if new is None:
            self.of[key].pop((old or {})["step_id"])
            return None
        self.of[key][new["step_id"]] = new
        if old is not None and old["met_by"] not in {None, new["met_by"]}:
            return f"wait {old} was met again: {new}"
        return None

    def wrong(self, key: Key, hold: Row | None) -> str | None:
        """What is wrong with the waits of a run that is held so; one that is over is not held."""
        if hold is None and self.of[key]:
            return f"run {key} is over and waits: {self.of[key]}"
        if (
            hold is not None
            and hold["parked"] == ASLEEP
            and any(wait["met_by"] for wait in self.of[key].values() if wait["event_name"] != RUN_ENDED)
        ):
            return f"run {key} sleeps though what it waits for has come: {self.of[key]}"
        return None

    def waits_for_a_run(self, key: Key, step_id: str) -> bool:
        """Whether a step waits for the end of a run that it called."""
        return self.of[key].get(step_id, {}).get("event_name") == RUN_ENDED

    def heard(self, key: Key, step: Row, kept: dict[str, Row], emitted: Container[tuple[Key, str]]) -> str | None:
        """What is wrong with what came of a wait for something that the run itself said before or meanwhile."""
        said = {"hear": "say", "ear": "mouth"}.get(step["step_id"])
        if said is None or step["status"] in {"cancelled", "skipped"} or (key, said) not in emitted:
            return None
        output = msgspec.json.decode(step["output"]) if step["output"] is not None else {}
        earlier = kept.get("hear", step)
        if output.get("run") != step["run_id"] or (earlier is not step and earlier["output"] == step["output"]):
            return f"a wait came to {step} after {earlier}"
        return None
