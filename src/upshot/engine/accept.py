"""Accept: an event is taken durably, once per id that its host gave it."""

from collections import Counter
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from upshot.core.events import Event
from upshot.store import counts, hints
from upshot.store import events as store


class Accepted(msgspec.Struct, frozen=True):
    """What became of an event: the id it is known by, and whether that id had been accepted before."""

    event: Event
    duplicate: bool


class Accept:
    """The kind of work that accepts events. Those that were given together are accepted together or not at all; one with an
    id that was accepted before is answered, and not kept."""

    name = "accept"

    def __init__(self) -> None:
        self.worker_id: str | None = None
        """The worker that has accepted events in memory and will match them; without one, any worker claims them."""

    def write(self, connection: Connection, work: Sequence[list[Event]], now: int) -> Sequence[list[Accepted]]:
        """Keep the new ones of these events and say which were new."""
        fresh = [event for together in work for event in together]
        keyed = [event for event in fresh if event.source_id is not None]
        duplicates: set[str] = set()
        if keyed:
            claimed = store.keep_keys(connection, sorted((e.tenant_id, e.source_id or "", e.id, now) for e in keyed))
            duplicates = {event.id for event in keyed if event.id not in claimed}
            fresh = [event for event in fresh if event.id not in duplicates]
        if fresh:
            insert(connection, fresh, now, self.worker_id)
            if self.worker_id is None:
                hints.send(connection, hints.EVENTS)
        return [[Accepted(event, event.id in duplicates) for event in together] for together in work]


def insert(connection: Connection, fresh: Sequence[Event], now: int, worker_id: str | None) -> None:
    """Keep these new events and count them; the one way an event enters the history."""
    store.insert_events(connection, fresh, now, worker_id)
    counts.add(connection, Counter((event.tenant_id, "events", "", "accepted") for event in fresh), now)
