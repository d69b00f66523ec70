"""The wall clock of a process jumps by a day, back and forth: what sleeps wakes once, and no worker is taken for dead."""

import struct
from collections import Counter
from pathlib import Path

import pytest

from tests.crash.ledgers import Look, Provider, check_end
from tests.crash.load import Work, build
from tests.crash.preloads import compiled
from tests.crash.processes import Processes

DAY = 86_400
NAPS = 10


class WallClock:
    """The wall clock of the processes that are started with its environment."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.move(0)
        self.environment = {
            "LD_PRELOAD": str(compiled("clock_shim", folder)),
            "UPSHOT_CLOCK_FILE": str(self._file),
        }

    def move(self, seconds: int) -> None:
        """From now on it is so much before (or behind) the machine's."""
        if not self._file.exists():
            self._file.write_bytes(bytes(8))
        with self._file.open("r+b") as opened:
            opened.write(struct.pack("q", seconds))


def nap(work: Work, first: int, seconds: float) -> None:
    """Events whose runs sleep so long, and then call the provider."""
    upshot = build(work)
    upshot.emit_many(
        [{"id": f"nap-{first + n}", "name": "crash/nap", "data": {"number": seconds}} for n in range(NAPS)]
    )
    upshot.close()


@pytest.mark.timeout(180)
def test_on_sqlite_a_jump_delays_nothing_and_fires_nothing_twice(
    embedded: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    clock, provider = WallClock(tmp_path), Provider(tmp_path)
    engine = processes.execute(embedded, clock.environment)
    engine.wait_for("ready")

    def asleep(number: int) -> bool:
        return look.number("SELECT count(*) FROM upshot_timers") == number

    nap(embedded, 0, 1.0)
    engine.until(lambda: asleep(NAPS) or provider.calls(), "they sleep")
    clock.move(-DAY)
    engine.until(lambda: len(provider.calls()) == NAPS, "they wake though the clock went back a day")

    clock.move(0)
    nap(embedded, NAPS, 0.8 * DAY)
    engine.until(lambda: asleep(NAPS), "they sleep")
    clock.move(DAY)
    engine.until(lambda: len(provider.calls()) == 2 * NAPS, "they wake when the clock says so")

    clock.move(-DAY)
    engine.until(look.is_over, "all is over")
    engine.stop()
    check_end(look, tmp_path)
    assert set(Counter(provider.calls()).values()) == {1}


def test_on_a_fleet_the_servers_clock_counts(fleet: Work, look: Look, processes: Processes, tmp_path: Path) -> None:
    """One worker believes it is tomorrow, then yesterday; the other's clock is right."""
    clock, provider = WallClock(tmp_path), Provider(tmp_path)
    clock.move(600)
    engines = [processes.execute(fleet.but(name="wrong"), clock.environment), processes.start(fleet.but(name="right"))]
    for engine in engines:
        engine.wait_for("ready")

    def number_alive() -> int:
        now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
        return look.number(f"SELECT count(*) FROM upshot_workers WHERE expires_at > ({now})")

    for number, seconds in enumerate((DAY, -DAY)):
        nap(fleet, number * NAPS, 1.0)
        clock.move(seconds)
        engines[0].until(lambda n=number: len(provider.calls()) == (n + 1) * NAPS, "they wake in time")
        assert number_alive() == 2
    engines[0].until(look.is_over, "all is over")
    for engine in engines:
        engine.stop()
        assert "gone" not in engine.log(), "no worker was taken for dead"
    check_end(look, tmp_path)
    assert set(Counter(provider.calls()).values()) == {1}
