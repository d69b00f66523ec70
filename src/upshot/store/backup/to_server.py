"""A backup of an SQLite file put into PostgreSQL: whoever outgrows one machine takes along what is under way.

Both have the same tables, of texts and whole numbers only, so each row is the same on both. They go over in one transaction,
with nothing of a worker, and numbers that were once given are not given again. What was being gone through in the order of the
file begins anew, since a server sorts texts its own way.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from filelock import FileLock, Timeout
from psycopg.errors import ProgramLimitExceeded
from sqlalchemy import Connection, Table, exists, func, select, text, update
from sqlalchemy.exc import OperationalError

from upshot.core.errors import Conflict
from upshot.store import row_security
from upshot.store.backup import sqlite
from upshot.store.backup.copied import NEWEST_EVENT, Copied, Told
from upshot.store.database import Database
from upshot.store.migrate import HEAD, migrate, present_version
from upshot.store.postgresql import server_time
from upshot.store.schema import audit, metadata, schedules, segments, tenants, workers

FETCHED = 1_000
_TABLES = [table for table in metadata.sorted_tables if table is not workers]
_LISTED = ", ".join(metadata.tables)
_OF_MIGRATE = {tenants.name, audit.name}
"""What `upshot migrate` writes one row to each of: the tenant `default`, and that it was made."""


def restore(backup: Path, database: Database, told: Told, *, is_forced: bool) -> Copied:
    """Put the backup's rows into the database, which must have none of ours unless `is_forced`: then they take the place of
    those that are there. The schema is made where there is none. All of it or nothing. `told` hears of rows.

    Raises:
        Conflict: as said above; somebody uses the database, or its tables are not this role's; the backup is none, damaged,
            in use, or of another release's schema; or PostgreSQL cannot keep a row of it.
    """
    with sqlite.opened(backup) as source:
        _raise_unless_fit(source, backup)
        _bring_schema(database)
        source.execute("BEGIN")  # one snapshot for all tables
        total, done = sum(_number(source, table) for table in _TABLES), 0

        def copied(rows: int) -> None:
            nonlocal done
            done += rows
            told(done, total)

        with database.writing() as connection:
            _be_alone(connection, _shown(database))
            _make_room(connection, _shown(database), is_forced=is_forced)
            for table in _TABLES:
                _copy(source, connection, table, copied)
            _number_on(source, connection)
            connection.execute(update(schedules).where(schedules.c.sweep_after.is_not(None)).values(sweep_after=""))
            connection.execute(update(segments).where(segments.c.place.is_not(None)).values(place=""))
            newest = connection.execute(text(NEWEST_EVENT)).scalar()
            connection.execute(text(f"ANALYZE {_LISTED}"))
    return Copied(backup.stat().st_size, HEAD, newest)


def _shown(database: Database) -> str:
    return database.url.render_as_string(hide_password=True)


def _raise_unless_fit(source: sqlite3.Connection, backup: Path) -> None:
    schema = sqlite.schema_of(source)
    if schema != HEAD:
        raise Conflict(
            f"{backup} has schema {schema}, not this release's {HEAD}. Restore it to a file, run `upshot migrate` on that, and "
            "put a backup of it here."
        )
    lock = Path(f"{backup}-engine")
    if lock.exists():
        try:
            with FileLock(lock).acquire(timeout=0):
                pass
        except Timeout as error:
            raise Conflict(
                f"An engine runs on {backup}: what is under way would go on in both. Stop it first, or restore a backup."
            ) from error
    sqlite.raise_unless_whole(source, str(backup))


def _bring_schema(database: Database) -> None:
    with database.reading() as connection:
        present = present_version(connection)
    if present is not None and present != HEAD:
        what = "Install the release that made it" if present > HEAD else "Run `upshot migrate` on it"
        raise Conflict(
            f"{_shown(database)} has schema {present}, not this release's {HEAD}. {what}, or take a new database."
        )
    migrate(database)
    with database.reading() as connection:
        owned = row_security.state(connection).owned
    if not_owned := sorted(row_security.tenant_tables().keys() - owned):
        raise Conflict(f"{not_owned[0]} is not this role's. Sign in with the role that owns the tables.")


def _be_alone(connection: Connection, shown: str) -> None:
    """Let nobody else at our tables until the transaction ends, however long that takes."""
    long = (
        "SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN ('statement_timeout', 'transaction_timeout')"
    )
    connection.execute(text(long))
    connection.execute(text("SET LOCAL lock_timeout = '5s'"))
    try:
        connection.execute(text(f"LOCK TABLE {_LISTED} IN ACCESS EXCLUSIVE MODE"))
    except OperationalError as error:
        raise Conflict(f"Somebody uses {shown} (an engine, a host, another restore). Stop it first.") from error
    if connection.execute(select(exists().where(workers.c.expires_at > server_time(connection)))).scalar():
        raise Conflict(f"An engine runs on {shown}. Stop it, and whatever else uses the database, first.")


def _make_room(connection: Connection, shown: str, *, is_forced: bool) -> None:
    """See that there is nothing but what a migration makes, unless that may go."""
    for table in metadata.sorted_tables if not is_forced else ():
        number = connection.execute(select(func.count()).select_from(select(table).limit(2).subquery())).scalar_one()
        if number > (1 if table.name in _OF_MIGRATE else 0):
            raise Conflict(
                f"{shown} has rows in {table.name} already. Restore to a new database, or take their place with --force."
            )
    connection.execute(text(f"TRUNCATE {_LISTED}"))


def _number(source: sqlite3.Connection, table: Table) -> int:
    return int(source.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0])  # noqa: S608 - a name of ours


def _copy(source: sqlite3.Connection, connection: Connection, table: Table, copied: Callable[[int], None]) -> None:
    """Copy the rows of this table, freed of who held them."""
    names = [column.name for column in table.columns]
    values = ", ".join("NULL" if name == "worker_id" else name for name in names)
    driver: Any = connection.connection.driver_connection
    try:
        found = source.execute(f"SELECT {values} FROM {table.name}")  # noqa: S608 - names of ours
        with driver.cursor().copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
            while rows := found.fetchmany(FETCHED):
                for row in rows:
                    copy.write_row(_texts_and_numbers(row))
                copied(len(rows))
    except (psycopg.DataError, psycopg.IntegrityError, ProgramLimitExceeded, UnicodeError, sqlite3.Error) as error:
        raise Conflict(
            f"PostgreSQL cannot keep a row of {table.name}: {error}. Nothing was changed. Correct or delete that row in the "
            "original, and take another backup."
        ) from error
    except psycopg.Error as error:
        raise Conflict(f"The server broke off at {table.name}: {error}. Nothing was changed; try again.") from error


def _texts_and_numbers(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row, unless a host wrote bytes to it, which would become their hexadecimal digits."""
    if bytes in map(type, row):
        raise UnicodeError(f"there are bytes in {row}")
    return row


def _number_on(source: sqlite3.Connection, connection: Connection) -> None:
    """Go on with the numbers of rows behind those that were ever given, also to rows that are gone. Those of a host's tables
    stand beside them."""
    for name, last in source.execute("SELECT name, seq FROM sqlite_sequence WHERE seq > 0").fetchall():
        if name in metadata.tables:
            given = {"name": name, "last": last}
            connection.execute(text("SELECT setval(pg_get_serial_sequence(:name, 'seq'), :last)"), given)
