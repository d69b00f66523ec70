"""Match: an accepted event starts a run of every automation whose trigger and condition hold. One transaction.

What accept could match ahead is done already; other events come from memory (handed over by accept and record after their
commit) or, after a crash or from another process, from the store. The index that decides is checked in the writing
transaction: when the definitions changed meanwhile, nothing is written and the event is matched again with the new ones.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from sqlalchemy import Connection

from upshot.adapters.clock import id_at
from upshot.core import dead_letters as letters
from upshot.core.errors import Busy
from upshot.core.events import Event
from upshot.core.instants import SECOND
from upshot.core.work import EVENT_STEPS_MAX, Overloaded
from upshot.engine import tracing
from upshot.engine.awaken import awaken
from upshot.engine.decide import Decide, Matched, current, start
from upshot.engine.definitions import TenantDefinitions
from upshot.engine.handed import Handed
from upshot.engine.process import Process
from upshot.engine.stretch import Stretch
from upshot.engine.suspects import Apart, apart
from upshot.store import dead_letters
from upshot.store import events as event_store
from upshot.store.database import DatabaseUnavailable
from upshot.store.fair import Share

log = logging.getLogger("upshot.engine")

BATCH_MAX = 100
PAUSE_AFTER_ERROR_SECONDS = 0.5
POLL_SECONDS = 1.0
OWN_LOOK_AFTER = 15 * SECOND
"""An event that waits this long (microseconds) in the name of this worker is read again, whether or not it is in memory: the
first match wins."""
AFTER_EVERY_ID = "~"
"""Sorts after every id: some are ahead of the clock, when it was set back since they were made."""


Failed = tuple[Event, BaseException]


class MatchWrite:
    """The kind of work that writes matches: the events stop waiting and their runs begin, in one transaction.

    The answer is the ids of the runs created, or None when the definitions changed and the event must be matched again.
    """

    name = "match"

    def __init__(self) -> None:
        self.has_woken = False
        """Whether something that runs wait for has come, since this was last set back."""

    def tenant_of(self, work: Matched) -> str:
        """Whose event it is."""
        return work.event.tenant_id

    def write(self, connection: Connection, work: Sequence[Matched], now: int) -> Sequence[set[str] | None]:
        """Write all matches whose definitions are current."""
        still = current(connection, work)
        won = event_store.take_unmatched(connection, [(m.event.tenant_id, m.event.id) for m in still])
        first = {m.event.id: m for m in reversed(still)}  # one was handed over, and read from the store at that moment
        ours = [m for m in first.values() if m.event.id in won]
        made = start(connection, ours, now)
        self.has_woken |= awaken(connection, ours)
        stale = {m.event.id for m in work} - {m.event.id for m in still}
        return [None if m.event.id in stale else made & {run.id for _, run in m.started} for m in work]


class Match:
    """The service that matches events."""

    name = "match"

    def __init__(self, process: Process, decide: Decide) -> None:
        self._process, self._decide = process, decide
        self._kind = MatchWrite()
        self._handed = Handed()
        self._writing: set[asyncio.Task[None]] = set()
        self._next_claim_at = 0
        self._claimed_up_to = ""
        self._on_trial: dict[tuple[str, str], int] = {}
        self._next_own_look_at = 0
        self.wake: Callable[[], None] = lambda: None
        self.on_woken: Callable[[], None] = lambda: None

    def hand(self, events: Sequence[Event]) -> None:
        """Take over events that this process just committed."""
        self._handed.put(event for event in events if event.is_matched)
        self.wake()

    def is_idle(self) -> bool:
        """Whether no handed event waits and no match is being written."""
        return not self._handed and not self._writing

    def look(self) -> None:
        """Look into the store now: something waits there."""
        self._next_claim_at = self._next_own_look_at = 0
        self.wake()

    async def poll(self) -> float:
        """Match the next batch."""
        if self._on_trial:  # one after another
            await self.drain()
        # However busy: others' events wait in the store. First, since it may fail, and what was taken from memory is gone.
        claimed = await self._claim() if self._process.clock.now() >= self._next_claim_at else []
        batch, keys = self._handed.take(BATCH_MAX)
        batch += claimed
        if keys:
            batch += await self._read(keys)
        if not batch:
            return POLL_SECONDS
        matched, failed = await self._decide_all(batch)
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
        """Take what nobody holds, a share of each tenant; and what this process accepted long ago and has not matched: its
        giver never handed it over (it was cancelled, or the engine did not run yet), or nobody knew that it was kept."""
        process = self._process
        now = process.clock.now()
        self._on_trial = {}
        most = process.limits.strikes_max
        share, found = await process.commit.run_async(
            lambda c: claim(c, process.worker_id, self._claimed_up_to, most), "claim_events"
        )
        self._claimed_up_to, self._on_trial = share.last, found.on_trial
        self._next_claim_at = 0 if share.is_more or found.later else now + int(POLL_SECONDS * SECOND)
        for one in found.hopeless:
            await process.commit.run_async(lambda c, e=one: give_up(c, e, process.clock.now()), "give_up")
        fresh = [_key(one) for one in found.tried]
        own = await self._own(now)
        return await self._read([*own, *(key for key in fresh if key not in own)])

    async def _own(self, now: int) -> list[tuple[str, str]]:
        """What waits in this worker's name: all of it while nothing is in memory, else now and then what has waited long."""
        before = AFTER_EVERY_ID
        if self._writing or self._handed:
            if now < self._next_own_look_at:
                return []
            before = id_at(now - OWN_LOOK_AFTER)
        self._next_own_look_at = now + OWN_LOOK_AFTER
        process = self._process
        return await process.reads.run(event_store.own_unmatched, process.worker_id, before, BATCH_MAX)

    async def _read(self, keys: list[tuple[str, str]]) -> list[Event]:
        """These events. One that cannot be read holds up no other: that is a strike, and it is looked at again."""
        process = self._process
        try:
            return await process.reads.run(event_store.read_events, keys) if keys else []
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - of one of them; the others are read
            if len(keys) > 1:
                middle = len(keys) // 2
                return await self._read(keys[:middle]) + await self._read(keys[middle:])
            log.error("event %s could not be read: %s", keys[0][1], error)  # noqa: TRY400 - the reason is told, its traceback tells nothing more
            why, most = str(error), process.limits.strikes_max
            await process.commit.run_async(lambda c: strike(c, keys[0], None, why, most, process.clock.now()), "strike")
            return []

    async def _decide_all(self, batch: list[Event]) -> tuple[list[Matched], list[Failed]]:
        """What these events start. One that cannot be decided holds up no other."""
        process = self._process
        now = process.clock.now()
        by_tenant: dict[str, TenantDefinitions] = {}
        failed: list[Failed] = []
        for tenant_id in sorted({event.tenant_id for event in batch}):
            try:
                by_tenant[tenant_id] = process.definitions.known(tenant_id) or await process.definitions.of(tenant_id)
            except Exception as error:  # noqa: BLE001 - of this tenant's events alone
                failed += [(event, error) for event in batch if event.tenant_id == tenant_id]
        readable = [event for event in batch if event.tenant_id in by_tenant]
        try:
            entities = await self._decide.entities(readable, by_tenant)
        except Exception as error:  # noqa: BLE001 - they are tried again
            return [], [*failed, *((event, error) for event in readable)]
        matched: list[Matched] = []
        stretch = Stretch()
        for event in readable:
            steps = EVENT_STEPS_MAX
            try:
                matched.append(self._decide.of(event, by_tenant[event.tenant_id], entities, now))
                steps = matched[-1].steps
            except Exception as error:  # noqa: BLE001 - of this event alone
                failed.append((event, error))
            await stretch.rest_after(steps)
        return matched, failed

    async def _write(self, matched: list[Matched]) -> None:
        began = tracing.began()
        try:
            promises = self._process.commit.give_all(self._kind, matched)
        except Busy as busy:
            answers: list[Any] = [busy] * len(matched)
        else:
            answers = await asyncio.gather(*promises, return_exceptions=True)
        if self._kind.has_woken:
            self._kind.has_woken = False
            self.on_woken()
        again: list[Event] = []
        failed: list[Failed] = []
        stretch = Stretch()
        for match, made in zip(matched, answers, strict=True):
            if isinstance(made, BaseException):
                self._decide.give_back(match)
                failed.append((match.event, made))
            elif made is None:
                self._decide.give_back(match)
                self._process.definitions.forget(match.event.tenant_id)
                again.append(match.event)
            else:
                tracing.matched(match.event, len(made), began)
                self._decide.begin(match, made)
                await stretch.rest_after()
        if again:
            self.hand(again)
        if failed:
            await self._try_again(failed)

    async def _try_again(self, failed: list[Failed]) -> None:
        """Match these again after a pause. Each failure is a strike; the last makes the event a dead letter, and so does the
        first that would come again: too much work. That the store cannot be used at present is nobody's strike."""
        process = self._process
        await asyncio.sleep(PAUSE_AFTER_ERROR_SECONDS)
        again: list[Event] = []
        for event, error in failed:
            may = True
            if not isinstance(error, Busy | DatabaseUnavailable):
                log.error("event %s could not be matched: %s", event.id, error)
                strikes_max = 1 if isinstance(error, Overloaded) else process.limits.strikes_max
                with contextlib.suppress(Busy):
                    may = await process.commit.run_async(
                        lambda c, e=event, why=str(error), most=strikes_max: strike(
                            c, (e.tenant_id, e.id), e.name, why, most, process.clock.now()
                        ),
                        "strike",
                    )
            process.definitions.forget(event.tenant_id)
            if may:
                again.append(event)
        self.hand(again)


