"""What a list answers with."""

from typing import Any

import msgspec

from upshot.core.strict_json import encode


class Listed(msgspec.Struct, frozen=True):
    """One page of a list. `next` is the place to give as `after` for the next page, None on the last one."""

    items: list[dict[str, Any]]
    next: Any = None


def within_json(text: str | None) -> str | None:
    """A text as it stands inside stored JSON, so that a search for a quote or a backslash finds the character itself."""
    return encode(text)[1:-1] if text is not None else None


def cut(items: list[Any], limit: int) -> tuple[list[Any], bool]:
    """The first `limit` of one more than were asked for, and whether there are more."""
    return items[:limit], len(items) > limit
