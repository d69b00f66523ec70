"""Celery's worker and client for the benchmarks: `celery_program.py worker|client`."""

import os
import sys
import time

from celery import Celery, chain
from client import answer_requests
from tracing import Tracing

URL = f"redis://127.0.0.1:{os.environ['UPSHOT_BENCH_REDIS']}"
VISIBILITY_SECONDS = 10

app = Celery("bench", broker=f"{URL}/0", backend=f"{URL}/1")
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    broker_transport_options={"visibility_timeout": VISIBILITY_SECONDS},
    result_backend_transport_options={"visibility_timeout": VISIBILITY_SECONDS},
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)
_traces: dict[int, Tracing] = {}


def tracing() -> Tracing:
    """This process's trace; a forked worker process has one of its own."""
    found = _traces.get(os.getpid())
    if found is None:
        found = _traces[os.getpid()] = Tracing(os.environ["UPSHOT_BENCH_TRACE"])
    return found


@app.task
def note(key: str) -> dict[str, str]:
    tracing().note(key, "1")
    return {"noted": key}


@app.task
def note_and_sleep(key: str, seconds: float) -> dict[str, str]:
    tracing().note(key, "1")
    later = chain(remind.si(key), report.si(key))
    tracing().note(key, "s")
    later.apply_async(countdown=seconds)
    return {"noted": key}


@app.task
def remind(key: str) -> dict[str, str]:
    tracing().note(key, "2")
    return {"reminded": key}


@app.task
def report(key: str) -> dict[str, str]:
    tracing().note(key, "3")
    return {"reported": key}


def submit(first: int, count: int, sleep: float) -> int:
    began = time.monotonic_ns()
    for number in range(first, first + count):
        key = str(number)
        if sleep:
            note_and_sleep.delay(key, sleep)
        else:
            chain(note.si(key), remind.si(key), report.si(key)).apply_async()
        tracing().note(key, "a")
    return began


if __name__ == "__main__":
    if sys.argv[1] == "client":
        answer_requests(submit)
    else:
        app.worker_main(["worker", "--concurrency=2", "--loglevel=ERROR", "--without-gossip", "--without-mingle"])
