"""The disk is full: nothing is acknowledged that is not there, the engine lives, and goes on by itself once there is space."""

import contextlib
import ctypes
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.crash.ledgers import Look, accepted, check_end, check_now
from tests.crash.load import Work, prepare
from tests.crash.preloads import compiled
from tests.crash.processes import Engine, Processes

DISK_BYTES = 8 * 1024 * 1024
LEFT_BYTES = 200_000
REFUSALS = 3


@contextmanager
def small_disk(folder: Path, size: int = DISK_BYTES) -> Iterator[bool]:
    """The folder is a disk of its own; False when this process may not mount one."""
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"size={size}".encode()
    is_mounted = libc.mount(b"tmpfs", str(folder).encode(), b"tmpfs", 0, options) == 0
    try:
        yield is_mounted
    finally:
        if is_mounted:
            libc.umount2(str(folder).encode(), 2)  # even if something is still open there


class Space:
    """Room for the database that can be taken away and given back: a small disk, or a limit to the size of files."""

    def __init__(self, disk: Path | None, engine: Engine) -> None:
        self._filler = disk / "filler" if disk else None
        self._engine = engine

    def take(self) -> None:
        """Almost none is left."""
        if self._filler is None:
            files = Path(self._engine.work.url.removeprefix("sqlite:///")).parent.glob("upshot.db*")
            largest = max(path.stat().st_size for path in files)
            self._limit(largest + LEFT_BYTES)
            return
        free = shutil.disk_usage(self._filler.parent).free
        with contextlib.suppress(OSError):  # the engine may have taken the rest meanwhile
            self._filler.write_bytes(bytes(max(free - LEFT_BYTES, 0)))

    def give_back(self) -> None:
        """There is space again."""
        if self._filler is None:
            self._limit(resource.RLIM_INFINITY)
        else:
            self._filler.unlink()

    def _limit(self, size: int) -> None:
        resource.prlimit(self._engine.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.mark.parametrize("how", ["a full disk", "a limit to the size of files"])
def test_a_full_disk_loses_nothing_and_the_engine_goes_on_by_itself(
    tmp_path: Path, processes: Processes, how: str
) -> None:
    """Where no disk can be mounted (not root), both are tested by the limit."""
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk) as is_mounted:
        use_disk = is_mounted and how == "a full disk"
        work = Work(url=f"sqlite:///{disk}/upshot.db", folder=str(tmp_path))
        prepare(work)
        look = Look(work.url)
        engine = processes.start(work.but(events=-1))
        space = Space(disk if use_disk else None, engine)
        engine.until(lambda: len(accepted(tmp_path)) > 40, "events are accepted")
        space.take()
        engine.until(lambda: refusals(engine) >= REFUSALS, "events are refused")
        had = check_now(look, tmp_path)
        assert look.rows("PRAGMA integrity_check") == [{"integrity_check": "ok"}]
        assert had.runs
        look.close()  # what it read is not held while the engine goes on

        space.give_back()
        before = len(accepted(tmp_path))
        engine.until(lambda: len(accepted(tmp_path)) >= before + 40, "events are accepted again")
        engine.stop()
        last = processes.start(work.but(name="last"))
        last.until(look.is_over, "all is over")
        last.stop()
        check_end(look, tmp_path)
        look.close()


def refusals(engine: Engine) -> int:
    return sum(line.startswith("refused") for line in engine.said())


def test_a_disk_that_fails_to_sync_acknowledges_nothing(
    embedded: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    """What was written before is never taken as synced later: the connection is closed, and the log read again."""
    failing = tmp_path / "failing"
    environment = {"LD_PRELOAD": str(compiled("failing_sync", tmp_path)), "UPSHOT_FAIL_SYNC": str(failing)}
    engine = processes.execute(embedded.but(events=-1), environment)
    engine.until(lambda: len(accepted(tmp_path)) > 40, "events are accepted")
    failing.touch()
    engine.until(lambda: refusals(engine) >= REFUSALS, "events are refused")
    before = len(accepted(tmp_path))
    more = refusals(engine) + REFUSALS
    engine.until(lambda: refusals(engine) >= more, "events are refused all the time")
    assert len(accepted(tmp_path)) == before
    check_now(look, tmp_path)
    failing.unlink()
    engine.until(lambda: len(accepted(tmp_path)) >= before + 40, "events are accepted again")
    engine.stop()
    last = processes.start(embedded.but(name="last"))
    last.until(look.is_over, "all is over")
    last.stop()
    check_end(look, tmp_path)