def _key(event: event_store.Unmatched) -> tuple[str, str]:
    return event.tenant_id, event.event_id


def claim(
    connection: Connection, worker_id: str, after: str, strikes_max: int
) -> tuple[Share[event_store.Unmatched], Apart[event_store.Unmatched]]:
    """Take events that nobody holds; the suspects among them that are too many at once are handed back at once."""
    share = event_store.claim_unmatched(connection, worker_id, BATCH_MAX, after)
    found = apart(share.rows, _key, strikes_max, {})
    if found.later:
        event_store.hand_back(connection, [_key(one) for one in found.later], worker_id)
    return share, found


def give_up(connection: Connection, event: event_store.Unmatched, now: int) -> None:
    """An event that was claimed again and again and never matched: each time, its worker vanished. It is a dead letter."""
    event_store.take_unmatched(connection, [(event.tenant_id, event.event_id)])
    why = f"Given up after {event.strikes - 1} workers vanished while they matched it."
    letter = letters.of_event(event.tenant_id, event.event_id, None, "worker_vanished", why, event.strikes)
    dead_letters.add_many(connection, [letter], now)


def strike(
    connection: Connection, key: tuple[str, str], name: str | None, why: str, strikes_max: int, now: int
) -> bool:
    """Count a failed match of an event; False when it was the last, and the event is a dead letter now."""
    strikes = event_store.strike(connection, *key)
    if strikes < strikes_max:
        return True
    event_store.take_unmatched(connection, [key])
    letter = letters.of_event(*key, name, "match_failed", why, strikes)
    dead_letters.add_many(connection, [letter], now)
    return False
