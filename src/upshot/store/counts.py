"""Counts by status: insert-only deltas, one row per commit and status, so that no counter row is fought over."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, select, true

from upshot.core.instants import MINUTE
from upshot.store.rows import BIGINT, TEXT, Prepared, rows
from upshot.store.schema import counts

Key = tuple[str, str, str, str]
"""Tenant, noun, subject (an automation's id, or empty), status."""

_deltas = rows(
    ("tenant_id", TEXT), ("noun", TEXT), ("subject", TEXT), ("status", TEXT), ("minute", BIGINT), ("delta", BIGINT)
)
_insert = Prepared(insert(counts).from_select([c.name for c in _deltas.c], select(*_deltas.c).where(true())))


def add(connection: Connection, changes: "Counter[Key]", now: int) -> None:
    """Add these deltas."""
    minute = now - now % MINUTE
    given = [(*key, minute, delta) for key, delta in changes.items() if delta]
    if given:
        _insert(connection, given)


def by_status(connection: Connection, tenant_id: str) -> dict[str, dict[str, int]]:
    """For each noun, how many stand in each status now."""
    total = func.sum(counts.c.delta)
    query = (
        select(counts.c.noun, counts.c.status, total)
        .where(counts.c.tenant_id == tenant_id, counts.c.subject == "")
        .group_by(counts.c.noun, counts.c.status)
    )
    found: dict[str, dict[str, int]] = {}
    for noun, status, number in connection.execute(query):
        found.setdefault(noun, {})[status] = int(number)
    return found


def by_subject(connection: Connection, tenant_id: str, noun: str, subjects: Sequence[str]) -> dict[str, dict[str, int]]:
    """For each of these subjects, how many ended in each status."""
    query = (
        select(counts.c.subject, counts.c.status, func.sum(counts.c.delta))
        .where(counts.c.tenant_id == tenant_id, counts.c.noun == noun, counts.c.subject.in_(subjects))
        .group_by(counts.c.subject, counts.c.status)
    )
    found: dict[str, dict[str, int]] = {subject: {} for subject in subjects}
    for subject, status, number in connection.execute(query):
        found[subject][status] = int(number)
    return found


def roll_up(connection: Connection, before: int) -> int:
    """Fold every delta older than `before` into one row per tenant, noun, subject and status; how many rows went."""
    old = counts.c.minute < before
    key = (counts.c.tenant_id, counts.c.noun, counts.c.subject, counts.c.status)
    folded = connection.execute(
        select(*key, func.max(counts.c.minute), func.sum(counts.c.delta)).where(old).group_by(*key)
    ).all()
    gone = connection.execute(delete(counts).where(old)).rowcount
    if folded:
        _insert(connection, [tuple(row) for row in folded])
    return gone - len(folded)
