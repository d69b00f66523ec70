"""What lists have in common: text that is searched for literally, and time as a bound on ids."""

from typing import Any

from sqlalchemy import Boolean, ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import InternalTraversal

SCAN_MAX = 20_000
"""Rows one page of a search looks through, so that a search for what is rare answers soon; the next page goes on."""


def contains(column: Any, text: str) -> ColumnElement[bool]:
    """Whether the column holds this text, letters in either case; no character is a wildcard."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return column.ilike(f"%{escaped}%", escape="\\")


def of_tenant(column: Any, tenant_id: str) -> ColumnElement[bool]:
    """Whether a row is this tenant's, which many are. Without statistics SQLite takes any equality for rare, and would walk
    the tenant's rows in order rather than use the index on what is asked for."""
    return _Likelihood(column == tenant_id, "0.99")


def rarely(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition that few rows of a tenant meet, so that the index on its columns is used."""
    return _Likelihood(condition, "0.001")


class _Likelihood(ColumnElement[bool]):
    """How often a condition holds, for SQLite's planner; any other database has statistics."""

    inherit_cache = True
    type = Boolean()
    _traverse_internals = [("condition", InternalTraversal.dp_clauseelement), ("share", InternalTraversal.dp_string)]

    def __init__(self, condition: ColumnElement[bool], share: str) -> None:
        self.condition, self.share = condition, share


@compiles(_Likelihood)
def _plain(element: _Likelihood, compiler: Any, **options: Any) -> str:
    return compiler.process(element.condition, **options)


@compiles(_Likelihood, "sqlite")
def _on_sqlite(element: _Likelihood, compiler: Any, **options: Any) -> str:
    return f"likelihood({compiler.process(element.condition, **options)}, {element.share})"


def id_bound(instant: int) -> str:
    """A text that sorts between the ids made before this instant and those made after it: ids begin with their time."""
    milliseconds = max(0, instant) // 1000
    text = f"{milliseconds:012x}"[:12]
    return f"{text[:8]}-{text[8:]}"
