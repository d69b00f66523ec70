"""Durable runs per second: three kept steps, from accept to completed.

N events are given to the engine as fast as it accepts them, in batches of 1,000; each starts a run of three trivial
actions. The clock starts before the first batch is given and stops when the last run's completion is committed. What
was kept is counted in the database afterwards: N completed runs, 3 N steps, or there is no figure. With `--workers` the
same on PostgreSQL with so many processes of `upshot worker`, the events being given by another process without an engine.

A peer's clock stops when the body of its last third step was entered, a little before that step is kept.
"""

import asyncio
import time
from pathlib import Path

import figures
import machine
import uvloop
from figures import say, show
from fleet import workers
from measured_engine import UNFINISHED, MeasuredEngine, event, prepare, run_engine
from options import Options, read_options
from peers import ways
from peers.peer import NotInstalled
from stores import fresh_store

from upshot import Upshot
from upshot.cli.server import tune

BATCH = 1_000
WARM_UP = 2_000
GOALS = {"sqlite": 6_000, "postgres": 3_000}
FIGURE = "three-step runs"


def batches(first: int, number: int) -> list[list[dict[str, object]]]:
    """So many events in batches."""
    ends = range(first, first + number, BATCH)
    return [[event(str(n)) for n in range(start, min(start + BATCH, first + number))] for start in ends]


async def give(engine: MeasuredEngine, number: int) -> float:
    """Give so many events, wait until all their runs are over; the seconds it took."""
    before = engine.ended
    made = batches(before, number)
    began = time.perf_counter()
    for batch in made:
        await engine.accept(batch)
    await engine.until_ended(before + number)
    return time.perf_counter() - began


async def measure(url: str, store: str, number: int, repeats: int) -> float:
    """Our runs per second: the median of the repeats, all in one database that grows."""
    async with run_engine(url) as engine:
        say(f"upshot on {store}: warming up with {WARM_UP:,} runs")
        await give(engine, WARM_UP)
        rates: list[float] = []
        for turn in range(repeats):
            rates.append(number / await give(engine, number))
            say(f"upshot on {store}: {number:,} runs at {rates[-1]:,.0f} runs/s ({turn + 1} of {repeats})")
        engine.check_kept(runs=WARM_UP + number * repeats)
    return figures.percentile(rates, 0.5)


async def measure_workers(url: str, processes: int, number: int, repeats: int) -> float:
    """Runs per second of so many worker processes; the median of the repeats."""
    tune()
    upshot = Upshot(url)
    client = MeasuredEngine(upshot)
    prepare(upshot)
    given, rates = 0, list[float]()
    with workers(url, processes):
        for size in (WARM_UP, *[number] * repeats):
            made = batches(given, size)
            given += size
            began = time.perf_counter()
            for batch in made:
                await client.accept(batch)
            while client.count(UNFINISHED):  # noqa: ASYNC110 - the workers are other processes; the store says it
                await asyncio.sleep(0.01)
            rates.append(size / (time.perf_counter() - began))
            say(f"{processes} workers on postgres: {size:,} runs at {rates[-1]:,.0f} runs/s")
    client.check_kept(runs=given)
    upshot.close()
    return figures.percentile(rates[1:], 0.5)


def measure_peers(options: Options, folder: Path, ours: float) -> None:
    """Print each way of each peer."""
    repeats = 1 if options.is_quick else 3
    for peer in options.peers:
        for way in ways(peer, "runs", folder):
            number = way.runs // 5 if options.is_quick else way.runs
            try:
                with way:
                    way.submit_and_wait(number // 5)
                    theirs = figures.percentile([way.runs_per_second(number) for _ in range(repeats)], 0.5)
            except NotInstalled as error:
                say(f"{peer} is left out: {error}")
                continue
            show(FIGURE, theirs, "runs/s", store=way.store, peer=way.label, ratio=ours / theirs)


def show_machine(folder: Path) -> None:
    """Print how fast the parts of this machine are, by which figures of two machines may be compared."""
    show("machine: synced 4 KiB appends", machine.syncs_per_second(folder), "1/s", store="none")
    show("machine: JSON of 30 kB written and read", machine.json_per_second(), "1/s", store="none")
    show("machine: a look-up among a million keys", machine.look_up_ns(), "ns", store="none")
    show("machine: one thread wakes another", machine.hand_over_us(), "us", store="none")


def main() -> None:
    """Measure us, then the peers, in the same run. A peer's ratio is against the slower of our stores that were measured."""
    options = read_options(__doc__, peers=True, workers=True)
    number, repeats = (5_000, 1) if options.is_quick else (20_000, 3)
    ours: list[float] = []
    with machine.fresh_folder() as folder:
        show_machine(folder)
        for store in options.stores:
            with fresh_store(store, folder) as url:
                ours.append(uvloop.run(measure(url, store, number, repeats)))
            show(FIGURE, ours[-1], "runs/s", store=store, at_least=GOALS[store])
        single = 0.0
        for processes in options.workers:
            with fresh_store("postgres", folder, f"workers-{processes}") as url:
                rate = uvloop.run(measure_workers(url, processes, number, repeats))
            single = single or rate
            name = f"{FIGURE}, {processes} worker process{'es' if processes > 1 else ''}"
            show(name, rate, "runs/s", store="postgres")
            show(f"{name}: the gain", rate / single, "x", store="postgres")
        measure_peers(options, folder, min(ours))


if __name__ == "__main__":
    main()
