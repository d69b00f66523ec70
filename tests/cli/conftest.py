"""The command line, called in this process for what ends by itself, and as real processes for what serves."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from upshot.cli import main

SECRET = "a secret key of the tests"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Call = Callable[..., Ended]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Call a command in a folder of its own."""
    for name in [name for name in os.environ if name.startswith("UPSHOT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ended:
        code = 0
        try:
            main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capfd.readouterr()
        return Ended(code, said.out, said.err)

    return run


class Served:
    """A command that serves, as a process of its own."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("UPSHOT_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "upshot.cli", *arguments, "--json"],
            cwd=folder,
            env={**inherited, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[dict[str, Any]] = []

    def ready(self) -> dict[str, Any]:
        """What it says once it is ready; reading its lines waits for exactly that."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))
            if self.said[-1]["event"] == "ready":
                return self.said[-1]
        raise AssertionError(f"it ended: {self.process.communicate()[1]}")

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.ready()["url"], timeout=30)

    def stop(self, number: signal.Signals = signal.SIGINT, within: float = 5) -> str:
        """Ask it to stop; what it wrote to stderr. It must end in time, with code 0."""
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=within)
        assert self.process.returncode == 0, err
        return err

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a command that serves; whatever still runs at the end is killed."""
    started: list[Served] = []

    def start(*arguments: str, **environment: str) -> Served:
        started.append(Served(tmp_path, *arguments, **environment))
        return started[-1]

    yield start
    for served in started:
        served.end()
