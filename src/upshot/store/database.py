"""Connections. One place sets what a connection must be; everything else takes the connection it is given.

What holds on each database is said in `sqlite` and `postgresql` beside this file.
"""

from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

from upshot.core.errors import Refused
from upshot.store import pipeline, postgresql, row_security, sqlite
from upshot.store.forks import belongs_to_one_process

DatabaseError = SQLAlchemyError
"""Whatever the database can raise, for those above who speak no SQL."""
DatabaseUnavailable = OperationalError
"""The database cannot be used at present: it is locked, full, read-only, restarting or gone."""


class Overtaken(Exception):
    """Another transaction changed first what this one stands on. Nothing was written; the same work can be done again."""


class Database:
    """One database: `writing()` opens a writing transaction, `reading()` a read-only one that sees all earlier commits."""

    def __init__(self, url: str, *, direct_url: str = "") -> None:
        """`direct_url` reaches a PostgreSQL server past the transaction pooler that `url` goes through, for what a pooler
        cannot carry (LISTEN); without it `url` is taken to be direct.

        Raises:
            Refused: a URL is not usable; the problem names it.
        """
        self.url = _checked(url, "database_url")
        self.direct_url = _checked(direct_url, "database_direct_url") if direct_url else self.url
        self.is_pooled = self.direct_url is not self.url
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._engine = sqlite.engine(self.url) if self.is_sqlite else postgresql.engine(self.url, self.is_pooled)
        if not self.is_sqlite:
            pipeline.may_enter(self._engine)
        self._may_confine: bool | None = False if self.is_sqlite else None
        self._of_parents: list[object] = []
        belongs_to_one_process(self)

    @property
    def path(self) -> Path | None:
        """The SQLite file, or None on a server."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @property
    def engine(self) -> Engine:
        """The SQLAlchemy engine, for migrations."""
        return self._engine

    @property
    def is_shared(self) -> bool:
        """Whether several engines may run on it."""
        return not self.is_sqlite

    def begin_anew(self) -> None:
        """In a fork: open connections of its own. The parent's stay as they are: closing one would end it for both."""
        self._of_parents.append(self._engine.pool)
        self._engine.dispose(close=False)

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """One writing transaction: committed on leaving, rolled back on an error."""
        with self.writer() as connection, connection.begin():
            yield connection

    def writer(self) -> Connection:
        """A connection whose transactions write, for a caller who keeps it and opens them one after another."""
        return self._engine.connect().execution_options(upshot_writes=True)

    def hurry(self, connection: Connection) -> None:
        """Before a transaction: wait for its statements only where something is read. A pooler's sessions cannot."""
        if not self.is_sqlite and not self.is_pooled:
            pipeline.enter(connection)

    def has_failed(self, connection: Connection) -> bool:
        """After an error of a commit: whether a statement before it had failed, so that nothing was written."""
        return not self.is_sqlite and pipeline.has_failed(connection)

    @contextmanager
    def reading(self, tenant_id: str | None = None) -> Generator[Connection]:
        """One consistent view of what is committed; with a tenant, of what is its, held by the server where that is set up
        (see `row_security`). Anything it tried to change is rolled back."""
        options = {} if self.is_sqlite else postgresql.READING
        with self._engine.connect().execution_options(**options) as connection:
            transaction = connection.begin()
            try:
                if tenant_id is not None and self._confines(connection):
                    row_security.enter(connection, tenant_id)
                yield connection
            except BaseException:
                if self.is_sqlite:  # the error keeps its cursor, and that its view of the store, beyond the rollback
                    connection.invalidate()
                raise
            finally:
                transaction.rollback()

    @contextmanager
    def confined(self, connection: Connection, tenant_id: str) -> Generator[None]:
        """What is done inside sees and changes rows of this tenant only, held by the server as in `reading`. The caller
        gives it a savepoint of its own, and rolls back to it on an error."""
        with row_security.confined(connection, tenant_id) if self._confines(connection) else nullcontext():
            yield

    def outlast(self) -> None:
        """Wait until every transaction that was open when this was called has ended; a few seconds at most, since the server
        ends those that take longer."""
        if not self.is_sqlite:  # there, one transaction writes at a time
            postgresql.outlast(self._engine)

    def plan_anew(self, connection: Connection) -> None:
        """Let the server plan the statements of this connection for the sizes that tables have now."""
        if not self.is_sqlite and not self.is_pooled:  # a file's plans know no sizes, a pooler's statements no plans
            postgresql.plan_anew(connection)

    def _confines(self, connection: Connection) -> bool:
        """Whether the server can keep tenants apart: asked once, when there are tables."""
        if self._may_confine is None:
            state = row_security.state(connection)
            self._may_confine = state.is_usable if state.tables else None
        return bool(self._may_confine)

    def close(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()


def _checked(url: str, name: str) -> URL:
    forms = "use sqlite:///file.db or postgresql://user@host/database"
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Refused.at(name, f"{url!r} is not a database URL; {forms}", "bad_url") from error
    backend = parsed.get_backend_name()
    if backend == "postgres":  # what many hosts still write
        parsed, backend = parsed.set(drivername="postgresql"), "postgresql"
    if backend not in {"sqlite", "postgresql"}:
        raise Refused.at(name, f"{backend!r} is not supported; {forms}", "bad_url")
    if backend == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise Refused.at(name, "a database in memory is not durable; name a file: sqlite:///upshot.db", "bad_url")
    return parsed.set(drivername="postgresql+psycopg") if backend == "postgresql" else parsed
