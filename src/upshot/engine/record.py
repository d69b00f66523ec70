"""Record: an outcome is kept, and what follows from it is known, in one transaction.

The outcome, the effects on our own store (entities, emitted events), the next command and, when it is the end, the
completion of the run are one commit. A worker that no longer holds the run writes nothing.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.core import advance
from upshot.core import dead_letters as letters
from upshot.core.commands import Command, Finish, StepError
from upshot.core.events import Event
from upshot.core.journal import Outcome
from upshot.engine import accept
from upshot.engine.live_run import LiveRun
from upshot.engine.settle import Performed, settle
from upshot.store import counts, dead_letters, journal, runs, standing

_encode = msgspec.json.Encoder().encode  # what is encoded here was held to strict JSON before


class LeaseLost(Exception):
    """Another worker holds the run, or it is over (cancelled, say): what was about to be written was dropped."""


class Recording(msgspec.Struct, frozen=True, gc=False):
    """One performed step of one run."""

    run: LiveRun
    step_id: str
    kind: str
    performed: Performed
    attempt: int


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """What the kept outcome led to. `events` were emitted in the same commit and are yet to be matched."""

    state: advance.State
    command: Command
    outcome: Outcome
    events: tuple[Event, ...] = ()
    is_paused: bool = False
    """Somebody paused the run: it is not held here any more."""


class Record:
    """The kind of work that keeps outcomes."""

    name = "record"

    def __init__(self, worker_id: str) -> None:
        self._worker_id = worker_id

    def write(self, connection: Connection, work: Sequence[Recording], now: int) -> Sequence[Recorded | LeaseLost]:
        """Keep the outcomes of all runs that are still held here."""
        ours = runs.held(connection, [(w.run.tenant_id, w.run.id, w.run.epoch) for w in work], self._worker_id)
        mine = [w for w in work if w.run.id in ours]
        recorded = self._settle(connection, mine, now)
        journal.keep(connection, [_kept(w, r, now) for w, r in zip(mine, recorded, strict=True)])
        emitted = [event for r in recorded for event in r.events]
        if emitted:
            accept.insert(connection, emitted, now, self._worker_id)
        paused = {run_id for run_id, is_paused in ours.items() if is_paused}
        finish(connection, [(w.run, r.command) for w, r in zip(mine, recorded, strict=True)], now, paused)
        if paused:
            standing.release_paused(connection, [w.run.key for w in mine if w.run.id in paused])
            recorded = [
                msgspec.structs.replace(r, is_paused=w.run.id in paused) for w, r in zip(mine, recorded, strict=True)
            ]
        by_run = {w.run.id: r for w, r in zip(mine, recorded, strict=True)}
        return [by_run.get(w.run.id) or LeaseLost(w.run.id) for w in work]

    def _settle(self, connection: Connection, mine: Sequence[Recording], now: int) -> list[Recorded]:
        settled = settle(connection, mine, now)
        recorded: list[Recorded] = []
        for work, (outcome, events) in zip(mine, settled, strict=True):
            state, command = advance.apply(work.run.program, work.run.state, outcome)
            recorded.append(Recorded(state, command, outcome, events))
        return recorded


def finish(
    connection: Connection, ended: Sequence[tuple[LiveRun, Command]], now: int, paused: Collection[str] = ()
) -> None:
    """End those of these runs whose next command is to finish; those paused meanwhile too, since nothing is left to do."""
    groups: dict[tuple[str, StepError | None], list[tuple[str, str]]] = {}
    changes: Counter[counts.Key] = Counter()
    given_up: list[letters.Letter] = []
    for run, command in ended:
        if isinstance(command, Finish):
            groups.setdefault((command.status, command.error), []).append(run.key)
            changes[run.tenant_id, "runs", "", "paused" if run.id in paused else "running"] -= 1
            if not run.test:  # what was tried out is no success and no failure
                changes[run.tenant_id, "runs", "", command.status] += 1
                changes[run.tenant_id, "automation", run.automation_id, command.status] += 1
                if command.error is not None:
                    given_up.append(_letter(run, command.error))
    for (status, error), keys in groups.items():
        runs.finish(connection, keys, status, now, encode_error(error))
    if given_up:
        dead_letters.add_many(connection, given_up, now)
    counts.add(connection, changes, now)


def _letter(run: LiveRun, error: StepError) -> letters.Letter:
    return letters.of_run(
        run.tenant_id,
        run.id,
        run.automation_id,
        error.code,
        error.message,
        run.attempts.get(error.step_id or "", 0) + 1,
        step_id=error.step_id,
        epoch=run.epoch,
        version=run.version,
        event_id=run.event.id,
        event_name=run.event.name,
    )


class Ending:
    """The kind of work that ends runs which had no step to perform last."""

    name = "ending"

    def __init__(self, worker_id: str) -> None:
        self._worker_id = worker_id

    def write(
        self, connection: Connection, work: Sequence[tuple[LiveRun, Finish]], now: int
    ) -> Sequence[LeaseLost | None]:
        """End those of these runs that are still held here."""
        ours = runs.held(connection, [(run.tenant_id, run.id, run.epoch) for run, _ in work], self._worker_id)
        paused = {run_id for run_id, is_paused in ours.items() if is_paused}
        finish(connection, [(run, command) for run, command in work if run.id in ours], now, paused)
        return [None if run.id in ours else LeaseLost(run.id) for run, _ in work]


class Parking(msgspec.Struct, frozen=True):
    """A run that goes to sleep: its timer and, when an attempt failed before, that attempt's row."""

    run: LiveRun
    timer: journal.Timer
    failed: tuple[Any, ...] | None = None


class Park:
    """The kind of work that puts runs to sleep."""

    name = "park"

    def __init__(self, worker_id: str) -> None:
        self._worker_id = worker_id

    def write(self, connection: Connection, work: Sequence[Parking], now: int) -> Sequence[LeaseLost | None]:
        """Set the timers of those of these runs that are still held here, and let go of them."""
        ours = runs.held(connection, [(w.run.tenant_id, w.run.id, w.run.epoch) for w in work], self._worker_id)
        mine = [w for w in work if w.run.id in ours]
        if mine:
            runs.park(connection, [w.run.key for w in mine if not ours[w.run.id]])
            standing.release_paused(connection, [w.run.key for w in mine if ours[w.run.id]])
            journal.set_timers(connection, [w.timer for w in mine])
            failed = [w.failed for w in mine if w.failed is not None]
            if failed:
                journal.keep_attempts(connection, failed)
            changes: Counter[counts.Key] = Counter()
            for parked in (w for w in mine if not ours[w.run.id]):
                changes[parked.run.tenant_id, "runs", "", "running"] -= 1
                changes[parked.run.tenant_id, "runs", "", "waiting"] += 1
            counts.add(connection, changes, now)
        return [None if w.run.id in ours else LeaseLost(w.run.id) for w in work]


def encode_error(error: StepError | None) -> str | None:
    """The error as it is kept."""
    return _encode(error).decode() if error is not None else None


def _kept(work: Recording, recorded: Recorded, now: int) -> journal.KeptStep:
    outcome, performed = recorded.outcome, work.performed
    return journal.KeptStep(
        tenant_id=work.run.tenant_id,
        run_id=work.run.id,
        seq=work.run.seq,
        step_id=work.step_id,
        kind=work.kind,
        status=outcome.status,
        attempt=work.attempt,
        started_at=performed.started_at,
        finished_at=max(now, performed.started_at),
        input=performed.input,
        output=_encode(outcome.output).decode() if outcome.output is not None else None,
        error=encode_error(outcome.error),
        log=performed.log,
    )
