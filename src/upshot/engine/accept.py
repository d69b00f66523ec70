"""Accept: an event is taken durably, once per id that its host gave it.

Where the engine runs on the giver's event loop and knows what listens, the event is matched ahead: its runs are made in the
transaction that accepts it. Everything else waits to be matched (`match`).
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.core.events import Event
from upshot.engine import tracing
from upshot.engine.decide import Decide, Matched, current, start
from upshot.engine.definitions import TenantDefinitions
from upshot.engine.process import Process
from upshot.engine.stretch import Stretch
from upshot.store import events as store
from upshot.store import hints

log = logging.getLogger("upshot.engine")

AHEAD_MAX = 100
"""Events of one call that are matched ahead; the rest wait, so that no call keeps the event loop for long."""
SHARED_AHEAD_MAX = 10
"""As many while several tenants have work: the runs of one call are made in one transaction, which all others wait for."""
AHEAD_STEPS_MAX = 20_000
"""Steps of condition work (about 10 ms) after which a call matches nothing more ahead."""


class Accepted(msgspec.Struct, frozen=True):
    """What became of an event: the id it is known by, and whether that id had been accepted before. `made` are the runs it
    started, None when it is yet to be matched."""

    event: Event
    duplicate: bool
    made: frozenset[str] | None = None


class Arrival(msgspec.Struct, frozen=True):
    """Events that came together, and what was decided ahead about some of them, by their ids."""

    events: list[Event]
    matched: dict[str, Matched]

    def __len__(self) -> int:
        """How many events."""
        return len(self.events)


class AcceptWrite:
    """The kind of work that accepts events. Those that were given together are accepted together or not at all; one with an
    id that was accepted before is answered, and not kept."""

    name = "accept"

    def __init__(self) -> None:
        self.worker_id: str | None = None

    def tenant_of(self, work: Arrival) -> str:
        """Whose events these are."""
        return work.events[0].tenant_id if work.events else ""

    def write(self, connection: Connection, work: Sequence[Arrival], now: int) -> Sequence[list[Accepted]]:
        """Keep the new ones of these events, say which were new, and make the runs of those matched ahead."""
        fresh = [event for arrival in work for event in arrival.events]
        keyed = [event for event in fresh if event.source_id is not None]
        duplicates: set[str] = set()
        if keyed:
            claimed = store.keep_keys(connection, sorted((e.tenant_id, e.source_id or "", e.id, now) for e in keyed))
            duplicates = {event.id for event in keyed if event.id not in claimed}
            fresh = [event for event in fresh if event.id not in duplicates]
        ahead = [m for arrival in work for m in arrival.matched.values() if m.event.id not in duplicates]
        ahead = current(connection, ahead)
        runs: dict[str, frozenset[str]] = {}
        if fresh:
            store.insert_events(connection, fresh, now, self.worker_id, {m.event.id for m in ahead})
            if self.worker_id is None:
                hints.send(connection, hints.EVENTS)
            made = start(connection, ahead, now)
            runs = {m.event.id: frozenset(run.id for _, run in m.started if run.id in made) for m in ahead}
        return [
            [Accepted(event, event.id in duplicates, runs.get(event.id)) for event in arrival.events]
            for arrival in work
        ]


class Accept:
    """The doors through which checked events come in."""

    def __init__(self, process: Process, decide: Decide) -> None:
        self._process, self._decide = process, decide
        self._kind = AcceptWrite()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._arriving: set[asyncio.Future[Any]] = set()
        self.on_accepted: Callable[[Sequence[Event]], None] = lambda _: None
        """Called with committed events that are yet to be matched."""

    @property
    def worker_id(self) -> str | None:
        """The worker that has accepted events in memory and will match them; without one, any worker claims them."""
        return self._kind.worker_id

    def open(self) -> None:
        """From now on this process matches what it accepts; the engine runs on this event loop."""
        self._loop, self._kind.worker_id = asyncio.get_running_loop(), self._process.worker_id

    def shut(self) -> None:
        """From now on any worker matches what is accepted here."""
        self._loop = self._kind.worker_id = None

    @property
    def is_taking(self) -> bool:
        """Whether something is on its way in."""
        return bool(self._arriving)

    async def drain(self) -> None:
        """Wait until everything on its way in is committed."""
        while self._arriving:
            await asyncio.wait(self._arriving)

    async def take(self, events: list[Event], known: TenantDefinitions, *, ahead: bool) -> list[Accepted]:
        """Accept events of one tenant; `ahead` matches what can be in the same transaction. They are accepted and their runs
        begin even when the giver goes away meanwhile."""
        began = tracing.began()
        matched = await self._ahead(events, known) if ahead and asyncio.get_running_loop() is self._loop else {}
        if self._loop is None and matched:
            # The engine was stopped while entities were read: others drive what is started.
            self._give_back(matched)
            matched = {}
        try:
            promise = self._process.commit.give(self._kind, Arrival(events, matched))
        except BaseException:
            self._give_back(matched)
            raise
        self._arriving.add(promise)
        promise.add_done_callback(lambda done: self._after(done, matched, began))
        return await asyncio.shield(promise)

    def take_blocking(self, events: list[Event]) -> list[Accepted]:
        """Accept events, from a thread that may block."""
        accepted: list[Accepted] = self._process.commit.give_blocking(self._kind, Arrival(events, {}))
        self.on_accepted([one.event for one in accepted if not one.duplicate])
        return accepted

    async def _ahead(self, events: list[Event], known: TenantDefinitions) -> dict[str, Matched]:
        """What can be decided briefly, of what nobody may wait for: a wait is met after its event is accepted. Whatever is the
        matter with an event, `match` deals with it."""
        matched: dict[str, Matched] = {}
        most = SHARED_AHEAD_MAX if self._process.commit.is_shared else AHEAD_MAX
        first = [event for event in events[:most] if event.is_matched and event.name not in known.awaited]
        try:
            entities = await self._decide.entities(first, {event.tenant_id: known for event in first})
            now, steps, stretch = self._process.clock.now(), 0, Stretch()
            for event in first:
                decided = matched[event.id] = self._decide.of(event, known, entities, now)
                steps += decided.steps
                if steps > AHEAD_STEPS_MAX:
                    break
                await stretch.rest_after(decided.steps)
        except asyncio.CancelledError:
            self._give_back(matched)
            raise
        except Exception:
            log.debug("an event was not matched ahead", exc_info=True)  # it is told, and struck, where it waits
        return matched

    def _after(self, done: "asyncio.Future[list[Accepted]]", matched: dict[str, Matched], began: int) -> None:
        self._arriving.discard(done)
        if done.cancelled() or done.exception() is not None:
            self._give_back(matched)
            return
        waiting: list[Event] = []
        begun: list[tuple[Matched, frozenset[str]]] = []
        for accepted in done.result():
            match = matched.get(accepted.event.id)
            if match is not None and accepted.made is not None:
                tracing.matched(match.event, len(accepted.made), began)
                begun.append((match, accepted.made))
                continue
            if match is not None:
                self._decide.give_back(match)
            if not accepted.duplicate:
                waiting.append(accepted.event)
        if waiting:
            self.on_accepted(waiting)
        if len(begun) == 1:
            self._decide.begin(*begun[0])
        elif begun:
            beginning = asyncio.get_running_loop().create_task(self._begin(begun))
            self._arriving.add(beginning)
            beginning.add_done_callback(self._arriving.discard)

    async def _begin(self, begun: list[tuple[Matched, frozenset[str]]]) -> None:
        """Drive the runs of these matches; until then they are on the way."""
        stretch = Stretch()
        for match, made in begun:
            self._decide.begin(match, made)
            await stretch.rest_after()

    def _give_back(self, matched: dict[str, Matched]) -> None:
        for match in matched.values():
            self._decide.give_back(match)
