"""Migrations: forward only, one migrator at a time, and the previous release's code runs on the new schema: so
a schema newer than this release's is as good as its own, while processes are replaced one by one."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import OperationalError

from upshot.store import row_security

if TYPE_CHECKING:
    from upshot.store.database import Database

VERSION_TABLE = "upshot_schema_version"
HEAD = "0016"
"""The schema this release is written for; a test holds it to the newest file in `migrations/versions`."""

LOCK_SECONDS = 3
TRIES_MAX = 20
LOCK_NOT_AVAILABLE = "55P03"
"""SQLSTATE of a lock that was not had in time."""


def present_version(connection: Connection) -> str | None:
    """The schema version of this database, None when Upshot has no tables in it."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant


def is_usable(present: str | None) -> bool:
    """Whether this release runs on this schema: its own, or a newer one."""
    return present is not None and present >= HEAD


def migrate(database: "Database") -> bool:
    """Bring the schema to this release's; whether there was anything to do. Everything or nothing is changed, and nothing of a
    newer one. It may run while others work, and in several processes at once: one of them does it.

    Raises:
        DatabaseUnavailable: what it needs to change was held by others all the time.
    """
    with database.reading() as connection:
        present = present_version(connection)
    if present is not None and present > HEAD:
        return False
    for tries_left in reversed(range(TRIES_MAX)):
        try:
            return _secured(database) if present == HEAD else _upgrade(database)
        except OperationalError as error:
            if not tries_left or getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
    raise AssertionError  # the last try returned or raised


def _upgrade(database: "Database") -> bool:
    from alembic import command  # noqa: PLC0415 - it takes 0.7 s to import, and only migrations need it
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with database.writing() as connection:
        _be_alone(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    _secured(database)
    return True


def _be_alone(connection: Connection) -> None:
    """Wait for any other migrator, and never long for those who work: whoever comes after us waits as long as we do. A SQLite
    file has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('upshot migration'))"))


def _secured(database: "Database") -> bool:
    """Have a server keep tenants apart (see `row_security`), after an upgrade or a restore; whether anything was missing."""
    if database.is_sqlite:
        return False
    with database.reading() as connection:
        before = row_security.state(connection)
    if before.is_usable:
        return False
    for name in sorted({*before.missing} & {*before.owned}):
        with database.writing() as connection:
            _be_alone(connection)
            row_security.protect(connection, name)
    with database.writing() as connection:
        _be_alone(connection)
        row_security.grant(connection, before)
        return row_security.state(connection) != before
