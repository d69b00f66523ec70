"""Replay: events of the past start the runs that somebody asked for, a page at a time and so many in a minute. A page is read
and decided first; then its runs are made and the replay's place moves on, in one transaction, if it is still where it was.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.core.conditions import compile_condition
from upshot.core.errors import Busy, Refused
from upshot.core.events import Event
from upshot.core.instants import MINUTE, SECOND
from upshot.core.program import Program
from upshot.core.replays import PRIORITY, Choosing, at_once, rest_after
from upshot.engine.admit import admit
from upshot.engine.past import Asked, Page, Start, read_page
from upshot.engine.process import Process
from upshot.store import counts, flow, hints
from upshot.store import replays as store
from upshot.store import runs as run_store
from upshot.store.past_events import Window
from upshot.store.replays import Due, Replay
from upshot.store.runs import NewRun

log = logging.getLogger("upshot.engine")

POLL_SECONDS = 1.0
BUSY_PAUSE_SECONDS = 0.05
TAKEN_MAX = 10
"""Replays that one worker goes on with at once."""
EVENTS_MAX = 500
"""Events that one page looks at."""
WAIT = SECOND
"""When a replay looks again that has come to an event which waits to be matched (microseconds)."""
POSTPONED = MINUTE
"""When a replay that cannot go on now is looked at again (microseconds)."""
AS_MANY = "It has started as many runs as it may."


class ReplayService:
    """The service that lets replays go on, never faster than each may."""

    name = "replay"

    def __init__(self, process: Process) -> None:
        self._process = process
        self.on_started: Callable[[], None] = lambda: None
        """Called when runs were made that any worker may drive, or that wait for a place."""

    async def poll(self) -> float:
        """Do a page of each replay that is due."""
        process = self._process
        due_at = await process.reads.run(store.next_due)
        now = process.clock.now()
        if due_at is None or due_at > now:
            return POLL_SECONDS if due_at is None else min(POLL_SECONDS, (due_at - now) / SECOND)
        taken = await process.commit.run_async(lambda c: self._take(c, process.clock.now()), "replay")
        for due in taken:
            await self._go_on(due)
        return 0.0 if taken else BUSY_PAUSE_SECONDS

    def _take(self, connection: Connection, now: int) -> list[Due]:
        """Replays that are due. A page is this worker's to do for as long as its lease would last; then another takes over."""
        return store.take(connection, now, now + int(self._process.limits.lease_seconds * SECOND), TAKEN_MAX)

    async def _go_on(self, due: Due) -> None:
        """Do the next page of this replay. When it fails it is done again later, and holds up no other."""
        process = self._process
        try:
            if due.tenant_status != "active":
                await self._keep(lambda c: postpone(c, due, process.clock.now() + POSTPONED))
                return
            if due.document is None:
                why = f"Version {due.replay.version} of the automation is not in the store any more."
                await self._keep(lambda c: end(c, due, why, process.clock.now()))
                return
            asked = self._asked(due, due.document)
            replay = due.replay
            left = at_once(replay.per_minute)
            if replay.runs_max is not None:
                left = min(left, replay.runs_max - replay.counts.started)
            page = await process.reads.run(read_page, asked, replay.place, EVENTS_MAX, left)
            after = await self._keep(lambda c: keep_page(c, due, page, process.clock.now()))
            if after is not None:
                self._tell(due.tenant_id, after)
            if page.starts:
                self.on_started()
        except Busy:
            raise
        except Refused as refused:
            log.warning("replay %s waits for a release that can read its version: %s", due.replay.id, refused)
            await self._keep(lambda c: postpone(c, due, process.clock.now() + POSTPONED))
        except Exception:
            log.exception("replay %s could not go on; it is tried again", due.replay.id)

    async def _keep(self, write: Callable[[Connection], Replay | None]) -> Replay | None:
        return await self._process.commit.run_async(write, "replay")

    def _asked(self, due: Due, document: str) -> Asked:
        replay = due.replay
        program = self._process.definitions.program(due.tenant_id, replay.automation_id, replay.version, document)
        zone = str(msgspec.json.decode(due.tenant_settings).get("zone") or "UTC")
        return asked_of(due.tenant_id, replay, program, zone, due.automation_since, due.pruned_until)

    def _tell(self, tenant_id: str, replay: Replay) -> None:
        changes = self._process.changes
        if changes.wanted(tenant_id):
            changes.tell(tenant_id, "replay", id=replay.id, automation_id=replay.automation_id, status=replay.status)


