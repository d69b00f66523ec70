"""Latency on an idle system: one event at a time, from the call that gives it.

To the moment its first action begins, and to the commit of the third step, which completes the run (what a live page is
told). The next event is given 5 ms after the last one's run is over.
"""

import asyncio
import time
from pathlib import Path

import machine
import uvloop
from figures import say, show, show_spread
from measured_engine import TENANT, event, run_engine
from options import read_options
from peers import dbos_transact

WARM_UP = 200
PAUSE_SECONDS = 0.005


async def measure(folder: Path, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds to the first action and to completed, of each event."""
    async with run_engine(f"sqlite:///{folder}/latency.db") as engine:
        changes = engine.upshot.engine.process.changes.subscribe(TENANT)
        to_first: list[float] = []
        to_completed: list[float] = []
        for number in range(WARM_UP + count):
            key = str(number)
            given = time.perf_counter()
            accepting = asyncio.ensure_future(engine.accept([event(key)]))
            while (change := await changes.get())["kind"] != "run" or change["status"] != "completed":
                pass
            completed = time.perf_counter()
            await accepting
            if number >= WARM_UP:
                to_first.append(1_000 * (engine.first_began[key] - given))
                to_completed.append(1_000 * (completed - given))
            await asyncio.sleep(PAUSE_SECONDS)
        engine.check_kept(runs=WARM_UP + count)
    return to_first, to_completed


def show_peer(folder: Path, count: int) -> None:
    """Print the same figures of DBOS in its fastest mode on each store."""
    for modes in (dbos_transact.SQLITE_MODES[:1], dbos_transact.POSTGRES_MODES[:1]):
        for one in dbos_transact.measure("latency", modes, folder, count):
            for figure, key in (("accept to first action", "first"), ("accept to completed", "last")):
                for name, seconds in one.answer[key].items():
                    show(f"{figure} {name}", 1_000 * seconds, "ms", store=one.mode.store, peer=one.peer)


def main() -> None:
    """Measure us, then the peers."""
    options = read_options(__doc__, peers=("dbos",))
    count = 300
    with machine.fresh_folder() as folder:
        say(f"upshot on SQLite, idle: {WARM_UP} events to warm up, {count} measured")
        to_first, to_completed = uvloop.run(measure(folder, count))
        show_spread("accept to first action", to_first, "ms")
        show_spread("accept to completed", to_completed, "ms")
        if "dbos" in options.peers:
            show_peer(folder, count)


if __name__ == "__main__":
    main()
