"""Group commit: one writer per process, everything pending in one transaction, no timer.

While a transaction syncs, the next batch gathers. Work comes in kinds; all pending work of one kind is one call of its
`write`, so that a thousand outcomes are a handful of set-based statements. A promise resolves only after COMMIT.

When a batch fails as a whole it is rolled back and halved until the culprit stands alone; the others are not hurt.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from upshot.adapters.clock import Clock, ServerClock, ticks
from upshot.core.errors import Busy, OutcomeUnknown
from upshot.engine import crash_points
from upshot.store.database import Database, Overtaken
from upshot.store.forks import belongs_to_one_process
from upshot.store.postgresql import server_time

T = TypeVar("T")

BATCH_MAX = 2_000
PENDING_MAX = 100_000
TRIES_MAX = 6
OVERTAKEN_STATES = frozenset({"40001", "40P01"})
"""SQLSTATE of a serialization failure and of a deadlock: nothing was written, and the same work may be done again."""


class Kind(Protocol):
    """A kind of work: how many pieces of it are written at once. `name` is its transaction's name among the crash points."""

    name: str

    def write(self, connection: Connection, work: Sequence[Any], now: int) -> Sequence[Any]:
        """Write all of it in the open transaction; one answer for each piece (an exception is raised to its giver)."""
        ...


class _Piece:
    __slots__ = ("answer", "kind", "promise", "weight", "work")

    def __init__(self, kind: Kind, work: Any, promise: "Future[Any] | asyncio.Future[Any]") -> None:
        self.kind, self.work, self.promise = kind, work, promise
        self.weight = len(cast("list[Any]", work)) if isinstance(work, list) else 1
        self.answer: Any = None


class _Function:
    """Single functions, each in a savepoint of its own, so that one that raises leaves the others' work alone."""

    def __init__(self, name: str) -> None:
        self.name = name

    def write(self, connection: Connection, work: Sequence[Callable[[Connection], Any]], now: int) -> Sequence[Any]:
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


FUNCTIONS = {name: _Function(name) for name in crash_points.TRANSACTIONS}


