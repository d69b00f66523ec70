"""Chaos: `python -m tests.crash --seconds 1800 --seed 7`. Random kills on both databases (at least a thousand), PostgreSQL
killed under load, storms, then the simulator for the rest of the time. Prints the seed first and what is done all along.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.crash.random_kills import kill_often
from tests.crash.server_kills import kill_the_server
from tests.crash.storms import storm
from tests.stores import STORES

KILLS_MIN = 1_000
KILLS_A_ROUND = 50
SIMULATED_SHARE = 4
"""One part in so many of the time is the simulator's."""


class Chaos:
    """Rounds of faults until both the time is over and the kills are made."""

    def __init__(self, seed: int, seconds: float) -> None:
        self._chance = random.Random(seed)
        self._began = time.monotonic()
        self._until = self._began + seconds * (SIMULATED_SHARE - 1) / SIMULATED_SHARE
        self._kills = 0

    def run(self) -> None:
        """All rounds. Raises what a round finds broken; its own seed is the last that was told."""
        while self._kills < KILLS_MIN or time.monotonic() < self._until:
            for kind in STORES:
                self._round(
                    f"{KILLS_A_ROUND} kills on {kind}", lambda folder, seed, k=kind: self._kill(k, folder, seed)
                )
            self._round("PostgreSQL is killed under load", kill_the_server)
            for kind in STORES:
                self._round(f"a storm on {kind}", lambda folder, seed, k=kind: storm(k, folder, seed))

    def _kill(self, kind: str, folder: Path, seed: int) -> int:
        def told(kills: int) -> None:
            if kills % 10 == 0:
                self._tell(f"{self._kills + kills} kills")

        events = kill_often(kind, folder, seed, KILLS_A_ROUND, told)
        self._kills += KILLS_A_ROUND
        return events

    def _round(self, name: str, work: Callable[[Path, int], int]) -> None:
        seed = self._chance.randrange(10**9)
        self._tell(f"{name} (round seed {seed})")
        with tempfile.TemporaryDirectory(prefix="upshot-chaos-") as folder:
            events = work(Path(folder), seed)
        self._tell(f"{name}: {events} events, nothing lost, nothing doubled")

    def _tell(self, line: str) -> None:
        print(f"{time.monotonic() - self._began:6.0f} s  {line}", flush=True)


def main() -> int:
    """The exit status: that of the simulator, which comes last."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1_800)
    parser.add_argument("--seed", type=int, help="else one is drawn and printed")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**9)
    print(f"chaos with seed {seed}: make chaos SECONDS={given.seconds:.0f} SEED={seed}", flush=True)
    Chaos(seed, given.seconds).run()
    command = [sys.executable, "-m", "tests.simulation", "--seconds", str(given.seconds / SIMULATED_SHARE)]
    return subprocess.run([*command, "--from", str(seed)], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
