"""Turns: a queue in which every tenant has its own line, so that one tenant's storm does not stand before another's single
piece of work."""

from collections import deque
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar


class Queued(Protocol):
    """What can wait."""

    tenant_id: str
    """Whose it is; empty: the engine's own."""
    weight: int
    """How much it is."""


T = TypeVar("T", bound=Queued)


class _Line(Generic[T]):
    """What waits of one tenant."""

    __slots__ = ("pieces", "weight")

    def __init__(self) -> None:
        self.pieces: deque[T] = deque()
        self.weight = 0


class Turns(Generic[T]):
    """A fair queue. Of one tenant, what came first is taken first."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line[T]] = {}
        self.weight = 0
        """Of all that waits."""

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._lines)

    @property
    def is_shared(self) -> bool:
        """Whether several tenants wait."""
        return len(self._lines) - ("" in self._lines) > 1

    def put(self, pieces: Iterable[T]) -> None:
        """Let these wait."""
        lines = self._lines
        for piece in pieces:
            line = lines.get(piece.tenant_id)
            if line is None:
                line = lines[piece.tenant_id] = _Line()
            line.pieces.append(piece)
            line.weight += piece.weight
            self.weight += piece.weight

    def is_storm(self, most: int) -> bool:
        """Whether something waits, and of every tenant that waits there is more than so much."""
        return all(line.weight > most for tenant_id, line in self._lines.items() if tenant_id) and bool(self._lines)

    def take_light(self, most: int) -> list[T]:
        """All that waits of tenants with at most so much, while others have more; else nothing."""
        if len(self._lines) < 2 or all(line.weight <= most for line in self._lines.values()):
            return []
        return self.take_little(most)

    def take_little(self, most: int) -> list[T]:
        """All that waits of tenants with at most so much, whether or not others have more."""
        light = [tenant_id for tenant_id, line in self._lines.items() if tenant_id and line.weight <= most]
        lines = [self._lines.pop(tenant_id) for tenant_id in light]
        self.weight -= sum(line.weight for line in lines)
        return [piece for line in lines for piece in line.pieces]

    def take(self, limit: int) -> list[T]:
        """Whole pieces of about `limit` weight in all: an equal share of each tenant, and what some leave is the others'."""
        taken: list[T] = []
        lines, room = self._lines, limit
        while lines and room > 0:
            share = max(1, room // len(lines))
            for tenant_id in list(lines):
                line, left = lines.pop(tenant_id), share
                while line.pieces and left > 0:
                    piece = line.pieces.popleft()
                    taken.append(piece)
                    line.weight -= piece.weight
                    left -= piece.weight
                room -= share - left
                if line.pieces:
                    lines[tenant_id] = line  # behind the others: its turn comes again
                if room <= 0:
                    break
        self.weight -= limit - room
        return taken
