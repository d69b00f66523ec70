"""A table of five million finished runs: what it slows down.

Throughput, idle latency, timers and start-up are measured on a new store, then it is filled with copies of a finished run (by
`filling.py`: an event, a run and three steps each), then they are measured again in the same store. Each figure is the later
value to the earlier, above 1 when it became worse. Without --long there are 100,000, which takes a minute; with it five
million, which takes many minutes and about 10 GB of disk a store.
"""

from dataclasses import dataclass
from pathlib import Path

import machine
import sqlalchemy
import uvloop
from figures import percentile, say, show
from filling import copy_run
from latency import one_at_a_time
from measured_engine import automation, prepare, run_engine
from options import read_options
from runs import WARM_UP, give
from stores import fresh_store
from timers import DELAY, wake_after_restart, wake_many

from upshot import Upshot

SLEEPERS = "sleepers"
GOAL_TIMES = 1.1


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    history: int
    runs: int
    repeats: int
    singles: int
    sleepers: int


Figures = dict[tuple[str, str], float]
"""Value by name and unit."""


async def measure(url: str, sizes: Sizes) -> Figures:
    """What may not become slower."""
    async with run_engine(url) as engine:
        prepare(engine.upshot, automation(delay=DELAY), tenant=SLEEPERS)
        await give(engine, WARM_UP)
        seconds = [await give(engine, sizes.runs) for _ in range(sizes.repeats)]
        to_first, to_third = await one_at_a_time(engine, sizes.singles)
        lateness = await wake_many(engine, sizes.sleepers, 1.0, SLEEPERS)
    return {
        (f"{sizes.runs:,} three-step runs", "s"): percentile(seconds, 0.5),
        ("accept to first action p50", "ms"): percentile(to_first, 0.5),
        ("accept to third step kept p50", "ms"): percentile(to_third, 0.5),
        ("accept to third step kept p99", "ms"): percentile(to_third, 0.99),
        (f"wake lateness, {sizes.sleepers:,} in one second p99", "ms"): percentile(lateness, 0.99),
    }


def measure_all(url: str, sizes: Sizes) -> Figures:
    """The same, and how long a start takes (the median of three)."""
    found = uvloop.run(measure(url, sizes))
    found["start", "s"] = percentile([wake_after_restart(url, 0)[0] for _ in range(3)], 0.5)
    return found


def fill(url: str, count: int) -> None:
    """Copy a run that was completed."""
    upshot = Upshot(url)
    query = "SELECT id FROM upshot_runs WHERE tenant_id = 'default' AND status = 'completed' LIMIT 1"
    with upshot.database.reading() as connection:
        run_id = connection.execute(sqlalchemy.text(query)).scalar_one()
    copy_run(upshot, run_id, count)
    upshot.close()


def compare(store: str, folder: Path, sizes: Sizes) -> None:
    """Print what one store shows."""
    with fresh_store(store, folder) as url:
        say(f"{store}: without history")
        before = measure_all(url, sizes)
        say(f"{store}: {sizes.history:,} finished runs are being made")
        fill(url, sizes.history)
        say(f"{store}: with {sizes.history:,} finished runs")
        after = measure_all(url, sizes)
    for (name, unit), value in after.items():
        earlier = before[name, unit]
        show(f"{name}, without history", earlier, unit, store=store)
        show(f"{name}, with {sizes.history:,} finished runs", value, unit, store=store)
        show(f"{name}: with history to without", value / earlier, "x", store=store, at_most=GOAL_TIMES)


def main() -> None:
    """Measure each store."""
    options = read_options(__doc__, long=True)
    history = 5_000_000 if options.is_long else 100_000
    sizes = Sizes(history, 20_000, 5, 300, 10_000)
    if options.is_quick:
        sizes = Sizes(20_000, 3_000, 3, 100, 1_000)
    with machine.fresh_folder() as folder:
        for store in options.stores:
            compare(store, folder, sizes)


if __name__ == "__main__":
    main()
