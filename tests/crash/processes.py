"""Real processes: started within milliseconds, ended by signals, heard by what they write, and gone at the end of the test."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from tests.crash.load import Work, main

ROOT = Path(__file__).parents[2]
DEADLINE_SECONDS = 60.0
LOOK_SECONDS = 0.005

_forks = multiprocessing.get_context("forkserver")
_one_at_a_time = threading.Lock()
"""To start a process is to look how all others are; and how one ended can be read once, whoever reads it second is told 255."""
_forks.set_forkserver_preload(["tests.crash.load", "sqlalchemy.dialects.postgresql.psycopg", "uuid"])


def until(condition: Callable[[], object], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Return when the condition holds; fail when it does not within the deadline, which no good run comes near."""
    deadline, pausing = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"in {seconds:.0f} s it did not come about that {what}"
        pausing.wait(LOOK_SECONDS)


class Engine:
    """One engine process."""

    def __init__(self, work: Work, started: "BaseProcess | subprocess.Popen[bytes]") -> None:
        self.work, self._started = work, started
        self._said = Path(work.folder) / f"{work.name}.said"
        self._said_before = len(self.said())

    @property
    def pid(self) -> int:
        assert self._started.pid is not None
        return self._started.pid

    @property
    def exit_code(self) -> int | None:
        """None while it lives; negative when a signal ended it."""
        with _one_at_a_time:
            return self._started.poll() if isinstance(self._started, subprocess.Popen) else self._started.exitcode

    def said(self) -> list[str]:
        """The lines it wrote, and those of an earlier process of its name."""
        return self._said.read_text().splitlines() if self._said.exists() else []

    def log(self) -> str:
        """The end of what it logged, for a failure's message."""
        path = Path(self.work.folder) / f"{self.work.name}.log"
        return path.read_text()[-3_000:] if path.exists() else ""

    def wait_for(self, word: str) -> None:
        """Return when it said so."""
        until(lambda: word in self.said()[self._said_before :] or self.exit_code is not None, f"it said {word!r}")
        assert word in self.said()[self._said_before :], f"it ended with {self.exit_code}: {self.log()}"

    def until(self, condition: Callable[[], object], what: str, seconds: float = DEADLINE_SECONDS) -> None:
        """Return when the condition holds; fail when this process ends before."""
        until(lambda: condition() or self.exit_code is not None, what, seconds)
        assert condition(), f"the process ended with {self.exit_code} before {what}: {self.log()}"

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def ended(self) -> int:
        """Its exit code, once it has ended."""
        until(lambda: self.exit_code is not None, f"process {self.work.name} ended")
        code = self.exit_code
        assert code is not None
        return code

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        if self.exit_code is None:
            self.send(signal.SIGKILL)
        self.ended()

    def stop(self) -> None:
        """SIGTERM: it drains, leaves and ends well."""
        self.wait_for("ready")  # before, nobody would hear the signal
        self.send(signal.SIGTERM)
        assert self.ended() == 0, self.log()


class Processes:
    """All processes of one test. Whatever happens, none outlives it."""

    def __init__(self) -> None:
        self._engines: list[Engine] = []

    def start(self, work: Work) -> Engine:
        """Start one, forked from a server that has everything imported."""
        # The server reads it once, when the first process of all starts.
        os.environ["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(ROOT / "src")))
        process = _forks.Process(target=main, args=(work,), daemon=True)
        with _one_at_a_time:
            process.start()
        return self._keep(Engine(work, process))

    def execute(self, work: Work, environment: Mapping[str, str]) -> Engine:
        """Start one from nothing, for what must be in its environment from its first instruction."""
        command = [sys.executable, "-m", "tests.crash.load", msgspec.json.encode(work).decode()]
        return self._keep(Engine(work, subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment})))

    def _keep(self, engine: Engine) -> Engine:
        self._engines.append(engine)
        return engine

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for engine in self._engines:
            engine.kill()
