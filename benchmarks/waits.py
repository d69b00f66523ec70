"""Events among 100,000 runs that wait: events that meet one wait each, and one that meets 1,000.

The store is filled by `filling.py` with copies of a run that waits for the payment of its own number, 1,000 of them for one
and the same. Then payments come, one after another, measured from accept to the end of the run that waited; and the one for
the 1,000, to the end of the last of them.
"""

import time
from pathlib import Path
from typing import Any

import machine
import sqlalchemy
import uvloop
from figures import say, show, show_spread
from filling import copy_run
from measured_engine import EVENT, PATIENT, MeasuredEngine, event, run_engine
from options import read_options
from stores import fresh_store

from upshot import Upshot

PAID = "bench/paid"
PAYMENTS, WARM = 200, 20
TOGETHER = 1_000
GOAL_MS = 50.0


def document() -> dict[str, Any]:
    """An automation whose runs wait for a payment of their number, and report it."""
    wait = {"id": "wait", "wait_for_event": PAID, "match": {"number": "{{ appointment.number }}"}}
    steps = [wait, {"id": "report", "action": "bench_report", "with": PATIENT}]
    return {"name": "Paid", "trigger": {"event": EVENT}, "steps": steps}


def payment(number: int) -> dict[str, Any]:
    """An event that meets the runs of this number."""
    return {"name": PAID, "data": {"number": number}}


async def one_waiting(url: str) -> str:
    """Bring one run to wait; its id."""
    async with run_engine(url, document()) as engine:
        await engine.accept([event("pattern", number=0)])
        await engine.until_asleep(1, "SELECT count(*) FROM upshot_waits WHERE looked_back = 1")
        with engine.upshot.database.reading() as connection:
            return connection.execute(sqlalchemy.text("SELECT run_id FROM upshot_waits")).scalar_one()


def fill(url: str, run_id: str, count: int) -> None:
    """Copy it: numbers from 1 on, each for one run, and 1,000 of the number -1."""
    upshot = Upshot(url)
    copy_run(upshot, run_id, count - TOGETHER, match_key=lambda n: f"'[[\"number\"],[' || {n} || ']]'")
    copy_run(upshot, run_id, TOGETHER, match_key=lambda _: "'[[\"number\"],[-1]]'")
    waiting = MeasuredEngine(upshot).count("SELECT count(*) FROM upshot_waits")
    upshot.close()
    say(f"{waiting:,} runs wait")


async def measure(url: str) -> tuple[list[float], float]:
    """Milliseconds from each payment to the end of the run that waited for it; seconds for the 1,000."""
    async with run_engine(url, document()) as engine:
        taken: list[float] = []
        for number in range(1, WARM + PAYMENTS + 1):
            began = time.perf_counter()
            await engine.accept([payment(number)])
            await engine.until_ended(number)
            taken.append(1_000 * (time.perf_counter() - began))
        began = time.perf_counter()
        await engine.accept([payment(-1)])
        await engine.until_ended(engine.ended + TOGETHER)
        seconds = time.perf_counter() - began
        ended = engine.count("SELECT count(*) FROM upshot_runs WHERE status = 'completed'")
    if ended != WARM + PAYMENTS + TOGETHER:
        raise SystemExit(f"{ended} runs are completed: the figure is worthless.")
    return taken[WARM:], seconds


def show_store(store: str, folder: Path, count: int) -> None:
    """Measure one store."""
    with fresh_store(store, folder) as url:
        fill(url, uvloop.run(one_waiting(url)), count)
        taken, seconds = uvloop.run(measure(url))
    show_spread(
        f"an event to the end of the run that waited for it, among {count:,}",
        taken,
        "ms",
        store=store,
        p99_at_most=GOAL_MS,
    )
    show(f"one event to the end of the {TOGETHER:,} that waited for it, among {count:,}", seconds, "s", store=store)


def main() -> None:
    """Measure each store."""
    options = read_options(__doc__)
    count = 20_000 if options.is_quick else 100_000
    with machine.fresh_folder() as folder:
        for store in options.stores:
            show_store(store, folder, count)


if __name__ == "__main__":
    main()
