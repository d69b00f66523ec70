"""Segment: who is in a segment is found page by page, once its condition is made or changed and, where that speaks of the time,
again and again. A page is read and decided first; then who joins and leaves is kept and the segment's place moves on, in one
transaction, if it is still where it was. An entity that was changed in between has been asked by its own change.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.core.entities import Entity
from upshot.core.errors import Busy, Refused
from upshot.core.events import EntityRef, Event
from upshot.core.instants import MINUTE, SECOND
from upshot.core.segments import EVENTS, Reason, Side, told, wanted_of
from upshot.core.strict_json import encode
from upshot.engine.process import Process
from upshot.engine.run import Run
from upshot.store import segments as store
from upshot.store import sweeps
from upshot.store.entities import as_root
from upshot.store.events import insert_events
from upshot.store.segments import Due

log = logging.getLogger("upshot.engine")

POLL_SECONDS = 1.0
BUSY_PAUSE_SECONDS = 0.05
REST_SECONDS = 0.005
"""Between two pages, for others."""
TAKEN_MAX = 10
PAGE = 500
"""Entities of one page; of one that is told, `sweep_page` of them join or leave at most before the next waits for room."""
REMOVED_AT_ONCE = 5_000
HELD = 10 * SECOND
"""How long a page is this worker's to do, before another takes over (microseconds)."""
RECHECK = 10 * MINUTE
"""When those whom a condition about the time means are looked for again, from the end of the last time (microseconds)."""
POSTPONED = MINUTE


class Page(msgspec.Struct, frozen=True):
    """Those of some entities who join and who leave, with their revisions, members that are no entity of the type any more, and
    the place after them all; None when they were the last."""

    revisions: dict[str, int]
    joining: list[Entity]
    leaving: list[Entity]
    gone: list[str]
    place: str | None


class SegmentService:
    """The service that finds who is in segments."""

    name = "segment"

    def __init__(self, process: Process, run: Run) -> None:
        self._process, self._run = process, run
        self.on_events: Callable[[Sequence[Event]], None] = lambda _: None

    async def poll(self) -> float:
        """Do a page of each segment that has something to do."""
        process = self._process
        due_at = await process.reads.run(store.next_due)
        now = process.clock.now()
        if due_at is None or due_at > now:
            return POLL_SECONDS if due_at is None else min(POLL_SECONDS, (due_at - now) / SECOND)
        taken = await process.commit.run_async(lambda c: begin(c, process.clock.now()), "segment")
        for due in taken:
            await self._go_on(due)
        await asyncio.sleep(REST_SECONDS)
        return 0.0 if taken else BUSY_PAUSE_SECONDS

    async def _go_on(self, due: Due) -> None:
        """Do the next page. When it fails it is done again later, and holds up no other."""
        process = self._process
        try:
            if due.tenant_status != "active":
                until = process.clock.now() + POSTPONED
                await process.commit.run_async(lambda c: put_off(c, due, until), "segment")
                return
            if due.segment.place == "" or due.segment.deleted_at is not None:
                # Changes of entities that began before the segment was as it is know nothing of it: they end first.
                await asyncio.to_thread(process.database.outlast)
            if due.segment.deleted_at is not None:
                await process.commit.run_async(lambda c: remove(c, due, process.clock.now()), "segment")
                return
            page = await process.reads.run(read_page, due, process.clock.now())
            is_told = not due.segment.is_silent
            await self._room(due.tenant_id, is_told=is_told)
            events = await process.commit.run_async(
                lambda c: keep_page(c, due, page, process.clock.now(), process.worker_id), "segment"
            )
            if events:
                self.on_events(events)
            if process.changes.wanted(due.tenant_id) and page.place is None:
                process.changes.tell(due.tenant_id, "segment", id=due.segment.id)
        except Busy:
            raise
        except Refused as refused:
            log.warning("segment %s waits for a release that can read it: %s", due.segment.id, refused)
        except Exception:
            log.exception("segment %s could not be gone on with; it is tried again", due.segment.id)

    async def _room(self, tenant_id: str, *, is_told: bool) -> None:
        """Wait a while for what this tenant has under way, before more is told that starts runs."""
        for _ in range(100 if is_told else 0):
            if self._run.driven(tenant_id) <= self._process.limits.sweep_page:
                return
            await asyncio.sleep(REST_SECONDS)


def begin(connection: Connection, now: int) -> list[Due]:
    """Segments whose next page is to be done, by this worker for a while."""
    taken: list[Due] = []
    for due in store.take(connection, now, now + HELD, TAKEN_MAX):
        segment = due.segment
        if segment.place is None and segment.deleted_at is None:  # time has passed
            segment = msgspec.structs.replace(segment, place="", is_silent=False, begun_at=now, due_at=now + HELD)
            store.save(connection, due.tenant_id, segment)
        taken.append(msgspec.structs.replace(due, segment=segment))
    return taken


