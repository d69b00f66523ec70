"""The checker's eyes on events that cancel runs (I17): one that was matched has cancelled every run of its key whose own event
was accepted before it, or it is written that somebody will; and it cancels no other run.
"""

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from tests.simulation.automations import AUTOMATIONS
from upshot.core.invariants import ASLEEP

if TYPE_CHECKING:
    from tests.simulation.watch import Watch

Row = dict[str, Any]
Key = tuple[str, str]
CANCELLED = frozenset(name for name, document in AUTOMATIONS.items() if "cancel_on" in document)


class Cancels:
    """What runs watch for, what is being spread, and the events that may cancel runs."""

    def __init__(self, watch: "Watch") -> None:
        self._watch = watch
        self.watches: dict[Key, dict[str, Row]] = defaultdict(dict)
        self.spreading: set[Key] = set()
        self._answers: dict[tuple[str, bool], list[Row]] = defaultdict(list)
        self._is_touched = False

    def event_accepted(self, event: Row) -> None:
        """An event was accepted."""
        if event["name"] == "sim/answered":
            self._answers[event["tenant_id"], _which(event)].append(event)

    def watch_changed(self, key: Key, old: Row | None, new: Row | None) -> None:
        """A watch was written."""
        self._is_touched = True
        if new is None:
            self.watches[key].pop((old or {})["step_id"])
        else:
            self.watches[key][new["step_id"]] = new

    def spread_changed(self, old: Row | None, new: Row | None) -> None:
        """An event is spread, or has been."""
        self._is_touched = True
        row = new or old or {}
        (self.spreading.discard if new is None else self.spreading.add)((row["tenant_id"], row["event_id"]))

    def wrong(self, runs: "dict[Key, None]", matched: list[Key]) -> str | None:
        """What is wrong after a commit that touched these runs and matched these events."""
        is_touched, self._is_touched = self._is_touched, False
        for key in runs:
            run = self._watch.runs[key]
            if run["ended_by"] is not None and not self._may_end(run):
                return f"run {run} was cancelled by an event that came before its own, or is about something else"
        if not (is_touched or matched or any(self._is_watching(key) for key in runs)):
            return None
        found = (self._missed(key, hold) for key, hold in self._watch.active.items() if self._is_watching(key))
        return next((why for why in found if why is not None), None)

    def _is_watching(self, key: Key) -> bool:
        run = self._watch.runs.get(key)
        return run is not None and self._watch.name_of(run) in CANCELLED

    def _may_end(self, run: Row) -> bool:
        return any(event["id"] == run["ended_by"] for event in self._about(run))

    def _about(self, run: Row) -> list[Row]:
        """The events that cancel this run."""
        own = self._watch.events[run["tenant_id"], run["event_id"]]
        return [event for event in self._answers[run["tenant_id"], _which(own)] if event["id"] > own["id"]]

    def _missed(self, key: Key, hold: Row) -> str | None:
        """What is wrong with a run that is under way."""
        run, watched = self._watch.runs[key], self.watches[key]
        if not watched:  # it was made by people, or retried: it watches before it begins
            return f"run {run} sleeps and nothing can cancel it" if hold["parked"] == ASLEEP else None
        if any(not row["looked_back"] for row in watched.values()):
            return None
        for event in self._about(run):
            at = (event["tenant_id"], event["id"])
            if at not in self._watch.unmatched and at not in self.spreading and at not in self._watch.dead:
                return f"run {run} goes on though {event} was matched"
        return None


def _which(event: Row) -> bool:
    return bool(msgspec.json.decode(event["data"])["even"])
