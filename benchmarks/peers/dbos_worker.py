"""DBOS Transact doing the work that the benchmarks measure, in a process and an environment of its own.

Run by `dbos_transact.py` with the interpreter of `.venv-bench`; imports nothing of this project. Prints one JSON
object. The clock starts at the first submit and stops when the last step's body is over, which is kinder to DBOS than our
own figures are to us: those stop when the completion is committed. What was kept is counted in its database afterwards.
"""

import argparse
import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from importlib import import_module
from typing import Any

THREADS_MAX = 32
FINISH_WITHIN_SECONDS = 600.0


class Progress:
    """When steps began and workflows ended, by the monotonic clock."""

    def __init__(self) -> None:
        self.first_began: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        self.lateness: list[float] = []

    def wait_for(self, count: int) -> float:
        """Seconds on the clock when the last of `count` workflows ended. Waits for it."""
        give_up_at = time.perf_counter() + FINISH_WITHIN_SECONDS
        while len(self.ended) < count:
            if time.perf_counter() > give_up_at:
                raise SystemExit(f"only {len(self.ended)} of {count} workflows ended in {FINISH_WITHIN_SECONDS} s")
            time.sleep(0.002)
        return max(self.ended.values())


def define_sync(dbos: Any, progress: Progress, sleep_seconds: float) -> Callable[[str, str], None]:
    """The workflow of three kept steps, as plain functions."""

    @dbos.step()
    def note(key: str, patient_id: str) -> dict[str, Any]:
        progress.first_began[key] = time.perf_counter()
        return {"noted": patient_id}

    @dbos.step()
    def remind(patient_id: str) -> dict[str, Any]:
        return {"reminded": patient_id}

    @dbos.step()
    def report(patient_id: str) -> dict[str, Any]:
        return {"reported": patient_id}

    @dbos.workflow()
    def booked(key: str, patient_id: str) -> None:
        note(key, patient_id)
        if sleep_seconds:
            due = time.perf_counter() + sleep_seconds
            dbos.sleep(sleep_seconds)
            progress.lateness.append(time.perf_counter() - due)
        remind(patient_id)
        report(patient_id)
        progress.ended[key] = time.perf_counter()

    return booked


def define_async(dbos: Any, progress: Progress, sleep_seconds: float) -> Callable[[str, str], Awaitable[None]]:
    """The same workflow, as coroutines."""

    @dbos.step()
    async def note(key: str, patient_id: str) -> dict[str, Any]:
        progress.first_began[key] = time.perf_counter()
        return {"noted": patient_id}

    @dbos.step()
    async def remind(patient_id: str) -> dict[str, Any]:
        return {"reminded": patient_id}

    @dbos.step()
    async def report(patient_id: str) -> dict[str, Any]:
        return {"reported": patient_id}

    @dbos.workflow()
    async def booked(key: str, patient_id: str) -> None:
        await note(key, patient_id)
        if sleep_seconds:
            due = time.perf_counter() + sleep_seconds
            await dbos.sleep_async(sleep_seconds)
            progress.lateness.append(time.perf_counter() - due)
        await remind(patient_id)
        await report(patient_id)
        progress.ended[key] = time.perf_counter()

    return booked


def submit_sync(dbos: Any, workflow: Callable[..., Any], keys: list[str]) -> None:
    """Start one workflow per key as fast as DBOS takes them."""
    for key in keys:
        dbos.start_workflow(workflow, key, f"patient-{key}")


