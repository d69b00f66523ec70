"""Relay: moves what hosts wrote into the outbox on to accept. Rows are claimed, never read past a cursor, since a row may
commit late. An event has its row's id, so a row that is relayed twice is accepted once."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec
from sqlalchemy import Connection

from upshot.core import dead_letters as letters
from upshot.core.errors import Busy, NotAllowed, UpshotError
from upshot.core.instants import SECOND
from upshot.core.strict_json import decode
from upshot.engine import tracing
from upshot.engine.process import Process
from upshot.engine.receive import NAME_MAX
from upshot.store import dead_letters, outbox
from upshot.store.database import DatabaseUnavailable
from upshot.store.outbox import OutboxRow

log = logging.getLogger("upshot.engine")

BATCH_MAX = 500
ATTEMPTS_MAX = 10
POLL_SECONDS = 0.1
BACKOFF_MAX_SECONDS = 3600


Receive = Callable[[str, list[dict[str, Any]], list[str | None]], Awaitable[Any]]
"""Accepts envelopes of one tenant; the list gives the trace context of each."""


class Relayed(msgspec.Struct, frozen=True):
    """What one pass did."""

    published: int
    failed: int


class Relay:
    """The service that empties the outbox. `receive` checks and accepts one tenant's events and raises for a bad one."""

    name = "relay"

    def __init__(self, process: Process, receive: Receive) -> None:
        self._process, self._receive = process, receive

    async def poll(self) -> float:
        """Relay one batch."""
        relayed = await self.relay_batch()
        return 0.0 if relayed.published + relayed.failed == BATCH_MAX else POLL_SECONDS

    async def relay_all(self) -> Relayed:
        """Relay until nothing that is due is left; what was done in all."""
        published = failed = 0
        while True:
            relayed = await self.relay_batch()
            published, failed = published + relayed.published, failed + relayed.failed
            if relayed.published + relayed.failed == 0:
                return Relayed(published, failed)

    async def relay_batch(self) -> Relayed:
        """Claim one batch and accept it."""
        process = self._process
        now = process.clock.now()
        if not await process.reads.run(outbox.has_due, now):
            return Relayed(0, 0)
        claimed = await process.commit.run_async(lambda c: outbox.claim(c, now, BATCH_MAX, backoff), "relay_claim")
        accepted: list[OutboxRow] = []
        failed = 0
        for tenant_id, group in _by_tenant(claimed).items():
            done, refused = await self._accept(tenant_id, group)
            accepted += done
            failed += len(refused)
            for row, why in refused:
                is_last = row.attempts >= ATTEMPTS_MAX and not isinstance(why, NotAllowed | Busy | DatabaseUnavailable)
                log.warning("outbox row %s of tenant %s was not accepted: %s", row.id, tenant_id, why)
                await process.commit.run_async(
                    lambda c, r=row, w=why, last=is_last: fail(c, r, w, process.clock.now(), is_last=last),
                    "relay_fail",
                )
        published = [row.seq for row in accepted]
        if published:
            await process.commit.run_async(lambda c: outbox.publish(c, published, process.clock.now()), "relay_publish")
            process.metrics.outbox_rows(accepted, process.clock.now())
        return Relayed(len(published), failed)

    async def _accept(
        self, tenant_id: str, group: list[OutboxRow]
    ) -> tuple[list[OutboxRow], list[tuple[OutboxRow, Exception]]]:
        """Accept a tenant's rows together; when one is refused, each by itself. What is the matter with one tenant or row
        holds up no other; a tenant that is suspended, or a store that is busy, does not use up a row's attempts."""
        try:
            envelopes = [_envelope(row) for row in group]
            await self._receive(tenant_id, envelopes, [tracing.checked(e.pop("traceparent", None)) for e in envelopes])
        except Exception as error:  # noqa: BLE001 - it is kept with its row
            if len(group) == 1 or isinstance(error, NotAllowed | Busy | DatabaseUnavailable):
                return [], [(row, error) for row in group]
            done: list[OutboxRow] = []
            refused: list[tuple[OutboxRow, Exception]] = []
            for row in group:
                one_done, one_refused = await self._accept(tenant_id, [row])
                done.extend(one_done)
                refused.extend(one_refused)
            return done, refused
        return group, []


def backoff(attempts: int) -> int:
    """How long a row waits after so many attempts (microseconds): 1 s, doubled each time, at most an hour."""
    return int(min(2.0 ** (attempts - 1), BACKOFF_MAX_SECONDS) * SECOND)


def fail(connection: Connection, row: OutboxRow, why: Exception, now: int, *, is_last: bool) -> None:
    """A row was not accepted: it is tried again or, after its last attempt, is a dead letter."""
    said = None if isinstance(why, Busy | DatabaseUnavailable) else str(why)  # a busy store says nothing of the row
    outbox.fail(connection, row.seq, said, is_last=is_last)
    if not is_last:
        return
    try:
        name = str(_envelope(row).get("name"))[:NAME_MAX]
    except Exception:  # noqa: BLE001 - what cannot be read has no name
        name = None
    code = why.code if isinstance(why, UpshotError) else "unreadable"
    letter = letters.of_delivery(row.tenant_id, row.seq, name, code, str(why), row.attempts)
    dead_letters.add_many(connection, [letter], now)


def _by_tenant(claimed: list[OutboxRow]) -> dict[str, list[OutboxRow]]:
    groups: dict[str, list[OutboxRow]] = {}
    for row in claimed:
        groups.setdefault(row.tenant_id, []).append(row)
    return groups


def _envelope(row: OutboxRow) -> dict[str, Any]:
    if row.format != outbox.FORMAT:
        raise ValueError(f"format {row.format} is not known to this release")
    payload = decode(row.payload)
    if not isinstance(payload, dict):
        raise ValueError("the payload is not an object")  # noqa: TRY004 - bad data, not a bad call
    return {"id": row.id, **cast("dict[str, Any]", payload)}
