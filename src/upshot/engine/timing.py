"""Timing: when what a run waits for is over, and when an attempt follows one that failed."""

import asyncio
from collections.abc import Callable
from typing import Any

from upshot.core.automations.document import CallStep, DelayStep, ParallelStep, Step, WaitStep
from upshot.core.automations.durations import due_at
from upshot.core.commands import StepError
from upshot.core.errors import Busy
from upshot.core.journal import Outcome
from upshot.engine.context import clean_text
from upshot.engine.gathered_reads import GatheredReads
from upshot.engine.live_run import LiveRun
from upshot.engine.process import Process
from upshot.engine.record import Done, encode_error
from upshot.engine.room import Room
from upshot.engine.settle import Performed
from upshot.engine.work import Kind
from upshot.store.database import DatabaseUnavailable
from upshot.store.entities import read_roots
from upshot.store.journal import SEQ_UNKNOWN, Timer

_KINDS: dict[type[Step], str] = {WaitStep: "wait", CallStep: "call", ParallelStep: "timeout", DelayStep: "delay"}
"""The kinds of the timers of steps: of delays, and of timeouts."""
BUSY_PAUSE_SECONDS = 0.2


class Timing(Room):
    """The timers of the runs that a process drives."""

    def __init__(self, process: Process) -> None:
        super().__init__(process.limits)
        self._process = process
        self._entities = GatheredReads(process.reads, read_roots)
        self.on_timer: Callable[[Timer], bool] = lambda _: False
        """Called with a timer that was just set; whether it is near."""

    def now(self) -> int:
        """The present instant."""
        return self._process.clock.now()

    async def insist(self, kind: Kind, work: Any) -> Any:
        """Have this written, and try again while the store cannot take it; the answer after its commit."""
        while True:
            try:
                return await self._process.commit.give(kind, work)
            except Busy:
                await asyncio.sleep(BUSY_PAUSE_SECONDS)

    async def entity(self, run: LiveRun) -> dict[str, object] | None:
        """The entity that the run is about, as it is now."""
        ref = run.event.entity
        if ref is None:
            return None
        return await self._entities.of((run.tenant_id, ref.type, ref.id))

    async def timer_of(self, run: LiveRun, step_id: str) -> Timer | Done:
        """The timer of this delay or of this step's timeout; or its failure, when it cannot be told."""
        now = self._process.clock.now()
        step = run.program.steps[step_id]
        kind = _KINDS[type(step)]
        try:
            entity = await self.entity(run) if run.program.needs_entity(step_id) else None
            facts = run.facts(now, entity, step_id)
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
