"""Prune: gives up what is over and older than it has to be kept, a small batch at a time, and gives the room back.

A pass goes through every tenant, kind by kind, the memory of seen ids last. It can be broken off anywhere and begun again;
two at once, beside running engines, do no harm. Each batch is as large as takes the writer a few milliseconds, and is
followed by a pause of several times as long.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id, ticks
from upshot.core.errors import Busy
from upshot.core.instants import HOUR, MINUTE, SECOND, to_text
from upshot.core.retention import until_on_request
from upshot.engine.process import Process
from upshot.store import audit, retention, tenants
from upshot.store.retention import Kind, Size

FIRST_PASS_AFTER = 10 * MINUTE
"""A start has better things to do first (microseconds)."""
NEVER_SECONDS = 3600.0
BUSY_PAUSE_SECONDS = 60.0
LOOK_ROWS = 5_000
"""Rows one reading looks through: short, so that it holds up no checkpoint."""
BATCH_TICKS = 3_000
"""How long a batch should hold the writer (microseconds)."""
BATCH_MIN, BATCH_MAX, BATCH_FIRST = 10, 500, 50
PAUSE_TIMES = 4
FREE_SHARE = 0.1
"""The part of a file that a pass of the engine's own leaves free: it is needed again soon."""


@dataclass(frozen=True)
class Wanted:
    """What a pass is asked for: the age at which things go (microseconds; None: as the settings say), of one tenant or all;
    only to count, or in truth; and the part of the file that may stay free."""

    older_than: int | None = None
    tenant_id: str | None = None
    is_dry_run: bool = False
    actor: str = "engine"
    free_share: float = FREE_SHARE


class Done(msgspec.Struct, frozen=True):
    """What one small piece of a pass did: the rows of each table that went (in a dry run: would go), and how long the writer
    should then be left alone. `tenant_id` is empty for what is not a tenant's."""

    tenant_id: str
    kind: str
    removed: Mapping[str, int]
    pause_seconds: float = 0.0


@dataclass
class _Share:
    """One tenant's part of a pass. `is_told` once its audit names what is given up."""

    tenant_id: str
    until: dict[str, int]
    removed: Counter[str] = field(default_factory=Counter[str])
    is_told: bool = False


