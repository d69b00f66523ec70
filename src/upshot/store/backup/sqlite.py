"""Copies of an SQLite file, by SQLite's own backup from one snapshot: writers go on, and what they write is not in it.

A copy is written under another name, freed of its workers, read through page by page, synced, and only then given its
name, so that whatever has that name is whole. It is in no WAL mode until it is opened: one file that may be copied about.
"""

import os
import shutil
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock, Timeout

from upshot.core.errors import Conflict
from upshot.store.backup.copied import NEWEST_EVENT, Copied, Told
from upshot.store.health.sqlite import copied as may_be_plain_copy
from upshot.store.migrate import HEAD, VERSION_TABLE
from upshot.store.schema import active, unmatched, workers

MAGIC = b"SQLite format 3\x00"
"""How every file of SQLite begins (https://www.sqlite.org/fileformat.html, 1.3)."""
STEP_PAGES = 2_000
BESIDE = ("-wal", "-shm", "-journal")
LET_GO = ";".join(
    [
        *(f"UPDATE {table.name} SET worker_id = NULL WHERE worker_id IS NOT NULL" for table in (active, unmatched)),  # noqa: S608 - constants
        f"DELETE FROM {workers.name}",  # noqa: S608 - a constant
    ]
)
"""No worker of the original is one of the copy's."""


def back_up(path: Path, target: Path, told: Told) -> Copied:
    """Copy the file at `path`, engines or not, to `target`, which must not be there yet.

    Raises:
        Conflict: `target` is there, its folder is not, there is no room, or the copy is not whole; nothing is left behind.
    """
    if target.exists():
        raise Conflict(f"{target} is there already. A backup never overwrites; name another file.")
    with _unfinished(target, ".partial") as partial, closing(sqlite3.connect(path, isolation_level=None)) as source:
        made = _copy(source, partial, told)
        _give_name(partial, target)
    return made


def restore(backup: Path, target: Path, told: Told, *, is_forced: bool) -> Copied:
    """Put the backup at `target`, which must be empty or not be there, unless `is_forced`: then what was there is kept beside
    it, named `.before-restore`. No engine may run on it.

    Raises:
        Conflict: as said above; or `backup` is not there, damaged, not ours, of a newer release, or a plain copy of a file
            that was live.
    """
    lock = FileLock(f"{target}-engine", thread_local=False)
    with opened(backup) as source:
        if not is_forced and target.exists() and target.stat().st_size:
            raise Conflict(f"{target} is not empty. Restore to a new place, or take its place with --force.")
        with _unfinished(target, ".restoring") as partial:
            try:
                lock.acquire(timeout=0)
            except Timeout as error:
                raise Conflict(
                    f"An engine runs on {target}. Stop it, and whatever else uses the file, first."
                ) from error
            try:
                made = _copy(source, partial, told)
                _set_aside(target)
                partial.replace(target)
                _sync(target.parent)
            finally:
                lock.release()
    return made