def asked_of(
    tenant_id: str, replay: Replay, program: Program, zone: str, automation_since: int, pruned_until: int
) -> Asked:
    """What this replay looks at, compiled."""
    own = compile_condition(msgspec.json.decode(replay.condition)) if replay.condition is not None else None
    name = program.automation.listens_to(replay.automation_id)
    return Asked(
        tenant_id=tenant_id,
        automation_id=replay.automation_id,
        program=program,
        choosing=Choosing(program.condition, own),
        window=Window(name, replay.since, replay.until, replay.entity),
        zone=zone,
        with_dropped=replay.with_dropped,
        unknown_from=automation_since,
        unknown_until=pruned_until,
    )


def keep_page(connection: Connection, due: Due, page: Page, now: int) -> Replay | None:
    """Make the runs of this page and keep that it is done; how the replay stands then. None when another did it, or it was
    paused or is over."""
    new = [(start.event, _new_run(due, start, now)) for start in page.starts]
    if any(run.asked is not None for _, run in new):
        flow.take_turn(connection)  # before the replay is locked, as a batch does that matches and then stops a replay
    present = _present(connection, due)
    if present is None:
        return None
    started = _start(connection, new, now)
    kinds = Counter({**page.others, "started": started})
    kinds["already"] += len(new) - started
    rest = max(rest_after(present.per_minute, started), WAIT if page.is_waiting else 0)
    after = msgspec.structs.replace(present, place=page.place, counts=present.counts.plus(kinds), due_at=now + rest)
    if page.is_last:  # those that it did not find were pruned since it began
        gone = max(0, after.total - after.counts.events)
        after = msgspec.structs.replace(
            after, status="completed", finished_at=now, counts=after.counts.plus({"gone": gone})
        )
    elif present.runs_max is not None and after.counts.started >= present.runs_max:
        after = msgspec.structs.replace(after, status="completed", reason=AS_MANY, finished_at=now)
    store.save(connection, due.tenant_id, after)
    return after


def postpone(connection: Connection, due: Due, until: int) -> Replay | None:
    """Let this replay wait until then."""
    present = _present(connection, due)
    if present is not None:
        store.save(connection, due.tenant_id, msgspec.structs.replace(present, due_at=until))
    return None


def end(connection: Connection, due: Due, why: str, now: int) -> Replay | None:
    """This replay cannot go on."""
    present = _present(connection, due)
    if present is None:
        return None
    after = msgspec.structs.replace(present, status="cancelled", reason=why, finished_at=now)
    store.save(connection, due.tenant_id, after)
    return after


def _present(connection: Connection, due: Due) -> Replay | None:
    """The replay, locked, if it is where its taker found it."""
    present = store.read(connection, due.tenant_id, due.replay.id, is_locked=True)
    is_same = present is not None and (present.status, present.place) == ("running", due.replay.place)
    return present if is_same else None


def _start(connection: Connection, new: Sequence[tuple[Event, NewRun]], now: int) -> int:
    """Make those of these runs that are not there yet; how many."""
    at_will = [run for _, run in new if run.asked is None]
    made = len(run_store.create(connection, at_will, now)) if at_will else 0
    if made:
        tenant_id = at_will[0].tenant_id
        counts.add(connection, Counter({(tenant_id, "runs", "", "pending"): made}), now)
        hints.send(connection, hints.RUNS)
    placed = [(event, run) for event, run in new if run.asked is not None]
    return made + len(admit(connection, placed, now).made) if placed else made


def _new_run(due: Due, start: Start, now: int) -> NewRun:
    event, entity = start.event, start.entity
    facts: dict[str, Any] | None = {"entity": entity} if entity is not None else None
    return NewRun(
        tenant_id=due.tenant_id,
        id=new_id(now),
        automation_id=due.replay.automation_id,
        version=due.replay.version,
        event_id=event.id,
        entity_type=event.entity.type if event.entity is not None else None,
        entity_id=event.entity.id if event.entity is not None else None,
        priority=PRIORITY,
        test=False,
        facts=msgspec.json.encode(facts).decode() if facts is not None else None,
        worker_id=None,
        queue=due.queue,
        asked=start.asked or None,
        watches=start.watches,
        replay_id=due.replay.id,
    )
