"""Worker: the engine of one process. It composes the services and starts, drains and stops them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from filelock import FileLock, Timeout

from upshot.core.errors import Busy, Conflict
from upshot.core.events import Event
from upshot.engine.accept import Accept
from upshot.engine.act import Act
from upshot.engine.changes import Changes
from upshot.engine.heartbeat import Heartbeat
from upshot.engine.match import Match
from upshot.engine.process import Process
from upshot.engine.recover import Recover
from upshot.engine.relay import Relay
from upshot.engine.run import Run
from upshot.engine.service import Loop
from upshot.engine.timekeep import Timekeep
from upshot.store import workers

log = logging.getLogger("upshot.engine")

DRAIN_SECONDS = 10.0
IDLE_LOOK_SECONDS = 0.001


class Engine:
    """The services of one process, wired: what one of them commits is handed to the next in memory."""

    def __init__(self, process: Process, receive: Callable[[str, list[dict[str, Any]]], Awaitable[Any]]) -> None:
        self.process = process
        self.accept = Accept(process.worker_id)
        self.run = Run(process, Act(process))
        self.match = Match(process, self.run)
        self.recover = Recover(process, self.run)
        self.timekeep = Timekeep(process, self.run, self.recover)
        self.relay = Relay(process, receive)
        self.heartbeat = Heartbeat(process)
        services = (self.match, self.recover, self.timekeep, self.relay, self.heartbeat)
        self._loops = {service.name: Loop(service) for service in services}
        self._lock = FileLock(f"{process.database.path}-engine", thread_local=False) if process.database.path else None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.stopped = asyncio.Event()
        self.run.on_emitted = self.match.hand
        self.run.on_timer = self.recover.on_timer = self.timekeep.add
        self.run.on_room = self._loops["recover"].wake
        self.match.wake = self._loops["match"].wake
        self.timekeep.wake = self._loops["timekeep"].wake

    @property
    def is_running(self) -> bool:
        """Whether the services run."""
        return self.loop is not None

    async def start(self) -> None:
        """Take the file (an embedded database has one engine), register this worker, and start every service.

        Raises:
            Conflict: another engine runs on this file.
        """
        if self._lock is not None:
            try:
                self._lock.acquire(timeout=0)
            except Timeout as error:
                raise Conflict(
                    f"Another engine runs on {self.process.database.path}. Stop it first, or give this one its own "
                    "database; several workers need PostgreSQL."
                ) from error
        try:
            await self.process.definitions.refresh()
            await self.heartbeat.poll()
            if self._lock is not None:  # the lock proves that every other worker of this file is gone
                await self.process.commit.run_async(lambda c: workers.expire_others(c, self.process.worker_id))
        except BaseException:
            if self._lock is not None:
                self._lock.release()
            raise
        self.loop = asyncio.get_running_loop()
        for loop in self._loops.values():
            loop.start()

    async def stop(self) -> None:
        """Stop claiming, let steps in flight end for a while, hand everything back, and let go of the file."""
        if self.loop is None:
            return
        for name in ("relay", "match", "recover", "timekeep", "heartbeat"):
            await self._loops[name].stop()
        await self.match.drain()
        await self.run.drain(DRAIN_SECONDS)
        try:
            await self.heartbeat.leave()
        except Busy:
            log.warning("the store is busy: what this worker held is free when its lease ends, or at the next start")
        finally:
            self.process.reads.close()
            self.loop = None
            self.stopped.set()
            if self._lock is not None:
                self._lock.release()

    def hand(self, events: Sequence[Event]) -> None:
        """Match these events that were just committed. Thread-safe."""
        loop = self.loop
        if loop is None:
            return
        try:
            is_here = asyncio.get_running_loop() is loop
        except RuntimeError:
            is_here = False
        if is_here:
            self.match.hand(events)
        else:
            loop.call_soon_threadsafe(self.match.hand, events)

    def claim_soon(self) -> None:
        """A run that any worker may claim was just committed. Thread-safe."""
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self._loops["recover"].wake)

    def dropped(self, tenant_id: str, run_id: str) -> None:
        """A run was ended from outside: forget it if it sleeps here. Thread-safe."""
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self.run.sleeping.pop, (tenant_id, run_id), None)

    def definitions_changed(self, tenant_id: str) -> None:
        """This tenant's automations, event types or settings were just changed by this process. Thread-safe."""
        self.process.definitions.forget(tenant_id)

    @property
    def changes(self) -> Changes:
        """Who is told what changed."""
        return self.process.changes

    def wake(self) -> None:
        """Let every service look again now: time or state was changed from outside."""
        for loop in self._loops.values():
            loop.wake()

    def is_idle(self) -> bool:
        """Whether every service rests, nothing handed over waits, no run is driven and no timer in memory is due."""
        due = self.timekeep.next_due_at()
        has_due = due is not None and due <= self.process.clock.now()
        is_resting = all(loop.is_resting for loop in self._loops.values())
        return is_resting and not has_due and self.match.is_idle() and self.run.is_idle()

    async def idle(self) -> None:
        """Wait until the engine is idle: all that could be done now is done. Call it on the engine's event loop."""
        while not self.is_idle():  # noqa: ASYNC110 - idleness is of many parts; only tests and scripts ask for it
            await asyncio.sleep(IDLE_LOOK_SECONDS)
