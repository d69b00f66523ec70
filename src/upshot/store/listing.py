"""What lists have in common: text that is searched for literally, and time as a bound on ids."""

from typing import Any

from sqlalchemy import ColumnElement

from upshot.core.instants import MINUTE

SCAN_MAX = 20_000
"""Rows one page of a search looks through, so that a search for what is rare answers soon; the next page goes on."""


def contains(column: Any, text: str) -> ColumnElement[bool]:
    """Whether the column holds this text, letters in either case; no character is a wildcard."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return column.ilike(f"%{escaped}%", escape="\\")


def id_bound(instant: int) -> str:
    """A text that sorts before every id that was made a minute or more after this instant: ids begin with their time."""
    milliseconds = max(0, instant - MINUTE) // 1000
    text = f"{milliseconds:012x}"[:12]
    return f"{text[:8]}-{text[8:]}"
