"""Fork: drives a run while several of its places are open, each step on a task of its own.

What has ended meanwhile is recorded together, one transaction at a time, so a run's state never moves from two sides. The
run sleeps when every open place waits. When somebody has paused it, nothing more begins: what is in flight ends and is kept,
and then the run is let go of.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from upshot.core import advance
from upshot.core.commands import Await, Commands, Finish, Keep, RunStep, Sleep
from upshot.engine.record import Done, Parking, Recorded, Recording
from upshot.engine.settle import Performed
from upshot.store.journal import Timer

if TYPE_CHECKING:
    from upshot.engine.live_run import LiveRun
    from upshot.engine.run import Run
    from upshot.store.waits import Wait

Flight = asyncio.Task[tuple[Done | None, int | None]]

LOOK_SECONDS = 1.0
"""How often a run that was paused while steps of it are in flight is looked at, to see whether it goes on."""
LINGER_SECONDS = 2.0
LINGER_FROM = 500
"""So many outcomes make it dear to bring a run back. One that has them, and waits for runs that it called, stays awake for
`LINGER_SECONDS` before it sleeps: however many end one after another, its journal is not read for each of them."""


class Fork:
    """One run, from where it has several open places to where it has one, sleeps or is over."""

    def __init__(self, driver: "Run", run: "LiveRun") -> None:
        self._driver, self._run = driver, run
        self._flying: dict[str, Flight] = {}
        self._done: list[Done] = []
        self._due: list[str] = []
        self._come: list[str] = []
        self._waiting: list[tuple[Timer, tuple[Any, ...] | None]] = []
        self._bell: asyncio.Future[None] | None = None
        self._is_paused = False
        self._held_back: Commands = ()

    @property
    def waits(self) -> bool:
        """Whether a step of it waits for an event."""
        return bool(self._run.waits)

    def meet(self, wait: "Wait") -> None:
        """What this step waits for has come."""
        own = self._run.waits.get(wait.step_id)
        if own is not None and own.met_by is None:
            own.met_by = wait.met_by
            self._come.append(wait.step_id)
            self._wake()

    def ring(self, step_id: str) -> None:
        """The timer of this step is due, as far as anybody knows."""
        self._due.append(step_id)
        self._wake()

    def _wake(self) -> None:
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)

    async def drive(self, commands: Commands) -> Commands | None:
        """Carry these out and what follows; the commands of the place that is left, None when the run sleeps, is paused or over
        or is left to others."""
        try:
            following: Commands | None = commands
            if any(isinstance(command, Keep | Finish) for command in commands):
                # Of the others, some may have gone with what is kept now; those of what it begins follow from it.
                following = await self._record(Recording(self._run, (), commands, lets_go=False))
            while following is not None:
                following = self._allowed(following)
                if self._is_paused and not (self._flying or self._done or self._waiting):
                    following = await self._let_go()
                elif self._run.is_forked:
                    following = await self._go_on(following)
                else:
                    return self._left(following)
            return None
        finally:
            for flight in self._flying.values():
                flight.cancel()

    async def _let_go(self) -> Commands | None:
        """Leave a paused run to others; if it is not paused any more, it goes on here."""
        await self._record(Recording(self._run, ()))
        return None if self._is_paused else ()

    async def _go_on(self, commands: Commands) -> Commands | None:
        """Begin what is to begin and keep what has ended, or wait for it; what follows, None when all that is open waits."""
        run, driver = self._run, self._driver
        if not driver.is_stopping:
            await driver.end_early(run, commands)
            await self._begin(commands)
            if not self._is_paused:
                for step_id in self._come:
                    self._await(step_id)
                self._come.clear()
        await self._set_timers()
        recording, again = self._next()
        if recording is not None:
            following = await self._record(recording)
            if following is not None and not self._is_paused:
                following += tuple(RunStep(step_id) for step_id in again if step_id in run.state.open)
            return following
        if self._flying:
            await self._land()
            return ()
        if self._is_paused:
            return ()
        if self._may_linger() and await self._linger():
            return ()
        if not driver.is_stopping and await driver.park(Parking(run, ())):
            self._come = [step_id for step_id, wait in run.waits.items() if wait.met_by is not None]
            return ()
        return None

    def _may_linger(self) -> bool:
        run, driver = self._run, self._driver
        if run.seq < LINGER_FROM or not run.program.calls or driver.is_stopping or not driver.has_room_to_linger:
            return False
        return any(run.program.is_call(step_id) for step_id in run.waits)

    async def _linger(self) -> bool:
        """Stay awake a moment; whether something came meanwhile."""
        self._bell = asyncio.get_running_loop().create_future()
        self._driver.claim_now()
        self._driver.on_called()  # one may have ended before it was known here that it is waited for
        try:
            await asyncio.wait({self._bell}, timeout=LINGER_SECONDS)
        finally:
            self._bell.cancel()
            self._bell = None
        return bool(self._come or self._due)

    def _left(self, commands: Commands) -> Commands | None:
        """The commands of the only place that is left."""
        if not commands:
            message = f"run {self._run.id} has nothing to do at {self._run.state.open}"
            raise RuntimeError(message)
        return None if self._driver.is_stopping else commands

    def _allowed(self, commands: Commands) -> Commands:
        """Of these, and those that were held back, what may begin now: nothing while the run is paused."""
        if self._is_paused:
            self._held_back += commands
            return ()
        if self._held_back:
            commands = advance.still_wanted(self._run.state, self._held_back + commands)
            self._held_back = ()
        return commands

    async def _begin(self, commands: Commands) -> None:
        run, now = self._run, self._driver.now()
        for command in commands:
            if isinstance(command, Await):
                self._await(command.step_id)
                continue
            if not isinstance(command, RunStep | Sleep) or command.step_id in run.timers:
                continue
            step_id = command.step_id
            run.began.setdefault(step_id, now)
            if isinstance(command, RunStep):
                self._flying[step_id] = asyncio.create_task(self._driver.perform(run, step_id))
                continue
            timer = await self._driver.timer_of(run, step_id)
            if isinstance(timer, Done):
                self._done.append(timer)
            else:
                self._waiting.append((timer, None))

    def _await(self, step_id: str) -> None:
        """Begin to wait, or read what has come; while that goes on, what comes is seen when it lands."""
        run = self._run
        if step_id in run.state.open and step_id not in self._flying:
            run.began.setdefault(step_id, self._driver.now())
            self._flying[step_id] = asyncio.create_task(self._awaited(step_id))

    async def _awaited(self, step_id: str) -> tuple[Done | None, None]:
        return await self._driver.awaiting.begin(self._run, step_id), None

    async def _set_timers(self) -> None:
        if self._waiting:
            timers = tuple(timer for timer, _ in self._waiting)
            failed = tuple(attempt for _, attempt in self._waiting if attempt is not None)
            self._waiting.clear()
            await self._driver.park(Parking(self._run, timers, failed, sleeps=False))
            self._run.timers.update((timer.step_id, timer) for timer in timers)

    def _next(self) -> tuple[Recording | None, list[str]]:
        """What is to be recorded now, and the steps whose next attempt begins with it."""
        run, now = self._run, self._driver.now()
        fired: list[str] = []
        again: list[str] = []
        due, self._due = ([], self._due) if self._is_paused else (self._due, [])
        for step_id in dict.fromkeys(due):
            timer = run.timers.get(step_id)
            if timer is None or timer.due_at > now:
                continue  # it was the timer of an earlier attempt
            fired.append(step_id)
            if timer.kind == "retry":
                again.append(step_id)
            else:
                outcome = advance.fired(step_id, timer.kind)
                self._done.append(Done(step_id, Performed(started_at=timer.set_at, outcome=outcome)))
        operating = [done for done in self._done if done.performed.operations]
        chosen = (*operating[:1], *(done for done in self._done if not done.performed.operations))
        self._done = operating[1:]
        fired += [done.step_id for done in chosen if run.program.is_wait(done.step_id)]
        return (Recording(run, chosen, (), tuple(fired), lets_go=False) if chosen or fired else None), again

    async def _record(self, recording: Recording) -> Commands | None:
        """Keep it, and let go of what was cancelled by it; None when the run is over."""
        recorded: Recorded = await self._driver.record(recording)
        self._is_paused = recorded.is_paused
        if recorded.is_paused:
            self._due += recording.fired
            self._come += [step_id for step_id in recording.fired if self._run.program.is_wait(step_id)]
        else:
            for step_id in recording.fired:
                self._run.timers.pop(step_id, None)
        is_open = frozenset(recorded.state.open)
        for step_id in [step_id for step_id in self._flying if step_id not in is_open]:
            self._flying.pop(step_id).cancel()
        self._done = [done for done in self._done if done.step_id in is_open]
        self._waiting = [(timer, failed) for timer, failed in self._waiting if timer.step_id in is_open]
        for outcome in recorded.kept:
            self._run.timers.pop(outcome.step_id, None)
            self._run.began.pop(outcome.step_id, None)
        return None if self._driver.is_over(self._run, recorded) else recorded.commands

    async def _land(self) -> None:
        """Wait until a step has ended or a timer is due, or the run goes on that was paused."""
        self._bell = asyncio.get_running_loop().create_future()
        waited = {*self._flying.values(), self._bell}
        try:
            await asyncio.wait(
                waited, return_when=asyncio.FIRST_COMPLETED, timeout=LOOK_SECONDS if self._is_paused else None
            )
        finally:
            self._bell.cancel()
            self._bell = None
        landed = [step_id for step_id, flight in self._flying.items() if flight.done()]
        for step_id in landed:
            done, again_at = self._flying.pop(step_id).result()
            if done is None:
                if self._run.waits[step_id].met_by is not None:
                    self._come.append(step_id)
            elif again_at is None:
                self._done.append(done)
            else:
                self._waiting.append(self._driver.later(self._run, done, again_at))
        if self._is_paused and not landed:
            self._is_paused = await self._driver.is_paused(self._run)
