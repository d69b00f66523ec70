"""Backtest: which events of the past a version would have started on, and which another one. Pure; nothing is kept."""

from typing import Final

import msgspec

from upshot.core.conditions import Condition, MatchIndex
from upshot.core.facts import Facts
from upshot.core.work import Overloaded

SAMPLES_MAX: Final = 5
"""So many events of each kind are kept as samples, the newest."""
KINDS: Final = ("newly", "no_longer", "both", "neither", "undecided")
"""What became of an event: only the tried version starts on it, only the other, both, neither; or a condition had no answer."""
_TRIED, _OTHER = "tried", "other"


class Listening(msgspec.Struct, frozen=True):
    """What decides whether a version starts: the name of the event, and the condition (None: always)."""

    event: str
    condition: Condition | None


class Tally(msgspec.Struct, frozen=True):
    """What became of the events so far. `of` is how many there are in all; `samples` holds ids of events by kind."""

    of: int
    counts: dict[str, int] = {}
    samples: dict[str, list[str]] = {}

    @property
    def events(self) -> int:
        """How many were looked at."""
        return sum(self.counts.values())


class Comparison:
    """Two versions on events of one name, decided as matching decides."""

    def __init__(self, name: str, tried: Listening, other: Listening | None) -> None:
        sides = ((_TRIED, tried), (_OTHER, other))
        entries = [(key, 0, side.condition) for key, side in sides if side is not None and side.event == name]
        self._index = MatchIndex(entries)
        self.reads_entity = self._index.reads_entity

    def kind_of(self, facts: Facts) -> str:
        """What becomes of this event: one of `KINDS`."""
        try:
            keys, undecided = self._index.find(facts)
        except Overloaded:
            return "undecided"
        if undecided:
            return "undecided"
        if _TRIED in keys:
            return "both" if _OTHER in keys else "newly"
        return "no_longer" if keys else "neither"


class Counting:
    """A tally that is being added to."""

    def __init__(self, begun: Tally) -> None:
        self._of = begun.of
        self._counts = {kind: begun.counts.get(kind, 0) for kind in KINDS}
        self._samples = {kind: list(begun.samples.get(kind, ())) for kind in KINDS}

    def add(self, kind: str, event_id: str) -> None:
        """One more event of this kind."""
        self._counts[kind] += 1
        samples = self._samples[kind]
        if len(samples) < SAMPLES_MAX:
            samples.append(event_id)

    def tally(self) -> Tally:
        """What was counted up to now."""
        return Tally(self._of, dict(self._counts), self._samples)
