"""Fair shares: a claim takes a few rows of each tenant, so that one tenant's backlog does not stand in front of the others'.

The tenants are found by a skip scan: one index lookup per tenant that has something waiting, however much it has.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, bindparam, select

from upshot.store.rows import INTEGER, TEXT, Prepared

TENANTS_MAX = 25
"""Tenants that one claim takes from; the next claim begins after the last of them."""

Columns = Any
"""A table's columns by name."""


T = TypeVar("T")


class Share(NamedTuple, Generic[T]):
    """What one claim took."""

    rows: list[T]
    last: str
    """The tenant after which the next claim begins; empty: at the first again."""
    is_more: bool
    """Whether more may wait than this: of a tenant that got its whole share, or of tenants that this claim passed over."""


class Waiting:
    """What of one table waits to be claimed: `ready` says which rows, `order` which of a tenant's rows come first, `taken`
    what of them the claimer needs to know. An index over the tenant and the order must exist for the ready rows."""

    def __init__(
        self,
        table: Table,
        ready: Callable[[Columns], ColumnElement[bool]],
        order: Callable[[Columns], Sequence[ColumnElement[Any]]],
        taken: Sequence[str],
    ) -> None:
        self._tenants = _skip_scan(table, ready)
        own = table.c
        self._rows = Prepared(
            select(*(own[name] for name in taken))
            .where(own.tenant_id == bindparam("tenant_id", type_=TEXT), ready(own))
            .order_by(*order(own))
            .limit(bindparam("share", type_=INTEGER))
            .with_for_update(skip_locked=True)
        )

    def claim(self, connection: Connection, limit: int, after: str, **parameters: Any) -> Share[Any]:
        """Up to `limit` rows, an equal share of each tenant after `after`, locked until the transaction ends."""
        number = min(TENANTS_MAX, limit)
        found = self._tenants(connection, after=after, number=number, **parameters)
        tenants = [row[0] for row in found if row[0] is not None]
        share = limit // max(len(tenants), 1)
        shares = [self._rows.all(connection, tenant_id=tenant_id, share=share, **parameters) for tenant_id in tenants]
        last = tenants[-1] if len(tenants) == number else ""
        is_more = bool(after or last) or any(len(taken) >= share for taken in shares)
        return Share([row for taken in shares for row in taken], last, is_more)


def _skip_scan(table: Table, ready: Callable[[Columns], ColumnElement[bool]]) -> Prepared:
    def first_after(previous: ColumnElement[Any]) -> ColumnElement[Any]:
        own = table.alias("w").c
        found = select(own.tenant_id).where(ready(own), own.tenant_id > previous)
        return found.order_by(own.tenant_id).limit(1).scalar_subquery()

    first = select(first_after(bindparam("after", type_=TEXT)).label("tenant_id")).cte("waiting", recursive=True)
    scan = first.union_all(select(first_after(first.c.tenant_id)).where(first.c.tenant_id.is_not(None)))
    return Prepared(select(scan.c.tenant_id).limit(bindparam("number", type_=INTEGER)))
