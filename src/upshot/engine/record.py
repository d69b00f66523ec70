"""Record: an outcome is kept, and what follows from it is known, in one transaction.

The outcome, the effects on our own store (entities, emitted events), the next command and, when it is the end, the
completion of the run are one commit. A worker that no longer holds the run writes nothing.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.core import advance
from upshot.core import dead_letters as letters
from upshot.core.automations.document import kind_of
from upshot.core.commands import Commands, Finish, StepError
from upshot.core.events import Event
from upshot.core.journal import Outcome
from upshot.engine import control
from upshot.engine.live_run import LiveRun
from upshot.engine.lost import LeaseLost, lost
from upshot.engine.settle import Performed, Settled, settle
from upshot.store import calls, counts, dead_letters, journal, runs, standing, waits
from upshot.store.events import insert_events
from upshot.store.waits import Wait

_encode = msgspec.json.Encoder().encode  # what is encoded here was held to strict JSON before


class Done(msgspec.Struct, frozen=True, gc=False):
    """One performed step."""

    step_id: str
    performed: Performed
    attempt: int = 1


class Recording(msgspec.Struct, frozen=True, gc=False):
    """Steps of one run that were performed, of which only the first may have operations; or the commands it was brought back
    with. `fired` are steps whose timers are due. If it was paused meanwhile, the hold on it is let go with this, unless other
    steps of it are in flight (`lets_go`)."""

    run: LiveRun
    done: tuple[Done, ...]
    commands: Commands = ()
    fired: tuple[str, ...] = ()
    lets_go: bool = True


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """What was kept, in order, and what it led to. `events` were emitted in the same commit and are yet to be matched."""

    state: advance.State
    commands: Commands
    kept: tuple[Outcome, ...]
    events: tuple[Event, ...] = ()
    is_paused: bool = False
    """Somebody paused the run: nothing of it begins, and timers that were due did nothing."""


class Record:
    """The kind of work that keeps outcomes."""

    name = "record"

    def __init__(self, worker_id: str) -> None:
        self._worker_id = worker_id

    def tenant_of(self, work: Recording) -> str:
        """Whose run it is."""
        return work.run.tenant_id

    def write(self, connection: Connection, work: Sequence[Recording], now: int) -> Sequence[Recorded | LeaseLost]:
        """Keep the outcomes of all runs that are still held here."""
        ours = runs.held(connection, [(w.run.tenant_id, w.run.id, w.run.epoch) for w in work], self._worker_id)
        paused = {run_id for run_id, is_paused in ours.items() if is_paused}
        mine = [w for w in work if w.run.id in ours]
        if paused:
            mine = [_without_timers(w) if w.run.id in paused else w for w in mine]
        kept: list[journal.KeptStep] = []
        gone: list[tuple[str, str, str]] = []
        settled = iter(settle(connection, [(w.run, done) for w in mine for done in w.done], now))
        recorded = [_record(w, settled, kept, gone, now) for w in mine]
        journal.keep(connection, kept)
        journal.remove_timers(connection, gone)
        journal.forget_begun(connection, [key for w, r in zip(mine, recorded, strict=True) for key in _begun(w.run, r)])
        let_go = {key for w, r in zip(mine, recorded, strict=True) for key in _let_go(w.run, r)}
        awaited = calls.awaited(connection, {key[:2] for key in let_go}) if let_go else {}
        waits.remove(connection, [key for w, r in zip(mine, recorded, strict=True) for key in _waited(w.run, r)])
        emitted = [event for r in recorded for event in r.events]
        if emitted:
            insert_events(connection, emitted, now, self._worker_id)
        finish(connection, [(w.run, r.commands) for w, r in zip(mine, recorded, strict=True)], now, paused)
        if awaited:  # what ends in this very transaction has ended, and is not cancelled any more
            control.cancel_called(connection, {key: run_id for key, run_id in awaited.items() if key in let_go}, now)
        if paused:
            standing.release_paused(connection, [w.run.key for w in mine if w.run.id in paused and w.lets_go])
            recorded = [
                msgspec.structs.replace(r, is_paused=w.run.id in paused) for w, r in zip(mine, recorded, strict=True)
            ]
        by_run = {w.run.id: r for w, r in zip(mine, recorded, strict=True)}
        gone_runs = lost(connection, [w.run for w in work], ours, self._worker_id)
        return [by_run.get(w.run.id) or gone_runs[w.run.id] for w in work]


def _without_timers(work: Recording) -> Recording:
    """The same, but for what follows from timers: those of a paused run are fired when it goes on."""
    done = tuple(done for done in work.done if done.step_id not in work.fired)
    return msgspec.structs.replace(work, done=done, fired=())


def _begun(run: LiveRun, recorded: Recorded) -> list[tuple[str, str, str]]:
    """The steps at most once whose outcomes are kept now. One that was cancelled in flight stays begun: should its run be
    retried, it is not done again."""
    program = run.program
    known = (
        (outcome.step_id for outcome in recorded.kept if outcome.status != "cancelled") if program.at_most_once else ()
    )
    return [(*run.key, step_id) for step_id in known if program.is_at_most_once(step_id)]


def _waited(run: LiveRun, recorded: Recorded) -> list[tuple[str, str, str]]:
    """The steps that waited for events and do so no longer."""
    program = run.program
    known = (outcome.step_id for outcome in recorded.kept) if program.waits else ()
    return [(*run.key, step_id) for step_id in known if program.is_wait(step_id)]


def _let_go(run: LiveRun, recorded: Recorded) -> list[tuple[str, str, str]]:
    """The calls that nobody waits for any more since the steps around them are done with. Those of a run that fails go on: it
    may be retried, and then waits for them again."""
    program = run.program
    if not program.calls or recorded.state.handling is not None:
        return []
    if recorded.commands and isinstance(end := recorded.commands[0], Finish) and end.status == "failed":
        return []
    return [
        (*run.key, one.step_id) for one in recorded.kept if one.status == "cancelled" and program.is_call(one.step_id)
    ]


def _record(
    work: Recording,
    settled: Iterator[Settled],
    kept: list[journal.KeptStep],
    gone: list[tuple[str, str, str]],
    now: int,
) -> Recorded:
    """Apply these outcomes and what follows from them at once. What is to be kept, and timers to be removed, are added."""
    run, program = work.run, work.run.program
    state, commands, seq = run.state, work.commands, run.seq
    outcomes: list[Outcome] = []
    emitted: tuple[Event, ...] = ()
    for done in work.done:
        outcome, events = next(settled)
        if outcome.step_id not in state.open:
            continue  # it lost the race to a join by this much
        state, following = advance.apply(program, state, outcome)
        commands = (*commands, *following) if commands else following
        kept.append(_kept(run, seq + len(outcomes), outcome, done, now))
        outcomes.append(outcome)
        emitted = (*emitted, *events) if emitted else events
        if program.keeps:
            state, commands = _close(run, state, commands, outcomes, kept, gone, now)
    if not work.done:
        state, commands = _close(run, state, commands, outcomes, kept, gone, now)
    if work.fired:
        gone.extend((*run.key, step_id) for step_id in work.fired)
    return Recorded(state, commands, tuple(outcomes), emitted)


def _close(
    run: LiveRun,
    state: advance.State,
    commands: Commands,
    outcomes: list[Outcome],
    kept: list[journal.KeptStep],
    gone: list[tuple[str, str, str]],
    now: int,
) -> tuple[advance.State, Commands]:
    """Keep what these commands say, and let go of its timers."""
    state, commands, closed = advance.settle(run.program, state, commands)
    for outcome in closed:
        began = Performed(started_at=run.began.get(outcome.step_id, now))
        attempt = run.attempts.get(outcome.step_id, 0) + 1
        kept.append(_kept(run, run.seq + len(outcomes), outcome, Done(outcome.step_id, began, attempt), now))
        outcomes.append(outcome)
        gone.append((*run.key, outcome.step_id))
    return state, commands


def finish(
    connection: Connection, ended: Sequence[tuple[LiveRun, Commands]], now: int, paused: Collection[str] = ()
) -> None:
    """End those of these runs whose next command is to finish; those paused meanwhile too, since nothing is left to do."""
    groups: dict[tuple[str, StepError | None], list[tuple[str, str]]] = {}
    changes: Counter[counts.Key] = Counter()
    given_up: list[letters.Letter] = []
    timed: list[tuple[str, str]] = []
    waiting: list[tuple[str, str]] = []
    called: dict[str, list[tuple[str, str]]] = {}
    for run, commands in ended:
        if commands and isinstance(command := commands[0], Finish):
            groups.setdefault((command.status, command.error), []).append(run.key)
            changes[run.tenant_id, "runs", "", "paused" if run.id in paused else "running"] -= 1
            if not run.test:  # what was tried out is no success and no failure
                changes[run.tenant_id, "runs", "", command.status] += 1
                changes[run.tenant_id, "automation", run.automation_id, command.status] += 1
                if command.error is not None:
                    given_up.append(_letter(run, command.error))
            if run.program.forks or run.program.has_limit:
                timed.append(run.key)
            if run.program.waits or run.program.watching is not None:
                waiting.append(run.key)
            if run.is_called:
                called.setdefault(command.status, []).append(run.key)
    for (status, error), keys in groups.items():
        runs.finish(connection, keys, status, now, encode_error(error))
    journal.clear_timers(connection, timed)
    waits.clear(connection, waiting)
    for status, keys in called.items():
        calls.end(connection, keys, status)
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

    def tenant_of(self, work: tuple[LiveRun, Finish]) -> str:
        """Whose run it is."""
        return work[0].tenant_id

    def write(
        self, connection: Connection, work: Sequence[tuple[LiveRun, Finish]], now: int
    ) -> Sequence[LeaseLost | None]:
        """End those of these runs that are still held here."""
        ours = runs.held(connection, [(run.tenant_id, run.id, run.epoch) for run, _ in work], self._worker_id)
        paused = {run_id for run_id, is_paused in ours.items() if is_paused}
        finish(connection, [(run, (command,)) for run, command in work if run.id in ours], now, paused)
        gone = lost(connection, [run for run, _ in work], ours, self._worker_id)
        return [gone.get(run.id) for run, _ in work]


class Beginning(msgspec.Struct, frozen=True):
    """An attempt of a step at most once, about to begin."""

    run: LiveRun
    step_id: str
    attempt: int


class Begin:
    """The kind of work that notes, before the effect, that an attempt begins."""

    name = "begin"

    def __init__(self, worker_id: str) -> None:
        self._worker_id = worker_id

    def tenant_of(self, work: Beginning) -> str:
        """Whose run it is."""
        return work.run.tenant_id

    def write(self, connection: Connection, work: Sequence[Beginning], now: int) -> Sequence[LeaseLost | None]:
        """Note those of runs that are still held here."""
        ours = runs.held(connection, [(w.run.tenant_id, w.run.id, w.run.epoch) for w in work], self._worker_id)
        journal.begin(connection, [(*w.run.key, w.step_id, w.attempt) for w in work if w.run.id in ours], now)
        gone = lost(connection, [w.run for w in work], ours, self._worker_id)
        return [gone.get(w.run.id) for w in work]


class Parking(msgspec.Struct, frozen=True):
    """A run of which some steps wait from now on: their timers, the events they wait for and, where an attempt failed before,
    that attempt's row. It goes to sleep if everything that is open waits, and nothing of it has come."""

    run: LiveRun
    timers: tuple[journal.Timer, ...]
    failed: tuple[tuple[Any, ...], ...] = ()
    waits: tuple[Wait, ...] = ()
    sleeps: bool = True
    since: int | None = None
    """For waits that begin while other steps of the run may be kept: the place in its journal up to which it was known then.
    A step that was let go of behind it does not wait any more."""