async def submit_async(dbos: Any, workflow: Callable[..., Any], keys: list[str], progress: Progress) -> None:
    """The same from a running event loop, which stays until the last workflow ended."""
    before = len(progress.ended)
    for key in keys:
        await dbos.start_workflow_async(workflow, key, f"patient-{key}")
    while len(progress.ended) < before + len(keys):  # noqa: ASYNC110 - DBOS may run them on another loop
        await asyncio.sleep(0.002)


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: list[float]) -> dict[str, float]:
    """p50, p95 and p99."""
    return {name: percentile(values, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}


def run_many(start: Callable[[list[str]], None], progress: Progress, count: int, warm_up: int) -> dict[str, Any]:
    """Workflows per second over `count` workflows submitted at once."""
    start([f"warm-{index}" for index in range(warm_up)])
    progress.wait_for(warm_up)
    began = time.perf_counter()
    start([str(index) for index in range(count)])
    over = progress.wait_for(warm_up + count)
    return {"runs_per_second": count / (over - began), "seconds": over - began}


def run_single(start: Callable[[list[str]], None], progress: Progress, count: int, warm_up: int) -> dict[str, Any]:
    """Latency of one workflow at a time on an idle system, in seconds."""
    to_first: list[float] = []
    to_last: list[float] = []
    for index in range(warm_up + count):
        key = str(index)
        submitted = time.perf_counter()
        start([key])
        progress.wait_for(index + 1)
        if index >= warm_up:
            to_first.append(progress.first_began[key] - submitted)
            to_last.append(progress.ended[key] - submitted)
        time.sleep(0.005)
    return {"first": spread(to_first), "last": spread(to_last)}


def run_sleepers(start: Callable[[list[str]], None], progress: Progress, count: int) -> dict[str, Any]:
    """How late `count` sleeping workflows wake, in seconds."""
    start([str(index) for index in range(count)])
    progress.wait_for(count)
    return {"lateness": spread(progress.lateness)}


def count_kept(engine: Any) -> dict[str, int]:
    """The workflows that ended well and the step results that are in the database."""
    import sqlalchemy

    schema = "" if engine.dialect.name == "sqlite" else "dbos."
    workflows = f"SELECT count(*) FROM {schema}workflow_status WHERE status = 'SUCCESS'"
    steps = f"SELECT count(*) FROM {schema}operation_outputs WHERE function_name NOT LIKE 'DBOS.%'"
    with engine.connect() as connection:
        return {
            "kept_workflows": connection.execute(sqlalchemy.text(workflows)).scalar(),
            "kept_steps": connection.execute(sqlalchemy.text(steps)).scalar(),
        }


def use_newer_sqlite() -> None:
    """Put the pysqlite3 wheel in the standard module's place where the system's SQLite is too old for DBOS (< 3.42)."""
    if sqlite3.sqlite_version_info < (3, 42):
        sys.modules["sqlite3"] = import_module("pysqlite3")
        sys.modules["sqlite3.dbapi2"] = import_module("pysqlite3.dbapi2")


def switch_to_wal(path: str) -> None:
    """Make the file a WAL file, which DBOS leaves as it finds it. `synchronous` stays at SQLite's default, FULL."""
    connection = sys.modules["sqlite3"].connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def wait_until_kept(engine: Any, count: int) -> dict[str, int]:
    """What is kept, once every final status has been written (that happens after a workflow's body is over)."""
    give_up_at = time.perf_counter() + 30
    while True:
        kept = count_kept(engine)
        if kept["kept_workflows"] >= count or time.perf_counter() > give_up_at:
            return kept
        time.sleep(0.1)


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", choices=["runs", "latency", "timers"])
    parser.add_argument("--url", required=True)
    parser.add_argument("--mode", choices=["sync", "async"], required=True)
    parser.add_argument("--wal", action="store_true")
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--warm-up", type=int, default=50)
    parser.add_argument("--sleep-seconds", type=float, default=0.0)
    return parser.parse_args()


def do(
    work: str, start: Callable[[list[str]], None], progress: Progress, options: argparse.Namespace
) -> dict[str, Any]:
    """Do the measured work."""
    if work == "runs":
        return run_many(start, progress, options.count, options.warm_up)
    if work == "latency":
        return run_single(start, progress, options.count, options.warm_up)
    return run_sleepers(start, progress, options.count)


def main() -> None:
    """Launch DBOS, do the work, print the figures."""
    options = read_options()
    is_sqlite = options.url.startswith("sqlite")
    if is_sqlite:
        use_newer_sqlite()
    if options.wal:
        switch_to_wal(options.url.removeprefix("sqlite:///"))
    dbos: Any = import_module("dbos").DBOS

    config: dict[str, Any] = {"name": "benchmark", "system_database_url": options.url, "log_level": "ERROR"}
    config["run_admin_server"] = False
    if options.mode == "async":
        config["max_executor_threads"] = THREADS_MAX
    dbos(config=config)
    progress = Progress()
    define = define_sync if options.mode == "sync" else define_async
    workflow = define(dbos, progress, options.sleep_seconds)
    dbos.launch()
    if options.mode == "sync":
        answer = do(options.work, lambda keys: submit_sync(dbos, workflow, keys), progress, options)
    else:
        answer = do_on_loop(dbos, workflow, progress, options)
    import sqlalchemy

    driver_url = options.url.replace("postgresql://", "postgresql+psycopg://")
    ended = options.count + (options.warm_up if options.work != "timers" else 0)
    answer |= wait_until_kept(sqlalchemy.create_engine(driver_url), ended)
    answer["expected_workflows"] = ended
    print(json.dumps(answer), flush=True)
    dbos.destroy()


def do_on_loop(
    dbos: Any, workflow: Callable[..., Any], progress: Progress, options: argparse.Namespace
) -> dict[str, Any]:
    """Do the work from one event loop, as an asyncio application would."""
    loop = asyncio.new_event_loop()

    def start(keys: list[str]) -> None:
        submitting: Coroutine[Any, Any, None] = submit_async(dbos, workflow, keys, progress)
        loop.run_until_complete(submitting)

    answer = do(options.work, start, progress, options)
    loop.run_until_complete(asyncio.sleep(1.0))
    return answer


if __name__ == "__main__":
    main()
