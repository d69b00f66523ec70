"""Procrastinate's schema, worker and client for the benchmarks: `procrastinate_program.py schema|worker|client`."""

import asyncio
import os
import sys
import time

from client import answer_requests
from procrastinate import App, PsycopgConnector
from tracing import Tracing

JOBS_AT_ONCE = 20
BATCH = 100
STALLED_SECONDS = 30
app = App(connector=PsycopgConnector(conninfo=os.environ["UPSHOT_BENCH_POSTGRES"]))
tracing = Tracing(os.environ["UPSHOT_BENCH_TRACE"])


@app.task(name="note")
async def note(key: str, sleep: float) -> dict[str, str]:
    tracing.note(key, "1")
    if sleep:
        tracing.note(key, "s")
        await remind.configure(schedule_in={"seconds": sleep}).defer_async(key=key)
    else:
        await remind.defer_async(key=key)
    return {"noted": key}


@app.task(name="remind")
async def remind(key: str) -> dict[str, str]:
    tracing.note(key, "2")
    await report.defer_async(key=key)
    return {"reminded": key}


@app.task(name="report")
async def report(key: str) -> dict[str, str]:
    tracing.note(key, "3")
    return {"reported": key}


async def rescue() -> None:
    while True:
        await asyncio.sleep(1)
        for stalled in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            await app.job_manager.retry_job(stalled)


async def work() -> None:
    async with app.open_async():
        rescuing = asyncio.create_task(rescue())
        await app.run_worker_async(concurrency=JOBS_AT_ONCE)
        rescuing.cancel()


async def defer(first: int, count: int, sleep: float) -> int:
    began = time.monotonic_ns()
    for start in range(first, first + count, BATCH):
        keys = [str(number) for number in range(start, min(start + BATCH, first + count))]
        if len(keys) == 1:
            await note.defer_async(key=keys[0], sleep=sleep)
        else:
            await note.batch_defer_async(*({"key": key, "sleep": sleep} for key in keys))
        for key in keys:
            tracing.note(key, "a")
    return began


def main() -> None:
    loop = asyncio.new_event_loop()
    if sys.argv[1] == "worker":
        loop.run_until_complete(work())
        return
    loop.run_until_complete(app.open_async())
    if sys.argv[1] == "schema":
        loop.run_until_complete(app.schema_manager.apply_schema_async())
        loop.run_until_complete(app.close_async())
        return
    answer_requests(lambda first, count, sleep: loop.run_until_complete(defer(first, count, sleep)))


if __name__ == "__main__":
    main()
