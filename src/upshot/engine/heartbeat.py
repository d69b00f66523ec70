"""Heartbeat: keeps this worker's lease, on a thread of its own, so that a blocked event loop does not lose it at once.

The lease is the worker's, in one row, however many runs it drives. A worker whose loop has not turned for long is as good as
dead: its heartbeat stops by itself, and others take over what it held. What it still writes then is refused by each run's
epoch.
"""

import asyncio
import logging
import os
import platform
import threading
from collections.abc import Callable

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import ServerClock
from upshot.adapters.place import is_running, place
from upshot.core.instants import SECOND
from upshot.engine import crash_points
from upshot.engine.process import Process
from upshot.store import runs, workers
from upshot.store.database import DatabaseError
from upshot.store.postgresql import server_time
from upshot.store.workers import Buried, Worker

log = logging.getLogger("upshot.engine")

BEATS_PER_LEASE = 4
MARGIN = 0.2
"""The part of a lease in which no step is begun any more: the worker's own idea of time may be late by as much."""
RETRY_SECONDS = 0.5


class Beat(msgspec.Struct, frozen=True):
    """What one beat wrote and saw: until when the lease holds, the ids of all workers in order, and who was just buried."""

    until: int
    peers: tuple[str, ...]
    buried: Buried


class Heartbeat:
    """Registers this worker, renews its lease, and buries workers whose lease has run out."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._until = 0
        self._renewed: asyncio.Event | None = None
        self._peers: tuple[str, ...] = ()
        self.thread = HeartbeatThread(self)
        self.on_peer_gone: Callable[[], None] = lambda: None
        """Called, on the thread of the beat, when a worker that was there is gone: what it held or knew is others' now."""

    @property
    def lease_seconds(self) -> float:
        """How long a lease holds without being renewed."""
        return self._process.limits.lease_seconds

    @property
    def stall_seconds(self) -> float:
        """How long the event loop may stand still before the worker counts as dead."""
        return self._process.limits.stall_seconds

    @property
    def peers(self) -> tuple[str, ...]:
        """The ids of all workers at the last beat, this one too, in order."""
        return self._peers

    def beat(self) -> None:
        """Renew the lease, in one short transaction of its own; bury who is dead."""
        with self._process.database.writing() as connection:
            beaten = self.write(connection)
            crash_points.reach("beat.before_commit")
        crash_points.reach("beat.after_commit")
        self.keep(beaten)

    def write(self, connection: Connection) -> "Beat":
        """Renew the lease in this transaction; `keep` what it gives once that is committed."""
        process = self._process
        if isinstance(process.clock, ServerClock):
            process.clock.measure(lambda: server_time(connection))
        now = process.clock.now()
        until = now + int(self.lease_seconds * SECOND)
        if not self._until or not workers.renew(connection, process.worker_id, until):
            workers.register(connection, self._worker(now, until))
        here = place()
        known_dead = [w.id for w in workers.every(connection) if here and w.place == here and not is_running(w.pid)]
        buried = workers.bury_dead(connection, process.worker_id, now, known_dead)
        return Beat(until, tuple(worker.id for worker in workers.every(connection)), buried)

    def keep(self, beat: "Beat") -> None:
        """The lease was renewed."""
        buried = beat.buried
        if buried.ids:
            log.warning("workers %s are gone; what they held is taken over", ", ".join(buried.ids))
            self._process.metrics.rescues += buried.runs
        is_one_gone = bool(buried.ids or set(self._peers) - set(beat.peers))
        self._until, self._peers = beat.until - int(self.lease_seconds * MARGIN * SECOND), beat.peers
        if is_one_gone:
            self.on_peer_gone()

    def is_current(self) -> bool:
        """Whether the lease surely holds now."""
        return self._process.clock.now() < self._until

    async def current(self) -> bool:
        """Return when the lease surely holds; False when it had run out meanwhile, so that others may hold what was ours."""
        if self.is_current():
            return True
        while not self.is_current():
            self._renewed = self._renewed or asyncio.Event()
            self._renewed.clear()
            self.thread.beat_soon(self._renewed)
            await self._renewed.wait()
        return False

    def leave(self, connection: Connection) -> None:
        """Hand back what this worker holds, and take it off."""
        worker_id = self._process.worker_id
        runs.release_all(connection, worker_id)
        workers.free(connection, [worker_id])
        workers.remove(connection, worker_id)

    def _worker(self, now: int, until: int) -> Worker:
        limits = self._process.limits
        return Worker(
            id=self._process.worker_id,
            host=platform.node(),
            place=place(),
            pid=os.getpid(),
            queues=tuple(sorted(limits.queues)),
            concurrency=limits.runs_max,
            started_at=now,
            expires_at=until,
        )


class HeartbeatThread:
    """Beats until it is stopped, or until the event loop it stands for has not turned for long."""

    def __init__(self, heartbeat: Heartbeat) -> None:
        self._heartbeat = heartbeat
        self._asked = threading.Event()
        self._stopping = False
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._thread: threading.Thread | None = None
        self.turned_seconds: Callable[[], float] = lambda: 0.0
        """How long ago the event loop last turned."""

    def start(self) -> None:
        """Begin to beat."""
        self._thread = threading.Thread(target=self._run, name="upshot-heartbeat", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Let the present beat end, then stop."""
        self._stopping = True
        self._asked.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def beat_soon(self, renewed: asyncio.Event | None = None) -> None:
        """Beat now; `renewed`, of the running event loop, is set once a beat has succeeded."""
        if renewed is not None:
            self._waiting.append((asyncio.get_running_loop(), renewed))
        self._asked.set()

    def _run(self) -> None:
        rest = self._heartbeat.lease_seconds / BEATS_PER_LEASE
        delay = rest
        while True:
            self._asked.wait(delay)
            self._asked.clear()
            if self._stopping:
                return
            if not self._beat():
                delay = RETRY_SECONDS
                continue
            delay = rest
            waiting, self._waiting = self._waiting, []
            for loop, renewed in waiting:
                loop.call_soon_threadsafe(renewed.set)

    def _beat(self) -> bool:
        blocked = self.turned_seconds()
        if blocked > self._heartbeat.stall_seconds:
            log.critical("the event loop has not turned for %.0f s; this worker gives its lease up", blocked)
            return True
        try:
            self._heartbeat.beat()
        except DatabaseError as error:
            log.warning("the lease could not be renewed: %s", getattr(error, "orig", None) or error)
            return False
        except Exception:  # without its thread the worker would stand still
            log.exception("the lease could not be renewed; it is tried again")
            return False
        return True
