"""What is kept, in bytes, and what it costs to give it up.

N events with ids of their own are given to the engine; each starts a run of three trivial actions. The file is measured
before, then, and after `prune` has removed all that is over, with what only the ids take. While it prunes, one event after
another is given to the same engine, so that its price for others is seen: the time from giving to kept, beside the same in
quiet. Nothing is counted as removed that is not gone.
"""

import asyncio
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import figures
import machine
import uvloop
from figures import say, show
from measured_engine import MeasuredEngine, event, run_engine
from options import read_options

BATCH = 1_000
QUIET = "no/automation.listens"
QUIET_SAMPLES = 300


async def size(engine: MeasuredEngine) -> int:
    """The bytes of the file that are in use."""
    found = await engine.upshot.engine.prune.size()
    if found is None:
        raise SystemExit("only a file's size is measured")
    return (found.total - found.free) * found.page_bytes


async def give(engine: MeasuredEngine, count: int) -> None:
    """Give so many events and wait until all their runs are over."""
    for start in range(0, count, BATCH):
        batch = [{**event(f"{n}"), "id": str(uuid.uuid4())} for n in range(start, min(start + BATCH, count))]
        await engine.accept(batch)
    await engine.until_ended(count)


async def sample(engine: MeasuredEngine, samples: list[float], until: Any) -> None:
    """Give one event after another, noting the milliseconds each took to be kept, while `until(number)` says so."""
    while until(len(samples)):
        began = time.perf_counter()
        await engine.accept([{"name": QUIET, "data": {}}])
        samples.append((time.perf_counter() - began) * 1_000)
        await asyncio.sleep(0.005)


async def measure(folder: Path, count: int) -> None:
    """Print every figure."""
    async with run_engine(f"sqlite:///{folder}/retention.db") as engine:
        empty = await size(engine)
        say(f"upshot on SQLite: {count:,} runs")
        await give(engine, count)
        full = await size(engine)
        show("bytes kept per event and its three-step run", (full - empty) / count, "B")
        quiet: list[float] = []
        await sample(engine, quiet, lambda number: number < QUIET_SAMPLES)

        say("upshot on SQLite: pruning them all")
        beside: list[float] = []
        pruning = asyncio.create_task(asyncio.to_thread(prune, engine))
        await sample(engine, beside, lambda _: not pruning.done())
        told, seconds = await pruning
        left = await size(engine)
        removed = {name: rows for tenant in told["tenants"] for name, rows in tenant["removed"].items()}
        if removed.get("runs") != count or engine.count("SELECT count(*) FROM upshot_runs") != 0:
            raise SystemExit(f"{removed} of {count} runs were removed: the figures are worthless.")
        show("bytes left per remembered event id", (left - empty) / count, "B")
        show("file after pruning, of its size before", 100 * told["bytes"]["after"] / told["bytes"]["before"], "%")
        show("runs pruned with their events and steps", count / seconds, "runs/s")
        for name, values in (("quiet", quiet), ("while pruning", beside)):
            figures.show_spread(f"one event kept, {name}", values, "ms")


def prune(engine: MeasuredEngine) -> tuple[dict[str, Any], float]:
    """Prune everything that is over; what was told, and the seconds it took."""
    began = time.perf_counter()
    told = engine.upshot.retention.prune(older_than=timedelta(microseconds=1))
    return told, time.perf_counter() - began


def main() -> None:
    """Measure us; no peer keeps and forgets the same things."""
    options = read_options(__doc__, stores=("sqlite",))
    with machine.fresh_folder() as folder:
        uvloop.run(measure(folder, 3_000 if options.is_quick else 20_000))


if __name__ == "__main__":
    main()
