"""A storm: 20,000 events of one tenant at once, while another tenant gives one event every 10 ms.

They are given a hundred at a call, one call after the other; and once more in the largest calls there are, of a thousand, each
of which is one transaction that the other tenant's events wait for.

Measured are how fast the storm drains beside how fast it drains alone (the median of as many storms in the same process),
the other tenant's latency from accept to its third step kept beside its quiet latency, and the memory of the process: before,
at its highest, and after.

Both tenants have the same automation of three trivial actions. The other tenant's events are given at fixed instants,
whatever becomes of the ones before, and latency counts from the instant an event was to be given to the one kept with its
completed run: a stalled event loop cannot hide. Those of a storm are the ones that were to be given while it drained.
"""

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import machine
import sqlalchemy
import uvloop
from figures import percentile, say, show, show_spread
from measured_engine import BESIDE, MeasuredEngine, event, prepare, run_engine
from options import read_options
from runs import batches
from stores import fresh_store

OTHER = "neighbour"
EVERY_SECONDS = 0.01
GOAL_TIMES = 2.0
CALL, LARGEST_CALL = 100, 1_000
OVER = """
    SELECT events.source_id, runs.finished_at FROM upshot_events events
    JOIN upshot_runs runs ON runs.tenant_id = events.tenant_id AND runs.event_id = events.id
    WHERE events.tenant_id = 'neighbour' AND runs.finished_at IS NOT NULL
"""


class Neighbour:
    """The other tenant."""

    def __init__(self, engine: MeasuredEngine) -> None:
        self._engine = engine
        self.given: dict[str, float] = {}

    @contextlib.asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """It gives an event every 10 ms meanwhile; at the end all of them are over."""
        giving = asyncio.create_task(self._give())
        try:
            yield
        finally:
            giving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await giving
            while len(self._over()) < len(self.given):  # noqa: ASYNC110 - the store says what is over
                await asyncio.sleep(0.05)

    async def _give(self) -> None:
        accepting: set[asyncio.Task[None]] = set()
        at = time.time()
        try:
            while True:
                at += EVERY_SECONDS
                await asyncio.sleep(max(0.0, at - time.time()))
                key = f"{BESIDE}{len(self.given)}"
                self.given[key] = at
                task = asyncio.create_task(self._engine.accept([{**event(key), "id": key}], OTHER))
                accepting.add(task)
                task.add_done_callback(accepting.discard)
        finally:
            await asyncio.gather(*accepting)

    def _over(self) -> dict[str, float]:
        with self._engine.upshot.database.reading() as connection:
            return {key: at / 1e6 for key, at in connection.execute(sqlalchemy.text(OVER))}

    def latencies(self, began: float, ended: float) -> list[float]:
        """Milliseconds, of what was to be given in this time."""
        over = self._over()
        return [1_000 * (over[key] - at) for key, at in self.given.items() if began <= at <= ended]


@dataclass
class Found:
    """What one store showed."""

    alone: list[float] = field(default_factory=list[float])
    beside: list[float] = field(default_factory=list[float])
    quiet: list[float] = field(default_factory=list[float])
    stormy: list[float] = field(default_factory=list[float])
    in_large_calls: list[float] = field(default_factory=list[float])
    memory_before: float = 0.0
    memory_peak: float = 0.0
    memory_after: float = 0.0


async def storm(engine: MeasuredEngine, count: int, call: int = CALL) -> tuple[float, float]:
    """When a storm of so many events began and when the last of its runs was over."""
    before = engine.ended
    made = [batch[at : at + call] for batch in batches(before, count) for at in range(0, len(batch), call)]
    began = time.time()
    for batch in made:
        await engine.accept(batch)
    while engine.ended < before + count:  # noqa: ASYNC110 - the count is the actions'
        await asyncio.sleep(0.002)
    engine.first_began.clear()  # it is this program's memory, not the engine's
    return began, time.time()


async def measure(url: str, count: int, rounds: int, quiet_seconds: float) -> Found:
    """Storms alone, a quiet time, storms beside the other tenant."""
    found = Found()
    async with run_engine(url) as engine:
        prepare(engine.upshot, tenant=OTHER)
        await storm(engine, 2_000)
        gc.collect()
        found.memory_before = machine.PeakMemory().stop()
        peak, neighbour = machine.PeakMemory(), Neighbour(engine)
        for _ in range(rounds):
            began, ended = await storm(engine, count)
            found.alone.append(count / (ended - began))
            say(f"{count:,} events alone: {found.alone[-1]:,.0f} runs/s")
        async with neighbour.living():
            began = time.time()
            await asyncio.sleep(quiet_seconds)
            found.quiet = neighbour.latencies(began + 1, began + quiet_seconds - 0.5)
        for _ in range(rounds):
            async with neighbour.living():
                await asyncio.sleep(0.5)
                began, ended = await storm(engine, count)
            found.beside.append(count / (ended - began))
            found.stormy += neighbour.latencies(began, ended)
            say(f"{count:,} events beside {OTHER}: {found.beside[-1]:,.0f} runs/s")
        async with neighbour.living():
            await asyncio.sleep(0.5)
            began, ended = await storm(engine, count, LARGEST_CALL)
        found.in_large_calls = neighbour.latencies(began, ended)
        found.memory_peak = peak.stop()
        gc.collect()
        found.memory_after = machine.PeakMemory().stop()
        await engine.until_ended(engine.ended)
        engine.check_kept(runs=2_000 + (2 * rounds + 1) * count + len(neighbour.given))
    return found


def show_found(found: Found, count: int, store: str) -> None:
    """Print it."""
    name = f"storm of {count:,}"
    beside, alone = percentile(found.beside, 0.5), percentile(found.alone, 0.5)
    show(f"{name}: drained", beside, "runs/s", store=store)
    show(f"{name}: drained, to the speed alone", beside / alone, "x", store=store)
    show(f"{name}: memory before", found.memory_before, "MB", store=store)
    show(f"{name}: memory at its highest", found.memory_peak, "MB", store=store)
    show(f"{name}: memory after all storms", found.memory_after, "MB", store=store)
    show_spread("another tenant, quiet", found.quiet, "ms", store=store)
    show_spread(f"another tenant, in a {name}", found.stormy, "ms", store=store)
    quiet = percentile(found.quiet, 0.99)
    times = percentile(found.stormy, 0.99) / quiet
    show(f"another tenant's p99 in a {name}, to its quiet p99", times, "x", store=store, at_most=GOAL_TIMES)
    times = percentile(found.in_large_calls, 0.99) / quiet
    show(f"another tenant's p99 in a {name} in calls of {LARGEST_CALL:,}, to its quiet p99", times, "x", store=store)


def main() -> None:
    """Measure each store."""
    options = read_options(__doc__)
    count, rounds, quiet = (5_000, 1, 5.0) if options.is_quick else (20_000, 3, 12.0)
    with machine.fresh_folder() as folder:
        for store in options.stores:
            say(f"storms on {store}")
            with fresh_store(store, folder) as url:
                show_found(uvloop.run(measure(url, count, rounds, quiet)), count, store)


if __name__ == "__main__":
    main()