class GroupCommit:
    """The process's one writer, on a thread of its own that starts with the first piece of work."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._open: Connection | None = None
        self._of_parents: list[Connection | None] = []
        self.begin_anew()
        belongs_to_one_process(self)
        self.on_unknown: Callable[[], None] = lambda: None
        """Called on the writer's thread when nobody knows whether a batch was kept."""
        self.on_committed: Callable[[Sequence[Any], int, int], None] = lambda _batch, _now, _took: None
        """Called on the writer's thread with what one transaction kept, its instant, and how long it took (microseconds)."""
        self.on_failed: Callable[[str], None] = lambda _how: None
        """Called on the writer's thread when a transaction was not kept (`busy`) or nobody knows (`unknown`)."""

    def begin_anew(self) -> None:
        """Without work, thread or connection: at first, and in a fork, where what was given to the parent is the parent's."""
        self._of_parents.append(self._open)  # kept, since closing it would end it for both
        self._pending: deque[_Piece] = deque()
        self._pending_weight = 0
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._open = None

    # --- giving work ----------------------------------------------------------------------------------------------------

    def run(self, function: Callable[[Connection], T], name: str = "change") -> T:
        """Run `function` inside the next transaction and wait for its commit. What it raises is raised here, and nothing
        of it is kept. It may be run more than once when the transaction has to be begun anew. `name` is its transaction's
        among the crash points. Thread-safe; never call it on an event loop.

        Raises:
            OutcomeUnknown: the connection was lost while it was committed.
            Busy: the database could not take it; nothing was written.
        """
        promise: Future[T] = Future()
        self._give([_Piece(FUNCTIONS[name], function, promise)])
        return promise.result()

    async def run_async(self, function: Callable[[Connection], T], name: str = "change") -> T:
        """`run`, for an event loop."""
        return await self.give(FUNCTIONS[name], function)

    def give(self, kind: Kind, work: Any) -> "asyncio.Future[Any]":
        """Hand over one piece of work; the future resolves with its answer after COMMIT. Call it on an event loop."""
        promise: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._give([_Piece(kind, work, promise)])
        return promise

    def give_blocking(self, kind: Kind, work: Any) -> Any:
        """Hand over one piece of work from a thread and wait for its commit; its answer."""
        promise: Future[Any] = Future()
        self._give([_Piece(kind, work, promise)])
        return promise.result()

    def give_all(self, kind: Kind, work: Sequence[Any]) -> "list[asyncio.Future[Any]]":
        """Hand over several pieces at once."""
        loop = asyncio.get_running_loop()
        pieces = [_Piece(kind, piece, loop.create_future()) for piece in work]
        self._give(pieces)
        return [piece.promise for piece in pieces]  # pyright: ignore[reportReturnType] - made on the line above

    def close(self) -> None:
        """Commit what is pending, then stop."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _give(self, pieces: list[_Piece]) -> None:
        with self._wake:
            if self._closing:
                raise Busy("The engine is stopping and takes no more work. Send it again after the restart.")
            weight = self._pending_weight + sum(piece.weight for piece in pieces)
            if weight > PENDING_MAX:
                raise Busy(f"{self._pending_weight} writes are waiting; no more than {PENDING_MAX} are held.")
            self._pending_weight = weight
            self._pending.extend(pieces)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="upshot-commit", daemon=True)
                self._thread.start()
            self._wake.notify()

    # --- the writer's thread --------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._pending and not self._closing:
                    self._wake.wait()
                if not self._pending:
                    break
                batch = self._take()
            try:
                self._commit(batch)
            except BaseException as error:  # noqa: BLE001 - the writer outlives whatever was given to it
                for piece in batch:
                    piece.answer = Busy(f"The writer was interrupted ({error!r}). Nothing was written; try again.")
                with contextlib.suppress(Exception):
                    self._close_connection()
                self._open = None
            _deliver(batch)
        self._close_connection()

    def _take(self) -> list[_Piece]:
        """The next batch: whole pieces, up to about `BATCH_MAX` writes."""
        batch: list[_Piece] = []
        weight = 0
        while self._pending and weight < BATCH_MAX:
            piece = self._pending.popleft()
            batch.append(piece)
            weight += piece.weight
        self._pending_weight -= weight
        return batch

    @property
    def _connection(self) -> Connection:
        """The writer's own connection, opened when first needed and again after a failure."""
        if self._open is None:
            opened = self._database.writer()
            if isinstance(self._clock, ServerClock):
                with opened.begin():
                    self._clock.measure(lambda: server_time(opened))
            self._open = opened
        return self._open

    def _close_connection(self) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            opened.invalidate()  # what is the matter with it must not come back from the pool
            opened.close()

    def _commit(self, batch: list[_Piece], tries_left: int = TRIES_MAX) -> None:
        is_committing, began = False, ticks()
        try:
            with self._connection.begin() as transaction:
                now = self._write(self._connection, batch)
                is_committing = True
                transaction.commit()
        except (OperationalError, Overtaken) as error:
            if tries_left > 1 and not is_committing and _may_try_again(error):
                self._commit(batch, tries_left - 1)
                return
            self._close_connection()
            answer = _unknown(error) if is_committing else _as_busy(error)
            for piece in batch:
                piece.answer = answer
            if is_committing:
                self.on_unknown()
            self.on_failed("unknown" if is_committing else "busy")
        except Exception as error:  # noqa: BLE001 - it is bisected out and raised to the giver of the culprit
            if len(batch) == 1:
                batch[0].answer = error
                return
            middle = len(batch) // 2
            self._commit(batch[:middle])
            self._commit(batch[middle:])
        else:
            _reach(batch, "after_commit")
            self.on_committed(batch, now, ticks() - began)

    def _write(self, connection: Connection, batch: list[_Piece]) -> int:
        now = self._clock.now()
        by_kind: dict[int, list[_Piece]] = {}
        for piece in batch:
            by_kind.setdefault(id(piece.kind), []).append(piece)
        # Single functions last: they lock what they like, so the others' locks are taken first, in every process.
        for pieces in sorted(by_kind.values(), key=lambda pieces: isinstance(pieces[0].kind, _Function)):
            answers = pieces[0].kind.write(connection, [piece.work for piece in pieces], now)
            for piece, answer in zip(pieces, answers, strict=True):
                piece.answer = answer
        _reach(batch, "before_commit")
        return now


def _reach(batch: list[_Piece], edge: str) -> None:
    if crash_points.is_armed():
        for name in {piece.kind.name for piece in batch}:
            crash_points.reach(f"{name}.{edge}")


def _may_try_again(error: Exception) -> bool:
    """Whether another transaction was in the way, so that the same work may simply be done again."""
    return isinstance(error, Overtaken) or getattr(getattr(error, "orig", None), "sqlstate", None) in OVERTAKEN_STATES


def _as_busy(error: Exception) -> Busy:
    cause = getattr(error, "orig", None) or error
    return Busy(f"The database could not take the write ({cause}). Nothing was written; it is safe to try again.")


def _unknown(error: Exception) -> OutcomeUnknown:
    cause = getattr(error, "orig", None) or error
    return OutcomeUnknown(
        f"The connection was lost while the write was committed ({cause}): it may have been kept or not. Look, or send it "
        "again with the same id."
    )


def _deliver(batch: list[_Piece]) -> None:
    """Resolve the promises: those of a loop in one call per loop, since a call into a loop from outside is dear."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Piece]] = {}
    for piece in batch:
        if isinstance(piece.promise, asyncio.Future):
            by_loop.setdefault(piece.promise.get_loop(), []).append(piece)
        else:
            _resolve(piece)
    for loop, pieces in by_loop.items():
        with contextlib.suppress(RuntimeError):  # a loop that closed has nobody left who waits
            loop.call_soon_threadsafe(_resolve_all, pieces)


def _resolve_all(pieces: list[_Piece]) -> None:
    for piece in pieces:
        if not piece.promise.done():  # a giver that went away does not withdraw its work
            _resolve(piece)


def _resolve(piece: _Piece) -> None:
    if isinstance(piece.answer, Exception):
        piece.promise.set_exception(piece.answer)
    else:
        piece.promise.set_result(piece.answer)
