"""The process that `crash.py` kills: `crash_engine.py URL FOLDER COUNT` accepts COUNT events, drives every run there is,
traces what its actions do into FOLDER, and `e` once nothing is left, and ends. Not a benchmark by itself.
"""

import asyncio
import sys
from pathlib import Path

import uvloop
from measured_engine import UNFINISHED, MeasuredEngine, declare, prepare
from peers.tracing import Tracing
from runs import batches

from upshot import Upshot
from upshot.cli.server import settle_memory, tune


class TracedEngine(MeasuredEngine):
    """An engine whose actions trace."""

    def __init__(self, upshot: Upshot, tracing: Tracing) -> None:
        self.upshot = upshot
        declare(upshot, lambda step, key: tracing.note(key, step))


async def work(url: str, folder: Path, count: int) -> None:
    """Accept, drive, end."""
    tune()
    tracing, upshot = Tracing(str(folder)), Upshot(url)
    engine = TracedEngine(upshot, tracing)
    prepare(upshot)
    await upshot.start_async()
    settle_memory()
    for number, batch in enumerate(batches(0, count)):
        await engine.accept(batch)
        for key in range(number * 1_000, number * 1_000 + len(batch)):
            tracing.note(str(key), "a")
    while engine.count(UNFINISHED):  # noqa: ASYNC110 - the store says what is left
        await asyncio.sleep(0.02)
    tracing.note("all", "e")
    await upshot.stop_async()
    upshot.close()


if __name__ == "__main__":
    uvloop.run(work(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
