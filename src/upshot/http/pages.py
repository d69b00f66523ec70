"""Lists by page: a cursor is signed, and good for one kind of list of one tenant."""

from typing import Annotated, Any, Final

from fastapi import Query

from upshot.app.listed import Listed
from upshot.core.errors import Malformed
from upshot.http.signing import Signer

LIMIT_MAX: Final = 200

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="How many items a page holds.")]
Cursor = Annotated[
    str | None,
    Query(min_length=1, max_length=600, description="The `next` of the page before; none for the first page."),
]


def place_of(signer: Signer, kind: str, tenant_id: str, cursor: str | None) -> Any:
    """Where the page of this cursor begins; None for the first.

    Raises:
        Malformed: it was changed, or is of another list or tenant.
    """
    if cursor is None:
        return None
    value = signer.read("cursor", cursor)
    if value is None or value[:2] != [kind, tenant_id]:
        raise Malformed.at("cursor", "is not the `next` of a page of this list; begin without one", "bad_cursor")
    return value[2]


def page_of(signer: Signer, kind: str, tenant_id: str, listed: Listed) -> dict[str, Any]:
    """A page as it is sent."""
    return {"items": listed.items, "next": cursor_of(signer, kind, tenant_id, listed.next)}


def cursor_of(signer: Signer, kind: str, tenant_id: str, place: Any) -> str | None:
    """The cursor of the page that begins at this place; None for no place."""
    return signer.sign("cursor", [kind, tenant_id, place]) if place is not None else None
