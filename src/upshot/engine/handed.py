"""Handed: committed events on their way to being matched, in turns by tenant, so that one tenant's storm does not stand before
another's single event."""

from collections import deque
from collections.abc import Iterable

from upshot.core.events import Event

HELD_MAX = 10_000
"""Events held in memory per tenant; of further ones only the id is held."""


class _Line:
    """One tenant's events, in the order they came: whole ones first, then the ids of those that did not fit."""

    __slots__ = ("events", "ids")

    def __init__(self) -> None:
        self.events: deque[Event] = deque()
        self.ids: deque[str] = deque()


class Handed:
    """A fair queue."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._lines)

    def put(self, events: Iterable[Event]) -> None:
        """Let these wait."""
        for event in events:
            line = self._lines.get(event.tenant_id)
            if line is None:
                line = self._lines[event.tenant_id] = _Line()
            if line.ids or len(line.events) >= HELD_MAX:
                line.ids.append(event.id)
            else:
                line.events.append(event)

    def take(self, limit: int) -> tuple[list[Event], list[tuple[str, str]]]:
        """About `limit` events, an equal share of each tenant: those in memory, and the `(tenant, id)` of others."""
        events: list[Event] = []
        keys: list[tuple[str, str]] = []
        share = max(1, limit // max(len(self._lines), 1))
        for tenant_id in list(self._lines)[:limit]:
            line = self._lines.pop(tenant_id)
            number = min(share, len(line.events))
            events.extend(line.events.popleft() for _ in range(number))
            if not line.events:
                keys.extend((tenant_id, line.ids.popleft()) for _ in range(min(share - number, len(line.ids))))
            if line.events or line.ids:
                self._lines[tenant_id] = line  # behind the others: its turn comes again
        return events, keys