def is_file_of_sqlite(path: Path) -> bool:
    """Whether the file says that it is one of SQLite's."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


@contextmanager
def opened(backup: Path) -> Generator[sqlite3.Connection]:
    """A connection that reads this backup.

    Raises:
        Conflict: it is not there, damaged, not ours, of a newer release, or a plain copy of a file that was live.
    """
    if not backup.is_file():
        raise Conflict(f"There is no file {backup}.")
    is_plain = may_be_plain_copy(backup)
    with closing(_reading(backup)) as source:
        _raise_unless_ours(source, backup, is_plain=is_plain)
        yield source


def _reading(backup: Path) -> sqlite3.Connection:
    """Read it, and leave nothing beside it: without a WAL of its own none is made."""
    alone = "" if Path(f"{backup}-wal").exists() else "&immutable=1"
    return sqlite3.connect(f"file:{quote(str(backup.absolute()))}?mode=ro{alone}", uri=True, isolation_level=None)


def _raise_unless_ours(source: sqlite3.Connection, backup: Path, *, is_plain: bool) -> None:
    try:
        schema = schema_of(source)
        held = source.execute(f"SELECT count(*) FROM {workers.name}").fetchone()[0] if schema else 0  # noqa: S608 - a constant
    except sqlite3.DatabaseError as error:
        raise Conflict(f"{backup} cannot be read: {error}. Take another backup.") from error
    if schema is None:
        raise Conflict(f"{backup} has no tables of Upshot.")
    if schema > HEAD:
        raise Conflict(
            f"{backup} has schema {schema}, newer than this release's {HEAD}. Install the release that made it."
        )
    if held and is_plain:
        raise Conflict(
            f"{backup} is a plain copy of a file whose engine ran, not a backup: its last commits are missing. If there is "
            "nothing else, set UPSHOT_DATABASE_URL to it and look with `upshot doctor --deep`."
        )


def raise_unless_whole(connection: sqlite3.Connection, named: str) -> None:
    """Read the file through, page by page."""
    try:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)")]
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    if found != ["ok"]:
        raise Conflict(f"{named} is not whole ({'; '.join(found)}). Run `upshot doctor --deep` on the original.")


def schema_of(connection: sqlite3.Connection) -> str | None:
    """The schema of the file, None when Upshot has no tables in it."""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (VERSION_TABLE,)).fetchone()
    if found is None:
        return None
    return str(connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()[0])  # noqa: S608 - a constant


def _copy(source: sqlite3.Connection, partial: Path, told: Told) -> Copied:
    """Copy one snapshot of the source, and read the copy through."""
    source.execute(
        "BEGIN"
    )  # one snapshot for all steps: without it each commit of another process begins the copy anew
    (pages,) = source.execute("PRAGMA page_count").fetchone()
    (page_bytes,) = source.execute("PRAGMA page_size").fetchone()
    source.execute("SELECT count(*) FROM sqlite_master").fetchone()
    room = shutil.disk_usage(partial.parent).free
    if room < pages * page_bytes:
        raise Conflict(f"{partial.parent} has room for {room:,} bytes; the copy takes {pages * page_bytes:,}.")
    with closing(sqlite3.connect(partial, isolation_level=None)) as copy:
        source.backup(copy, pages=STEP_PAGES, progress=lambda _status, left, total: told(total - left, total))
        copy.execute("PRAGMA journal_mode = DELETE")
        copy.execute("PRAGMA synchronous = FULL")
        copy.executescript(f"BEGIN; {LET_GO}; COMMIT;")
        raise_unless_whole(copy, "The copy")
        schema = schema_of(copy)
        if schema is None:
            raise Conflict("There are no tables of Upshot to copy. Run `upshot migrate` first.")
        newest = copy.execute(NEWEST_EVENT).fetchone()[0]
    return Copied(partial.stat().st_size, schema, newest)


@contextmanager
def _unfinished(target: Path, ending: str) -> Generator[Path]:
    """A file beside the target to write to, gone afterwards."""
    partial = target.with_name(target.name + ending)
    if not target.absolute().parent.is_dir():
        raise Conflict(f"There is no folder {target.absolute().parent}.")
    _remove(partial)
    try:
        yield partial
    finally:
        _remove(partial)


def _remove(partial: Path) -> None:
    for ending in ("", *BESIDE):
        Path(f"{partial}{ending}").unlink(missing_ok=True)


def _give_name(partial: Path, target: Path) -> None:
    """Name the finished copy, unless the name was taken meanwhile."""
    _sync(partial)
    try:
        os.link(partial, target)
    except FileExistsError as error:
        raise Conflict(f"{target} has been made meanwhile. A backup never overwrites; name another file.") from error
    except OSError:  # a file system without links
        partial.replace(target)
    _sync(target.absolute().parent)


def _set_aside(target: Path) -> None:
    """Keep what is there, with its WAL (without which it lacks its last commits), under another name."""
    for ending in ("", *BESIDE):
        present = Path(f"{target}{ending}")
        if present.exists():
            present.replace(f"{target}.before-restore{ending}")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