def read_page(connection: Connection, due: Due, now: int) -> Page:
    """The entities after the place, and who of them is to join and to leave."""
    tenant_id, segment = due.tenant_id, due.segment
    after = segment.place or ""
    wanted = wanted_of(segment.condition or "", segment.entity_type)
    zone = str(msgspec.json.decode(due.tenant_settings).get("zone") or "UTC")
    found, place = sweeps.of_type(connection, tenant_id, segment.entity_type, after, PAGE)
    present = store.members_between(connection, tenant_id, segment.id, after, place)
    joining: list[Entity] = []
    leaving: list[Entity] = []
    for entity in found:
        holds = wanted.holds(as_root(entity), now, zone)
        if holds and entity.id not in present:
            joining.append(entity)
        elif not holds and entity.id in present:
            leaving.append(entity)
    revisions = {entity.id: entity.revision for entity in (*joining, *leaving)}
    return Page(revisions, joining, leaving, sorted(present - {entity.id for entity in found}), place)


def keep_page(connection: Connection, due: Due, page: Page, now: int, worker_id: str) -> list[Event]:
    """Keep who joins and leaves, of those that are as they were read, and that the page is done; the events that tell it.
    Nothing when another did it, or the segment was changed meanwhile."""
    tenant_id, segment = due.tenant_id, due.segment
    # Entities first, as everybody locks them; then the segment.
    present = store.lock_revisions(connection, tenant_id, segment.entity_type, [*page.revisions, *page.gone])
    kept = store.read(connection, tenant_id, segment.id, is_locked=True)
    found_on = (segment.place, segment.begun_at, segment.condition)
    if kept is None or kept.deleted_at is not None or (kept.place, kept.begun_at, kept.condition) != found_on:
        return []
    same = {id_ for id_, revision in page.revisions.items() if present.get(id_) == revision}
    joining = [entity for entity in page.joining if entity.id in same]
    leaving = [entity for entity in page.leaving if entity.id in same]
    gone = [id_ for id_ in page.gone if id_ not in present]
    store.join(connection, [(tenant_id, segment.id, entity.id) for entity in joining], now)
    store.leave(connection, [(tenant_id, segment.id, id_) for id_ in (*(entity.id for entity in leaving), *gone)])
    events: list[Event] = []
    if not kept.is_silent:
        reason: Reason = "clock" if segment.computed_at is not None and segment.follows_clock else "condition"
        sides: tuple[tuple[Side, list[Entity]], ...] = (("left", leaving), ("joined", joining))
        named = (kept.id, kept.name)
        events = [tell(tenant_id, named, side, entity, reason, now) for side, some in sides for entity in some]
        if events:
            insert_events(connection, events, now, worker_id)
    after = msgspec.structs.replace(kept, place=page.place, due_at=now)
    if page.place is None:
        due_at = now + RECHECK if kept.follows_clock else None
        after = msgspec.structs.replace(after, is_silent=False, computed_at=now, due_at=due_at)
    store.save(connection, tenant_id, after)
    return events


def remove(connection: Connection, due: Due, now: int) -> None:
    """Forget some of the members of a segment that was deleted, and with the last of them the segment."""
    tenant_id, segment = due.tenant_id, due.segment
    found = store.members(connection, tenant_id, segment.id, "", REMOVED_AT_ONCE)
    store.leave(connection, [(tenant_id, segment.id, entity_id) for entity_id, _ in found])
    if len(found) < REMOVED_AT_ONCE:
        store.remove(connection, tenant_id, segment.id)
    else:
        put_off(connection, due, now)


def put_off(connection: Connection, due: Due, until: int) -> None:
    """Let this segment wait until then."""
    kept = store.read(connection, due.tenant_id, due.segment.id, is_locked=True)
    if kept is not None:
        store.save(connection, due.tenant_id, msgspec.structs.replace(kept, due_at=until))


def tell(tenant_id: str, segment: tuple[str, str], side: Side, entity: Entity, reason: Reason, now: int) -> Event:
    """The event that this entity joined or left, which nothing else caused."""
    data, event_id = told(segment, entity, reason, []), new_id(now)
    return Event(
        tenant_id=tenant_id,
        id=event_id,
        name=EVENTS[side],
        data=data,
        text=encode(data),
        ts=now,
        root_id=event_id,
        entity=EntityRef(entity.type, entity.id),
    )
