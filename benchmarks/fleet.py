"""Worker processes as a deployment starts them: `upshot worker --app ...`, each ready before the measurement begins."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
STOP_SECONDS = 20.0


@contextmanager
def workers(url: str, number: int, trace: Path | None = None) -> "Generator[list[subprocess.Popen[str]]]":
    """So many workers on this database, stopped in order at the end. With `trace` their actions trace into that folder."""
    processes: list[subprocess.Popen[str]] = []
    try:
        processes.extend(start_worker(url, trace) for _ in range(number))
        for process in processes:
            wait_until_ready(process)
        yield processes
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def start_worker(url: str, trace: Path | None = None) -> "subprocess.Popen[str]":
    """Start one."""
    command = [sys.executable, "-m", "upshot.cli", "worker", "--app", "worker_app:upshot", "--json"]
    environment = {**os.environ, "UPSHOT_DATABASE_URL": url, "UPSHOT_SECRET_KEY": "the-key-of-a-benchmark"}
    if trace is not None:
        environment["UPSHOT_BENCH_TRACE"] = str(trace)
    return subprocess.Popen(command, cwd=HERE, env=environment, stdout=subprocess.PIPE, text=True)


def wait_until_ready(process: "subprocess.Popen[str]") -> None:
    """Return when it says that its engine runs. Ends this process when it ended instead."""
    assert process.stdout is not None  # it is a pipe, as asked for above
    if not process.stdout.readline():
        raise SystemExit("a worker did not start; what it said is above")
