"""The writer: one thread with one connection, which commits one batch after the other."""

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError

from upshot.adapters.clock import Clock, ServerClock, ticks
from upshot.core.errors import Busy, OutcomeUnknown
from upshot.core.instants import SECOND
from upshot.engine import crash_points
from upshot.engine.work import Function, Piece
from upshot.store.database import Database, Overtaken
from upshot.store.postgresql import server_time

TRIES_MAX = 6
OVERTAKEN_STATES = frozenset({"40001", "40P01"})
"""SQLSTATE of a serialization failure and of a deadlock: nothing was written, and the same work may be done again."""
ENDED_STATES = frozenset({"25P03"})
"""SQLSTATE of a session that the server ended because this process was silent for too long in a transaction: the same holds,
also when the process learns of it at COMMIT. In a pipeline the driver does not tell."""
LAST_WORDS = frozenset({"FATAL", "PANIC"})
"""How severe an error is after which a session, or the whole server, is gone. Not all of them are an OperationalError."""


PLANNED_FOR = 1_000
"""Pieces written after which the statements are planned anew, at most once a second: so much can make a small table large."""


class Writer:
    """Commits what `take` gives, until that gives nothing; `over` is told of each batch. Its connection is opened when first
    needed and again after a failure."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._open: Connection | None = None
        self._planned_at = self._written = 0
        self._of_parents: list[Connection | None] = []
        self._thread: threading.Thread | None = None
        self.on_unknown: Callable[[], None] = lambda: None
        """Called on the writer's thread when nobody knows whether a batch was kept."""
        self.on_committed: Callable[[Sequence[Any], int, int], None] = lambda _batch, _now, _took: None
        """Called on the writer's thread with what one transaction kept, its instant, and how long it took (microseconds)."""
        self.on_failed: Callable[[str], None] = lambda _how: None
        """Called on the writer's thread when a transaction was not kept (`busy`) or nobody knows (`unknown`)."""

    def begin_anew(self) -> None:
        """Without thread or connection: in a fork they are the parent's."""
        self._of_parents.append(self._open)  # kept, since closing it would end it for both
        self._open = self._thread = None

    def start(self, take: Callable[[], list[Piece]], over: Callable[[list[Piece]], None]) -> None:
        """Begin to work, on a thread of its own."""
        self._thread = threading.Thread(target=self._work, args=(take, over), name="upshot-commit", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait until it has ended."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _work(self, take: Callable[[], list[Piece]], over: Callable[[list[Piece]], None]) -> None:
        while batch := take():
            try:
                self.commit(batch)
            except BaseException as error:  # noqa: BLE001 - the writer outlives whatever was given to it
                for piece in batch:
                    piece.answer = Busy(f"The writer was interrupted ({error!r}). Nothing was written; try again.")
                with contextlib.suppress(Exception):
                    self.close()
                self._open = None
            over(batch)
        self.close()

    @property
    def _connection(self) -> Connection:
        if self._open is None:
            opened = self._database.writer()
            if isinstance(self._clock, ServerClock):
                with opened.begin():
                    self._clock.measure(lambda: server_time(opened))
            self._open = opened
        return self._open

    def close(self) -> None:
        """Close the connection."""
        opened, self._open = self._open, None
        if opened is not None:
            opened.invalidate()  # what is the matter with it must not come back from the pool
            opened.close()

    def commit(self, batch: list[Piece], tries_left: int = TRIES_MAX) -> None:
        """Write this batch in one transaction; each piece has its answer then. When it fails as a whole it is rolled back and
        halved until the culprit stands alone."""
        is_committing, began = False, ticks()
        try:
            self._database.hurry(self._connection)
            with self._connection.begin() as transaction:
                now = self._clock.now()
                self._keep_plans_fresh(len(batch), began)
                _write(self._connection, batch, now)
                _reach(batch, "before_commit")
                is_committing = True
                try:
                    transaction.commit()
                except DBAPIError:
                    is_committing = not self._database.has_failed(self._connection)
                    self.close()
                    raise
        except Exception as error:  # noqa: BLE001 - if it is not the store's, it is bisected out and raised to the giver of the culprit
            if not _is_of_store(error, is_committing):
                self._bisect(batch, error)
            elif tries_left > 1 and _may_try_again(error, is_committing):
                if _state(error) in ENDED_STATES:
                    self.close()
                self.commit(batch, tries_left - 1)
            else:
                self._not_taken(batch, error, is_committing)
        else:
            _reach(batch, "after_commit")
            self.on_committed(batch, now, ticks() - began)

    def _bisect(self, batch: list[Piece], error: Exception) -> None:
        if len(batch) == 1:
            batch[0].answer = error
            return
        middle = len(batch) // 2
        self.commit(batch[:middle])
        self.commit(batch[middle:])

    def _not_taken(self, batch: list[Piece], error: Exception, is_committing: bool) -> None:
        self.close()
        answer = _unknown(error) if is_committing else _as_busy(error)
        for piece in batch:
            piece.answer = answer
        if is_committing:
            self.on_unknown()
        self.on_failed("unknown" if is_committing else "busy")

    def _keep_plans_fresh(self, pieces: int, now: int) -> None:
        self._written += pieces
        if self._written >= PLANNED_FOR and now - self._planned_at >= SECOND:
            self._database.plan_anew(self._connection)
            self._written, self._planned_at = 0, now


def _write(connection: Connection, batch: list[Piece], now: int) -> None:
    by_kind: dict[int, list[Piece]] = {}
    for piece in batch:
        by_kind.setdefault(id(piece.kind), []).append(piece)
    for pieces in sorted(by_kind.values(), key=_turn):
        answers = pieces[0].kind.write(connection, [piece.work for piece in pieces], now)
        for piece, answer in zip(pieces, answers, strict=True):
            piece.answer = answer


def _turn(pieces: list[Piece]) -> int:
    """The same in every process, so that no two wait for each other: first what asks flow control and may then cancel runs;
    single functions last, since they lock what they like."""
    kind = pieces[0].kind
    if kind.name in {"accept", "match", "release"}:
        return 0
    return 2 if isinstance(kind, Function) else 1


def _reach(batch: list[Piece], edge: str) -> None:
    if crash_points.is_armed():
        for name in {piece.kind.name for piece in batch}:
            crash_points.reach(f"{name}.{edge}")


def _is_of_store(error: Exception, is_committing: bool) -> bool:
    """Whether the store could not take the batch, whatever was in it: so is all that it says to a COMMIT."""
    if isinstance(error, OperationalError | Overtaken):
        return True
    diagnosis = getattr(getattr(error, "orig", None), "diag", None)
    is_over = getattr(diagnosis, "severity_nonlocalized", None) in LAST_WORDS
    return isinstance(error, DBAPIError) and (is_committing or is_over)


def _may_try_again(error: Exception, is_committing: bool) -> bool:
    """Whether nothing was written because another transaction was in the way, or the server ended this one: the same work may
    simply be done again."""
    if _state(error) in ENDED_STATES:
        return True
    return not is_committing and (isinstance(error, Overtaken) or _state(error) in OVERTAKEN_STATES)


def _state(error: Exception) -> str | None:
    return getattr(getattr(error, "orig", None), "sqlstate", None)


def _as_busy(error: Exception) -> Busy:
    cause = getattr(error, "orig", None) or error
    return Busy(f"The database could not take the write ({cause}). Nothing was written; it is safe to try again.")


def _unknown(error: Exception) -> OutcomeUnknown:
    cause = getattr(error, "orig", None) or error
    return OutcomeUnknown(
        f"The connection was lost while the write was committed ({cause}): it may have been kept or not. Look, or send it "
        "again with the same id."
    )
