"""Whether a database is ready for this release, and what should be known about it."""

import sqlite3
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from upshot.core.errors import Conflict
from upshot.store.database import Database
from upshot.store.migrate import HEAD, present_version

SAFE_WAL = (3, 51, 3)
"""Before this SQLite release, several processes that checkpoint one WAL file can, very rarely, corrupt it."""
OLDEST_SQLITE = (3, 35, 0)
"""The first with RETURNING."""
REMEDIES = {
    "unable to open database file": "Its folder must be there, and this user must be able to write in it.",
    "readonly database": "This user must be able to write the file and its folder.",
    "locked": "Another program holds it; try again when that is done.",
    "full": "The disk needs room; nothing was kept.",
    "no such table": "Run `upshot migrate`.",
}
"""What to do about what SQLite says."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. `status` is `ok`, `warning` or `failed`; `remedy` says what to do about it."""

    name: str
    status: str
    detail: str
    remedy: str | None = None


def raise_unless_ready(database: Database) -> None:
    """Return when the database has this release's schema.

    Raises:
        Conflict: it is missing, cannot be read, or has another schema; the message says what to do.
    """
    found = [finding for finding in examine(database) if finding.status == "failed"]
    if found:
        raise Conflict(" ".join(f"{finding.detail} {finding.remedy or ''}".strip() for finding in found))


def unusable(error: Exception) -> Conflict | None:
    """What a person can do about it when the database could not be used; None when the error is of another kind."""
    if not isinstance(error, OperationalError):
        return None
    cause = str(error.orig)
    remedy = next((remedy for sign, remedy in REMEDIES.items() if sign in cause), "Check the database and its server.")
    return Conflict(f"The database cannot be used: {cause}. {remedy}")


def examine(database: Database) -> list[Finding]:
    """What there is to say about the database: its server's version, whether it can be read, and its schema."""
    findings = [_sqlite_version()] if database.is_sqlite else []
    return [*findings, *_readable(database)]


def _sqlite_version() -> Finding:
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        return Finding("sqlite", "failed", f"SQLite {version} is too old.", "Use a Python with SQLite 3.35 or newer.")
    if sqlite3.sqlite_version_info < SAFE_WAL:
        return Finding(
            "sqlite",
            "warning",
            f"SQLite {version}: when several processes share the file, a rare fault of its WAL before 3.51.3 can harm it.",
            "Let one process open the file, or use a Python with SQLite 3.51.3 or newer.",
        )
    return Finding("sqlite", "ok", f"SQLite {version}.")


def _readable(database: Database) -> list[Finding]:
    shown = database.url.render_as_string(hide_password=True)
    path = database.path
    if path is not None and not path.is_file():
        return [
            Finding(
                "database",
                "failed",
                f"There is no database {path}.",
                "Run `upshot migrate` to make it, or name another.",
            )
        ]
    try:
        with database.reading() as connection:
            present = present_version(connection)
            mode: Any = connection.execute(text("PRAGMA journal_mode")).scalar() if database.is_sqlite else None
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        return [
            Finding(
                "database",
                "failed",
                f"The database {shown} cannot be read: {cause}.",
                "Check that it is the right one.",
            )
        ]
    findings = [Finding("database", "ok", f"{shown} can be read.")]
    if mode is not None and str(mode) != "wal":
        remedy = "Move the file to a local disk; WAL does not work on network file systems."
        findings.append(Finding("journal", "failed", f"The journal mode is {mode}, not wal.", remedy))
    return [*findings, _schema(present, shown)]


def _schema(present: str | None, shown: str) -> Finding:
    if present == HEAD:
        return Finding("schema", "ok", f"Schema {present}.")
    if present is None:
        return Finding("schema", "failed", f"{shown} has no tables of Upshot.", "Run `upshot migrate`.")
    if present > HEAD:
        return Finding(
            "schema", "failed", f"{shown} has schema {present}, newer than this release.", "Install the newer release."
        )
    return Finding(
        "schema", "failed", f"{shown} has schema {present}; this release needs {HEAD}.", "Run `upshot migrate`."
    )
