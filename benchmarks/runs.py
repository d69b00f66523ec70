"""Durable runs per second: three kept steps, from accept to completed.

N events are given to the engine as fast as it accepts them, in batches of 1,000; each starts a run of three trivial
actions. The clock starts before the first batch is given and stops when the last run's completion is committed. What
was kept is counted in the database afterwards: N completed runs, 3 N steps, or there is no figure.
"""

import time
from pathlib import Path

import figures
import machine
import uvloop
from figures import say, show
from measured_engine import MeasuredEngine, event, run_engine
from options import read_options
from peers import dbos_transact

BATCH = 1_000
WARM_UP = 2_000


async def give(engine: MeasuredEngine, count: int) -> float:
    """Give so many events, wait until all their runs are over; the seconds it took."""
    before = engine.ended
    batches = [
        [event(f"{before + n}") for n in range(start, min(start + BATCH, count))] for start in range(0, count, BATCH)
    ]
    began = time.perf_counter()
    for batch in batches:
        await engine.accept(batch)
    await engine.until_ended(before + count)
    return time.perf_counter() - began


async def measure(folder: Path, count: int, repeats: int) -> float:
    """Our runs per second: the median of the repeats, all in one database that grows."""
    async with run_engine(f"sqlite:///{folder}/runs.db") as engine:
        say(f"upshot on SQLite: warming up with {WARM_UP:,} runs")
        await give(engine, WARM_UP)
        rates: list[float] = []
        for number in range(repeats):
            rates.append(count / await give(engine, count))
            say(f"upshot on SQLite: {count:,} runs at {rates[-1]:,.0f} runs/s ({number + 1} of {repeats})")
        engine.check_kept(runs=WARM_UP + count * repeats)
    return figures.percentile(rates, 0.5)


def main() -> None:
    """Measure us, then the peers, in the same run."""
    options = read_options(__doc__, peers=("dbos",))
    with machine.fresh_folder() as folder:
        show("disk: synced 4 KiB appends", machine.syncs_per_second(folder), "1/s", store="none")
        ours = uvloop.run(measure(folder, 5_000 if options.is_quick else 20_000, repeats=1 if options.is_quick else 3))
        show("three-step runs", ours, "runs/s")
        if "dbos" in options.peers:
            count, modes_max = (300, 2) if options.is_quick else (2_000, 3)  # the third mode was the slowest everywhere
            for modes in (dbos_transact.SQLITE_MODES, dbos_transact.POSTGRES_MODES):
                show_best(dbos_transact.measure("runs", modes[:modes_max], folder, count), ours)


def show_best(measured: list[dbos_transact.Measured], ours: float) -> None:
    """Print the peer's best mode and what each of them gave."""
    for one in measured:
        say(f"{one.peer} on {one.mode.store}: {one.answer['runs_per_second']:.0f} runs/s")
    best = max(measured, key=lambda one: one.answer["runs_per_second"])
    theirs = best.answer["runs_per_second"]
    show("three-step runs", theirs, "runs/s", store=best.mode.store, peer=best.peer, ratio=ours / theirs)


if __name__ == "__main__":
    main()
