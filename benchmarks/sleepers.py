"""A million sleeping runs: how soon an engine starts over them, their cost in memory, how late 1,000 due in one second wake.

The store is filled by `filling.py` with copies of a run that the engine brought to sleep; then a new process is started on it.
Without --long there are 50,000, which takes some seconds; with it a million, which takes some minutes a store.
"""

from pathlib import Path

import machine
import sqlalchemy
import uvloop
from figures import say, show, show_spread
from filling import copy_run
from measured_engine import MeasuredEngine, automation, event, in_seconds, run_engine
from options import read_options
from stores import fresh_store
from timers import DELAY, wake_after_restart

from upshot import Upshot

SOON = 1_000
SOON_APART = 1_000
SOON_FROM_NOW = 15_000_000
START_GOAL_SECONDS, LATENESS_GOAL_MS = 3.0, 250


async def one_asleep(url: str) -> str:
    """Bring one run to sleep until tomorrow; its id."""
    async with run_engine(url, automation(delay=DELAY)) as engine:
        await engine.accept([event("pattern", remindAt=in_seconds(86_400))])
        await engine.until_asleep(1)
        with engine.upshot.database.reading() as connection:
            return connection.execute(sqlalchemy.text("SELECT run_id FROM upshot_timers")).scalar_one()


def fill(url: str, run_id: str, count: int) -> int:
    """Copy it, all until tomorrow but 1,000 that wake soon, within a second; the instant by which those are due."""
    upshot = Upshot(url)
    copy_run(upshot, run_id, count - SOON, lambda n: f"due_at + {n}")
    first = upshot.clock.now() + SOON_FROM_NOW
    copy_run(upshot, run_id, SOON, lambda n: f"{first} + {SOON_APART} * {n}")
    asleep = MeasuredEngine(upshot).count("SELECT count(*) FROM upshot_timers")
    upshot.close()
    say(f"{asleep:,} runs asleep; a new process starts over them")
    return first + SOON_APART * (SOON + 1)


def measure(store: str, folder: Path, count: int) -> None:
    """Print the figures of one store."""
    say(f"{count:,} runs asleep on {store}")
    with fresh_store(store, folder) as url:
        pattern = uvloop.run(one_asleep(url))
        single_seconds, single = wake_after_restart(url, 0)
        before = fill(url, pattern, count)
        seconds, answer = wake_after_restart(url, SOON, str(before))
    show("start over one asleep", single_seconds, "s", store=store)
    show("memory after a start over one asleep", single["memory_mb"], "MB", store=store)
    show(f"start over {count:,} asleep", seconds, "s", store=store, at_most=START_GOAL_SECONDS)
    show(f"memory after a start over {count:,} asleep", answer["memory_mb"], "MB", store=store)
    figure = f"wake lateness after a restart, {SOON:,} in one second among {count:,}"
    show_spread(figure, answer["lateness"], "ms", store=store, p99_at_most=LATENESS_GOAL_MS)


def main() -> None:
    """Measure each store."""
    options = read_options(__doc__, long=True)
    count = 1_000_000 if options.is_long else 10_000 if options.is_quick else 50_000
    with machine.fresh_folder() as folder:
        for store in options.stores:
            measure(store, folder, count)


if __name__ == "__main__":
    main()
