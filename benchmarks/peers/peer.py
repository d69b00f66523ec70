"""A peer as the benchmarks drive it: servers, workers and one client, each a process of its own, and what they traced.

Every peer does the same work, three steps per run, each kept before the next; what it calls a run is its own affair. Its client
reads lines of JSON on standard input, `{"first": 0, "count": 100, "sleep": 0}`, submits the runs with those keys as fast as the
peer takes them (each sleeping so many seconds between its first and second step) and answers when the first submission
began, `{"began": NANOSECONDS}`. All else is read from the traces.
"""

import json
import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from figures import say

from peers.tracing import Trace

HERE = Path(__file__).parent
READY_SECONDS = 60.0
WORK_SECONDS = 300.0
PAUSE_SECONDS = 0.005
Command = Sequence[str | Path]


class NotInstalled(Exception):
    """What this peer needs is not on this machine; the text says what and how to get it."""


@dataclass(frozen=True)
class Recovered:
    """After a kill in the middle: seconds from the restart until the last acknowledged run had ended, runs that had not when
    the wait was given up, steps that were performed again, and the runs acknowledged."""

    seconds: float
    lost: int
    repeated: int
    acknowledged: int


class Peer(ABC):
    """One way to run one peer."""

    name: ClassVar[str]
    runs = 1_000
    """How many runs a round of throughput has: about five seconds' worth."""
    sleepers = 10_000
    recovery_seconds = 150.0
    """How long after a kill the runs are waited for."""
    does: ClassVar[frozenset[str]] = frozenset({"runs", "latency", "timers", "crash"})
    """The benchmarks this way is run in."""

    def __init__(self, folder: Path, store: str, mode: str = "") -> None:
        self.folder, self.store, self.mode = folder, store, mode
        self.trace = Trace(folder)
        self._next_key = 0
        self._client: subprocess.Popen[str] | None = None
        self._workers: list[subprocess.Popen[str]] = []
        self.servers = ExitStack()

    @property
    def label(self) -> str:
        """As a figure names it."""
        return f"{self.name} {self.version()}" + (f" ({self.mode})" if self.mode else "")

    # --- what each peer says ----------------------------------------------------------------------------------------------

    @abstractmethod
    def version(self) -> str:
        """The release that is installed.

        Raises:
            NotInstalled: there is none.
        """

    @abstractmethod
    def client_command(self) -> Command:
        """How its client is started."""

    def worker_commands(self) -> list[Command]:
        """How its workers are started; none when the client is the worker (embedded)."""
        return []

    def start_servers(self) -> None:  # noqa: B027 - an embedded peer has none
        """Start what is not killed with the workers."""

    def workers_started(self) -> None:  # noqa: B027 - most need nothing
        """Do what has to be done each time the workers were started."""

    def environment(self) -> dict[str, str]:
        """What its programs find in their environment besides ours."""
        return {}

    # --- life -------------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        say(f"{self.label} on {self.store}: starting")
        try:
            self.start_servers()
            self.start_workers()
            self.submit_and_wait(20, READY_SECONDS)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill_workers()
        self.servers.close()

    def start_workers(self) -> None:
        """Start the workers and the client."""
        self._workers += [self.spawn(command) for command in self.worker_commands()]
        self.workers_started()
        if self._client is None:
            self._client = self.spawn(self.client_command(), is_client=True)

    def kill_workers(self) -> None:
        """SIGKILL for workers and client."""
        for process in [*self._workers, *filter(None, [self._client])]:
            end(process, signal.SIGKILL)
        self._workers, self._client = [], None

    def spawn(self, command: Command, *, is_client: bool = False) -> "subprocess.Popen[str]":
        """Start one of its programs in a process group of its own, its output in a file."""
        with (self.folder / "output.log").open("a") as log:
            return subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.PIPE if is_client else subprocess.DEVNULL,
                stdout=subprocess.PIPE if is_client else log,
                stderr=log,
                text=True,
                cwd=self.folder,
                env={**os.environ, **self.environment(), "UPSHOT_BENCH_TRACE": str(self.folder)},
                start_new_session=True,
            )

    def serve(self, command: Command) -> "subprocess.Popen[str]":
        """Start a server that is stopped at the end."""
        server = self.spawn(command)
        self.servers.callback(end, server, signal.SIGTERM)
        return server

    def run_once(self, command: Command) -> None:
        """Run one of its programs to its end.

        Raises:
            SystemExit: it failed.
        """
        process = self.spawn(command)
        if process.wait(READY_SECONDS) != 0:
            raise SystemExit(f"{self.label}: {command[-1]} failed:\n{self.last_words()}")

    # --- work -------------------------------------------------------------------------------------------------------------

    def ask(self, count: int, sleep: float = 0.0) -> list[str]:
        """Have so many new runs submitted, without waiting for the answer; their keys."""
        assert self._client is not None  # it runs from entry to exit
        assert self._client.stdin is not None
        first, self._next_key = self._next_key, self._next_key + count
        self._client.stdin.write(json.dumps({"first": first, "count": count, "sleep": sleep}) + "\n")
        self._client.stdin.flush()
        return [str(key) for key in range(first, first + count)]

    def answer(self) -> int:
        """When the submission that was asked for began (nanoseconds); returns when all of it is acknowledged."""
        assert self._client is not None  # as above
        assert self._client.stdout is not None
        line = self._client.stdout.readline()
        if not line:
            raise SystemExit(f"the client of {self.label} ended:\n{self.last_words()}")
        answer: dict[str, Any] = json.loads(line)
        return answer["began"]

    def submit_and_wait(self, count: int, seconds: float = WORK_SECONDS, sleep: float = 0.0) -> tuple[int, list[str]]:
        """Have so many runs done; when their submission began, and their keys."""
        keys = self.ask(count, sleep)
        began = self.answer()
        last = self.trace.times["3"]
        if not self.trace.wait(lambda: all(key in last for key in keys), seconds):
            ended = sum(key in last for key in keys)
            raise SystemExit(f"{self.label}: {ended} of {count} runs ended in {seconds:.0f} s:\n{self.last_words()}")
        return began, keys

    def last_words(self) -> str:
        """The end of what its programs said."""
        log = self.folder / "output.log"
        return log.read_text()[-3_000:] if log.exists() else ""

    # --- figures ----------------------------------------------------------------------------------------------------------

    def runs_per_second(self, count: int) -> float:
        """From the first submission to the body of the last third step."""
        began, keys = self.submit_and_wait(count)
        ended = max(self.trace.times["3"][key][0] for key in keys)
        return count / ((ended - began) / 1e9)

    def latency(self, count: int, warm_up: int) -> tuple[list[float], list[float]]:
        """Milliseconds from a submission to the body of the first and of the third step, one run at a time."""
        to_first: list[float] = []
        to_third: list[float] = []
        for number in range(warm_up + count):
            began, (key,) = self.submit_and_wait(1)
            if number >= warm_up:
                to_first.append((self.trace.times["1"][key][0] - began) / 1e6)
                to_third.append((self.trace.times["3"][key][0] - began) / 1e6)
            time.sleep(PAUSE_SECONDS)
        return to_first, to_third

    def lateness(self, count: int, sleep: float) -> list[float]:
        """By how many milliseconds so many runs woke late that slept so many seconds."""
        _, keys = self.submit_and_wait(count, sleep=sleep)
        slept, woke = self.trace.times["s"], self.trace.times["2"]
        return [(woke[key][0] - slept[key][0]) / 1e6 - sleep * 1e3 for key in keys]

    def recovery(self, count: int, seconds: float) -> Recovered:
        """Kill workers and client when two of five of so many runs have ended, start them again at once, and wait."""
        keys = self.ask(count)
        times = self.trace.times
        ended_before = len(times["3"])
        if not self.trace.wait(lambda: len(times["3"]) >= ended_before + count * 2 // 5, WORK_SECONDS):
            raise SystemExit(f"{self.label} did not come to two of five runs:\n{self.last_words()}")
        self.kill_workers()
        self.trace.read()
        acknowledged = [key for key in keys if key in times["a"]]
        restarted = time.monotonic_ns()
        self.start_workers()
        self.trace.wait(lambda: all(key in times["3"] for key in acknowledged), seconds, every=0.02)
        lost = [key for key in acknowledged if key not in times["3"]]
        ended = max(max(moments) for moments in times["3"].values())
        taken = seconds if lost else max(ended - restarted, 0) / 1e9
        repeated = sum(len(times[step].get(key, [])) > 1 for step in "123" for key in keys)
        return Recovered(taken, len(lost), repeated, len(acknowledged))


def program(name: str, *arguments: str | Path) -> Command:
    """One of the peers' Python programs, in the environment that the benchmarks run in."""
    return [sys.executable, HERE / name, *arguments]


def end(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    """Send the signal to the whole process group and wait until its first process is gone."""
    try:
        os.killpg(process.pid, number)
        process.wait(20)
    except ProcessLookupError:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)
