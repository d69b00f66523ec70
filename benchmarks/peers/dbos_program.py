"""DBOS Transact doing the work that the benchmarks measure: `dbos_program.py URL sync|async`."""

import asyncio
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from client import answer_requests
from tracing import Tracing

THREADS_MAX = 32
tracing = Tracing(os.environ["UPSHOT_BENCH_TRACE"])


def define_sync(dbos: Any) -> Callable[..., Any]:
    @dbos.step()
    def note(key: str) -> dict[str, str]:
        tracing.note(key, "1")
        return {"noted": key}

    @dbos.step()
    def remind(key: str) -> dict[str, str]:
        tracing.note(key, "2")
        return {"reminded": key}

    @dbos.step()
    def report(key: str) -> dict[str, str]:
        tracing.note(key, "3")
        return {"reported": key}

    @dbos.workflow()
    def booked(key: str, sleep: float) -> None:
        note(key)
        if sleep:
            tracing.note(key, "s")
            dbos.sleep(sleep)
        remind(key)
        report(key)

    return booked


def define_async(dbos: Any) -> Callable[..., Any]:
    @dbos.step()
    async def note(key: str) -> dict[str, str]:
        tracing.note(key, "1")
        return {"noted": key}

    @dbos.step()
    async def remind(key: str) -> dict[str, str]:
        tracing.note(key, "2")
        return {"reminded": key}

    @dbos.step()
    async def report(key: str) -> dict[str, str]:
        tracing.note(key, "3")
        return {"reported": key}

    @dbos.workflow()
    async def booked(key: str, sleep: float) -> None:
        await note(key)
        if sleep:
            tracing.note(key, "s")
            await dbos.sleep_async(sleep)
        await remind(key)
        await report(key)

    return booked


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


def main() -> None:
    url, mode = sys.argv[1:]
    if url.startswith("sqlite"):
        use_newer_sqlite()
        switch_to_wal(url.removeprefix("sqlite:///"))
    dbos: Any = import_module("dbos").DBOS
    config: dict[str, Any] = {"name": "benchmark", "system_database_url": url, "log_level": "ERROR"}
    config["run_admin_server"] = False
    if mode == "async":
        config["max_executor_threads"] = THREADS_MAX
    dbos(config=config)
    booked = (define_sync if mode == "sync" else define_async)(dbos)
    dbos.launch()
    if mode == "sync":
        answer_requests(lambda first, count, sleep: submit(dbos, booked, first, count, sleep))
    else:
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, daemon=True).start()
        answer_requests(
            lambda *asked: asyncio.run_coroutine_threadsafe(submit_async(dbos, booked, *asked), loop).result()
        )


def submit(dbos: Any, booked: Callable[..., Any], first: int, count: int, sleep: float) -> int:
    began = time.monotonic_ns()
    for number in range(first, first + count):
        dbos.start_workflow(booked, str(number), sleep)
        tracing.note(str(number), "a")
    return began


async def submit_async(dbos: Any, booked: Callable[..., Any], first: int, count: int, sleep: float) -> int:
    began = time.monotonic_ns()
    for number in range(first, first + count):
        await dbos.start_workflow_async(booked, str(number), sleep)
        tracing.note(str(number), "a")
    return began


if __name__ == "__main__":
    main()
