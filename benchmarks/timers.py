"""Sleeping runs: how late they wake, what they cost in memory, and how soon an engine starts over a store full of them.

1. 10,000 runs (quick: 2,000) whose instants are spread evenly over one second; and 1,000 that all sleep until one instant.
2. 100,000 runs asleep (quick: 10,000), 2,000 of them until instants 5 ms apart. Memory is that of the whole process,
   engine and all. Then the engine is stopped and a new process started on the store, which wakes the 2,000.

Lateness is from the instant a delay was due to the instant the next action began, both as kept in the journal. A peer's runs
are given as fast as it takes them and each sleeps 5 s from the end of its first step, so that they wake no faster than it
started them; its lateness is by the trace of its steps.
"""

import gc
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import machine
import uvloop
from figures import percentile, say, show, show_spread
from measured_engine import TENANT, MeasuredEngine, automation, event, in_seconds, run_engine
from options import Options, read_options
from peers import ways
from peers.peer import NotInstalled
from stores import fresh_store

BATCH = 1_000
AT_ONCE = 1_000
IN_A_SECOND = 10_000
FALL_ASLEEP_SECONDS = 4.0
FALL_ASLEEP_EACH_SECONDS = 0.0008
GOAL_MS = 75
SOON = 2_000
SOON_APART_SECONDS = 0.005
SOON_FROM_NOW_SECONDS = 12.0
PEER_SLEEP_SECONDS = 5.0
DELAY = {"until": "{{ appointment.remindAt }}"}
RESTARTED = Path(__file__).with_name("timers_restarted.py")


async def wake_many(engine: MeasuredEngine, count: int, over_seconds: float, tenant: str = TENANT) -> list[float]:
    """Milliseconds by which so many runs of this tenant woke late whose instants are spread over these seconds."""
    after, asleep = engine.latest_event(tenant), engine.count("SELECT count(*) FROM upshot_timers")
    wait = FALL_ASLEEP_SECONDS + count * FALL_ASLEEP_EACH_SECONDS
    due_at, ended = time.perf_counter() + wait, engine.ended
    instants = [in_seconds(due_at - time.perf_counter() + over_seconds * n / count) for n in range(count)]
    for start in range(0, count, BATCH):
        batch = [event(f"{ended + n}", remindAt=instants[n]) for n in range(start, min(start + BATCH, count))]
        await engine.accept(batch, tenant)
    await engine.until_asleep(asleep + count)
    if time.perf_counter() > due_at:
        raise SystemExit(f"{count:,} runs did not fall asleep within {wait:.0f} s: the figure is worthless")
    await engine.until_ended(ended + count)
    return engine.wake_lateness(after, tenant)


async def measure_waking(url: str, count: int) -> tuple[list[float], list[float]]:
    """The lateness of so many in one second, and of 1,000 at one instant."""
    async with run_engine(url, automation(delay=DELAY)) as engine:
        spread = await wake_many(engine, count, 1.0)
        at_once = await wake_many(engine, AT_ONCE, 0.0)
        engine.check_kept(runs=count + AT_ONCE, steps_each=4)
        return spread, at_once


async def fall_asleep(url: str, count: int) -> tuple[float, float]:
    """Bring so many runs to sleep; the memory of this process before and while they sleep, in MB."""
    async with run_engine(url, automation(delay=DELAY)) as engine:
        before = machine.memory_mb()
        late = in_seconds(86_400)
        began = time.perf_counter()
        for start in range(0, count - SOON, BATCH):
            await engine.accept([event(str(n), remindAt=late) for n in range(start, start + BATCH)])
        await engine.until_asleep(count - SOON)
        say(f"{count - SOON:,} runs fell asleep in {time.perf_counter() - began:.1f} s")
        gc.collect()
        while_asleep = machine.memory_mb()
        soon = [in_seconds(SOON_FROM_NOW_SECONDS + SOON_APART_SECONDS * n) for n in range(SOON)]
        for start in range(0, SOON, BATCH):
            await engine.accept([event(f"soon-{n}", remindAt=soon[n]) for n in range(start, start + BATCH)])
        await engine.until_asleep(count)
        return before, while_asleep


def wake_after_restart(url: str, count: int, before: str = "") -> tuple[float, dict[str, Any]]:
    """Start a process over the store: seconds until its engine runs, and what it says of itself once so many runs woke and
    ended (of those due before this instant, if one is given)."""
    command = [sys.executable, RESTARTED, url, str(count), before]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as restarted:
        assert restarted.stdout is not None  # it is a pipe, as asked for above
        restarted.stdout.readline()
        seconds = time.perf_counter() - began
        answer = restarted.stdout.readline()
        if restarted.wait() != 0:
            raise SystemExit("the restarted engine failed; what it said is above")
    return seconds, json.loads(answer)


def measure_asleep(store: str, folder: Path, count: int) -> None:
    """Print what so many sleepers cost, and how a new process starts over them."""
    say(f"{count:,} runs that sleep on {store}")
    with fresh_store(store, folder, "asleep") as url:
        before, while_asleep = uvloop.run(fall_asleep(url, count))
        show(f"memory with {count:,} asleep", while_asleep, "MB", store=store)
        show(f"memory of {count:,} sleepers", while_asleep - before, "MB", store=store)
        say("the engine is stopped; a new process starts over the store")
        seconds, answer = wake_after_restart(url, SOON)
    show(f"start over {count:,} asleep", seconds, "s", store=store)
    show(f"memory after a start over {count:,} asleep", answer["memory_mb"], "MB", store=store)
    show_spread(f"wake lateness after a restart, 200/s among {count:,}", answer["lateness"], "ms", store=store)


def measure_peers(options: Options, folder: Path, ours: float) -> None:
    """Print each way of each peer, with how many times later its runs wake than ours (p99)."""
    for peer in options.peers:
        for way in ways(peer, "timers", folder):
            count = min(200 if options.is_quick else IN_A_SECOND, way.sleepers)
            try:
                with way:
                    say(f"{way.label} on {way.store}: {count:,} runs sleep {PEER_SLEEP_SECONDS:.0f} s")
                    theirs = way.lateness(count, PEER_SLEEP_SECONDS)
            except NotInstalled as error:
                say(f"{peer} is left out: {error}")
                continue
            ratio = percentile(theirs, 0.99) / ours
            figure = f"wake lateness, {count:,} given at once"
            show_spread(figure, theirs, "ms", store=way.store, peer=way.label, p99_ratio=ratio)


def main() -> None:
    """Measure us, then the peers. A peer's ratio is against the slower of our stores that were measured."""
    options = read_options(__doc__, peers=True)
    many, asleep = (2_000, 10_000) if options.is_quick else (IN_A_SECOND, 100_000)
    ours: list[float] = []
    with machine.fresh_folder() as folder:
        for store in options.stores:
            say(f"{many:,} runs that wake within a second and {AT_ONCE:,} at one instant, on {store}")
            with fresh_store(store, folder) as url:
                spread, at_once = uvloop.run(measure_waking(url, many))
            ours.append(percentile(spread, 0.99))
            show_spread(f"wake lateness, {many:,} in one second", spread, "ms", store=store, p99_at_most=GOAL_MS)
            show_spread(f"wake lateness, {AT_ONCE:,} due at once", at_once, "ms", store=store)
            measure_asleep(store, folder, asleep)
        measure_peers(options, folder, max(ours))


if __name__ == "__main__":
    main()
