"""Metrics: what this process has done, as plain numbers.

The writer's thread counts each batch after its commit, so that nothing is counted that was not kept; an increment is an
addition to an integer. Names, labels and units are given to these numbers where they are shown (`app/exposition.py`).
"""

import logging
from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from upshot.core.commands import Finish, StepError
from upshot.core.instants import SECOND
from upshot.engine.lost import TakenOver
from upshot.engine.record import Parked, Parking, Recorded, Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from upshot.core.events import Event
    from upshot.engine.accept import Accepted
    from upshot.store.outbox import OutboxRow

log = logging.getLogger("upshot.engine")

BOUNDS: Final = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
    600.0,
    3600.0,
)
"""The upper bounds of every histogram's buckets, in seconds."""
LATE: Final = SECOND
"""A timer that fires this much after its instant (microseconds) is counted as late."""
REASONS: Final = frozenset({"raised", "timeout", "unknown_action", "outbound_blocked"})
"""The codes of failed attempts that are counted by name; what an application names its own is `other`."""

_BOUNDS = tuple(int(bound * SECOND) for bound in BOUNDS)
_decode_error = msgspec.json.Decoder(StepError).decode


class Histogram:
    """How long something took, by bucket. One thread adds."""

    __slots__ = ("_microseconds", "buckets")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self._microseconds = 0

    @property
    def seconds(self) -> float:
        """All of it together."""
        return self._microseconds / SECOND

    def add(self, microseconds: int) -> None:
        """One more."""
        took = max(microseconds, 0)
        self.buckets[bisect_left(_BOUNDS, took)] += 1
        self._microseconds += took


class Metrics:
    """The numbers of one process since it started."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()
        self.events_rejected = 0
        self.events_matched = 0
        self.runs_started = 0
        self.runs_finished: Counter[str] = Counter()
        self.steps: Counter[str] = Counter()
        self.retries: Counter[str] = Counter()
        self.outbound_blocked = 0
        self.condition_errors = 0
        self.loops_stopped = 0
        self.hooks: Counter[str] = Counter()
        self.rescues = 0
        """Runs that workers held who were found dead; what is handed back in order is none. The heartbeat counts them."""
        self.stale_writes = 0
        self.timers_fired = 0
        self.timers_late = 0
        self.relayed: Counter[str] = Counter()
        self.commits: Counter[str] = Counter()
        self.hint_reconnects = 0
        self.auth_failures = 0
        self.too_many_requests = 0
        self.emit_to_log = Histogram()
        self.outbox_to_log = Histogram()
        self.log_to_run = Histogram()
        self.step = Histogram()
        self.end_to_end = Histogram()
        self.commit = Histogram()
        self.read = Histogram()
        self._counting: dict[str, Callable[[Any, Any, int], None]] = {
            "accept": self._accepted,
            "match": self._matched,
            "record": self._recorded,
            "ending": self._ended,
            "park": self._parked,
            "relay_fail": self._not_relayed,
        }

    def committed(self, batch: "Sequence[Any]", now: int, took: int) -> None:
        """These pieces of work were kept at `now` by one transaction that took so long (microseconds). Never raises: what was
        kept must not look as if it were not."""
        self.commits["committed"] += 1
        self.commit.add(took)
        counting = self._counting
        try:
            for piece in batch:
                count = counting.get(piece.kind.name)
                if count is not None:
                    count(piece.work, piece.answer, now)
        except Exception:
            log.exception("a batch could not be counted; what it kept is kept")

    def not_committed(self, how: str) -> None:
        """A transaction was not kept (`busy`), or nobody knows (`unknown`)."""
        self.commits[how] += 1

    def fired(self, due_at: "Sequence[int]", now: int) -> None:
        """Timers of these instants fired."""
        self.timers_fired += len(due_at)
        self.timers_late += sum(now - instant > LATE for instant in due_at)

    def outbox_rows(self, rows: "Sequence[OutboxRow]", now: int) -> None:
        """These outbox rows were accepted."""
        self.relayed["published"] += len(rows)
        for row in rows:
            self.outbox_to_log.add(now - row.created_at)

    def _accepted(self, _work: Any, answer: "list[Accepted]", now: int) -> None:
        if isinstance(answer, Exception):
            return
        for accepted in answer:
            self.events["duplicate" if accepted.duplicate else "accepted"] += 1
            if not accepted.duplicate:
                self.emit_to_log.add(now - accepted.event.came_at)
                self.loops_stopped += accepted.event.is_loop
            if accepted.made is not None:
                self._started(accepted.event, len(accepted.made), now)

    def _matched(self, work: Any, answer: Any, now: int) -> None:
        if isinstance(answer, set):
            self._started(work.event, len(answer), now)  # pyright: ignore[reportUnknownArgumentType] - of ids
            self.loops_stopped += work.breaker is not None and len(answer) < len(work.started)  # pyright: ignore[reportUnknownArgumentType] - of ids

    def _started(self, event: "Event", runs: int, now: int) -> None:
        self.events_matched += 1
        self.runs_started += runs
        if runs:
            self.log_to_run.add(now - event.came_at)

    def _recorded(self, work: Recording, answer: Any, now: int) -> None:
        if not isinstance(answer, Recorded):
            self._lost(answer)
            return
        for outcome in answer.kept:
            self.steps[outcome.status] += 1
            self.outbound_blocked += outcome.error is not None and outcome.error.code == "outbound_blocked"
        for done in work.done:
            self.step.add(now - done.performed.started_at)
        for event in answer.events:
            self.events["accepted"] += 1
            self.loops_stopped += event.is_loop
        if answer.commands and isinstance(end := answer.commands[0], Finish):
            self._finished(work.run, end.status, now)

    def _ended(self, work: Any, answer: Any, now: int) -> None:
        run, command = work
        if answer is None:
            self._finished(run, command.status, now)
        else:
            self._lost(answer)

    def _finished(self, run: Any, status: str, now: int) -> None:
        self.runs_finished[status] += 1
        self.end_to_end.add(now - run.event.came_at)

    def _parked(self, work: Parking, answer: Any, _now: int) -> None:
        if not isinstance(answer, Parked):
            self._lost(answer)
            return
        for failed in work.failed:
            self.retries[_reason(failed[7])] += 1

    def _lost(self, answer: Any) -> None:
        self.stale_writes += isinstance(answer, TakenOver)

    def _not_relayed(self, _work: Any, _answer: Any, _now: int) -> None:
        self.relayed["refused"] += 1


def _reason(error: str | None) -> str:
    code = _decode_error(error).code if error is not None else "other"
    return code if code in REASONS else "other"
