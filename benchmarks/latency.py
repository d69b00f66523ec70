"""Latency on an idle system: one event at a time, from the call that gives it.

To the moment its first action begins, and to the commit of the third step, which completes the run (what a live page is
told). The next event is given 5 ms after the last one's run is over. Of a peer: to the bodies of its first and third step,
which is a little before the third is kept.
"""

import asyncio
import time
from pathlib import Path

import machine
import uvloop
from figures import percentile, say, show_spread
from measured_engine import TENANT, MeasuredEngine, event, run_engine
from options import Options, read_options
from peers import ways
from peers.peer import NotInstalled
from stores import fresh_store

WARM_UP = 200
PAUSE_SECONDS = 0.005
FIRST, THIRD = "accept to first action", "accept to third step kept"
FIRST_GOAL_MS, THIRD_GOAL_MS = 1.3, 2.4
Latencies = tuple[list[float], list[float]]
"""Milliseconds to the first action and to the third step, of each event."""


async def one_at_a_time(engine: MeasuredEngine, count: int) -> Latencies:
    """So many events, each on an idle engine."""
    changes = engine.upshot.engine.process.changes.subscribe(TENANT)
    to_first: list[float] = []
    to_third: list[float] = []
    for number in range(WARM_UP + count):
        key = f"single-{number}-{engine.ended}"
        given = time.perf_counter()
        accepting = asyncio.ensure_future(engine.accept([event(key)]))
        while (change := await changes.get())["kind"] != "run" or change["status"] != "completed":
            pass
        completed = time.perf_counter()
        await accepting
        if number >= WARM_UP:
            to_first.append(1_000 * (engine.first_began[key] - given))
            to_third.append(1_000 * (completed - given))
        await asyncio.sleep(PAUSE_SECONDS)
    engine.upshot.engine.process.changes.unsubscribe(TENANT, changes)
    return to_first, to_third


async def measure(url: str, count: int) -> Latencies:
    """Ours, and what was kept is counted."""
    async with run_engine(url) as engine:
        found = await one_at_a_time(engine, count)
        engine.check_kept(runs=WARM_UP + count)
    return found


def measure_peers(options: Options, folder: Path, ours: Latencies, count: int) -> None:
    """Print each way of each peer, with how many times longer it takes than we do (p50)."""
    for peer in options.peers:
        for way in ways(peer, "latency", folder):
            try:
                with way:
                    theirs = way.latency(count, count // 4)
            except NotInstalled as error:
                say(f"{peer} is left out: {error}")
                continue
            for figure, their, our in zip((FIRST, THIRD), theirs, ours, strict=True):
                ratio = percentile(their, 0.5) / percentile(our, 0.5)
                show_spread(figure, their, "ms", store=way.store, peer=way.label, p50_ratio=ratio)


def main() -> None:
    """Measure us, then the peers. A peer's ratio is against the slower of our stores that were measured."""
    options = read_options(__doc__, peers=True)
    count = 100 if options.is_quick else 300
    measured: list[Latencies] = []
    with machine.fresh_folder() as folder:
        for store in options.stores:
            say(f"upshot on {store}, idle: {WARM_UP} events to warm up, {count} measured")
            with fresh_store(store, folder) as url:
                measured.append(uvloop.run(measure(url, count)))
            show_spread(FIRST, measured[-1][0], "ms", store=store, p50_at_most=FIRST_GOAL_MS)
            show_spread(THIRD, measured[-1][1], "ms", store=store, p50_at_most=THIRD_GOAL_MS)
        slower = max(measured, key=lambda one: percentile(one[1], 0.5))
        measure_peers(options, folder, slower, count)


if __name__ == "__main__":
    main()
