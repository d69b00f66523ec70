"""Awaiting: what a run does at a step that waits for an event, and before its first step where events may cancel it.

The wait is committed first; then the run looks back, for what came since its own event; only then it sleeps, and not if the
wait was met meanwhile. So an event is seen by the one or by the other, however fast it comes: one that was accepted before the
wait was committed is found by looking back, one accepted after it finds the wait.
"""

from collections.abc import Awaitable, Callable

import msgspec

from upshot.core.automations.document import CallStep, WaitStep
from upshot.core.commands import StepError
from upshot.core.errors import Busy
from upshot.core.events import Event
from upshot.core.journal import Outcome
from upshot.core.waits import Unmatchable, fields_of, key_of
from upshot.core.watches import Watching
from upshot.engine import crash_points
from upshot.engine.calling import Calling
from upshot.engine.cancel import look_back
from upshot.engine.context import clean_text
from upshot.engine.gathered_reads import GatheredReads
from upshot.engine.live_run import LiveRun
from upshot.engine.process import Process
from upshot.engine.record import Done, Parking
from upshot.engine.settle import Performed
from upshot.engine.timing import Timing
from upshot.store import waits
from upshot.store.database import DatabaseUnavailable
from upshot.store.events import events_by_key
from upshot.store.waits import Wait, waits_of

_encode = msgspec.json.Encoder().encode


class Awaiting:
    """The waits of the runs that this process drives."""

    def __init__(self, process: Process, timing: Timing, park: Callable[[Parking], Awaitable[bool]]) -> None:
        self._process, self._timing, self._park = process, timing, park
        self._calling = Calling(process, timing)
        self._events = GatheredReads(process.reads, events_by_key)

    async def watch(self, run: LiveRun, watching: Watching) -> Event | None:
        """Let events find this run, and look back for what came before they could: the one that cancels it, if any has come."""
        if run.watches is None:
            entity = await self._timing.entity(run) if watching.reads_entity else None
            watches = watching.of(run.facts(self._timing.now(), entity))
            run.watches = waits_of(*run.key, watches, self._timing.now(), test=run.test)
            if run.watches:
                await self._park(Parking(run, (), waits=tuple(run.watches), sleeps=False))
        unlooked = [wait for wait in run.watches if not wait.looked_back]
        if not unlooked:
            return None
        crash_points.reach("cancel.before_look_back")
        shapes = {wait.step_id: (watching.fields(wait.step_id),) for wait in unlooked}
        event = await self._process.reads.run(look_back, unlooked, shapes, run.event.id)
        for wait in unlooked:
            wait.looked_back = 1
        return event

    async def begin(self, run: LiveRun, step_id: str) -> Done | None:
        """Wait, unless this run does so already, and look back: how the step ended, None while it waits."""
        wait = run.waits.get(step_id)
        step = run.program.steps[step_id]
        if isinstance(step, CallStep):
            return await self._calling.begin(run, step)
        assert isinstance(step, WaitStep)  # noqa: S101 - a program awaits only at such steps
        if wait is None:
            values = await self._values(run, step)
            if isinstance(values, Done):
                return values
            registered = await self._register(run, step, values)
            if isinstance(registered, Done):
                return registered
            wait = run.waits[step_id] = registered
        if wait.met_by is None and not wait.looked_back:
            crash_points.reach("wait.before_look_back")
            found = await self._look_back(run, step, wait)
            wait.looked_back = 1
            if found is not None:
                return self._met(run, step, wait, found)
        return await self._read(run, step, wait, wait.met_by) if wait.met_by is not None else None

    async def _values(self, run: LiveRun, step: WaitStep) -> list[object] | Done:
        """What the fields must equal; or the step's failure, if no event could ever equal it."""
        now = self._timing.now()
        try:
            entity = await self._timing.entity(run) if run.program.needs_entity(step.id) else None
            values = run.program.matches[run.program.base(step.id)].render(run.facts(now, entity, step.id))
            key_of(fields_of(step.match), values)
        except (DatabaseUnavailable, Busy):
            raise
        except Unmatchable as error:
            return _failed(step.id, "never_matches", f"The wait can never be met: {error}.", now)
        except Exception as error:  # noqa: BLE001 - whatever it is about the match, its step has failed
            return _failed(step.id, "bad_match", clean_text(str(error)), now)
        return values

    async def _register(self, run: LiveRun, step: WaitStep, values: list[object]) -> Wait | Done:
        """Commit the wait and the timer of its timeout."""
        timer = await self._timing.timer_of(run, step.id) if step.timeout is not None else None
        if isinstance(timer, Done):
            return timer
        wait = Wait(
            run.tenant_id,
            run.id,
            "step",
            step.id,
            step.event,
            key_of(fields_of(step.match), values),
            int(run.test),
            self._timing.now(),
            taken=_encode(run.taken).decode() if run.taken else None,
        )
        timers = () if timer is None else (timer,)
        since = run.seq if run.is_forked else None
        await self._park(Parking(run, timers, waits=(wait,), sleeps=False, since=since))
        if timer is not None:
            run.timers[step.id] = timer
        return wait

    async def _look_back(self, run: LiveRun, step: WaitStep, wait: Wait) -> Event | None:
        return await self._process.reads.run(waits.look_back, wait, (fields_of(step.match),), run.event.id)

    async def _read(self, run: LiveRun, step: WaitStep, wait: Wait, met_by: str) -> Done:
        event = await self._events.of((run.tenant_id, met_by))
        if event is None:
            return _failed(step.id, "event_gone", "The event that was waited for is not kept any more.", wait.set_at)
        return self._met(run, step, wait, event)

    def _met(self, run: LiveRun, step: WaitStep, wait: Wait, event: Event) -> Done:
        if event.id not in run.taken:
            run.taken.append(event.id)
        told = {"event": event.name, "event_id": event.id}
        outcome = Outcome(step.id, "completed", event.data)
        return Done(step.id, Performed(started_at=wait.set_at, outcome=outcome, input=_encode(told).decode()))


def _failed(step_id: str, code: str, why: str, started_at: int) -> Done:
    outcome = Outcome(step_id, "failed", error=StepError(code, why, step_id))
    return Done(step_id, Performed(started_at=started_at, outcome=outcome))
