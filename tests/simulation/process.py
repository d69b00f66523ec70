"""One simulated process: an Upshot of its own (store connections, engine, worker id) on a loop of its own."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from tests.simulation.door import SETTINGS
from tests.simulation.loop import SimulatedLoop
from tests.simulation.store import Calls, SimulatedBeats, SimulatedCommit, SimulatedDatabase, SimulatedReads
from upshot import Upshot
from upshot.core.program import Program
from upshot.engine.definitions import Definitions
from upshot.engine.process import Limits
from upshot.engine.worker import Engine

if TYPE_CHECKING:
    from tests.simulation.world import World

LATENCIES = {"commit": (200, 3_000), "deliver": (10, 500), "read": (50, 1_000), "answer": (10, 500)}
"""How long each kind of work on a thread takes (microseconds)."""


class ProcessClock:
    """The wall clock that one process sees: the world's time, off by `skew`, and kept from running backwards as
    `SystemClock` keeps it."""

    def __init__(self, world_time: Callable[[], int], skew: int) -> None:
        self._world_time, self.skew = world_time, skew
        self._latest = self._latest_time = 0

    def now(self) -> int:
        time = self._world_time()
        moment = time + self.skew
        if moment < self._latest:
            moment = self._latest + (time - self._latest_time) // 2
            if moment == self._latest:
                return moment
        self._latest, self._latest_time = moment, time
        return moment


class SimulatedDefinitions(Definitions):
    """A program is a value, and to compile them was a fifth of a life: each text is compiled once for all processes."""

    _by_text: ClassVar[dict[str, Program]] = {}

    def program(self, tenant_id: str, automation_id: str, version: int, document: str) -> Program:
        if document not in self._by_text:
            self._by_text[document] = super().program(tenant_id, automation_id, version, document)
        return self._by_text[document]


class SimulatedProcess:
    """An engine process. It lives from its construction to `die`; a restart is another one."""

    def __init__(self, world: "World", name: str, limits: Limits, skew: int) -> None:
        self.world, self.name, self.limits = world, name, limits
        self.is_alive, self.is_dying, self.paused_until = True, False, 0
        self.clock = ProcessClock(lambda: world.now, skew)
        self.loop = SimulatedLoop(lambda: world.now, self._at, self._unhandled)
        calls = Calls(
            world.faults, world.draw.store, lambda text: world.note(name, text), lambda: world.committed(self)
        )
        self.database = SimulatedDatabase(world.path, calls)
        self.commit = SimulatedCommit(self)
        self.upshot = self._upshot()
        self.engine = self.upshot.engine
        self.worker_id = self.engine.process.worker_id
        self.loop.create_task(self._start())

    def _upshot(self) -> Upshot:
        """The application's Upshot, with the simulated parts in the places of the real ones."""
        upshot = Upshot(f"sqlite:///{self.world.path}", settings=SETTINGS, clock=self.clock, limits=self.limits)
        self.world.provider.declare(upshot, self)
        reads = SimulatedReads(self)
        upshot.database, upshot.commit = self.database, self.commit
        process = replace(
            upshot.engine.process,
            database=self.database,
            commit=self.commit,
            reads=reads,
            definitions=SimulatedDefinitions(self.database, reads, upshot.actions.shapes),
        )
        upshot.engine = Engine(process, upshot.events.accept_async)
        upshot.engine.heartbeat.thread = SimulatedBeats(self, upshot.engine.heartbeat)
        return upshot

    # --- life -----------------------------------------------------------------------------------------------------------

    async def _start(self) -> None:
        try:
            await self.engine.start()
        except Exception as error:
            self.world.note(self.name, f"could not start: {error}")
            self.is_dying = True

    def drain(self) -> None:
        """Stop in order, then go."""

        async def stop() -> None:
            await self.engine.stop()
            self.is_dying = True

        self.loop.create_task(stop())

    @property
    def may_run(self) -> bool:
        """Whether its callbacks and threads run now."""
        return self.is_alive and self.world.now >= self.paused_until

    @property
    def is_serving(self) -> bool:
        """Whether it lives and its engine runs."""
        return self.may_run and self.engine.is_running

    def die(self) -> None:
        """kill -9."""
        self.is_alive = False
        self.loop.end()
        self.commit.abandon()
        self.database.close()

    def later(self, work: Callable[[], None], kind: str) -> None:
        """Have one of this process's threads do something, as soon as it gets to it."""
        world, draw = self.world, self.world.draw.schedule
        low, high = LATENCIES[kind]
        delay = low + int((high - low) * draw.random())
        if draw.random() < world.faults.rate("slow"):
            delay = int(5_000_000 * draw.random())
        self._at(world.now + delay, work)

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        """Have one of its threads do something after a rest."""
        self._at(self.world.now + int(seconds * 1_000_000), work)

    async def rest(self, seconds: float) -> None:
        """Wait for something outside that takes so long."""
        over = self.loop.create_future()
        self.after(seconds, lambda: None if over.done() else over.set_result(None))
        await over

    def _at(self, when: int, work: Callable[[], None]) -> None:
        self.world.at(when, work, self)

    def _unhandled(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.world.broken("I0", f"an error that nobody handled in {self.name}: {context.get('message')} {error!r}")

    # --- what must be left when nothing is to do ------------------------------------------------------------------------

    def leaks(self) -> list[str]:
        """What this process still holds in memory, in words; empty when it rests."""
        run, found = self.engine.run, list[str]()
        if not run.is_idle():
            found.append(f"{self.name} still drives runs")
        if run.room != self.limits.runs_max:
            found.append(f"{self.name} has room for {run.room} runs, not {self.limits.runs_max}")
        if run.sleeping:
            found.append(f"{self.name} still remembers {len(run.sleeping)} sleeping runs")
        if not self.engine.match.is_idle():
            found.append(f"{self.name} still has events to match")
        return found
