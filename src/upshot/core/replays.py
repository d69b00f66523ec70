"""A replay: events of the past start an automation, with its effects. How fast, and what becomes of each event. Pure."""

from collections.abc import Mapping
from typing import Final

import msgspec

from upshot.core.conditions import Condition, MatchIndex
from upshot.core.facts import Facts
from upshot.core.instants import MINUTE
from upshot.core.work import Overloaded

PER_MINUTE: Final = 60
"""Runs a replay starts in a minute, if nothing else is asked for."""
PER_MINUTE_MAX: Final = 6_000
PRIORITY: Final = 1
"""The priority of its runs among those that wait in the store: what happens now goes first."""
DROPPED: Final = frozenset({"duplicate_key", "rate_limited", "already_running", "loop_stopped"})
"""What flow control or the breaker did to an event that started nothing: a replay may start it after all."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the events so far: they `started` a run; had `already` started one, been gathered for one, or wait to be
    matched; were `dropped` by flow control at their time; did not meet the condition (`not_met`); were `left_out` by the
    replay's own condition; a condition had no answer (`undecided`); or they, or the runs of their time, are kept no longer
    (`gone`)."""

    started: int = 0
    already: int = 0
    dropped: int = 0
    not_met: int = 0
    left_out: int = 0
    undecided: int = 0
    gone: int = 0

    @property
    def events(self) -> int:
        """How many events that is."""
        return sum(msgspec.structs.astuple(self))

    def plus(self, more: Mapping[str, int]) -> "Counts":
        """These and those together."""
        return msgspec.structs.replace(self, **{kind: getattr(self, kind) + more[kind] for kind in more})


class Choosing:
    """What a replay asks of each event: the condition of its version, and its own; None is always."""

    def __init__(self, condition: Condition | None, own: Condition | None) -> None:
        self._index = MatchIndex([("version", 0, condition), ("own", 0, own)])
        self.reads_entity = self._index.reads_entity

    def refusal(self, facts: Facts) -> str | None:
        """As what an event that starts nothing is counted; None for one that starts."""
        try:
            keys, undecided = self._index.find(facts)
        except Overloaded:
            return "undecided"
        for key, refused in (("own", "left_out"), ("version", "not_met")):
            if key not in keys:
                return "undecided" if key in undecided else refused
        return None


def at_once(per_minute: int) -> int:
    """How many runs one transaction starts at most: about those of a second."""
    return max(1, per_minute // 60)


def rest_after(per_minute: int, started: int) -> int:
    """How long a replay rests after it started so many (microseconds): then there are never more than `per_minute` in any
    minute, however the events lie."""
    slots = per_minute - at_once(per_minute) + 1
    return -(-MINUTE * started // slots)