class Parked(msgspec.Struct, frozen=True):
    """Whether the run sleeps, and the events, by the steps that waited for them, that keep it from it."""

    sleeps: bool
    met: dict[str, str]


class Park:
    """The kind of work that puts runs to sleep."""

    name = "park"

    def __init__(self, worker_id: str) -> None:
        self._worker_id = worker_id

    def tenant_of(self, work: Parking) -> str:
        """Whose run it is."""
        return work.run.tenant_id

    def write(self, connection: Connection, work: Sequence[Parking], now: int) -> Sequence[LeaseLost | Parked]:
        """Set the timers and waits of those of these runs that are still held here, and let go of those that sleep. One that
        was paused is let go of, and does not sleep; one that something has come for goes on."""
        ours = runs.held(connection, [(w.run.tenant_id, w.run.id, w.run.epoch) for w in work], self._worker_id)
        mine = [w for w in work if w.run.id in ours]
        met: dict[str, dict[str, str]] = {}
        if mine:
            asked = [(*w.run.key, wait.step_id, w.since) for w in mine if w.since is not None for wait in w.waits]
            gone = journal.kept_since(connection, asked)
            timers = [timer for w in mine for timer in w.timers]
            journal.set_timers(
                connection, [one for one in timers if (one.tenant_id, one.run_id, one.step_id) not in gone]
            )
            failed = [attempt for w in mine for attempt in w.failed]
            if failed:
                journal.keep_attempts(connection, failed)
            begun = [wait for w in mine for wait in w.waits]
            waits.add(connection, [one for one in begun if (one.tenant_id, one.run_id, one.step_id) not in gone])
            resting = [w.run for w in mine if w.sleeps and not ours[w.run.id]]
            waiting = [run.key for run in resting if run.waits]
            for wait in waits.met_of_runs(connection, waiting) if waiting else ():
                met.setdefault(wait.run_id, {})[wait.step_id] = wait.met_by or ""
            asleep = [run.key for run in resting if run.id not in met]
            if asleep:
                runs.park(connection, asleep)
            looked = [run.key for run in resting if (run.waits or run.watches) and run.id not in met]
            waits.note_looked_back(connection, looked)
            standing.release_paused(connection, [w.run.key for w in mine if w.sleeps and ours[w.run.id]])
            changes: Counter[counts.Key] = Counter()
            for tenant_id, _ in asleep:
                changes[tenant_id, "runs", "", "running"] -= 1
                changes[tenant_id, "runs", "", "waiting"] += 1
            counts.add(connection, changes, now)
        taken = lost(connection, [w.run for w in work], ours, self._worker_id)
        return [taken.get(w.run.id) or Parked(w.sleeps and not ours[w.run.id], met.get(w.run.id, {})) for w in work]


def encode_error(error: StepError | None) -> str | None:
    """The error as it is kept."""
    return _encode(error).decode() if error is not None else None


def _kept(run: LiveRun, seq: int, outcome: Outcome, done: Done, now: int) -> journal.KeptStep:
    performed = done.performed
    return journal.KeptStep(
        tenant_id=run.tenant_id,
        run_id=run.id,
        seq=seq,
        step_id=outcome.step_id,
        kind=kind_of(run.program.steps[outcome.step_id]),
        status=outcome.status,
        attempt=done.attempt,
        started_at=performed.started_at,
        finished_at=max(now, performed.started_at),
        input=performed.input,
        output=_encode(outcome.output).decode() if outcome.output is not None else None,
        error=encode_error(outcome.error),
        log=performed.log,
    )
