"""Worker: the engine of one process. It composes the services and starts, drains and stops them."""

import asyncio
import contextlib
import logging
import zlib
from collections.abc import Callable, Sequence

from filelock import FileLock, Timeout

from upshot.adapters.clock import ticks
from upshot.core.errors import Busy, Conflict
from upshot.core.events import Event
from upshot.core.instants import SECOND
from upshot.engine import tracing
from upshot.engine.accept import Accept
from upshot.engine.act import Act
from upshot.engine.awaken import Awaken
from upshot.engine.cancel import Cancel
from upshot.engine.changes import Changes
from upshot.engine.decide import Decide
from upshot.engine.heartbeat import Heartbeat
from upshot.engine.housekeep import Housekeep
from upshot.engine.listen import Listen
from upshot.engine.match import Match
from upshot.engine.process import Process
from upshot.engine.prune import Prune
from upshot.engine.recover import Recover
from upshot.engine.relay import Receive, Relay
from upshot.engine.release import Release
from upshot.engine.replay import ReplayService
from upshot.engine.run import Run
from upshot.engine.schedule import ScheduleService
from upshot.engine.segment import SegmentService
from upshot.engine.service import Loop
from upshot.engine.timekeep import Timekeep
from upshot.store import hints, workers
from upshot.store.forks import belongs_to_one_process

log = logging.getLogger("upshot.engine")

TURN_SECONDS = 0.5
IDLE_LOOK_SECONDS = 0.001


