"""Work: what is given to the group commit, in kinds, so that a thousand outcomes are a handful of set-based statements."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from upshot.engine import crash_points
from upshot.store.database import Overtaken


class Kind(Protocol):
    """A kind of work: how many pieces of it are written at once. `name` is its transaction's name among the crash points."""

    name: str

    def tenant_of(self, work: Any) -> str:
        """Whose piece of work this is; empty: the engine's own."""
        ...

    def write(self, connection: Connection, work: Sequence[Any], now: int) -> Sequence[Any]:
        """Write all of it in the open transaction; one answer for each piece (an exception is raised to its giver)."""
        ...


class Piece:
    """One piece of work, on its way to its answer."""

    __slots__ = ("answer", "kind", "promise", "tenant_id", "weight", "work")

    def __init__(self, kind: Kind, work: Any, promise: "Future[Any] | asyncio.Future[Any]") -> None:
        self.kind, self.work, self.promise = kind, work, promise
        self.tenant_id = kind.tenant_of(work)
        self.weight = len(work) if hasattr(work, "__len__") else 1
        self.answer: Any = None


class Function:
    """Single functions, each in a savepoint of its own, so that one that raises leaves the others' work alone."""

    def __init__(self, name: str) -> None:
        self.name = name

    def tenant_of(self, work: Any) -> str:
        """The engine's own."""
        del work
        return ""

    def write(self, connection: Connection, work: Sequence[Callable[[Connection], Any]], now: int) -> Sequence[Any]:
        """Call each of them."""
        del now
        return [self._one(connection, function) for function in work]

    @staticmethod
    def _one(connection: Connection, function: Callable[[Connection], Any]) -> Any:
        savepoint = connection.begin_nested()
        try:
            answer = function(connection)
        except (OperationalError, Overtaken):
            raise
        except Exception as error:  # noqa: BLE001 - it is raised again where the function was given
            savepoint.rollback()
            return error
        savepoint.commit()
        return answer


FUNCTIONS = {name: Function(name) for name in crash_points.TRANSACTIONS}
