"""Run: drives each run from command to command until it sleeps or ends. A run stays in memory from step to step."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from upshot.core import advance
from upshot.core.attempts import next_attempt_at
from upshot.core.automations.document import ActionStep, Step
from upshot.core.automations.durations import due_at
from upshot.core.commands import Await, Commands, Finish, RunStep, Sleep, StepError
from upshot.core.errors import Busy
from upshot.core.events import Event
from upshot.core.instants import MINUTE
from upshot.core.journal import WHOLE, Outcome
from upshot.engine import control, ending, tracing
from upshot.engine.act import Act
from upshot.engine.awaiting import Awaiting
from upshot.engine.fork import Fork
from upshot.engine.heartbeat import Heartbeat
from upshot.engine.live_run import LiveRun
from upshot.engine.lost import LeaseLost
from upshot.engine.process import Process
from upshot.engine.record import (
    Begin,
    Beginning,
    Done,
    Ending,
    Park,
    Parked,
    Parking,
    Record,
    Recorded,
    Recording,
)
from upshot.engine.settle import Performed
from upshot.engine.timing import Timing
from upshot.store import runs, standing
from upshot.store.database import DatabaseUnavailable
from upshot.store.journal import SEQ_UNKNOWN, Timer

log = logging.getLogger("upshot.engine")

HAND_BACK_PAUSE_SECONDS = 1.0


class Run(Timing):
    """The runs this process drives."""

    def __init__(self, process: Process, act: Act, lease: Heartbeat) -> None:
        super().__init__(process)
        self._act, self.lease = act, lease
        self._record, self._park, self._ending = (kind(process.worker_id) for kind in (Record, Park, Ending))
        self._begin = Begin(process.worker_id)
        self.awaiting = Awaiting(process, self, self.park)
        self.is_stopping = False
        self._driving: dict[tuple[str, str], asyncio.Task[None]] = {}
        self.on_the_way: set[tuple[str, str]] = set()
        """Runs that this worker makes or wakes in a transaction whose answer has not come yet: they are held, or will be, and
        are driven from that answer on."""
        self.forks: dict[tuple[str, str], Fork] = {}
        self.sleeping: dict[tuple[str, str], LiveRun] = {}
        self.on_emitted: Callable[[Sequence[Event]], None] = lambda _: None
        self.on_over: Callable[[], None] = lambda: None
        """Called when a run that flow control speaks of is over: it may have freed a place."""
        self.on_called: Callable[[], None] = lambda: None
        """Called when a run that another one called is over or sleeps: somebody may wait for its end."""

    def is_idle(self) -> bool:
        """Whether no run is being driven."""
        return not self._driving

    def ring(self, key: tuple[str, str], step_id: str) -> bool:
        """Tell a run that is driven here with several open places that a timer of it is due; False when there is none."""
        fork = self.forks.get(key)
        if fork is not None:
            fork.ring(step_id)
        return fork is not None

    def is_driving(self, key: tuple[str, str]) -> bool:
        """Whether this run is being driven here."""
        return key in self._driving

    # --- driving --------------------------------------------------------------------------------------------------------

    def begin(self, run: LiveRun) -> None:
        """Drive a new run, whose room is reserved."""
        self.take(run, run.start())

    def take(self, run: LiveRun, commands: Commands) -> None:
        """Drive this run on from `commands`; its room is reserved."""
        if run.is_forked:
            self.forks[run.key] = Fork(self, run)
        drive = self._drive(run, commands)
        if tracing.is_on():
            drive = tracing.driven(run, self._process.clock.now(), drive)
        task = asyncio.get_running_loop().create_task(drive)
        self._driving[run.key] = task
        self._tell(run, "running")

    async def drain(self, seconds: float) -> None:
        """Let every run end its present step, at most this long; then drop them all: the store has what counts."""
        self.is_stopping = True
        tasks = set(self._driving.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()

    async def _drive(self, run: LiveRun, commands: Commands) -> None:
        try:
            following: Commands | None = commands
            watching = run.program.watching
            if watching is not None and (event := await self.awaiting.watch(run, watching)) is not None:
                await self._cancel(run, event)
            if run.program.has_limit and not run.is_limited:
                await self._limit(run)
            while following is not None:
                if run.program.endings:
                    await self.end_early(run, following)
                following = await self._carry_out(run, following)
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
            if run.program.asking is not None:
                self.on_over()
            if run.is_called:
                self.on_called()

    async def _carry_out(self, run: LiveRun, commands: Commands) -> Commands | None:  # noqa: PLR0911 - a return for each command
        """Do what these commands say; those that follow, None when the run sleeps, is over or left to others."""
        if run.is_forked or len(commands) != 1:
            fork = self.forks.setdefault(run.key, Fork(self, run))
            try:
                return await fork.drive(commands)
            finally:
                if self.forks.get(run.key) is fork:
                    del self.forks[run.key]
        is_wait = isinstance(commands[0], Await)
        if (
            run.timers and not is_wait and getattr(commands[0], "step_id", None) in run.timers
        ):  # it was paused while it waited
            await self.park(Parking(run, ()))
            return None
        match commands[0]:
            case RunStep(step_id):
                done, again_at = await self.perform(run, step_id)
                if again_at is not None:
                    timer, failed = self.later(run, done, again_at)
                    await self.park(Parking(run, (timer,), (failed,)))
                    return None
                recorded = await self.record(Recording(run, (done,)))
                return self._following(run, recorded)
            case Sleep(step_id):
                timer = await self.timer_of(run, step_id)
                if isinstance(timer, Done):
                    recorded = await self.record(Recording(run, (timer,)))
                    return self._following(run, recorded)
                await self.park(Parking(run, (timer,)))
                return None
            case Await(step_id):
                return await self._wait(run, step_id)
            case Finish() as end:
                await self._process.commit.give(self._ending, (run, end))
                self._tell(run, end.status)
                return None
            case _:
                recorded = await self.record(Recording(run, (), commands))
                return self._following(run, recorded)

    async def _wait(self, run: LiveRun, step_id: str) -> Commands | None:
        """Wait for an event at the only place that is open; what follows from it, None when the run sleeps or is over."""
        while (done := await self.awaiting.begin(run, step_id)) is None:
            if not await self.park(Parking(run, ())):
                return None
        recorded = await self.record(Recording(run, (done,), (), (step_id,)))
        return self._following(run, recorded)

    async def _limit(self, run: LiveRun) -> None:
        """Set the timer of the run's time limit, which begins now; before its first step, and again when it is retried."""
        now = self._process.clock.now()
        facts = run.facts(now, None)
        due = due_at(run.program.template(WHOLE).render(facts), facts, now, "timeout")
        timer = Timer(run.tenant_id, run.id, WHOLE, "limit", SEQ_UNKNOWN, now, due)
        await self.park(Parking(run, (timer,), sleeps=False))
        run.is_limited = True

    async def end_early(self, run: LiveRun, commands: Commands) -> None:
        """End this run if its goal or exit holds now that these commands would begin steps of it.

        Raises:
            LeaseLost: it is over.
        """
        if not ending.may_end(run, commands):
            return
        now, worker_id = self._process.clock.now, self._process.worker_id
        reads_entity = any(condition.reads_entity for condition in run.program.endings.values())
        met = ending.met(run, run.facts(now(), await self.entity(run) if reads_entity else None))
        if met is None:
            return
        if await self._process.commit.run_async(lambda c: ending.end(c, run, worker_id, met, now()), "end"):
            self._tell(run, met.status)
            raise LeaseLost(run.id)

    async def _cancel(self, run: LiveRun, event: Event) -> None:
        """This event cancels the run, which is driven here.

        Raises:
            LeaseLost: it is cancelled now, or over already.
            Busy: the store could not take it; the run is handed back, and looks back again.
        """
        now = self._process.clock.now
        await self._process.commit.run_async(lambda c: control.cancel_by(c, event, [run.id], now()), "cancel")
        self._tell(run, "cancelled")
        raise LeaseLost(run.id)

    def drop(self, key: tuple[str, str]) -> None:
        """Drive this run no further: it was taken over. What it does at this moment is let go."""
        self.sleeping.pop(key, None)
        driven = self._driving.get(key)
        if driven is not None:
            driven.cancel()

    def is_over(self, run: LiveRun, recorded: Recorded) -> bool:
        """Whether what was recorded has ended the run."""
        if recorded.commands and isinstance(end := recorded.commands[0], Finish):
            self._tell(run, end.status)
            return True
        return False

    def _following(self, run: LiveRun, recorded: Recorded) -> Commands | None:
        is_left = self.is_over(run, recorded) or recorded.is_paused or self.is_stopping
        return None if is_left else recorded.commands

    async def is_paused(self, run: LiveRun) -> bool:
        """Whether this run, which was paused, is so still, as far as the store can be asked."""
        try:
            return await self._process.reads.run(standing.is_paused, run.key)
        except (DatabaseUnavailable, Busy):
            return True

    async def record(self, recording: Recording) -> Recorded:
        """Keep what was done; while the store cannot take it, try again: the effect has happened and must not be forgotten."""
        run = recording.run
        try:  # without `insist` between, which would be one more coroutine for each step
            recorded: Recorded = await self._process.commit.give(self._record, recording)
        except Busy:
            recorded = await self.insist(self._record, recording)
        run.state = recorded.state
        run.seq += len(recorded.kept)
        for outcome in recorded.kept:
            run.remember(outcome)
            run.attempts.pop(outcome.step_id, None)
            if run.waits:
                run.waits.pop(outcome.step_id, None)
                run.timers.pop(outcome.step_id, None)
        if recorded.events:
            self.on_emitted(recorded.events)
        if run.program.calls and any(run.program.is_call(outcome.step_id) for outcome in recorded.kept):
            self.wants_claim()
        if self._process.changes.wanted(run.tenant_id):
            for outcome in recorded.kept:
                self._process.changes.tell(
                    run.tenant_id, "step", run_id=run.id, step_id=outcome.step_id, status=outcome.status
                )
        return recorded

    async def perform(self, run: LiveRun, step_id: str) -> tuple[Done, int | None]:
        """One attempt of a step, and when another may follow because this one failed."""
        if not self.lease.is_current():
            await self._after_a_lapse(run)
        step = run.program.steps[step_id]
        attempt = run.attempts.get(step_id, 0) + 1
        if run.program.is_at_most_once(step_id):
            if step_id in run.begun:
                return Done(step_id, _not_again(step_id, self._process.clock.now()), attempt), None
            await self._begin_once(run, step, attempt)
        about = run.event.entity
        entity = await self.entity(run) if about is not None and run.program.needs_entity(step_id) else None
        performing = self._act.perform(run, step, attempt, entity)
        performed = await (tracing.stepped(run, step, attempt, performing) if tracing.is_on() else performing)
        again_at = None
        if isinstance(step, ActionStep) and performed.outcome is not None and performed.outcome.status == "failed":
            again_at = self._again_at(run, step, attempt, performed)
        return Done(step_id, performed, attempt), again_at

    async def _begin_once(self, run: LiveRun, step: Step, attempt: int) -> None:
        """Commit that the effect of this step begins; an action without one, or that is not here, needs no such note."""
        action = self._process.actions.get(step.action) if isinstance(step, ActionStep) else None
        if action is None or action.kind == "store":
            return
        await self.insist(self._begin, Beginning(run, step.id, attempt))

    async def _after_a_lapse(self, run: LiveRun) -> None:
        """Wait for the lease, and see that nobody has taken the run meanwhile: else its step would be begun twice."""
        await self.lease.current()
        held = await self._process.reads.run(runs.holds, self._process.worker_id)
        if held.get((run.tenant_id, run.id, run.epoch), True):  # paused, or not held any more
            raise LeaseLost(run.id)

    def _again_at(self, run: LiveRun, step: ActionStep, attempt: int, performed: Performed) -> int | None:
        now = self._process.clock.now()
        if performed.is_missing_action:
            return now + MINUTE
        if performed.is_permanent:
            return None
        key = f"{run.id}:{step.id}"
        return next_attempt_at(step, attempt, key=key, now=now, retry_after_seconds=performed.retry_after_seconds)

    # --- sleeping -------------------------------------------------------------------------------------------------------

    async def park(self, parking: Parking) -> bool:
        """Set these timers and waits, and let the run sleep if it does; whether an event that it waits for keeps it awake."""
        run = parking.run
        parked: Parked = await self.insist(self._park, parking)
        if not parking.sleeps:
            for timer in parking.timers:
                self.on_timer(timer)
            return False
        for step_id, event_id in parked.met.items():
            run.waits[step_id].met_by = event_id
        if parked.met or not parked.sleeps:
            return bool(parked.met)
        waiting = (*run.timers.values(), *parking.timers) if run.timers else parking.timers
        is_near = [self.on_timer(timer) for timer in waiting]  # also the older ones: they may have come due just now
        if any(is_near) and len(self.sleeping) < self._process.limits.sleepers_max:
            self.sleeping[run.key] = run
        if run.watches:
            run.watches.clear()  # it was noted that nobody needs to look back
        self._tell(run, "waiting")
        return False

    def awake(self, run: LiveRun, kind: str, step_id: str, epoch: int) -> None:
        """Drive a run on that slept in memory and whose timer just fired; its room is reserved."""
        run.epoch = epoch
        run.timers.pop(step_id, None)
        run.waits.pop(step_id, None)
        if kind == "retry":
            self.take(run, (RunStep(step_id),))
            return
        outcome = advance.fired(step_id, kind)
        run.state, commands = advance.apply(run.program, run.state, outcome)
        run.seq += 1
        run.remember(outcome)
        self.take(run, commands)

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


def _not_again(step_id: str, now: int) -> Performed:
    """What becomes of a step at most once that was begun before: nobody kept how it ended, or its run is retried."""
    why = "It was begun before, and is done at most once: it is not done again, whatever became of it."
    return Performed(started_at=now, outcome=Outcome(step_id, "unknown", error=StepError("unknown", why, step_id)))
