"""What a copy is said to be."""

from collections.abc import Callable

import msgspec

Told = Callable[[int, int], None]
"""Called now and then with how much is done, and of how much."""


NEWEST_EVENT = (
    "SELECT max(newest) FROM (SELECT (SELECT e.accepted_at FROM upshot_events e WHERE e.tenant_id = t.id "
    "ORDER BY e.id DESC LIMIT 1) AS newest FROM upshot_tenants t) AS of_tenants"
)


class Copied(msgspec.Struct, frozen=True):
    """A copy that was made and read through again: the bytes of its file and the schema in it."""

    bytes: int
    schema: str
    accepted_until: int | None
    """When the newest event in it was accepted. What was accepted about then or later is to be sent again after a restore."""
