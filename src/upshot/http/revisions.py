"""Two editors, one thing: who changes what is there says which revision they read, so that nobody overwrites unseen.

The revision stands in `If-Match` (the ETag as it was given) or in the body's `revision`. `If-Match: *` says that whatever is
there may be overwritten. Neither is 428, and a revision that is not the present one 412.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

from fastapi import Header

from upshot.core.errors import Conflict, Malformed, Refused

IfMatch = Annotated[
    str | None,
    Header(
        description="The revision this change is made on, as `ETag` gave it, or `*` for whatever is there. "
        "412 when it is not the present one."
    ),
]
T = TypeVar("T")
ANY: Final = "*"
STALE: Final = "stale_revision"
_ABSENT: Final = 0
"""The revision of what is not there; the first one is 1."""
_TAG = re.compile(r'"(\d{1,15})"')


class RevisionRequired(Refused):
    """The change does not say which revision it is made on."""

    code = "revision_required"


def revision_of(given: int | None, if_match: str | None) -> int | str | None:
    """The revision that a change is made on, ANY for whatever is there, or None when it does not say.

    Raises:
        Malformed: the header is no ETag of ours, or says another revision than the body.
    """
    if if_match is None:
        return given
    said = if_match.strip()
    found = _TAG.fullmatch(said)
    if said != ANY and found is None:
        raise Malformed.at("If-Match", 'is an ETag as it was given, like "3", or * for whatever is there', "bad_etag")
    revision = int(found[1]) if found is not None else ANY
    if given is not None and given != revision:
        raise Malformed.at("revision", f"is {given}, and If-Match says {said}; send one of them", "mismatch")
    return revision


def change_on(given: int | None, if_match: str | None, change: Callable[[int | None], T]) -> T:
    """Make a change of what is there or, where the caller says nothing of a revision, of what is not there yet.
    `change` takes the revision that must be the present one (None: whichever).

    Raises:
        RevisionRequired: it says nothing, and there is something to overwrite.
        Malformed: as `revision_of`.
    """
    revision = revision_of(given, if_match)
    if revision is not None:
        return change(revision if isinstance(revision, int) else None)
    try:
        return change(_ABSENT)
    except Conflict as conflict:
        if conflict.code != STALE:
            raise
        raise RevisionRequired.at(
            "revision",
            "is required, since this is there already: read it, and send its revision here or its ETag in If-Match; "
            "`If-Match: *` overwrites whatever is there",
            "missing",
        ) from conflict


def optional_revision(if_match: str | None) -> int | None:
    """The revision that must be the present one, where a change may be made without saying so."""
    revision = revision_of(None, if_match)
    return revision if isinstance(revision, int) else None


def tag_of(item: dict[str, Any], name: str = "revision") -> dict[str, str]:
    """The header that tells the revision of an answer."""
    return {"ETag": f'"{item[name]}"'}
