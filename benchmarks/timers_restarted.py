"""The second process of `timers.py`: an engine started over a file of sleeping runs. Not a benchmark by itself."""

import asyncio
import gc
import json
import sys
from typing import Any

import machine
import uvloop
from measured_engine import run_engine

SETTLE_SECONDS = 1.0


async def wake(url: str, count: int) -> dict[str, Any]:
    """Start, say so, and wait until so many runs woke and ended."""
    async with run_engine(url) as engine:
        print("started", flush=True)
        await asyncio.sleep(SETTLE_SECONDS)
        gc.collect()
        memory = machine.memory_mb()
        await engine.until_ended(count)
        return {"memory_mb": memory, "lateness": engine.wake_lateness()}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(wake(sys.argv[1], int(sys.argv[2])))))