class Prune:
    """The service that keeps the store from growing for ever."""

    name = "prune"

    def __init__(self, process: Process) -> None:
        self._process = process
        self._next_pass_at: int | None = None
        self._pass: AsyncGenerator[Done] | None = None
        self._batch: Counter[str] = Counter()

    async def poll(self) -> float:
        """Do the next small piece of the present pass, or begin one when it is time."""
        every, now = self._process.prune_every_hours * HOUR, self._process.clock.now()
        if not every:
            return NEVER_SECONDS
        if self._next_pass_at is None:
            self._next_pass_at = now + FIRST_PASS_AFTER
        if self._pass is None:
            if now < self._next_pass_at:
                return (self._next_pass_at - now) / SECOND
            self._pass = self.go_through(Wanted())
        try:
            return (await anext(self._pass)).pause_seconds
        except StopAsyncIteration:
            self._end_pass(now + every)
            return every / SECOND
        except Busy:  # the store is locked, or full: nothing is lost by waiting
            self._end_pass(now + int(BUSY_PAUSE_SECONDS * SECOND))
            return BUSY_PAUSE_SECONDS
        except BaseException:
            self._end_pass(now + int(BUSY_PAUSE_SECONDS * SECOND))
            raise

    def _end_pass(self, next_pass_at: int) -> None:
        self._pass, self._next_pass_at = None, next_pass_at

    async def go_through(self, wanted: Wanted) -> AsyncGenerator[Done]:
        """One pass, piece by piece; whoever drives it waits the pause that each piece asks for.

        Raises:
            Busy: the store took no writes. What was done stays done.
        """
        now = self._process.clock.now()
        after: str | None = None
        while found := await self._tenants(wanted.tenant_id, after):
            for tenant in found:
                async for done in self._go_through_tenant(wanted, tenant, now):
                    yield done
            after = found[-1].id
            if wanted.tenant_id is not None:
                return
        everyones = _Share("", self._until(wanted, {}, now), is_told=True)
        for kind in retention.OF_ALL:
            async for done in self._go_through_kind(wanted, everyones, kind):
                yield done
        if not wanted.is_dry_run:
            async for done in self._shrink(wanted.free_share):
                yield done

    async def _tenants(self, only: str | None, after: str | None) -> list[tenants.Tenant]:
        if only is None:
            return await self._process.reads.run(tenants.page, after, 100)
        found = await self._process.reads.run(tenants.read, only)
        return [found] if found is not None else []

    def _until(self, wanted: Wanted, own: Mapping[str, Any], now: int) -> dict[str, int]:
        until = (
            self._process.retention.of_tenant(own).until(now)
            if wanted.older_than is None
            else until_on_request(self._process.retention, own, wanted.older_than, now)
        )
        return {**until, "replays": until["runs"], "idempotency": now}

    async def _go_through_tenant(self, wanted: Wanted, tenant: tenants.Tenant, now: int) -> AsyncGenerator[Done]:
        own = tenant.settings.get("retention", {})
        share = _Share(tenant.id, self._until(wanted, own, now))
        pending = await self._process.reads.run(retention.oldest_pending, tenant.id)
        if pending is not None:  # what may yet be relayed again must be known again
            share.until["event_keys"] = min(share.until["event_keys"], pending)
        for kind in retention.OF_TENANT:
            async for done in self._go_through_kind(wanted, share, kind):
                yield done
        if share.is_told:
            await self._process.commit.run_async(
                lambda c: self._tell(c, wanted, share, {"removed": dict(share.removed)})
            )

    async def _go_through_kind(self, wanted: Wanted, share: _Share, kind: Kind) -> AsyncGenerator[Done]:
        after: Any | None = kind.first if share.until[kind.name] else None
        while after is not None:
            may_go, after = await self._process.reads.run(kind.look, share.tenant_id, share.until, after, LOOK_ROWS)
            if wanted.is_dry_run or not may_go:
                yield Done(share.tenant_id, kind.name, {kind.name: len(may_go)} if may_go else {})
                continue
            while may_go:
                number = self._batch[kind.name] or BATCH_FIRST
                keys, may_go = may_go[:number], may_go[number:]
                yield await self._remove(wanted, share, kind, keys)

    async def _remove(self, wanted: Wanted, share: _Share, kind: Kind, keys: list[Any]) -> Done:
        """Remove one batch, and size the next by how long this one took."""

        def write(connection: Connection) -> tuple[Counter[str], int]:
            began = ticks()
            removed = kind.remove(connection, share.tenant_id, share.until, keys)
            if kind is retention.RUNS and removed.total():
                tenants.note_pruned(connection, share.tenant_id, share.until[kind.name])
            if removed.total() and kind is not retention.IDEMPOTENCY and not share.is_told:
                until = {name: to_text(instant) for name, instant in share.until.items() if instant}
                self._tell(connection, wanted, share, {"until": until})
            return removed, ticks() - began

        removed, took = await self._process.commit.run_async(write)
        share.removed += removed
        share.is_told = share.is_told or bool(removed.total() and kind is not retention.IDEMPOTENCY)
        self._batch[kind.name] = _next_batch(len(keys), took)
        return Done(share.tenant_id, kind.name, +removed, _pause(took))

    def _tell(self, connection: Connection, wanted: Wanted, share: _Share, after: Mapping[str, Any]) -> None:
        """Keep in the tenant's audit up to when what is given up (with the first of it), or how much it was (at the end)."""
        now, tenant_id = self._process.clock.now(), share.tenant_id
        audit.add(connection, tenant_id, new_id(now), now, wanted.actor, "prune", "tenant", tenant_id, None, after)

    async def _shrink(self, free_share: float) -> AsyncGenerator[Done]:
        """Give pages back until no more than this part of the file is free."""
        if not await self._process.reads.run(retention.can_shrink):
            return
        found = await self._process.reads.run(retention.size)
        if found is None:
            return
        free, kept_free, number = found.free, int(found.total * free_share), BATCH_FIRST
        while free > kept_free:
            step = min(number, free - kept_free)

            def write(connection: Connection, pages: int = step) -> tuple[int, int]:
                began = ticks()
                return retention.shrink(connection, pages), ticks() - began

            left, took = await self._process.commit.run_async(write)
            if left >= free:
                return
            yield Done("", "pages", {"pages": free - left}, _pause(took))
            free, number = left, _next_batch(step, took)

    async def size(self) -> Size | None:
        """How large the file is; None on a server."""
        return await self._process.reads.run(retention.size)


async def go(passing: AsyncGenerator[Done], told: Callable[[Done], None]) -> None:
    """Drive a pass to its end, telling of each piece."""
    async for done in passing:
        told(done)
        await asyncio.sleep(done.pause_seconds)


def _next_batch(number: int, took: int) -> int:
    """As many as would take the writer the time it may be held; at most twice as many as before."""
    fitting = number * BATCH_TICKS // max(took, 1)
    return max(BATCH_MIN, min(BATCH_MAX, 2 * number, fitting))


def _pause(took: int) -> float:
    return max(PAUSE_TIMES * took, BATCH_TICKS) / SECOND
