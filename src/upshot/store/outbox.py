"""The outbox: rows that hosts write in their own transactions. The table is only ever added to."""

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, func, select, update

from upshot.store.rows import BIGINT, Sent, rows
from upshot.store.schema import outbox

FORMAT = 1

INSERT_COLUMNS = ("id", "tenant_id", "format", "payload", "created_at", "next_attempt_at")


def insert_text(placeholder: str) -> str:
    """The one INSERT that runs on a host's connection, with its driver's placeholder (`?` or `%s`)."""
    places = ", ".join([placeholder] * len(INSERT_COLUMNS))
    return f"INSERT INTO {outbox.name} ({', '.join(INSERT_COLUMNS)}) VALUES ({places})"  # noqa: S608 - only constants


class OutboxRow(msgspec.Struct, frozen=True):
    """One claimed row. `attempts` counts this claim too."""

    seq: int
    id: str
    tenant_id: str
    format: int
    payload: str
    created_at: int
    attempts: int


_CREATED = (outbox.c.created_at, outbox.c.attempts)


def has_due(connection: Connection, now: int) -> bool:
    """Whether a pending row is due: a cheap look before the writing claim."""
    due = select(outbox.c.seq).where(outbox.c.status == "pending", outbox.c.next_attempt_at <= now).limit(1)
    return connection.execute(due).first() is not None


def claim(connection: Connection, now: int, limit: int, backoff: Callable[[int], int]) -> list[OutboxRow]:
    """Take pending rows that are due, those first that are due longest; they are given in the order in which they were written.
    The attempt is counted before a payload is looked at; `backoff(attempts)` is how long a row that is not finished then waits
    (microseconds)."""
    due = (
        select(outbox.c.seq, outbox.c.id, outbox.c.tenant_id, outbox.c.format, outbox.c.payload, *_CREATED)
        .where(outbox.c.status == "pending", outbox.c.next_attempt_at <= now)
        .order_by(outbox.c.next_attempt_at, outbox.c.seq)  # the index of what is pending: the rest is years of history
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = sorted((OutboxRow(*row[:6], row[6] + 1) for row in connection.execute(due)), key=lambda row: row.seq)
    by_attempts: dict[int, list[tuple[int]]] = {}
    for row in claimed:
        by_attempts.setdefault(row.attempts, []).append((row.seq,))
    for attempts, seqs in by_attempts.items():
        _count_attempt(connection, seqs, attempts=attempts, again_at=now + backoff(attempts))
    return claimed


_seqs = rows(("seq", BIGINT))
_in_seqs = outbox.c.seq.in_(select(_seqs.c.seq))
_still_pending = _in_seqs & (
    outbox.c.status == "pending"
)  # a relay that was slow changes nothing of what another ended
_count_attempt = Sent(
    update(outbox).where(_in_seqs).values(attempts=bindparam("attempts"), next_attempt_at=bindparam("again_at"))
)
_publish = Sent(
    update(outbox).where(_still_pending).values(status="published", published_at=bindparam("now"), error=None)
)
_fail = Sent(update(outbox).where(_still_pending).values(status=bindparam("status"), error=bindparam("error")))


def publish(connection: Connection, seqs: Sequence[int], now: int) -> None:
    """These rows were accepted."""
    _publish(connection, [(seq,) for seq in seqs], now=now)


def fail(connection: Connection, seq: int, error: str | None, *, is_last: bool) -> None:
    """This row could not be accepted, for what was the matter with it if anything was: it is tried again, or has failed."""
    _fail(connection, [(seq,)], status="failed" if is_last else "pending", error=error)


class RefusedRow(msgspec.Struct, frozen=True):
    """A pending row that was not accepted, why, and how often it was tried."""

    id: str
    tenant_id: str
    attempts: int
    error: str


def refused(connection: Connection, limit: int) -> list[RefusedRow]:
    """Pending rows that were refused, of any tenant: those that are tried again first."""
    query = (
        select(outbox.c.id, outbox.c.tenant_id, outbox.c.attempts, outbox.c.error)
        .where(outbox.c.status == "pending", outbox.c.error.is_not(None))
        .order_by(outbox.c.next_attempt_at, outbox.c.seq)
        .limit(limit)
    )
    return [RefusedRow(*row) for row in connection.execute(query)]


def by_status(connection: Connection, tenant_id: str) -> dict[str, int]:
    """How many of the tenant's rows stand in each status."""
    query = select(outbox.c.status, func.count()).where(outbox.c.tenant_id == tenant_id).group_by(outbox.c.status)
    found = {row[0]: row[1] for row in connection.execute(query)}
    return {status: found.get(status, 0) for status in ("pending", "published", "failed")}
