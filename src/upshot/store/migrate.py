"""Migrations: forward only, one migrator at a time, and the previous release's code runs on the new schema."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from upshot.core.errors import Conflict

if TYPE_CHECKING:
    from upshot.store.database import Database

VERSION_TABLE = "upshot_schema_version"
HEAD = "0001"
"""The schema this release is written for; a test holds it to the newest file in `migrations/versions`."""


def present_version(connection: Connection) -> str | None:
    """The schema version of this database, None when Upshot has no tables in it."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant


def migrate(database: "Database") -> bool:
    """Bring the schema to this release's; whether there was anything to do. Everything or nothing is changed.

    Raises:
        Conflict: the database is newer than this release.
    """
    with database.reading() as connection:
        present = present_version(connection)
    if present == HEAD:
        return False
    if present is not None and present > HEAD:
        raise Conflict(
            f"The database has schema {present}, this release knows up to {HEAD}. Install the release that made it."
        )
    from alembic import command  # noqa: PLC0415 - it takes 0.7 s to import, and only migrations need it
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return True
