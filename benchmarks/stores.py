"""The databases that are measured: a SQLite file, or a PostgreSQL server of its own with PostgreSQL's own defaults."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

SERVER = Path(__file__).with_name("postgres_server.py")
STOP_SECONDS = 60.0


@contextmanager
def fresh_store(kind: str, folder: Path, name: str = "store") -> Generator[str]:
    """The URL of a new database of this kind in this folder."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/{name}.db"
        return
    with postgres(folder / f"{name}-postgres") as url:
        yield url


@contextmanager
def postgres(folder: Path) -> Generator[str]:
    """The URL of a new PostgreSQL server (from a wheel; fsync and synchronous_commit on), stopped at the end."""
    command = [sys.executable, "-W", "ignore", SERVER, folder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None  # both are pipes, as asked for above
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        if not url:
            raise SystemExit("PostgreSQL did not start; what it said is above.")
        try:
            yield url
        finally:
            server.stdin.close()
            server.wait(STOP_SECONDS)
