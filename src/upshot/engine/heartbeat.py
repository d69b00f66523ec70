"""Heartbeat: renews this worker's lease, in one write for all its runs."""

import os
import platform

from sqlalchemy import Connection

from upshot.core.instants import SECOND
from upshot.engine.process import Process
from upshot.store import counts, runs, workers


class Heartbeat:
    """The service that keeps the worker's lease."""

    name = "heartbeat"

    def __init__(self, process: Process) -> None:
        self._process = process
        self._is_registered = False
        self._beats = 0

    async def poll(self) -> float:
        """Register, or renew the lease; now and then fold old counts together."""
        process = self._process
        now = process.clock.now()
        expires_at = now + int(process.limits.lease_seconds * SECOND)
        if self._is_registered:
            held = await process.commit.run_async(lambda c: workers.renew(c, process.worker_id, expires_at))
            self._is_registered = held
        if not self._is_registered:
            await process.commit.run_async(
                lambda c: workers.register(c, process.worker_id, platform.node(), os.getpid(), now, expires_at)
            )
            self._is_registered = True
        if self._beats % 20 == 1:
            await process.commit.run_async(lambda c: counts.roll_up(c, now - 10 * 60 * SECOND))
        await process.definitions.refresh()
        self._beats += 1
        return process.limits.lease_seconds / 3

    async def leave(self) -> None:
        """Hand back what this worker holds and give its lease up."""
        worker_id = self._process.worker_id

        def leave(connection: Connection) -> None:
            runs.release_all(connection, worker_id)
            workers.remove(connection, worker_id)

        await self._process.commit.run_async(leave)
