"""What lists have in common: text that is searched for literally, and time as a bound on ids."""

from typing import Any, ClassVar, cast

from sqlalchemy import ColumnElement, Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import InternalTraversal

SCAN_MAX = 20_000
"""Rows one page of a search looks through, so that a search for what is rare answers soon; the next page goes on."""


def contains(column: Any, text: str) -> ColumnElement[bool]:
    """Whether the column holds this text, letters in either case; no character is a wildcard."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return column.ilike(f"%{escaped}%", escape="\\")


def rarely(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    """A condition that few rows of a tenant meet. Without statistics SQLite takes any equality for as rare as any other,
    and would walk all of a tenant's rows in order rather than use the index on what is asked for."""
    return _Rarely(condition)


class _Rarely(ColumnElement[Any]):
    """A hint for SQLite's planner; any other database has statistics."""

    inherit_cache = True
    type = cast("Any", Integer())
    """Not Boolean, which SQLite has not: SQLAlchemy would compare it with 1, and the hint would be lost."""
    _traverse_internals: ClassVar = [  # pyright: ignore[reportIncompatibleVariableOverride] - as SQLAlchemy documents it
        ("condition", InternalTraversal.dp_clauseelement)
    ]

    def __init__(self, condition: ColumnElement[bool]) -> None:
        self.condition = condition


@compiles(_Rarely)
def _plain(element: _Rarely, compiler: Any, **options: Any) -> str:
    return compiler.process(element.condition, **options)


@compiles(_Rarely, "sqlite")
def _on_sqlite(element: _Rarely, compiler: Any, **options: Any) -> str:
    return f"likelihood({compiler.process(element.condition, **options)}, 0.001)"


def id_bound(instant: int) -> str:
    """A text that sorts between the ids made before this instant and those made after it: ids begin with their time."""
    milliseconds = max(0, instant) // 1000
    text = f"{milliseconds:012x}"[:12]
    return f"{text[:8]}-{text[8:]}"
