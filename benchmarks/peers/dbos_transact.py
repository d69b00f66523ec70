"""DBOS Transact beside us: the same three kept steps, in its own process, on SQLite and on PostgreSQL.

`make bench` installs it into `.venv-bench` from `requirements/bench.lock`. Its modes differ in speed from machine to
machine, so each is run and the best is taken.
"""

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures import say

HERE = Path(__file__).parent
PYTHON = HERE.parent.parent / ".venv-bench" / "bin" / "python"
TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class Mode:
    """One way to run DBOS: plain functions or coroutines, and on SQLite with the file switched to WAL or as shipped."""

    store: str
    colour: str
    is_wal: bool = False

    def __str__(self) -> str:
        kind = f", {'WAL' if self.is_wal else 'rollback journal'}" if self.store == "sqlite" else ""
        return f"{self.colour}{kind}"


SQLITE_MODES = (Mode("sqlite", "sync", is_wal=True), Mode("sqlite", "async", is_wal=True), Mode("sqlite", "sync"))
POSTGRES_MODES = (Mode("postgres", "sync"), Mode("postgres", "async"))


@dataclass(frozen=True)
class Measured:
    """What one mode gave."""

    mode: Mode
    answer: dict[str, Any]

    @property
    def peer(self) -> str:
        """The peer as a figure names it."""
        return f"dbos {version()} ({self.mode})"


def version() -> str:
    """The release that is installed. Ends the process (2) when none is."""
    if not PYTHON.exists():
        print(f"DBOS is not installed: {PYTHON} is missing. `make bench` installs it.", file=sys.stderr)
        raise SystemExit(2)
    code = "import importlib.metadata as m; print(m.version('dbos'))"
    return subprocess.run([PYTHON, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def measure(
    work: str, modes: tuple[Mode, ...], folder: Path, count: int, *, sleep_seconds: float = 0.0
) -> list[Measured]:
    """Do the work in each of these modes (all of one store), each on a database of its own."""
    measured: list[Measured] = []
    if modes[0].store == "sqlite":
        for index, mode in enumerate(modes):
            url = f"sqlite:///{folder}/dbos-{work}-{index}.db"
            measured.append(_measure(work, mode, url, count, sleep_seconds))
        return measured
    with postgres(folder / f"postgres-{work}") as server_url:
        for index, mode in enumerate(modes):
            url = server_url.replace("/postgres?", f"/dbos_{index}?")
            measured.append(_measure(work, mode, url, count, sleep_seconds))
    return measured


@contextmanager
def postgres(folder: Path) -> Generator[str]:
    """The URL of a new PostgreSQL server with its own defaults, stopped at the end."""
    command = [PYTHON, "-W", "ignore", HERE / "postgres_server.py", folder]
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
            server.wait(30)


def _measure(work: str, mode: Mode, url: str, count: int, sleep_seconds: float) -> Measured:
    say(f"DBOS on {mode.store} ({mode}): {work} x {count:,}")
    command: list[str | Path] = [PYTHON, HERE / "dbos_worker.py", work, "--url", url, "--mode", mode.colour]
    command += ["--count", str(count), "--sleep-seconds", str(sleep_seconds)]
    if mode.is_wal:
        command.append("--wal")
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT_SECONDS, check=True)
    answer = json.loads(done.stdout.splitlines()[-1])
    kept, expected = (answer["kept_workflows"], answer["kept_steps"]), answer["expected_workflows"]
    if kept != (expected, 3 * expected):
        raise SystemExit(f"DBOS kept {kept[0]} workflows and {kept[1]} steps of {expected}: the figure is worthless.")
    return Measured(mode, answer)
