"""Match: an accepted event starts a run of every automation whose trigger and condition hold. One transaction.

Events come from memory (handed over by accept and record after their commit) or, after a crash or from another process,
from the store. The index that decides is checked in the writing transaction: when the definitions changed meanwhile,
nothing is written and the event is matched again with the new ones.
"""

import asyncio
import contextlib
import logging
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.core.errors import Busy
from upshot.core.events import Event
from upshot.core.instants import SECOND
from upshot.engine.definitions import Listener, TenantDefinitions
from upshot.engine.live_run import LiveRun, facts_of
from upshot.engine.process import Process
from upshot.engine.run import Run
from upshot.store import counts, dead_letters, definitions
from upshot.store import entities as entity_store
from upshot.store import events as event_store
from upshot.store import runs as run_store
from upshot.store.database import DatabaseUnavailable

log = logging.getLogger("upshot.engine")

BATCH_MAX = 500
PAUSE_AFTER_ERROR_SECONDS = 0.5
HANDED_MAX = 20_000
POLL_SECONDS = 1.0


_encode = msgspec.json.Encoder().encode  # what is encoded here was held to strict JSON before

Failed = tuple[Event, BaseException]


class Matched(msgspec.Struct, frozen=True):
    """What one event will start, if the definitions are still those of `revision`."""

    event: Event
    revision: int
    zone: str
    started: list[tuple[Listener, run_store.NewRun]]


class MatchWrite:
    """The kind of work that writes matches: the events stop waiting and their runs begin, in one transaction.

    The answer is the ids of the runs created, or None when the definitions changed and the event must be matched again.
    """

    def write(self, connection: Connection, work: Sequence[Matched], now: int) -> Sequence[set[str] | None]:
        """Write all matches whose definitions are current."""
        present = definitions.revisions(connection, sorted({m.event.tenant_id for m in work}))
        current = [m for m in work if present.get(m.event.tenant_id) == m.revision]
        won = event_store.take_unmatched(connection, [(m.event.tenant_id, m.event.id) for m in current])
        new = [run for m in current if m.event.id in won for _, run in m.started]
        made = run_store.create(connection, new, now) if new else set[str]()
        if made:
            born = Counter(
                (run.tenant_id, "runs", "", "running" if run.worker_id else "pending") for run in new if run.id in made
            )
            counts.add(connection, born, now)
        stale = {m.event.id for m in work} - {m.event.id for m in current}
        return [None if m.event.id in stale else made & {run.id for _, run in m.started} for m in work]


