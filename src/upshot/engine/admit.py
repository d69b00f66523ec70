"""Admit: what flow control makes of events that match: a run now, a run later, one run of many events, or none.

It all happens in the transaction that matches (or, for what was gathered or held, in one of `release`), with the row of each
key locked. What was done to an event is kept where it is no plain start, so that it can be told.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.core.events import Event
from upshot.core.flow import (
    BATCHES,
    Ask,
    Starts,
    Window,
    free_again_at,
    is_full,
    joined,
    kept_starts,
    next_start,
    told_again,
    used_up_until,
)
from upshot.core.queues import HELD, THROTTLED, WAITING
from upshot.engine import control
from upshot.store import counts, events, flow, hints, throttled
from upshot.store import runs as run_store
from upshot.store.flow import Key, KeyState, Outcome
from upshot.store.runs import NewRun
from upshot.store.throttled import Throttled

_GATHERING = ("debounce", "batch")


def admit(connection: Connection, wanted: Sequence[tuple[Event, NewRun]], now: int) -> "Admission":
    """Do what flow control says of these runs that events ask for, in the order of the events."""
    admission = Admission(connection, now)
    ordered = sorted(wanted, key=lambda pair: pair[0].id)
    admission.lock([key for _, run in ordered for key in _keys(run)])
    for event, run in ordered:
        admission.arrive(event, run)
    admission.end()
    return admission


def _keys(run: NewRun) -> list[Key]:
    return [Key(run.tenant_id, run.automation_id, ask.control, ask.key) for ask in (run.asked or {}).values()]


class Admission:
    """One transaction's decisions. What is decided is written by `end`, or before something that must see it."""

    def __init__(self, connection: Connection, now: int) -> None:
        self._connection, self._now = connection, now
        flow.take_turn(connection)
        self.made: set[str] = set()
        self.driven: set[str] = set()
        """Of those made, the runs that their worker drives from now on."""
        self._states: dict[Key, KeyState] = {}
        self._changed: dict[Key, None] = {}
        self._taken: dict[Key, int] = {}
        self._live: dict[Key, list[str]] = {}
        self._new: list[NewRun] = []
        self._outcomes: list[Outcome] = []

    def lock(self, keys: Collection[Key]) -> None:
        """Lock these keys, and count what they stand for."""
        fresh = {key for key in keys if key not in self._states}
        self._states |= flow.lock(self._connection, fresh, self._now)
        entries = [key for key in fresh if key.control == "reentry"]
        if entries:
            self._live |= flow.live(self._connection, entries)
        self._count([key for key in fresh if key.control == "concurrency"])

    def _count(self, places: Collection[Key]) -> None:
        if places:
            self._taken |= flow.taken(self._connection, places)

    def adopt(self, state: KeyState) -> None:
        """Start what was gathered under this key, which is locked and due."""
        self._states[state.key] = state
        self._start_window(state)

    def arrive(self, event: Event, run: NewRun) -> None:
        """One event asks for a run."""
        ask = next((run.asked[name] for name in _GATHERING if run.asked and name in run.asked), None)
        if ask is None:
            self._ask(run)
        else:
            self._gather(event, run, ask)

    # --- gathering ------------------------------------------------------------------------------------------------------

    def _gather(self, event: Event, run: NewRun, ask: Ask) -> None:
        state, now = self._state(run, ask), self._now
        window = _window_of(state)
        if window is not None and window.due_at <= now:  # it is over, and has only not been started yet
            self._start_window(state)
            window = None
        kept = msgspec.to_builtins(msgspec.structs.replace(run, worker_id=None))
        window = joined(ask, window, new_id(now), kept, len(event.text), now)
        self._keep(state, msgspec.json.encode(window).decode(), window.due_at)
        state.due_at = window.due_at
        outcome = "debounced" if ask.control == "debounce" else "batched"
        self._tell(run, outcome, ask, until=window.due_at, window_id=window.id)
        if is_full(ask, window):
            self._start_window(state)

    def _start_window(self, state: KeyState) -> None:
        """One run of what was gathered: of the last event, or of all."""
        window, key = _window_of(state), state.key
        self._keep(state, None, self._now)
        state.due_at = None
        if window is None:
            return
        self._write()
        run = msgspec.structs.replace(msgspec.convert(window.run, NewRun), id=new_id(self._now))
        is_batch = key.control == "batch"
        ids = flow.gathered(self._connection, run.tenant_id, window.id) if is_batch else [run.event_id]
        found = events.read_events(self._connection, [(run.tenant_id, event_id) for event_id in ids])
        if not found:  # somebody removed them from history
            return
        if is_batch:
            run = self._batched(run, found)
        else:
            flow.remove(self._connection, run.tenant_id, run.event_id, run.automation_id)
        if self._ask(run):
            flow.start_window(self._connection, run.tenant_id, window.id, run.id)

    def _batched(self, run: NewRun, found: Sequence[Event]) -> NewRun:
        """The run of all these events: of an event that holds them, made here."""
        now, tenant_id = self._now, run.tenant_id
        last = next((event for event in found if event.id == run.event_id), found[-1])
        cause = max(reversed(found), key=lambda event: event.depth)
        data: dict[str, Any] = {**last.data, "events": [event.data for event in found]}
        made = Event(
            tenant_id=tenant_id,
            id=new_id(now),
            name=BATCHES + run.automation_id,
            data=data,
            text=msgspec.json.encode(data).decode(),
            ts=now,
            root_id=cause.root_id,
            entity=last.entity,
            depth=cause.depth,
            cause_run_id=cause.cause_run_id,
            cause_step_id=cause.cause_step_id,
            by_hand=True,
            traceparent=last.traceparent,
        )
        events.insert_events(self._connection, [made], now, None)
        return msgspec.structs.replace(run, event_id=made.id)

    # --- starting -------------------------------------------------------------------------------------------------------

    def _ask(self, run: NewRun) -> bool:
        """Whether there is a run, now or later."""
        asked, now = run.asked or {}, self._now
        reentry = asked.get("reentry")
        if reentry is not None and not self._may_enter(run, reentry):
            return False
        once, rate = asked.get("once"), asked.get("rate_limit")
        if once is not None:
            until = free_again_at(once, _decoded(self._state(run, once)), now)
            if until is not None:
                self._tell(run, "duplicate_key", once, until=until)
                return False
        if rate is not None:
            until = used_up_until(rate, _decoded(self._state(run, rate)) or [], now)
            if until is not None:
                self._tell(run, "rate_limited", rate, until=until)
                return False
            self._keep_start(run, rate, now)
        if once is not None:
            self._keep(self._state(run, once), str(now), now + once.period)
        if reentry is not None:
            self._enter(run, reentry)
        placed = self._placed(run, asked)  # it may write, and begin the list anew
        self._new.append(placed)
        return True

    def _may_enter(self, run: NewRun, ask: Ask) -> bool:
        self._state(run, ask)
        live = self._live[_key(run, ask)]
        if live and ask.mode == "skip":
            self._tell(run, "already_running", ask, run_id=live[0])
            return False
        return True

    def _enter(self, run: NewRun, ask: Ask) -> None:
        """This run, which nothing drops any more, is the one under way for its entity."""
        key = _key(run, ask)
        live = self._live[key]
        if live:
            self._write()
            for run_id in live:
                self._cancel(run.tenant_id, run_id)
            self._count([place for place in self._taken if place.automation_id == run.automation_id])
            self._tell(run, "restarted", ask, run_id=run.id)
        self._live[key] = [run.id]

    def _placed(self, run: NewRun, asked: dict[str, Ask]) -> NewRun:
        """The run as it is made: driven, or in the queue where it waits for its instant or its place."""
        throttle, place, now = asked.get("throttle"), asked.get("concurrency"), self._now
        changes: dict[str, Any] = {}
        if "reentry" in asked:
            changes["entry"] = asked["reentry"].key
        at = now
        if throttle is not None:
            at = self._next_start(run, throttle)
        if place is not None:
            changes["waits_for"] = place.key
            state = self._state(run, place)
            if state.places != place.number or state.expires_at < at + flow.PLACE_KEPT // 2:
                state.places = place.number
                self._keep(state, None, at + flow.PLACE_KEPT)
        if throttle is not None and at > now:
            changes |= {"queue": THROTTLED, "worker_id": None}
            self._tell(run, "throttled", throttle, until=at, run_id=run.id, due_at=at)
        elif place is not None:
            key = _key(run, place)
            if self._taken[key] < place.number and not self._states[key].waits:
                self._taken[key] += 1
                changes |= {"place": place.key, "waits_for": None}
            else:
                changes |= {"queue": HELD, "worker_id": None}
                self._wait(key)
                self._tell(run, "held_by_concurrency", place, run_id=run.id)
        return msgspec.structs.replace(run, **changes)

    def _next_start(self, run: NewRun, ask: Ask) -> int:
        """When this run may start. When the rule has changed, what waits under it is told its instants anew first."""
        state, now = self._state(run, ask), self._now
        starts = _starts_of(state, ask)
        if starts is not None and not starts.is_of(ask):
            self._write()
            waiting = throttled.waiting(self._connection, state.key, now)
            instants, starts = told_again(ask, starts, [at for _, at in waiting], now)
            again = [(event_id, at) for (event_id, _), at in zip(waiting, instants, strict=True)]
            throttled.set_again(self._connection, state.key, again)
        at, starts = next_start(ask, starts, now)
        self._keep(state, msgspec.json.encode(starts).decode(), at + ask.period)
        return at

    # --- releasing ------------------------------------------------------------------------------------------------------

    def begin_throttled(self, found: Sequence[Throttled]) -> None:
        """The instants of these runs, which are locked, have come: they stand in their own queues, or wait for a place."""
        waiting = [(one, one.waits_for) for one in found if one.waits_for is not None]
        places = {Key(one.tenant_id, one.automation_id, "concurrency", key) for one, key in waiting}
        self.lock(places)
        for key in sorted(places):
            self._wait(key)
        flow.hold(self._connection, [(one.tenant_id, one.id) for one, _ in waiting])
        flow.let_go(self._connection, [(one.tenant_id, one.id) for one in found if one.waits_for is None])

    def fill(self, places: Collection[Key]) -> int:
        """Give the free ones of these places to those whose turn it is; how many got one."""
        self._write()
        self.lock(places)
        self._count(places)
        given: list[tuple[str, str]] = []
        emptied: list[Key] = []
        for key in sorted(places):
            room = self._states[key].places - self._taken[key]
            chosen = flow.next_waiting(self._connection, key, room) if room > 0 else []
            self._taken[key] += len(chosen)
            given += chosen
            if len(chosen) < room:
                emptied.append(key)
        flow.give_places(self._connection, given)
        still = flow.still_wait(self._connection, emptied) if emptied else set[Key]()
        for key in emptied:
            if key not in still:
                self._states[key].waits = 0
                self._changed[key] = None
        return len(given)

    # --- keeping --------------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Write what was decided."""
        self._write()
        flow.put(self._connection, [self._states[key] for key in self._changed])
        self._changed.clear()

    def _write(self) -> None:
        """Make the runs, and keep what was done to the events."""
        new, self._new = self._new, []
        if new:
            made = run_store.create(self._connection, new, self._now)
            self.made |= made
            born = [run for run in new if run.id in made]
            self.driven |= {run.id for run in born if run.worker_id is not None}
            statuses = Counter((r.tenant_id, "runs", "", "running" if r.worker_id else "pending") for r in born)
            counts.add(self._connection, statuses, self._now)
            if any(run.worker_id is None and run.queue not in WAITING for run in born):
                hints.send(self._connection, hints.RUNS)
        outcomes, self._outcomes = self._outcomes, []
        flow.keep(self._connection, outcomes)

    def _cancel(self, tenant_id: str, run_id: str) -> None:
        self.driven.discard(run_id)
        control.act(self._connection, tenant_id, [run_id], "cancel", "flow", self._now)  # it may have ended meanwhile

    def _tell(self, run: NewRun, outcome: str, ask: Ask, **more: Any) -> None:
        at = (run.tenant_id, run.event_id, run.automation_id)
        self._outcomes.append(Outcome(*at, outcome, ask.key, self._now, **more))

    def _wait(self, key: Key) -> None:
        self._states[key].waits = 1
        self._changed[key] = None

    def _state(self, run: NewRun, ask: Ask) -> KeyState:
        key = _key(run, ask)
        if key not in self._states:
            self.lock([key])
        return self._states[key]

    def _keep(self, state: KeyState, text: str | None, expires_at: int) -> None:
        state.state, state.expires_at = text, expires_at
        self._changed[state.key] = None

    def _keep_start(self, run: NewRun, ask: Ask, at: int) -> None:
        state = self._state(run, ask)
        starts = kept_starts(ask, _decoded(state) or [], at)
        self._keep(state, msgspec.json.encode(starts).decode(), at + ask.period)


def _key(run: NewRun, ask: Ask) -> Key:
    return Key(run.tenant_id, run.automation_id, ask.control, ask.key)


def _decoded(state: KeyState) -> Any:
    return msgspec.json.decode(state.state) if state.state is not None else None


def _starts_of(state: KeyState, ask: Ask) -> Starts | None:
    """What is kept of a throttled key; instants alone are from before the rule was kept with them."""
    if state.state is None:
        return None
    kept: Starts | list[int] = msgspec.json.decode(state.state, type=Starts | list[int])
    return kept if isinstance(kept, Starts) else Starts(ask.number, ask.period, kept)


def _window_of(state: KeyState) -> Window | None:
    return msgspec.json.decode(state.state, type=Window) if state.state is not None else None
