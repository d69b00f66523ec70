"""Whether a database is ready for this release, and what should be known about it."""

from sqlalchemy import text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from upshot.core.errors import Conflict
from upshot.store.database import Database
from upshot.store.health import postgresql, row_level_security, sqlite, work
from upshot.store.health.finding import FAILED, OK, WARNING, Finding
from upshot.store.migrate import HEAD, present_version

__all__ = ["Finding", "essentials", "examine", "raise_unless_ready", "unusable"]

REMEDIES = {
    "unable to open database file": "Its folder must be there, and this user must be able to write in it.",
    "readonly database": "This user must be able to write the file and its folder.",
    "locked": "Another program holds it; try again when that is done.",
    "full": "The disk needs room; nothing was kept.",
    "no such table": "Run `upshot migrate`.",
    "malformed": "The file is damaged. Stop everything that uses it, keep it, and restore the last backup.",
}
"""What to do about what SQLite says."""


def raise_unless_ready(database: Database) -> None:
    """Return when the database has this release's schema, or a newer one.

    Raises:
        Conflict: it is missing, cannot be read, or has an older schema; the message says what to do.
    """
    found = [finding for finding in essentials(database) if finding.status == FAILED]
    if found:
        raise Conflict(" ".join(f"{finding.detail} {finding.remedy or ''}".strip() for finding in found))


def unusable(error: Exception) -> Conflict | None:
    """What a person can do about it when the database could not be used; None when the error is of another kind."""
    if not isinstance(error, OperationalError):
        return None
    cause = str(error.orig)
    remedy = next((remedy for sign, remedy in REMEDIES.items() if sign in cause), "Check the database and its server.")
    return Conflict(f"The database cannot be used: {cause}. {remedy}")


def essentials(database: Database) -> list[Finding]:
    """Whether the database can be used by this release at all: its driver's version, whether it can be read, its schema."""
    return [*([sqlite.version()] if database.is_sqlite else []), *_readable(database)]


def examine(database: Database, now: int, *, is_deep: bool = False) -> list[Finding]:
    """All there is to say about the database: how it is set up, whether it is whole, and how its work stands. `now` is this
    machine's time. `is_deep` reads every page of an SQLite file, however large."""
    copied = sqlite.copied(database.path) if database.path is not None and database.path.is_file() else None
    found = essentials(database)
    if any(finding.status == FAILED for finding in found):
        return found
    with database.reading() as connection:
        if database.path is not None:
            found += sqlite.findings(connection, database.path, copied, is_deep=is_deep)
        else:
            found += [*postgresql.findings(connection, now), *row_level_security.findings(connection)]
            now = postgresql.server_now(connection)
        return [*found, *work.findings(connection, now)]


def _readable(database: Database) -> list[Finding]:
    shown = database.url.render_as_string(hide_password=True)
    path = database.path
    if path is not None and not path.is_file():
        remedy = "Run `upshot migrate` to make it, or name another."
        return [Finding("database", FAILED, f"There is no database {path}.", remedy)]
    try:
        with database.reading() as connection:
            present = present_version(connection)
            mode = connection.execute(text("PRAGMA journal_mode")).scalar() if path is not None else "wal"
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip()
        remedy = next((remedy for sign, remedy in REMEDIES.items() if sign in cause), "Check that it is the right one.")
        return [Finding("database", FAILED, f"The database {shown} cannot be read: {cause}.", remedy)]
    findings = [Finding("database", OK, f"{shown} can be read.")]
    if str(mode) != "wal":
        remedy = "Move the file to a local disk; WAL does not work on network file systems."
        findings.append(Finding("journal", FAILED, f"The journal mode is {mode}, not wal.", remedy))
    return [*findings, _schema(present, shown)]


def _schema(present: str | None, shown: str) -> Finding:
    if present == HEAD:
        return Finding("schema", OK, f"Schema {present}.")
    if present is None:
        return Finding("schema", FAILED, f"{shown} has no tables of Upshot.", "Run `upshot migrate`.")
    if present > HEAD:
        said = f"Schema {present} is of a newer release; this one is written for {HEAD}, and runs on the next one's."
        return Finding("schema", WARNING, said, "Replace the processes of this release by those of the newer one.")
    return Finding(
        "schema", FAILED, f"{shown} has schema {present}; this release needs {HEAD}.", "Run `upshot migrate`."
    )
