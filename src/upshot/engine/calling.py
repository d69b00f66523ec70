"""Calling: what a run does at a step that waits for the end of a run which it starts.

That run is started in the transaction that keeps who waits for it, so it cannot end unseen; its end is kept with the wait in
the transaction that ends it, and whoever sleeps over it is woken afterwards.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.core.automations.document import CallStep
from upshot.core.commands import StepError
from upshot.core.errors import Busy
from upshot.core.journal import Outcome
from upshot.core.statuses import RUN_OVER
from upshot.core.strict_json import encode
from upshot.core.waits import RUN_ENDED
from upshot.engine.call import Call, Called, call_of, start
from upshot.engine.context import clean_text
from upshot.engine.live_run import LiveRun
from upshot.engine.lost import LeaseLost
from upshot.engine.process import Process
from upshot.engine.record import Done
from upshot.engine.settle import Performed
from upshot.engine.timing import Timing
from upshot.store import calls, journal, runs, waits
from upshot.store.database import DatabaseUnavailable
from upshot.store.journal import Timer
from upshot.store.waits import Wait

WORKED = frozenset({"completed", "partial"})


class Waited(msgspec.Struct, frozen=True):
    """A call that is awaited, about to be made; `timer` is that of its timeout. `since` is as that of a `Parking`."""

    run: LiveRun
    step_id: str
    call: Call
    timer: Timer | None
    since: int | None


class CallWrite:
    """The kind of work that starts what is called and awaited. The answer is the wait for its end, or why there is none."""

    name = "call"

    def __init__(self, worker_id: str) -> None:
        self._worker_id = worker_id

    def tenant_of(self, work: Waited) -> str:
        """Whose run it is."""
        return work.run.tenant_id

    def write(self, connection: Connection, work: Sequence[Waited], now: int) -> Sequence[Wait | StepError | LeaseLost]:
        """Make the calls of those runs that are still held here, and of steps that were not let go of meanwhile: those are told
        to wait, until they are told that they are cancelled."""
        ours = runs.held(connection, [(w.run.tenant_id, w.run.id, w.run.epoch) for w in work], self._worker_id)
        held = [w for w in work if w.run.id in ours]
        asked = [(*w.run.key, w.step_id, w.since) for w in held if w.since is not None]
        gone = journal.kept_since(connection, asked)
        mine = [w for w in held if (*w.run.key, w.step_id) not in gone]
        called = start(connection, [(w.run, w.step_id, w.call) for w in mine], now)
        made = [(w, _wait(w, one, now)) for w, one in zip(mine, called, strict=True)]
        waiting = [(w, wait) for w, wait in made if isinstance(wait, Wait)]
        waits.add(connection, [wait for _, wait in waiting])
        timers = [w.timer for w, wait in waiting if w.timer is not None and wait.met_by is None]
        if timers:
            journal.set_timers(connection, timers)
        made += [(w, _wait_for(w, "", None, now)) for w in held if (*w.run.key, w.step_id) in gone]
        answers = {(w.run.id, w.step_id): answer for w, answer in made}
        return [answers.get((w.run.id, w.step_id)) or LeaseLost(w.run.id) for w in work]


def _wait(work: Waited, called: Called | StepError, now: int) -> Wait | StepError:
    if isinstance(called, StepError):
        return called
    return _wait_for(work, called.run_id, called.status if called.status in RUN_OVER else None, now)


def _wait_for(work: Waited, called_run: str, met_by: str | None, now: int) -> Wait:
    key = (work.run.tenant_id, work.run.id, "step", work.step_id, RUN_ENDED, called_run)
    return Wait(*key, int(work.run.test), now, looked_back=1, met_by=met_by)


class Calling:
    """The calls that runs which this process drives wait for."""

    def __init__(self, process: Process, timing: Timing) -> None:
        self._process, self._timing = process, timing
        self._kind = CallWrite(process.worker_id)

    async def begin(self, run: LiveRun, step: CallStep) -> Done | None:
        """Call, unless this run has done so: how the step ended, None while it waits."""
        wait = run.waits.get(step.id)
        if wait is None:
            called = await self._call(run, step)
            if isinstance(called, Done):
                return called
            wait = run.waits[step.id] = called
        return await self._ended(run, step, wait) if wait.met_by is not None else None

    async def _call(self, run: LiveRun, step: CallStep) -> Wait | Done:
        now = self._timing.now()
        try:
            entity = await self._timing.entity(run) if run.program.needs_entity(step.id) else None
            call = call_of(run.program, step, run.facts(now, entity, step.id))
        except (DatabaseUnavailable, Busy):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is about the data, its step has failed
            return _failed(run, StepError("bad_call", clean_text(str(error)), step.id), now, None)
        timer = await self._timing.timer_of(run, step.id) if step.timeout is not None else None
        if isinstance(timer, Done):
            return timer
        waited = Waited(run, step.id, call, timer, run.seq if run.is_forked else None)
        answer: Wait | StepError = await self._timing.insist(self._kind, waited)
        if isinstance(answer, StepError):
            return _failed(run, answer, now, _input(step, call.data))
        if timer is not None and answer.met_by is None:
            run.timers[step.id] = timer
            self._timing.on_timer(timer)
        self._timing.wants_claim()
        return answer

    async def _ended(self, run: LiveRun, step: CallStep, wait: Wait) -> Done:
        """The outcome of the step whose run is over. Its status is the one it ended with, whatever became of it since."""
        child, status = wait.match_key, wait.met_by or ""
        found = await self._process.reads.run(calls.ended, run.tenant_id, child)
        output: dict[str, Any] = {"run_id": child, "status": status}
        given = _input(step, msgspec.json.decode(found.data)) if found is not None and found.data is not None else None
        if status in WORKED and found is None:
            said = f"Run {child}, which it called, is not kept any more, so what it gave is not known."
            return _failed(run, StepError("call_gone", said, step.id), wait.set_at, given, output)
        if status in WORKED and found is not None:
            outcome = Outcome(step.id, "completed", {**output, "outputs": found.outputs})
            return _done(run, outcome, wait.set_at, given)
        name = f" of “{found.automation}”" if found is not None and found.automation is not None else ""
        error = (
            msgspec.json.decode(found.error, type=StepError) if found is not None and found.error is not None else None
        )
        at = f" at step “{error.step_id}”" if error is not None and error.step_id else ""
        why = f"{at}: {error.message}" if error is not None else "."
        verb = "failed" if status == "failed" else "was cancelled"
        said = clean_text(f"Run {child}{name}, which it called, {verb}{why}")
        code = "call_failed" if status == "failed" else "call_cancelled"
        return _failed(run, StepError(code, said, step.id), wait.set_at, given, output)


def _input(step: CallStep, data: dict[str, Any]) -> str:
    return encode({"automation": step.automation, "data": data})


def _failed(run: LiveRun, error: StepError, started_at: int, given: str | None, output: Any = None) -> Done:
    return _done(run, Outcome(error.step_id or "", "failed", output, error), started_at, given)


def _done(run: LiveRun, outcome: Outcome, started_at: int, given: str | None) -> Done:
    attempt = run.attempts.get(outcome.step_id, 0) + 1
    return Done(outcome.step_id, Performed(started_at=started_at, outcome=outcome, input=given), attempt)
