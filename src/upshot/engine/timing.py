"""Timing: when what a run waits for is over, and when an attempt follows one that failed."""

from typing import Any

from upshot.core.automations.document import ParallelStep, WaitStep
from upshot.core.automations.durations import due_at
from upshot.core.commands import StepError
from upshot.core.errors import Busy
from upshot.core.journal import Outcome
from upshot.engine.context import clean_text
from upshot.engine.live_run import LiveRun
from upshot.engine.process import Process
from upshot.engine.record import Done, encode_error
from upshot.engine.room import Room
from upshot.engine.settle import Performed
from upshot.store import entities
from upshot.store.database import DatabaseUnavailable
from upshot.store.journal import SEQ_UNKNOWN, Timer


class Timing(Room):
    """The timers of the runs that a process drives."""

    def __init__(self, process: Process) -> None:
        super().__init__(process.limits)
        self._process = process

    def now(self) -> int:
        """The present instant."""
        return self._process.clock.now()

    async def entity(self, run: LiveRun) -> dict[str, object] | None:
        """The entity that the run is about, as it is now."""
        ref = run.event.entity
        if ref is None:
            return None
        key = (run.tenant_id, ref.type, ref.id)
        return (await self._process.reads.run(entities.read_roots, [key])).get(key)

    async def timer_of(self, run: LiveRun, step_id: str) -> Timer | Done:
        """The timer of this delay or of this step's timeout; or its failure, when it cannot be told."""
        now = self._process.clock.now()
        step = run.program.steps[step_id]
        kind = "wait" if isinstance(step, WaitStep) else "timeout" if isinstance(step, ParallelStep) else "delay"
        try:
            entity = await self.entity(run) if run.program.needs_entity(step_id) else None
            facts = run.facts(now, entity)
            due = due_at(run.program.template(step_id).render(facts), facts, now, kind)
        except (DatabaseUnavailable, Busy):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is about the delay, its step has failed
            failed = Outcome(step_id, "failed", error=StepError("bad_delay", clean_text(str(error)), step_id))
            return Done(step_id, Performed(started_at=now, outcome=failed))
        seq = SEQ_UNKNOWN if run.is_forked else run.seq
        return Timer(run.tenant_id, run.id, step_id, kind, seq, now, due)

    def later(self, run: LiveRun, done: Done, again_at: int) -> tuple[Timer, tuple[Any, ...]]:
        """The timer of a step's next attempt, and the row of the one that failed."""
        now, step_id, performed = self._process.clock.now(), done.step_id, done.performed
        outcome = performed.outcome
        failed = (
            run.tenant_id,
            run.id,
            step_id,
            done.attempt,
            performed.started_at,
            now,
            performed.input,
            encode_error(outcome.error if outcome else None),
            performed.log,
        )
        # However long an action is missing, that is one attempt.
        run.attempts[step_id] = max(done.attempt - 1, 1) if performed.is_missing_action else done.attempt
        seq = SEQ_UNKNOWN if run.is_forked else run.seq
        return Timer(run.tenant_id, run.id, step_id, "retry", seq, now, again_at), failed
