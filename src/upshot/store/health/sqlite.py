"""What there is to say about an SQLite file: who reads it, where it lies, how it is set up, whether it is whole."""

import shutil
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, text

from upshot.store.health.finding import FAILED, OK, WARNING, Finding, megabytes
from upshot.store.retention import Size

SAFE_WAL = (3, 51, 3)
"""Before this SQLite release, several processes that checkpoint one WAL file can, very rarely, corrupt it."""
OLDEST = (3, 35, 0)
"""The first with RETURNING."""
WAL_BYTES_MAX = 256 << 20
CHECKED_BYTES_MAX = 1 << 30
"""A larger file is read through only when asked for."""
FREE_BYTES_MIN, FREE_BYTES_LOW, FREE_SHARE_LOW = 64 << 20, 1 << 30, 0.1
FREE_PAGES_SHARE = 0.5
NETWORK = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "afs",
        "ceph",
        "glusterfs",
        "lustre",
        "ocfs2",
        "gfs2",
        "beegfs",
        "gpfs",
    }
    | {"fuse.sshfs", "fuse.s3fs", "fuse.glusterfs", "fuse.ceph", "fuse.rclone", "fuse.gcsfuse", "fuse.blobfuse"}
)
"""File systems on which several machines share a file, and WAL loses or corrupts it."""
MOUNTS = Path("/proc/self/mounts")


def version() -> Finding:
    """The SQLite that Python brings."""
    present = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < OLDEST:
        return Finding("sqlite", FAILED, f"SQLite {present} is too old.", "Use a Python with SQLite 3.35 or newer.")
    if sqlite3.sqlite_version_info < SAFE_WAL:
        return Finding(
            "sqlite",
            WARNING,
            f"SQLite {present}: when several processes share the file, a rare fault of its WAL before 3.51.3 can harm it.",
            "Let one process open the file, or use a Python with SQLite 3.51.3 or newer.",
        )
    return Finding("sqlite", OK, f"SQLite {present}.")


def copied(path: Path) -> bool:
    """Whether this file may be a plain copy of one that was open: nothing of its last commits lies beside it, and no engine
    ever ran on it here. Ask before it is opened, which makes a `-wal` file."""
    return not any(Path(f"{path}{ending}").exists() for ending in ("-wal", "-engine"))


def findings(connection: Connection, path: Path, was_copied: bool | None, *, is_deep: bool) -> list[Finding]:
    """All of it, cheapest first."""
    return [
        _copy(connection, path, was_copied=bool(was_copied)),
        _file_system(path),
        _disk(path),
        _settings(connection),
        _wal(path),
        _room(connection),
        _whole(connection, path, is_deep=is_deep),
    ]


def _copy(connection: Connection, path: Path, *, was_copied: bool) -> Finding:
    """An engine that stops takes its worker off, a backup holds none, and one that was killed leaves its `-wal` file."""
    held = connection.execute(text("SELECT count(*) FROM upshot_workers")).scalar_one() if was_copied else 0
    if held:
        return Finding(
            "copy",
            FAILED,
            f"{path.name} is a plain copy of a file whose engine ran: the commits in its `-wal` file are not here, and pages "
            "may not fit together.",
            "Copy live files with `upshot backup` only. If there is nothing else, check it with `upshot doctor --deep`.",
        )
    return Finding("copy", OK, "The file was closed in order, or its -wal file lies beside it.")


def _file_system(path: Path) -> Finding:
    kind = file_system_of(path.absolute(), MOUNTS.read_text() if MOUNTS.exists() else "")
    if kind in NETWORK:
        remedy = "Move it to a local disk, or use PostgreSQL."
        return Finding(
            "file_system", FAILED, f"The file lies on a network file system ({kind}), where WAL is not safe.", remedy
        )
    return Finding("file_system", OK, f"The file system is {kind or 'not known here'}.")


def file_system_of(path: Path, mounts: str) -> str:
    """The type of the file system that this absolute path lies on, by the text of `/proc/self/mounts`; empty when not known."""
    best, kind = "", ""
    for line in mounts.splitlines():
        parts = line.split(" ")
        place = parts[1].replace("\\040", " ") if len(parts) > 2 else ""
        if place and path.is_relative_to(place) and len(place) >= len(best):
            best, kind = place, parts[2]
    return kind


def _disk(path: Path) -> Finding:
    usage = shutil.disk_usage(path.absolute().parent)
    said = f"{megabytes(usage.free)} of {megabytes(usage.total)} are free where the file lies."
    remedy = "Make room: `upshot prune` gives back what is over, then move or delete what else lies there."
    if usage.free < FREE_BYTES_MIN:
        return Finding("disk", FAILED, said, remedy)
    is_low = usage.free < FREE_BYTES_LOW or usage.free < FREE_SHARE_LOW * usage.total
    return Finding("disk", WARNING if is_low else OK, said, remedy if is_low else None)


def _settings(connection: Connection) -> Finding:
    names = ("synchronous", "auto_vacuum", "busy_timeout")
    synchronous, auto_vacuum, timeout = (connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in names)
    said = f"synchronous={synchronous}, auto_vacuum={auto_vacuum}, busy_timeout={timeout} ms."
    if synchronous < 2:
        return Finding("file_settings", FAILED, said, "Below FULL (2) the last commits are forgotten on power loss.")
    if auto_vacuum != 2:
        return Finding(
            "file_settings",
            WARNING,
            f"{said} The file never gives room back.",
            "With everything stopped, run `sqlite3 FILE 'PRAGMA auto_vacuum = 2; VACUUM'` once; it needs as much room again.",
        )
    return Finding("file_settings", OK, said)


def _wal(path: Path) -> Finding:
    wal = Path(f"{path}-wal")
    number = wal.stat().st_size if wal.exists() else 0
    if number > WAL_BYTES_MAX:
        remedy = "Some connection reads for very long: end it. The file shrinks at the next checkpoint."
        return Finding("wal", WARNING, f"The -wal file has {megabytes(number)}.", remedy)
    return Finding("wal", OK, f"The -wal file has {megabytes(number)}.")


def _room(connection: Connection) -> Finding:
    size = Size(connection)
    share = size.free / max(size.total, 1)
    said = f"{megabytes(size.total * size.page_bytes)}, of which {share:.0%} are free pages."
    is_much = share > FREE_PAGES_SHARE and size.free * size.page_bytes > FREE_BYTES_MIN
    return Finding(
        "file", WARNING if is_much else OK, said, "Run `upshot prune`: it gives them back." if is_much else None
    )


def _whole(connection: Connection, path: Path, *, is_deep: bool) -> Finding:
    if not is_deep and path.stat().st_size > CHECKED_BYTES_MAX:
        remedy = "`upshot doctor --deep` reads it through."
        return Finding("integrity", OK, "The file is large and was not read through.", remedy)
    check = "integrity_check" if is_deep else "quick_check"
    found = [str(row[0]) for row in connection.execute(text(f"PRAGMA {check}(10)"))]
    if found == ["ok"]:
        return Finding("integrity", OK, f"{check}: ok.")
    remedy = "Stop everything that uses the file, keep it, and restore the last backup (`upshot restore`)."
    return Finding("integrity", FAILED, f"{check}: {'; '.join(found)}.", remedy)