class Engine:
    """The services of one process, wired: what one of them commits is handed to the next in memory."""

    def __init__(self, process: Process, receive: Receive) -> None:
        self.process = process
        self.heartbeat = Heartbeat(process)
        self.run = Run(process, Act(process), self.heartbeat)
        decide = Decide(process, self.run)
        self.accept = Accept(process, decide)
        self.match = Match(process, decide)
        self.recover = Recover(process, self.run)
        self.timekeep = Timekeep(process, self.run, self.recover)
        self.schedule = ScheduleService(process, self.run)
        self.replay = ReplayService(process)
        self.segment = SegmentService(process, self.run)
        self.release = Release(process)
        self.relay = Relay(process, receive)
        self.housekeep = Housekeep(process)
        self.prune = Prune(process)
        self.listen = Listen(process) if process.database.is_shared else None
        self.awaken = Awaken(process, self.run)
        self.cancel = Cancel(process)
        services = (
            *(self.match, self.awaken, self.recover, self.timekeep, self.schedule, self.replay, self.segment),
            *(self.release, self.cancel, self.relay, self.housekeep, self.prune),
        )
        self._loops = {service.name: Loop(service) for service in (*services, self.listen) if service is not None}
        self._lock = FileLock(f"{process.database.path}-engine", thread_local=False) if process.database.path else None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.stopped = asyncio.Event()
        self.is_draining = False
        self._turned_at = 0
        self.run.on_emitted = self.schedule.on_events = self.segment.on_events = self.match.hand
        self.schedule.on_cancelled = self.cancel.on_cancelled = self.dropped
        self.accept.on_accepted = self.hand
        self.run.on_timer = self.recover.on_timer = self.timekeep.add
        self.run.on_room = self._loops["recover"].wake
        self.run.on_over = self._loops["release"].wake
        self.run.on_called = self._loops["awaken"].wake
        self.awaken.on_roused = self._loops["recover"].wake
        decide.on_controlled = self.replay.on_started = self._controlled
        self.release.on_released = self._loops["recover"].wake
        self.match.wake = self._loops["match"].wake
        self.match.on_woken = self._woken
        self.timekeep.wake = self._loops["timekeep"].wake
        self.timekeep.is_own = self._is_own
        self.housekeep.on_freed = self._look
        self.heartbeat.on_peer_gone = lambda: self._from_a_thread(self._look)
        if self.listen is not None:
            self.listen.on_hint = lambda hint: self._from_a_thread(lambda: self._hear(hint))
            self.listen.on_changed = lambda tenants: self._from_a_thread(lambda: self._resync(tenants))
        process.commit.writer.on_committed = process.metrics.committed
        process.commit.writer.on_failed = process.metrics.not_committed
        process.reads.on_read = process.metrics.read.add
        belongs_to_one_process(self)
        process.commit.writer.on_unknown = lambda: self._from_a_thread(self._look)

    @property
    def services(self) -> dict[str, Loop]:
        """The loops of the services, by name: when each last did its work, and what last went wrong."""
        return self._loops

    def begin_anew(self) -> None:
        """In a fork: the services run in the parent, and go on there."""
        self.loop = None
        self.accept.shut()

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
            if self._lock is not None:  # the lock proves that every other worker of this file is gone
                await self.process.commit.run_async(
                    lambda c: workers.expire_others(c, self.process.worker_id), "register"
                )
            self.heartbeat.keep(await self.process.commit.run_async(self.heartbeat.write, "register"))
        except BaseException:
            if self._lock is not None:
                self._lock.release()
            raise
        self.loop = asyncio.get_running_loop()
        self.accept.open()
        tracing.look()
        self._turn()
        self.heartbeat.thread.turned_seconds = lambda: (ticks() - self._turned_at) / SECOND
        self.heartbeat.thread.start()
        for loop in self._loops.values():
            loop.start()

    async def stop(self) -> None:
        """Stop claiming, let steps in flight end for a while, hand everything back, and let go of the file."""
        if self.loop is None:
            return
        self.is_draining = True
        self.accept.shut()
        if self.listen is not None:
            self.listen.stop()
        for loop in self._loops.values():
            await loop.stop()
        await self.accept.drain()
        await self.match.drain()
        await self.run.drain(self.process.limits.drain_seconds)
        try:
            await self.process.commit.run_async(self.heartbeat.leave, "leave")
        except Busy:
            log.warning("the store is busy: what this worker held is free when its lease ends, or at the next start")
        finally:
            await self.heartbeat.thread.stop()
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

    def _turn(self) -> None:
        """Note that the event loop turns, for the heartbeat and for those who ask whether this process is alive."""
        self._turned_at = ticks()
        if self.loop is not None:
            self.loop.call_later(TURN_SECONDS, self._turn)

    def _from_a_thread(self, work: Callable[[], None]) -> None:
        if self.loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop closed meanwhile
                self.loop.call_soon_threadsafe(work)

    def _woken(self) -> None:
        """What runs wait for has come: some are ready, others are driven, and others are to be cancelled."""
        for name in ("recover", "awaken", "cancel"):
            self._loops[name].wake()

    def _look(self) -> None:
        """What the store has may differ from what is in memory: look everywhere."""
        self.recover.look()
        self.match.look()
        self.timekeep.reload()
        self._loops["recover"].wake()

    def _hear(self, hint: str) -> None:
        """Another process says that something waits; an empty hint: anything may."""
        if hint in {"", hints.EVENTS}:
            self.match.look()
        if hint in {"", hints.RUNS}:
            self._loops["recover"].wake()
        if hint in {"", hints.WAITS}:
            self._loops["awaken"].wake()

    def _resync(self, tenants: list[str]) -> None:
        for tenant_id in tenants:
            self.process.changes.resync(tenant_id)

    def _is_own(self, run_id: str) -> bool:
        """Whether a timer found in the store is this worker's to fire first: each worker has an equal share."""
        peers = self.heartbeat.peers
        if self.process.worker_id not in peers:
            return True
        return zlib.crc32(run_id.encode()) % len(peers) == peers.index(self.process.worker_id)

    def claim_soon(self) -> None:
        """A run that any worker may claim was just committed, or one that waits may have its place now. Thread-safe."""
        self._from_a_thread(self._controlled)

    def replay_soon(self) -> None:
        """A replay that any worker may go on with was just committed. Thread-safe."""
        self._from_a_thread(self._loops["replay"].wake)

    def find_members_soon(self) -> None:
        """The members of a segment are to be found. Thread-safe."""
        self._from_a_thread(self._loops["segment"].wake)

    def _controlled(self) -> None:
        """Flow control has decided something: there may be runs to claim, or something to let go soon."""
        self._loops["recover"].wake()
        self._loops["release"].wake()

    def dropped(self, tenant_id: str, run_id: str) -> None:
        """A run was ended from outside: forget it if it sleeps here. Thread-safe."""
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self.run.sleeping.pop, (tenant_id, run_id), None)
            for name in ("release", "awaken"):
                self.loop.call_soon_threadsafe(self._loops[name].wake)

    def definitions_changed(self, tenant_id: str) -> None:
        """This tenant's automations, event types or settings were just changed by this process. Thread-safe."""
        self.process.definitions.forget(tenant_id)

    @property
    def changes(self) -> Changes:
        """Who is told what changed."""
        return self.process.changes

    def wake(self) -> None:
        """Let every service look again now: time or state was changed from outside."""
        self.heartbeat.thread.beat_soon()
        for loop in self._loops.values():
            loop.wake()

    def is_idle(self) -> bool:
        """Whether every service rests, nothing comes in or waits, no run is driven and no timer in memory is due."""
        due = self.timekeep.next_due_at()
        has_due = due is not None and due <= self.process.clock.now()
        is_resting = all(loop.is_resting for loop in self._loops.values())
        is_matched = not self.accept.is_taking and self.match.is_idle()
        return is_resting and not has_due and is_matched and self.run.is_idle()

    async def idle(self) -> None:
        """Wait until the engine is idle: all that could be done now is done. Call it on the engine's event loop."""
        while not self.is_idle():  # noqa: ASYNC110 - idleness is of many parts; only tests and scripts ask for it
            await asyncio.sleep(IDLE_LOOK_SECONDS)
