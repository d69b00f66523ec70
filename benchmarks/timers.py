"""Sleeping runs: how late they wake, what they cost in memory, and how soon an engine starts over a file full of them.

1. 1,000 runs that all sleep until the same instant.
2. 100,000 runs asleep (quick: 10,000), 2,000 of them until instants 5 ms apart. Memory is that of the whole process,
   engine and all. Then the engine is stopped and a new process started on the file, which wakes the 2,000.

Lateness is from the instant a delay was due to the instant the next action began, both as kept in the journal.
"""

import asyncio
import gc
import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import machine
import uvloop
from figures import say, show, show_spread
from measured_engine import MeasuredEngine, automation, event, run_engine
from options import read_options

BATCH = 1_000
AT_ONCE = 1_000
AT_ONCE_FROM_NOW_SECONDS = 4.0
SOON = 2_000
SOON_APART_SECONDS = 0.005
SOON_FROM_NOW_SECONDS = 12.0
DELAY = {"until": "{{ appointment.remindAt }}"}
HERE = Path(__file__).parent


async def wake_at_once(folder: Path) -> list[float]:
    """Milliseconds by which 1,000 runs woke late that fell due together."""
    async with run_engine(f"sqlite:///{folder}/at-once.db", automation(delay=DELAY)) as engine:
        due = text(datetime.now(UTC) + timedelta(seconds=AT_ONCE_FROM_NOW_SECONDS))
        await engine.accept([event(str(number), remindAt=due) for number in range(AT_ONCE)])
        await asleep(engine, AT_ONCE)
        await engine.until_ended(AT_ONCE)
        engine.check_kept(runs=AT_ONCE, steps_each=4)
        return engine.wake_lateness()


async def fall_asleep(url: str, count: int) -> tuple[float, float]:
    """Bring so many runs to sleep; the memory of this process before and while they sleep, in MB."""
    async with run_engine(url, automation(delay=DELAY)) as engine:
        before = machine.memory_mb()
        late = datetime.now(UTC) + timedelta(days=1)
        began = time.perf_counter()
        for start in range(0, count - SOON, BATCH):
            await engine.accept([event(str(n), remindAt=text(late)) for n in range(start, start + BATCH)])
        await asleep(engine, count - SOON)
        say(f"{count - SOON:,} runs fell asleep in {time.perf_counter() - began:.1f} s")
        gc.collect()
        while_asleep = machine.memory_mb()
        first = datetime.now(UTC) + timedelta(seconds=SOON_FROM_NOW_SECONDS)
        soon = [first + timedelta(seconds=SOON_APART_SECONDS * n) for n in range(SOON)]
        for start in range(0, SOON, BATCH):
            await engine.accept([event(f"soon-{n}", remindAt=text(soon[n])) for n in range(start, start + BATCH)])
        await asleep(engine, count)
        return before, while_asleep


async def asleep(engine: MeasuredEngine, count: int) -> None:
    """Wait until so many runs sleep."""
    while engine.count("SELECT count(*) FROM upshot_timers") < count:  # noqa: ASYNC110 - the store says what is kept
        await asyncio.sleep(0.2)


def wake_after_restart(url: str) -> tuple[float, dict[str, Any]]:
    """Start a process over the file: seconds until its engine runs, and what it says of itself."""
    command = [sys.executable, HERE / "timers_restarted.py", url, str(SOON)]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as restarted:
        assert restarted.stdout is not None  # it is a pipe, as asked for above
        restarted.stdout.readline()
        seconds = time.perf_counter() - began
        answer = restarted.stdout.readline()
        if restarted.wait() != 0:
            raise SystemExit("the restarted engine failed; what it said is above")
    return seconds, json.loads(answer)


def text(instant: datetime) -> str:
    """As JSON has it."""
    return instant.isoformat(timespec="microseconds").replace("+00:00", "Z")


def main() -> None:
    """Measure both."""
    options = read_options(__doc__)
    count = 10_000 if options.is_quick else 100_000
    with machine.fresh_folder() as folder:
        say(f"{AT_ONCE:,} runs that sleep until one instant")
        show_spread(f"wake lateness, {AT_ONCE:,} due at once", uvloop.run(wake_at_once(folder)), "ms")
        say(f"{count:,} runs that sleep")
        url = f"sqlite:///{folder}/asleep.db"
        before, while_asleep = uvloop.run(fall_asleep(url, count))
        show(f"memory with {count:,} asleep", while_asleep, "MB")
        show(f"memory of {count:,} sleepers", while_asleep - before, "MB")
        say("the engine is stopped; a new process starts over the file")
        seconds, answer = wake_after_restart(url)
        show(f"start over {count:,} asleep", seconds, "s")
        show(f"memory after a start over {count:,} asleep", answer["memory_mb"], "MB")
        show_spread(f"wake lateness after a restart, 200/s among {count:,}", answer["lateness"], "ms")


if __name__ == "__main__":
    main()
