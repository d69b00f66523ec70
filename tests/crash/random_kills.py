"""kill -9 at moments that nobody chose, again and again, of engines that accept and drive events all the time."""

import random
from collections.abc import Callable
from pathlib import Path

from tests.crash.databases import prepared
from tests.crash.ledgers import Kept, Look, accepted, check_end, check_now
from tests.crash.load import Work
from tests.crash.processes import Engine, Processes, until

PROGRESS_BYTES_MAX = 8_000
"""An engine dies when the ledgers have grown by up to so much since it started: a few hundred lines."""
NUMBERS = 10_000_000
"""The events of each worker are numbered from a multiple of this."""
LOOK_EVERY = 10


def kill_often(kind: str, folder: Path, seed: int, kills: int, told: Callable[[int], None] = lambda _: None) -> int:
    """Kill engines on a new database so often, let others end what was begun, and compare the ledgers; how many events
    there were. On PostgreSQL two workers run at a time. `told` hears of each kill."""
    chance = random.Random(seed)
    with prepared(kind, folder) as url, Processes() as processes:
        look = Look(url)
        slots: list[Engine] = [
            processes.start(_work(url, folder, slot, 0)) for slot in range(1 if kind == "sqlite" else 2)
        ]
        kept: list[Kept] = []
        for number in range(1, kills + 1):
            slot = chance.randrange(len(slots))
            enough = _grown(folder) + chance.randrange(PROGRESS_BYTES_MAX)
            until(lambda enough=enough: _grown(folder) >= enough, "work is done", 120)
            slots[slot].kill()
            kept.append(Kept(look, folder))
            if number % LOOK_EVERY == 0:
                check_now(look, folder)
            slots[slot] = processes.start(_work(url, folder, slot, number))
            told(number)
        for engine in slots:
            engine.wait_for("ready")
            engine.stop()
        last = processes.start(Work(url=url, folder=str(folder), name="last", lease_seconds=0.5))
        last.until(look.is_over, "all is over", 120)
        last.stop()
        for earlier in kept:
            earlier.raise_if_called_again()
        snapshot = check_end(look, folder)
        look.close()
    return len(snapshot.events)


def _work(url: str, folder: Path, slot: int, killed: int) -> Work:
    """Go on where the ledger of acknowledged events ends: what was accepted and never acknowledged is given again."""
    numbers = [int(one.removeprefix("event-")) for one in accepted(folder) if one.startswith("event-")]
    mine = [number for number in numbers if number // NUMBERS == slot]
    return Work(
        url=url,
        folder=str(folder),
        name=f"worker-{slot}",
        first=max(mine, default=slot * NUMBERS - 1) + 1,
        events=-1,
        host_rows=0 if slot else 3 * (killed + 1),
        lease_seconds=0.5,
    )


def _grown(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "accepted", folder / "provider") if path.exists())
