"""The store of a simulated process: real SQLite, reached through connections at whose every call something can go wrong,
and the engine's own writer and readers as scheduled callbacks in place of threads.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from tests.simulation.faults import Faults
from upshot.engine.commit import GroupCommit
from upshot.engine.heartbeat import BEATS_PER_LEASE, RETRY_SECONDS, Heartbeat, HeartbeatThread
from upshot.engine.reads import Reads
from upshot.engine.work import FUNCTIONS, Piece
from upshot.store.database import Database, DatabaseError

if TYPE_CHECKING:
    from tests.simulation.process import SimulatedProcess


class ProcessDied(BaseException):
    """The process was killed at this call."""


class Calls:
    """What may happen at the calls of one process to the store."""

    def __init__(
        self, faults: Faults, draw: Random, note: Callable[[str], None], committed: Callable[[], None]
    ) -> None:
        self._faults, self._draw, self._note, self._committed = faults, draw, note, committed

    def statement(self, text: str, *, is_writing: bool) -> None:
        """Before a statement runs."""
        self._note(text)
        if not self._faults.is_active:
            return
        if text == "BEGIN IMMEDIATE" and self._happens("busy"):
            raise sqlite3.OperationalError("database is locked")
        if self._happens("error"):
            raise sqlite3.OperationalError("disk I/O error")
        if is_writing and self._happens("die_in_transaction"):
            raise ProcessDied

    def commit(self, apply: Callable[[], None], undo: Callable[[], None]) -> None:
        """In the place of a commit."""
        if self._happens("cut"):
            undo()
            self._note("COMMIT cut, not applied")
            raise sqlite3.OperationalError("the connection broke at COMMIT")
        dies, after = self._happens("die_at_commit"), self._draw.random() < 0.5
        if dies and not after:
            self._note("dies before COMMIT")
            raise ProcessDied
        apply()
        cut = self._happens("cut_applied")
        self._note("COMMIT cut, applied" if cut else "COMMIT")
        self._committed()
        if dies:
            self._note("dies after COMMIT")
            raise ProcessDied
        if cut:
            raise sqlite3.OperationalError("the connection broke at COMMIT")

    def _happens(self, kind: str) -> bool:
        return self._draw.random() < self._faults.rate(kind)


class _Cursor(sqlite3.Cursor):
    connection: "_Connection"

    def execute(self, text: str, *parameters: Any) -> Any:
        self.connection.before(text)
        return super().execute(text, *parameters)


class _Connection(sqlite3.Connection):
    """A driver's connection that never waits for a lock and does not sync: a power cut is tested elsewhere."""

    calls: Calls
    _is_writing = False

    def before(self, text: str) -> None:
        if text == "BEGIN IMMEDIATE":
            self._is_writing = True
        self.calls.statement(text, is_writing=self._is_writing)

    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)

    def execute(self, text: str, *parameters: Any) -> Any:
        if text.startswith("PRAGMA"):
            return super().execute("PRAGMA busy_timeout = 0" if "busy_timeout" in text else text, *parameters)
        self.before(text)
        return super().execute(text, *parameters)

    def executescript(self, text: str) -> Any:
        text = text.replace("synchronous = FULL", "synchronous = OFF")
        return super().executescript(
            text.replace("trusted_schema = OFF", "trusted_schema = ON")
        )  # our triggers make JSON

    def commit(self) -> None:
        if self._is_writing and self.in_transaction:
            self._is_writing = False
            self.calls.commit(super().commit, super().rollback)
        else:
            super().commit()

    def rollback(self) -> None:
        self._is_writing = False
        super().rollback()


class SimulatedDatabase(Database):
    """The file, through such connections, and without the lock that gives an embedded file to one engine: several
    processes share it as they share a server."""

    def __init__(self, path: Path, calls: Calls) -> None:
        super().__init__(f"sqlite:///{path}")

        @event.listens_for(self.engine, "do_connect")
        def connect(dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
            options["factory"] = _Connection
            connection = dialect.connect(*arguments, **options)
            connection.calls = calls
            return connection

    @property
    def path(self) -> Path | None:
        return None


class SimulatedCommit(GroupCommit):
    """The engine's own writer; each of its turns is one scheduled callback, and so is each delivery of its answers."""

    def __init__(self, process: "SimulatedProcess") -> None:
        super().__init__(process.database, process.clock)
        self._process = process
        self._has_started = True  # no thread is
        self.batch: list[Any] = []
        self._is_busy = False

    def _give(self, pieces: list[Any]) -> None:
        super()._give(pieces)
        if not self._is_busy:
            self._is_busy = True
            self._process.later(self._turn, "commit")

    def run(self, function: Callable[..., Any], name: str = "change") -> Any:
        promise: Future[Any] = Future()
        super()._give([Piece(FUNCTIONS[name], function, promise)])
        while not promise.done():
            self._write_batch()
            self._answer()
        return promise.result()

    def abandon(self) -> None:
        """The process is gone, and with it the connection."""
        self.writer.close()

    def _turn(self) -> None:
        self._write_batch()
        self._process.later(self._deliver, "deliver")

    def _deliver(self) -> None:
        self._answer()
        self._is_busy = bool(self._pending)
        if self._is_busy:
            self._process.later(self._turn, "commit")

    def _write_batch(self) -> None:
        if not self.batch and self._pending:
            self.batch = self._take()
            self.writer.commit(self.batch)

    def _answer(self) -> None:
        batch, self.batch = self.batch, []
        self._answers.give(batch)


class SimulatedReads(Reads):
    """The engine's reads; each is a scheduled callback, and its answer arrives some time after it was read."""

    def __init__(self, process: "SimulatedProcess") -> None:
        super().__init__(process.database)
        self._process = process

    async def run(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        promise = self._process.loop.create_future()

        def read() -> None:
            answer, error = None, None
            try:
                with self._process.database.reading() as connection:
                    answer = function(connection, *args, **kwargs)
            except Exception as raised:
                error = raised

            def deliver() -> None:
                if promise.done():
                    return
                if error is not None:
                    promise.set_exception(error)
                else:
                    promise.set_result(answer)

            self._process.later(deliver, "answer")

        self._process.later(read, "read")
        return await promise


class SimulatedBeats(HeartbeatThread):
    """The beats of a worker's heart as scheduled callbacks."""

    def __init__(self, process: "SimulatedProcess", heartbeat: Heartbeat) -> None:
        super().__init__(heartbeat)
        self._process, self._is_asked = process, False

    def start(self) -> None:
        self._next(self._heartbeat.lease_seconds / BEATS_PER_LEASE)

    async def stop(self) -> None:
        self._stopping = True

    def beat_soon(self, renewed: asyncio.Event | None = None) -> None:
        super().beat_soon(renewed)
        if not self._is_asked:
            self._is_asked = True
            self._process.later(self._beat_asked, "read")

    def _beat_asked(self) -> None:
        if self._beat_now():
            self._is_asked = False
        else:
            self._process.after(RETRY_SECONDS, self._beat_asked)

    def _next(self, seconds: float) -> None:
        self._process.later(lambda: self._process.after(seconds, self._turn), "answer")

    def _turn(self) -> None:
        if not self._stopping:
            self._next(self._heartbeat.lease_seconds / BEATS_PER_LEASE if self._beat_now() else RETRY_SECONDS)

    def _beat_now(self) -> bool:
        try:
            self._heartbeat.beat()
        except DatabaseError:
            return False
        waiting, self._waiting = self._waiting, []
        for _, renewed in waiting:
            self._process.loop.call_soon(renewed.set)
        return True
