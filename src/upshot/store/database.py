"""Connections. One place sets what a connection must be; everything else takes the connection it is given.

SQLite: WAL, `synchronous=FULL` (NORMAL forgets acknowledged commits on power loss), `busy_timeout` before `journal_mode`,
`BEGIN IMMEDIATE` for every writing transaction (a deferred one that reads first fails at once when another wrote).
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

from upshot.core.errors import Refused

BUSY_TIMEOUT_SECONDS = 5

DatabaseError = SQLAlchemyError
"""Whatever the database can raise, for those above who speak no SQL."""
DatabaseUnavailable = OperationalError
"""The database cannot be used at present: it is locked, full, read-only or gone."""


class Database:
    """One database: `writing()` opens a writing transaction, `reading()` a read-only one that sees all earlier commits."""

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        try:
            self._engine = _sqlite_engine(self.url) if self.is_sqlite else create_engine(self.url)
        except ModuleNotFoundError as error:
            said = f"needs the driver {error.name}, which is not installed; use sqlite:///file.db"
            raise Refused.at("database_url", said, "no_driver") from error

    @property
    def path(self) -> Path | None:
        """The SQLite file, or None on a server."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @property
    def engine(self) -> Engine:
        """The SQLAlchemy engine, for migrations."""
        return self._engine

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """One writing transaction: committed on leaving, rolled back on an error."""
        with self.writer() as connection, connection.begin():
            yield connection

    def writer(self) -> Connection:
        """A connection whose transactions write, for a caller who keeps it and opens them one after another."""
        return self._engine.connect().execution_options(upshot_writes=True)

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """One consistent view of what is committed. Anything it tried to change is rolled back."""
        with self._engine.connect() as connection:
            transaction = connection.begin()
            try:
                yield connection
            finally:
                transaction.rollback()

    def close(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()


def _checked(url: str) -> Any:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Refused.at("database_url", f"{url!r} is not a database URL; use sqlite:///file.db", "bad_url") from error
    backend = parsed.get_backend_name()
    if backend not in {"sqlite", "postgresql"}:
        raise Refused.at(
            "database_url", f"{backend!r} is not supported; use sqlite:///file.db or postgresql://", "bad_url"
        )
    if backend == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise Refused.at(
            "database_url", "a database in memory is not durable; name a file: sqlite:///upshot.db", "bad_url"
        )
    return parsed.set(drivername="postgresql+psycopg") if backend == "postgresql" else parsed


def _sqlite_engine(url: Any) -> Engine:
    arguments = {"check_same_thread": False, "timeout": BUSY_TIMEOUT_SECONDS, "isolation_level": None}
    engine = create_engine(url, connect_args=arguments, pool_size=8, max_overflow=32)

    @event.listens_for(engine, "connect")
    def settings(connection: Any, _record: Any) -> None:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        if pages == 0:  # it writes to the file, so on one that is in use it would wait for the writer
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.executescript(
            "PRAGMA journal_mode = WAL;"
            "PRAGMA synchronous = FULL;"
            "PRAGMA foreign_keys = ON;"
            "PRAGMA temp_store = MEMORY;"
            "PRAGMA cache_size = -65536;"
            "PRAGMA trusted_schema = OFF;"
        )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
        writes = connection.get_execution_options().get("upshot_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
