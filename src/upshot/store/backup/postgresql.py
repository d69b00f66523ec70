"""Copies of Upshot's tables on PostgreSQL, by the server's own `pg_dump` and `pg_restore` in its custom format.

Only tables named `upshot_*` are in it; the host's own tables in the same database are the host's to back up, with these if
they must agree to the transaction. Grants and owners are not kept: `upshot migrate` gives them anew.
"""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import URL, Connection, text, update

from upshot.core.errors import Conflict
from upshot.store.backup.copied import NEWEST_EVENT, Copied
from upshot.store.database import Database
from upshot.store.migrate import present_version
from upshot.store.postgresql import BACKUP_NAME
from upshot.store.schema import active, metadata, unmatched, workers

SAID_MAX = 600
TABLES = "upshot_*"


def back_up(database: Database, target: Path) -> Copied:
    """Dump the tables to `target`, which must not be there yet, and read the dump's list of contents.

    Raises:
        Conflict: `target` is there, `pg_dump` is not on the PATH (the message has the command) or says no.
    """
    if target.exists():
        raise Conflict(f"{target} is there already. A backup never overwrites; name another file.")
    with database.reading() as connection:
        schema, newest = _content(
            connection
        )  # before the dump's own snapshot, so that no more is promised than is in it
    partial = target.with_name(target.name + ".partial")
    dump = ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--table={TABLES}"]
    try:
        _run([*dump, f"--file={partial}", _address(database.direct_url)], database.direct_url)
        listed = _run(["pg_restore", "--list", str(partial)], database.direct_url)
        missing = [name for name in metadata.tables if f" {name} " not in listed]
        if missing:
            raise Conflict(f"The dump lacks {', '.join(sorted(missing))}. May this role read them all?")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return Copied(target.stat().st_size, schema, newest)


def restore(backup: Path, database: Database, *, is_forced: bool) -> Copied:
    """Put the dump's tables into the database, which must have none of ours unless `is_forced`: then they take the place of
    those that are there. All of it or nothing.

    Raises:
        Conflict: as said above; `pg_restore` is not on the PATH (the message has the command) or says no.
    """
    if not backup.is_file():
        raise Conflict(f"There is no file {backup}.")
    with database.reading() as connection:
        present = present_version(connection)
    shown = database.url.render_as_string(hide_password=True)
    if present is not None and not is_forced:
        raise Conflict(f"{shown} has tables of Upshot. Restore to a new database, or take their place with --force.")
    command = ["pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    command += ["--clean", "--if-exists"] if present is not None else []
    _run([*command, f"--dbname={_address(database.direct_url)}", str(backup)], database.direct_url)
    with database.writing() as connection:
        for table in (active, unmatched):  # no worker of the original is one of the copy's
            connection.execute(update(table).where(table.c.worker_id.is_not(None)).values(worker_id=None))
        connection.execute(workers.delete())
        schema, newest = _content(connection)
    return Copied(backup.stat().st_size, schema, newest)


def _content(connection: Connection) -> tuple[str, int | None]:
    return present_version(connection) or "", connection.execute(text(NEWEST_EVENT)).scalar()


def _address(url: URL) -> str:
    """The URL for libpq, without its password, which other users of the machine could read among the processes."""
    plain = URL.create(
        "postgresql", username=url.username, host=url.host, port=url.port, database=url.database, query=url.query
    )
    return plain.render_as_string(hide_password=False)


def _run(command: list[str], url: URL) -> str:
    """Run one of the server's programs; what it printed."""
    program = shutil.which(command[0])
    if program is None:
        raise Conflict(
            f"{command[0]} is not on the PATH. Install PostgreSQL's client programs of the server's release, or run there: "
            f"{shlex.join(command)}"
        )
    session = {"PGAPPNAME": BACKUP_NAME, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    ended = subprocess.run(
        [program, *command[1:]], env={**os.environ, **session}, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise Conflict(f"{command[0]} failed: {ended.stderr.strip()[:SAID_MAX]}")
    return ended.stdout
