"""Counts by status: insert-only deltas, one row per commit and status, so that no counter row is fought over."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, select, true

from upshot.core.instants import MINUTE
from upshot.store.rows import BIGINT, TEXT, Sent, rows
from upshot.store.schema import counts

Key = tuple[str, str, str, str]
"""Tenant, noun, subject (an automation's id, or empty), status."""

_deltas = rows(
    ("tenant_id", TEXT), ("noun", TEXT), ("subject", TEXT), ("status", TEXT), ("minute", BIGINT), ("delta", BIGINT)
)
_insert = Sent(insert(counts).from_select([c.name for c in _deltas.c], select(*_deltas.c).where(true())))


def add(connection: Connection, changes: "Counter[Key]", now: int) -> None:
    """Add these deltas."""
    minute = now - now % MINUTE
    given = [(*key, minute, delta) for key, delta in changes.items() if delta]
    if given:
        _insert(connection, given)


def by_status(connection: Connection, tenant_id: str | None) -> dict[str, dict[str, int]]:
    """For each noun, how many of this tenant's, or of all tenants' together, stand in each status now."""
    total = func.sum(counts.c.delta)
    query = (
        select(counts.c.noun, counts.c.status, total)
        .where(counts.c.subject == "")
        .group_by(counts.c.noun, counts.c.status)
    )
    if tenant_id is not None:
        query = query.where(counts.c.tenant_id == tenant_id)
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
    """Fold every delta older than `before` into one row per tenant, noun, subject and status; how many rows went. Two that do
    it at once each fold what they removed themselves."""
    folded = (counts.c.tenant_id, counts.c.noun, counts.c.subject, counts.c.status, counts.c.minute, counts.c.delta)
    taken = connection.execute(delete(counts).where(counts.c.minute < before).returning(*folded)).fetchall()
    totals: Counter[Key] = Counter()
    latest: dict[Key, int] = {}
    for tenant_id, noun, subject, status, minute, delta in taken:
        key = (tenant_id, noun, subject, status)
        totals[key] += delta
        latest[key] = max(minute, latest.get(key, 0))
    if totals:
        _insert(connection, [(*key, latest[key], total) for key, total in totals.items()])
    return len(taken) - len(totals)
