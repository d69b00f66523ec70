"""A schedule that is for 10,000 members at once, while another tenant gives one event every 10 ms.

All members have a renewal date a week ahead, beside ten times as many who have another; one automation is due "7 days before".
Measured are how many members a second it starts, from the instant it is due to the last run's end, and the other tenant's
latency from accept to its third step kept, meanwhile beside its quiet latency, as in `storm.py`.
"""

import asyncio
import gc
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import machine
import sqlalchemy
import uvloop
from figures import percentile, say, show, show_spread
from measured_engine import PATIENT, TENANT, MeasuredEngine, prepare, run_engine
from options import read_options
from stores import fresh_store
from storm import OTHER, Neighbour

from upshot import Upshot
from upshot.core.entities import CreateEntity
from upshot.store import entities

QUIET_SECONDS = 8.0
GOAL_TIMES = 2.0
BATCH = 2_000


def fill(upshot: Upshot, due: int) -> None:
    """Members whose renewal is a week ahead, and ten times as many whose renewal is not, evenly mixed."""
    today, now = datetime.now(UTC).date(), upshot.clock.now()
    for first in range(0, 11 * due, BATCH):
        wanted: list[Any] = []
        for number in range(first, min(first + BATCH, 11 * due)):
            day = today + timedelta(days=7 if number % 11 == 0 else 30 + number % 300)
            member = CreateEntity("member", f"m{number:07}", {"renews_on": day.isoformat(), "plan": "gold"})
            wanted.append(entities.Wanted(number, TENANT, member))
        with upshot.database.writing() as connection:
            entities.apply(connection, wanted, now, {})


def schedule(upshot: Upshot, quiet_seconds: float) -> float:
    """Have the automation due after the quiet time, whatever the time of day; the instant."""
    each = {"type": "member", "before": {"field": "renews_on", "days": 7}}
    steps = [
        {"id": name, "action": f"bench_{name}", "with": dict.fromkeys(PATIENT, "{{ entity.id }}")}
        for name in ("note", "remind", "report")
    ]
    trigger = {"schedule": {"daily": "12:00", "zone": "UTC", "each": each}}
    upshot.automations.create(TENANT, {"name": "Renewal", "trigger": trigger, "steps": steps, "status": "active"})
    at = time.time() + quiet_seconds
    with upshot.database.writing() as connection:
        moved = sqlalchemy.text("UPDATE upshot_schedules SET occurrence_at = :at, due_at = :at")
        connection.execute(moved, {"at": int(at * 1_000_000)})
    return at


async def measure(url: str, due: int) -> tuple[list[float], list[float], float]:
    """The other tenant's latencies, quiet and while the members start; and members a second."""
    async with run_engine(url) as engine:
        prepare(engine.upshot, tenant=OTHER)
        began = time.time()
        await asyncio.to_thread(fill, engine.upshot, due)
        say(f"{11 * due:,} members filled in {time.time() - began:.0f} s")
        neighbour = Neighbour(engine)
        gc.collect()
        async with neighbour.living():
            quiet_from, at = time.time(), schedule(engine.upshot, QUIET_SECONDS)
            await asyncio.sleep(max(0.0, at - time.time() - 0.2))
            quiet = neighbour.latencies(quiet_from + 0.5, at - 0.5)
            ended = await _until_ended(engine, due)
        busy = neighbour.latencies(at, ended)
        engine.check_kept(runs=due + len(neighbour.given))
    return quiet, busy, due / (ended - at)


async def _until_ended(engine: MeasuredEngine, due: int) -> float:
    while engine.ended < due:  # noqa: ASYNC110 - the count is the actions'
        await asyncio.sleep(0.002)
    ended = time.time()
    await asyncio.sleep(0.5)  # their last commits
    return ended


def main() -> None:
    """Measure each store."""
    options = read_options(__doc__)
    due = 2_000 if options.is_quick else 10_000
    with machine.fresh_folder() as folder:
        for store in options.stores:
            say(f"{due:,} members due at once on {store}")
            with fresh_store(store, folder) as url:
                quiet, busy, speed = uvloop.run(measure(url, due))
            name = f"{due:,} members due at once"
            show(f"{name}: started and completed", speed, "runs/s", store=store)
            show_spread("another tenant, quiet", quiet, "ms", store=store)
            show_spread(f"another tenant, {name}", busy, "ms", store=store)
            times = percentile(busy, 0.99) / percentile(quiet, 0.99)
            show(f"another tenant's p99, {name}, to its quiet p99", times, "x", store=store, at_most=GOAL_TIMES)


if __name__ == "__main__":
    main()
