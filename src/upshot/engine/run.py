"""Run: drives each run from command to command until it sleeps or ends. A run stays in memory from step to step."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence

from upshot.core import advance
from upshot.core.attempts import next_attempt_at
from upshot.core.automations.document import ActionStep, DelayStep
from upshot.core.automations.durations import due_at
from upshot.core.commands import Command, Finish, RunStep, Sleep, StepError
from upshot.core.errors import Busy
from upshot.core.events import Event
from upshot.core.instants import MINUTE
from upshot.core.journal import Outcome
from upshot.engine import tracing
from upshot.engine.act import Act
from upshot.engine.context import clean_text
from upshot.engine.heartbeat import Heartbeat
from upshot.engine.live_run import LiveRun
from upshot.engine.process import Process
from upshot.engine.record import Ending, LeaseLost, Park, Parking, Record, Recorded, Recording, encode_error
from upshot.engine.settle import Performed
from upshot.store import entities, runs
from upshot.store.journal import Timer

log = logging.getLogger("upshot.engine")

BUSY_PAUSE_SECONDS = 0.2
HAND_BACK_PAUSE_SECONDS = 1.0
TENANT_SHARE = 0.75
"""The part of a process's room that one tenant may fill with new runs."""


class Run:
    """The runs this process drives."""

    def __init__(self, process: Process, act: Act, lease: Heartbeat) -> None:
        self._process, self._act, self.lease = process, act, lease
        self._record, self._park, self._ending = (kind(process.worker_id) for kind in (Record, Park, Ending))
        self._taken: Counter[str] = Counter()
        self._taken_in_all = 0
        self._is_stopping = False
        self._driving: dict[tuple[str, str], asyncio.Task[None]] = {}
        self.sleeping: dict[tuple[str, str], LiveRun] = {}
        self.claim_wanted = False
        self.on_emitted: Callable[[Sequence[Event]], None] = lambda _: None
        self.on_timer: Callable[[Timer], bool] = lambda _: False
        self.on_room: Callable[[], None] = lambda: None

    # --- room -----------------------------------------------------------------------------------------------------------

    def reserve(self, tenant_id: str) -> bool:
        """Take room for one run of this tenant; False when this process drives as many as it may, or so many of this tenant
        that no room would be left for the others."""
        if self.room <= 0 or self._taken[tenant_id] >= self._process.limits.runs_max * TENANT_SHARE:
            return False
        self.reserve_always(tenant_id)
        return True

    def reserve_always(self, tenant_id: str) -> None:
        """Take room for a run that this process holds already."""
        self._taken[tenant_id] += 1
        self._taken_in_all += 1

    def give_back_room(self, tenant_id: str) -> None:
        """Room that was reserved is not needed (any more)."""
        self._taken[tenant_id] -= 1
        self._taken_in_all -= 1
        if not self._taken[tenant_id]:
            del self._taken[tenant_id]
        if self.claim_wanted and self.room > self._process.limits.runs_max // 2:
            self.claim_wanted = False
            self.on_room()

    def wants_claim(self) -> None:
        """Runs wait in the store for room here."""
        self.claim_wanted = True
        if not self._driving:
            self.on_room()

    @property
    def room(self) -> int:
        """How many more runs may be driven now."""
        return self._process.limits.runs_max - self._taken_in_all

    @property
    def room_to_claim(self) -> int:
        """How many runs may be claimed now: some room is kept for what tenants start meanwhile."""
        return self.room - int(self._process.limits.runs_max * (1 - TENANT_SHARE))

    def is_idle(self) -> bool:
        """Whether no run is being driven."""
        return not self._driving

    def is_driving(self, key: tuple[str, str]) -> bool:
        """Whether this run is being driven here."""
        return key in self._driving

    # --- driving --------------------------------------------------------------------------------------------------------

    def begin(self, run: LiveRun) -> None:
        """Drive a new run, whose room is reserved."""
        self.take(run, run.start())

    def take(self, run: LiveRun, command: Command) -> None:
        """Drive this run on from `command`; its room is reserved."""
        drive = self._drive(run, command)
        if tracing.is_on():
            drive = tracing.driven(run, self._process.clock.now(), drive)
        task = asyncio.get_running_loop().create_task(drive)
        self._driving[run.key] = task
        self._tell(run, "running")

    async def drain(self, seconds: float) -> None:
        """Let every run end its present step, at most this long; then drop them all: the store has what counts."""
        self._is_stopping = True
        tasks = set(self._driving.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()

    async def _drive(self, run: LiveRun, command: Command) -> None:
        try:
            while True:
                match command:
                    case RunStep(step_id):
                        recorded = await self._step(run, step_id)
                        if recorded is None:
                            return
                        command = self._advance(run, recorded)
                        if isinstance(command, Finish):
                            self._tell(run, command.status)
                            return
                        if self._is_stopping or recorded.is_paused:
                            return
                    case Sleep(step_id):
                        await self._sleep(run, step_id)
                        return
                    case Finish():
                        await self._process.commit.give(self._ending, (run, command))
                        self._tell(run, command.status)
                        return
        except LeaseLost:
            log.info("run %s is no longer held here; dropped", run.id)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("run %s could not be driven on; it is handed back", run.id)
            await self._hand_back(run)
        finally:
            driven = self._driving.get(run.key)  # another task when a timer has woken the run already
            if driven is not None and driven is asyncio.current_task():
                del self._driving[run.key]
            self.give_back_room(run.tenant_id)

    def _advance(self, run: LiveRun, recorded: Recorded) -> Command:
        outcome = recorded.outcome
        run.state = recorded.state
        run.seq += 1
        run.outputs[outcome.step_id] = {"output": outcome.output}
        run.attempts.pop(outcome.step_id, None)
        if recorded.events:
            self.on_emitted(recorded.events)
        if self._process.changes.wanted(run.tenant_id):
            self._process.changes.tell(
                run.tenant_id, "step", run_id=run.id, step_id=outcome.step_id, status=outcome.status
            )
        return recorded.command

    async def _step(self, run: LiveRun, step_id: str) -> Recorded | None:
        """Perform and record one step; None when the run was parked for a later attempt."""
        if not self.lease.is_current():
            await self._after_a_lapse(run)
        step = run.program.steps[step_id]
        attempt = run.attempts.get(step_id, 0) + 1
        entity = await self._entity(run) if step_id in run.program.reads_entity else None
        performing = self._act.perform(run, step, attempt, entity)
        performed = await (tracing.stepped(run, step, attempt, performing) if tracing.is_on() else performing)
        if isinstance(step, ActionStep) and performed.outcome is not None and performed.outcome.status == "failed":
            again_at = self._again_at(run, step, attempt, performed)
            if again_at is not None:
                await self._try_later(run, step_id, attempt, performed, again_at)
                return None
        kind = "action" if isinstance(step, ActionStep) else "branch"
        return await self._commit(Recording(run, step_id, kind, performed, attempt))

    async def _after_a_lapse(self, run: LiveRun) -> None:
        """Wait for the lease, and see that nobody has taken the run meanwhile: else its step would be begun twice."""
        await self.lease.current()
        held = await self._process.reads.run(runs.holds, self._process.worker_id)
        if (run.tenant_id, run.id, run.epoch) not in held:
            raise LeaseLost(run.id)

    def _again_at(self, run: LiveRun, step: ActionStep, attempt: int, performed: Performed) -> int | None:
        now = self._process.clock.now()
        if performed.is_missing_action:
            return now + MINUTE
        if performed.is_permanent:
            return None
        key = f"{run.id}:{step.id}"
        return next_attempt_at(step, attempt, key=key, now=now, retry_after_seconds=performed.retry_after_seconds)

    async def _commit(self, recording: Recording) -> Recorded:
        """Keep an outcome; while the store cannot take it, try again: the effect has happened and must not be forgotten."""
        while True:
            try:
                return await self._process.commit.give(self._record, recording)
            except Busy:
                await asyncio.sleep(BUSY_PAUSE_SECONDS)

    async def _entity(self, run: LiveRun) -> dict[str, object] | None:
        ref = run.event.entity
        if ref is None:
            return None
        key = (run.tenant_id, ref.type, ref.id)
        return (await self._process.reads.run(entities.read_roots, [key])).get(key)

    # --- sleeping -------------------------------------------------------------------------------------------------------

    async def _sleep(self, run: LiveRun, step_id: str) -> None:
        step = run.program.steps[step_id]
        assert isinstance(step, DelayStep)  # noqa: S101 - the program gave Sleep for it
        now = self._process.clock.now()
        entity = await self._entity(run) if step_id in run.program.reads_entity else None
        facts = run.facts(now, entity)
        try:
            due = due_at(run.program.templates[step_id].render(facts), facts, now)
        except Exception as error:  # noqa: BLE001 - whatever it is about the delay, its step has failed
            await self._unreadable_delay(run, step_id, str(error), now)
            return
        await self._set_timer(run, Parking(run, Timer(run.tenant_id, run.id, step_id, "delay", run.seq, now, due)))

    async def _unreadable_delay(self, run: LiveRun, step_id: str, why: str, now: int) -> None:
        outcome = Outcome(step_id, "failed", error=StepError("bad_delay", clean_text(why), step_id))
        recorded = await self._commit(Recording(run, step_id, "delay", Performed(started_at=now, outcome=outcome), 1))
        self._advance(run, recorded)
        self._tell(run, "failed")

    async def _try_later(self, run: LiveRun, step_id: str, attempt: int, performed: Performed, again_at: int) -> None:
        now = self._process.clock.now()
        outcome = performed.outcome
        failed = (
            run.tenant_id,
            run.id,
            step_id,
            attempt,
            performed.started_at,
            now,
            performed.input,
            encode_error(outcome.error if outcome else None),
            performed.log,
        )
        timer = Timer(run.tenant_id, run.id, step_id, "retry", run.seq, now, again_at)
        # However long an action is missing, that is one attempt.
        run.attempts[step_id] = max(attempt - 1, 1) if performed.is_missing_action else attempt
        await self._set_timer(run, Parking(run, timer, failed))

    async def _set_timer(self, run: LiveRun, parking: Parking) -> None:
        while True:
            try:
                await self._process.commit.give(self._park, parking)
                break
            except Busy:
                await asyncio.sleep(BUSY_PAUSE_SECONDS)
        is_near = self.on_timer(parking.timer)
        if is_near and len(self.sleeping) < self._process.limits.sleepers_max:
            self.sleeping[run.key] = run
        self._tell(run, "waiting")

    def awake(self, run: LiveRun, kind: str, step_id: str, epoch: int) -> None:
        """Drive a run on that slept in memory and whose timer just fired; its room is reserved."""
        run.epoch = epoch
        if kind == "retry":
            self.take(run, RunStep(step_id))
            return
        outcome = Outcome(step_id, "completed")
        run.state, command = advance.apply(run.program, run.state, outcome)
        run.seq += 1
        run.outputs[step_id] = {"output": None}
        self.take(run, command)

    # --- odds -----------------------------------------------------------------------------------------------------------

    async def _hand_back(self, run: LiveRun) -> None:
        process, held = self._process, (run.tenant_id, run.id, run.epoch)
        while True:
            await asyncio.sleep(HAND_BACK_PAUSE_SECONDS)
            try:
                await process.commit.run_async(lambda c: runs.release_held(c, [held], process.worker_id), "hand_back")
            except Busy:
                continue
            self.claim_wanted = True
            return

    def _tell(self, run: LiveRun, status: str) -> None:
        if self._process.changes.wanted(run.tenant_id):
            self._process.changes.tell(
                run.tenant_id,
                "run",
                id=run.id,
                status=status,
                automation_id=run.automation_id,
                event_id=run.event.public_id,
            )
