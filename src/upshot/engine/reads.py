"""Reads for the engine, off the event loop, on connections that only read."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from upshot.adapters.clock import ticks
from upshot.store.database import Database
from upshot.store.forks import belongs_to_one_process

P = ParamSpec("P")
T = TypeVar("T")


class Reads:
    """Runs store functions on a small pool of threads, each in one consistent read-only view."""

    def __init__(self, database: Database, threads: int = 2) -> None:
        self._database, self._threads = database, threads
        self.begin_anew()
        belongs_to_one_process(self)
        self.on_read: Callable[[int], None] = lambda _took: None
        """Called with how long each read took, its wait for a thread too (microseconds)."""

    def begin_anew(self) -> None:
        """With threads of this process."""
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="upshot-read")

    async def run(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The answer of `function(connection, ...)`."""

        def work() -> Any:
            with self._database.reading() as connection:
                return function(connection, *args, **kwargs)

        began = ticks()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self.on_read(ticks() - began)

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