class Match:
    """The service that matches events."""

    name = "match"

    def __init__(self, process: Process, run: Run) -> None:
        self._process, self._run = process, run
        self._kind = MatchWrite()
        self._handed: deque[Event] = deque()
        self._writing: set[asyncio.Task[None]] = set()
        self._spilled: deque[tuple[str, str]] = deque()
        self._next_claim_at = 0
        self.wake: Callable[[], None] = lambda: None

    def hand(self, events: Sequence[Event]) -> None:
        """Take over events that this process just committed. When too many wait, of the rest only the keys are held."""
        for event in events:
            if not event.is_matched:
                continue
            if len(self._handed) < HANDED_MAX:
                self._handed.append(event)
            else:
                self._spilled.append((event.tenant_id, event.id))
        self.wake()

    def is_idle(self) -> bool:
        """Whether no handed event waits and no match is being written."""
        return not self._handed and not self._spilled and not self._writing

    async def poll(self) -> float:
        """Match the next batch."""
        batch = [self._handed.popleft() for _ in range(min(len(self._handed), BATCH_MAX))]
        if not batch and self._spilled:
            keys = [self._spilled.popleft() for _ in range(min(len(self._spilled), BATCH_MAX))]
            batch = await self._process.reads.run(event_store.read_events, keys)
        if not batch and self._process.clock.now() >= self._next_claim_at:
            batch = await self._claim()
        if not batch:
            return POLL_SECONDS
        matched, failed = await self._decide(batch)
        if matched:
            self._begin_writing(self._write(matched))
        if failed:
            self._begin_writing(self._try_again(failed))
        return 0.0

    def _begin_writing(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def drain(self) -> None:
        """Wait until every match being written is committed."""
        while self._writing:
            await asyncio.wait(self._writing)

    async def _claim(self) -> list[Event]:
        """Take what nobody has in memory: orphans, and what this process accepted and whose giver never handed it over
        (it was cancelled, or the engine did not run yet)."""
        process = self._process
        now, is_own_known = process.clock.now(), bool(self._writing)
        claimed = await process.commit.run_async(
            lambda c: event_store.claim_unmatched(c, process.worker_id, now, BATCH_MAX, with_own=not is_own_known)
        )
        if len(claimed) < BATCH_MAX:
            self._next_claim_at = now + int(POLL_SECONDS * SECOND)
        return claimed

    async def _decide(self, batch: list[Event]) -> tuple[list[Matched], list[Failed]]:
        """What these events start. One that cannot be decided holds up no other."""
        process = self._process
        now = process.clock.now()
        by_tenant: dict[str, TenantDefinitions] = {}
        failed: list[Failed] = []
        for tenant_id in {event.tenant_id for event in batch}:
            try:
                by_tenant[tenant_id] = process.definitions.known(tenant_id) or await process.definitions.of(tenant_id)
            except Exception as error:  # noqa: BLE001 - of this tenant's events alone
                failed += [(event, error) for event in batch if event.tenant_id == tenant_id]
        readable = [event for event in batch if event.tenant_id in by_tenant]
        try:
            entities = await self._read_entities(readable, by_tenant)
        except Exception as error:  # noqa: BLE001 - they are tried again
            return [], [*failed, *((event, error) for event in readable)]
        matched: list[Matched] = []
        for event in readable:
            try:
                matched.append(self._decide_one(event, by_tenant[event.tenant_id], entities, now))
            except Exception as error:  # noqa: BLE001 - of this event alone
                failed.append((event, error))
        return matched, failed

    async def _read_entities(
        self, batch: list[Event], by_tenant: dict[str, TenantDefinitions]
    ) -> dict[tuple[str, str, str], dict[str, object]]:
        wanted = [
            (event.tenant_id, event.entity.type, event.entity.id)
            for event in batch
            if event.entity is not None
            and (listeners := by_tenant[event.tenant_id].listeners.get(event.name)) is not None
            and listeners.index.reads_entity
        ]
        return await self._process.reads.run(entity_store.read_roots, wanted) if wanted else {}

    def _decide_one(
        self,
        event: Event,
        known: TenantDefinitions,
        entities: dict[tuple[str, str, str], dict[str, object]],
        now: int,
    ) -> Matched:
        listeners = known.listeners.get(event.name)
        if listeners is None:
            return Matched(event, known.revision, known.zone, [])
        entity = entities.get((event.tenant_id, event.entity.type, event.entity.id)) if event.entity else None
        keys = listeners.index.match(facts_of(event, now=now, zone=known.zone, entity=entity))
        kept_facts = _encode({"entity": entity}).decode() if entity is not None else None
        started: list[tuple[Listener, run_store.NewRun]] = []
        for key in keys:
            listener = listeners.by_id[key]
            started.append((listener, self._new_run(event, listener, kept_facts, now)))
        return Matched(event, known.revision, known.zone, started)

    def _new_run(self, event: Event, listener: Listener, facts: str | None, now: int) -> run_store.NewRun:
        return run_store.NewRun(
            tenant_id=event.tenant_id,
            id=new_id(now),
            automation_id=listener.automation_id,
            version=listener.version,
            event_id=event.id,
            entity_type=event.entity.type if event.entity else None,
            entity_id=event.entity.id if event.entity else None,
            priority=listener.priority,
            test=event.test,
            facts=facts,
            worker_id=self._process.worker_id if self._run.reserve() else None,
        )

    async def _write(self, matched: list[Matched]) -> None:
        try:
            promises = self._process.commit.give_all(self._kind, matched)
        except Busy as busy:
            answers: list[Any] = [busy] * len(matched)
        else:
            answers = await asyncio.gather(*promises, return_exceptions=True)
        again: list[Event] = []
        failed: list[Failed] = []
        for match, made in zip(matched, answers, strict=True):
            if isinstance(made, BaseException):
                self._give_back(match)
                failed.append((match.event, made))
            elif made is None:
                self._give_back(match)
                self._process.definitions.forget(match.event.tenant_id)
                again.append(match.event)
            else:
                self._begin(match, made)
        if again:
            self.hand(again)
        if failed:
            await self._try_again(failed)

    async def _try_again(self, failed: list[Failed]) -> None:
        """Match these again after a pause. Each failure is a strike; the last makes the event a dead letter. That the store
        cannot be used at present is nobody's strike."""
        process = self._process
        await asyncio.sleep(PAUSE_AFTER_ERROR_SECONDS)
        again: list[Event] = []
        for event, error in failed:
            may = True
            if not isinstance(error, Busy | DatabaseUnavailable):
                log.error("event %s could not be matched: %s", event.id, error)
                with contextlib.suppress(Busy):
                    may = await process.commit.run_async(
                        lambda c, e=event, why=str(error): strike(
                            c, e, why, process.limits.strikes_max, process.clock.now()
                        )
                    )
            process.definitions.forget(event.tenant_id)
            if may:
                again.append(event)
        self.hand(again)

    def _begin(self, match: Matched, made: set[str]) -> None:
        for listener, new in match.started:
            if new.worker_id is None:
                self._run.wants_claim()
            elif new.id in made:
                run = LiveRun.born(match.event, new, listener.program, match.zone)
                self._run.begin(run)
            else:
                self._run.give_back_room()
        if made:
            self._process.changes.tell(match.event.tenant_id, "event", id=match.event.public_id, name=match.event.name)

    def _give_back(self, match: Matched) -> None:
        for _, new in match.started:
            if new.worker_id is not None:
                self._run.give_back_room()


def strike(connection: Connection, event: Event, why: str, strikes_max: int, now: int) -> bool:
    """Count a failed match; False when it was the last, and the event is a dead letter now."""
    strikes = event_store.strike(connection, event.tenant_id, event.id)
    if strikes < strikes_max:
        return True
    event_store.take_unmatched(connection, [(event.tenant_id, event.id)])
    dead_letters.add(connection, event.tenant_id, "event", event.id, why, strikes, now)
    return False
