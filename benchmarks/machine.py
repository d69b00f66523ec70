"""The machine as the benchmarks find it: where their files lie, its memory accounts, and how fast its parts are."""

import json
import os
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

SAMPLE_SECONDS = 0.05


@contextmanager
def fresh_folder() -> Generator[Path]:
    """A new folder on a real disk (memory file systems make a sync free and a figure worthless), removed at the end.

    `UPSHOT_BENCH_FOLDER` names another place for it.
    """
    above = os.environ.get("UPSHOT_BENCH_FOLDER") or ("/var/tmp" if Path("/var/tmp").is_dir() else None)
    folder = Path(tempfile.mkdtemp(prefix="upshot-bench-", dir=above))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def memory_mb() -> float:
    """The memory of this process in MB: its proportional set size on Linux, else the peak of its resident set."""
    rollup = Path("/proc/self/smaps_rollup")
    if rollup.exists():
        for line in rollup.read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class PeakMemory:
    """Notes the highest resident set of this process, in MB, looked at twenty times a second until `stop` (Linux)."""

    def __init__(self) -> None:
        self.mb = self._now()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """The peak."""
        self._ended.set()
        self._thread.join()
        return self.mb

    def _look(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self.mb = max(self.mb, self._now())

    @staticmethod
    def _now() -> float:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1_048_576


def busy_cores(seconds: float = 1.0) -> float:
    """How many cores are at work for others while this process rests (0 where that cannot be seen)."""
    if not Path("/proc/stat").exists():
        return 0.0
    before = _busy_ticks()
    time.sleep(seconds)
    return (_busy_ticks() - before) / os.sysconf("SC_CLK_TCK") / seconds


def _busy_ticks() -> int:
    user, nice, system, _idle, _wait, irq, soft = map(int, Path("/proc/stat").read_text().split()[1:8])
    return user + nice + system + irq + soft


def syncs_per_second(folder: Path, seconds: float = 1.0) -> float:
    """How many appends of 4 KiB, each synced, the disk takes in a second: the ceiling of whoever syncs each commit."""
    path = folder / "syncs"
    block = os.urandom(4096)
    count = 0
    with path.open("wb", buffering=0) as file:
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            file.write(block)
            os.fdatasync(file.fileno())
            count += 1
    path.unlink()
    return count / seconds


def json_per_second(seconds: float = 1.0) -> float:
    """How often one core writes and reads a JSON document of some 30 kB with the standard library in a second."""
    document = [{"number": number, "text": "x" * 10} for number in range(1_000)]
    return _times_in(seconds, lambda: json.loads(json.dumps(document)))


def look_up_ns(seconds: float = 1.0) -> float:
    """Nanoseconds for one look-up among a million keys, in no order: how long the memory lets the interpreter wait."""
    kept = {number: str(number) for number in range(1_000_000)}
    keys = random.Random(0).choices(range(1_000_000), k=100_000)
    return 1e9 / (len(keys) * _times_in(seconds, lambda: [kept[key] for key in keys]))


def hand_over_us(seconds: float = 1.0) -> float:
    """Microseconds until a thread goes on that waits for another one, on an otherwise idle machine."""
    there, back = os.pipe(), os.pipe()

    def answer() -> None:
        while os.read(there[0], 1):
            os.write(back[1], b".")

    def ask() -> None:
        os.write(there[1], b".")
        os.read(back[0], 1)

    thread = threading.Thread(target=answer)
    thread.start()
    rate = _times_in(seconds, ask)
    os.close(there[1])
    thread.join()
    for end in (there[0], *back):
        os.close(end)
    return 1e6 / (2 * rate)


def _times_in(seconds: float, work: Callable[[], object]) -> float:
    """How often this is done in a second."""
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        work()
        count += 1
    return count / (time.perf_counter() - began)
