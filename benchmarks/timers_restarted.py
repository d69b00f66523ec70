"""The second process of `timers.py` and `sleepers.py`: an engine started over a store of sleeping runs. Not a benchmark by
itself: `timers_restarted.py URL COUNT MICROSECONDS` waits until COUNT runs woke and ended. With an instant in microseconds
(else empty) the lateness is that of the timers due before it, as they stood in the store at the start.
"""

import asyncio
import gc
import json
import sys
from typing import Any

import machine
import sqlalchemy
import uvloop
from measured_engine import MeasuredEngine, run_engine

SETTLE_SECONDS = 1.0
DUE = "SELECT run_id, due_at FROM upshot_timers WHERE due_at < :before"
STARTED = "SELECT run_id, started_at FROM upshot_steps WHERE step_id = 'remind'"


async def wake(url: str, count: int, before: int) -> dict[str, Any]:
    """Start, say so, and wait until so many runs woke and ended."""
    async with run_engine(url) as engine:
        print("started", flush=True)
        due = read(engine, DUE, before=before) if before else {}
        await asyncio.sleep(SETTLE_SECONDS)
        gc.collect()
        memory = machine.memory_mb()
        await engine.until_ended(count)
        if not count:
            return {"memory_mb": memory, "lateness": []}
        if not before:
            return {"memory_mb": memory, "lateness": engine.wake_lateness()}
        lateness = [
            (began_at - due[run_id]) / 1_000 for run_id, began_at in read(engine, STARTED).items() if run_id in due
        ]
        return {"memory_mb": memory, "lateness": lateness}


def read(engine: MeasuredEngine, query: str, **parameters: int) -> dict[str, int]:
    """Runs and instants."""
    with engine.upshot.database.reading() as connection:
        return {row[0]: row[1] for row in connection.execute(sqlalchemy.text(query), parameters)}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(wake(sys.argv[1], int(sys.argv[2]), int(sys.argv[3] or 0)))))
