"""The world of one seed: one thread, one virtual time, one heap of what is to happen; everything that may run now is drawn
from by the seed. Engine processes, hosts, operators and faults share one store.
"""

import heapq
import os
import shutil
import subprocess
import tempfile
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, Self

from tests.simulation.automations import template
from tests.simulation.door import DOORS
from tests.simulation.faults import Faults, stream
from tests.simulation.loops import RUNS_MAX, WINDOW_SECONDS
from tests.simulation.people import People
from tests.simulation.process import SimulatedProcess
from tests.simulation.provider import Provider
from tests.simulation.queues import QUEUED_FROM, SERVED
from tests.simulation.segments import SEGMENTED_FROM, small_pages
from tests.simulation.store import ProcessDied
from tests.simulation.watch import Watch
from upshot.adapters.clock import ids_from
from upshot.engine.process import Limits
from upshot.testing.clock import START

SECOND = 1_000_000
LEASE_SECONDS = 3.0
CALLS_SHOWN = 50
CHECK_EVERY = 100
STEPS_AT_AN_INSTANT_MAX = 20_000
LIVENESS_SECONDS = 300
"""How long after the last fault everything may take to end. The longest automation sleeps 45 s."""
STORE_FOLDER = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Broken(AssertionError):
    """An invariant does not hold."""

    def __init__(self, invariant: str, why: str, story: str) -> None:
        super().__init__(f"{invariant}: {why}\n{story}")
        self.invariant, self.why = invariant, why


class Draws:
    """A stream of random numbers for each part of the world."""

    def __init__(self, seed: int) -> None:
        self.schedule, self.store, self.effects = (stream(seed, name) for name in ("schedule", "store", "effects"))
        self.mishaps, self.people, self.shape = (stream(seed, name) for name in ("mishaps", "people", "shape"))


class World:
    """A context manager: inside, ids are the seed's too."""

    def __init__(self, seed: int, faults: Faults | None = None, *, processes: int | None = None) -> None:
        self.seed, self.now, self.steps = seed, START, 0
        self.faults = faults if faults is not None else Faults.drawn(seed)
        self._replay = f"--seed {seed}" + (f" --faults '{faults.as_json()}'" if faults is not None else "")
        self.draw = Draws(seed)
        self.digest = self._steps_now = 0
        self.commits = 0
        self.given: dict[tuple[str, str], str] = {}
        self._calls: deque[tuple[int, str, str]] = deque(maxlen=CALLS_SHOWN)
        self._heap: list[tuple[int, int, Callable[[], None], SimulatedProcess | None]] = []
        self._order = count()
        self._due: list[tuple[Callable[[], None], SimulatedProcess | None]] = []
        self._broken: Broken | None = None
        self._boots = count(1)
        self._size = processes or self.draw.shape.choice((1, 2, 2, 3))
        self.processes: list[SimulatedProcess] = []
        self.has_segments, self.has_queues = seed >= SEGMENTED_FROM, seed >= QUEUED_FROM
        self._pages = small_pages()
        self._ids = ids_from(stream(seed, "ids").randbytes)

    def __enter__(self) -> Self:
        base, doors = template(has_segments=self.has_segments, has_queues=self.has_queues)
        DOORS.update(doors)
        self._ids.__enter__()
        self._pages.__enter__()
        self._folder = Path(tempfile.mkdtemp(prefix="upshot-simulation-", dir=STORE_FOLDER))
        self.path = self._folder / "upshot.db"
        self.path.write_bytes(base)
        self.provider = Provider(self)
        self.watch = Watch(self)
        self.people = People(self)
        for place in range(max(self._size, 2) if self.has_queues else self._size):
            self.boot(SERVED[place] if self.has_queues else SERVED[0])
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.die()
        self.people.close()
        self.watch.close()
        self._pages.__exit__(None, None, None)
        self._ids.__exit__(None, None, None)
        shutil.rmtree(self._folder)

    # --- time -----------------------------------------------------------------------------------------------------------

    def at(self, when: int, work: Callable[[], None], process: SimulatedProcess | None = None) -> None:
        """Have something done at an instant, by a process if it then lives, or by the world."""
        heapq.heappush(self._heap, (max(when, self.now), next(self._order), work, process))

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        """Have the world do something later."""
        self.at(self.now + int(seconds * SECOND), work)

    def step(self) -> None:
        """Run one callback that may run now; when there is none, time jumps to the next that may."""
        while True:
            while self._heap and self._heap[0][0] <= self.now:
                _, _, work, process = heapq.heappop(self._heap)
                if process is None or process.is_alive:
                    self._due.append((work, process))
            ready = [process for process in self.processes if process.loop.ready and process.may_run]
            due = [at for at, (_, process) in enumerate(self._due) if process is None or process.may_run]
            if ready or due:
                break
            self._jump()
        chosen = self.draw.schedule.randrange(len(ready) + len(due))
        self.steps += 1
        self._steps_now += 1
        if self._steps_now > STEPS_AT_AN_INSTANT_MAX:
            self.broken("I12", "time does not go on: somebody polls without a rest")
        if chosen < len(ready):
            self._run(ready[chosen].loop.run_one, ready[chosen])
        else:
            work, process = self._due.pop(due[chosen - len(ready)])
            self._run(work, process)
        self.raise_broken()

    def _jump(self) -> None:
        instants = [p.paused_until for p in self.processes if p.is_alive and p.paused_until > self.now]
        if self._heap:
            instants.append(self._heap[0][0])
        self.now, self._steps_now = min(instants), 0

    def _run(self, work: Callable[[], None], process: SimulatedProcess | None) -> None:
        try:
            work()
        except ProcessDied:
            assert process is not None
            process.is_dying = True
        if process is not None and process.is_dying and process.is_alive:
            self.crash(process)

    def run_for(self, seconds: float) -> None:
        """Let so much time go by."""
        over: list[bool] = []
        self.after(seconds, lambda: over.append(True))
        while not over:
            self.step()

    # --- processes ------------------------------------------------------------------------------------------------------

    def boot(self, queues: frozenset[str]) -> None:
        """Start another process, which serves these."""
        shape, rate = self.draw.shape, self.faults.rate
        limits = Limits(
            lease_seconds=LEASE_SECONDS,
            queues=queues,
            sweep_page=2,
            loop_runs_max=RUNS_MAX,
            loop_window_seconds=WINDOW_SECONDS,
        )
        if rate("small"):
            room, sleepers = shape.randint(1, 4), shape.randint(0, 3)
            limits = replace(limits, runs_max=room, sleepers_max=sleepers, sweep_page=1)
        skew = int(SECOND * shape.uniform(-2, 2)) if rate("clock") else 0
        process = SimulatedProcess(self, f"process {next(self._boots)}", limits, skew)
        self.watch.queues.boots(process.worker_id, queues)
        self.processes.append(process)

    def crash(self, process: SimulatedProcess) -> None:
        """kill -9; another is started in its place a little later."""
        self.note(process.name, "is gone")
        process.die()
        self.processes.remove(process)
        self._due = [(work, owner) for work, owner in self._due if owner is not process]
        self.after(0.05 + 1.5 * self.draw.shape.random(), lambda: self.boot(process.limits.queues))

    def serving(self) -> list[SimulatedProcess]:
        """The processes whose engine runs now."""
        return [process for process in self.processes if process.is_serving]

    # --- what is seen ---------------------------------------------------------------------------------------------------

    def note(self, who: str, what: str) -> None:
        """A call to the store or the outside."""
        self._calls.append((self.now, who, what))
        self.digest = zlib.crc32(f"{self.now}{who}{what}".encode(), self.digest)

    def committed(self, process: SimulatedProcess | None) -> None:
        """Something was just committed, by this process or by a host."""
        self.watch.committed(process)
        self.commits += 1
        if self.commits % CHECK_EVERY == 0:
            self.watch.check_all()

    def broken(self, invariant: str, why: str) -> None:
        """An invariant does not hold: the world ends at this step. The first one counts."""
        self._broken = self._broken or Broken(invariant, why, self._story())

    def raise_broken(self) -> None:
        """Raise what was found broken, if anything was."""
        if self._broken is not None:
            raise self._broken

    def _story(self) -> str:
        calls = [
            f"  {(at - START) / SECOND:12.6f}  {who:12} {' '.join(what.split())[:150]}" for at, who, what in self._calls
        ]
        git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
        lines = [
            f"seed {self.seed}, step {self.steps}, git {git.stdout.strip() or 'unknown'}, faults: {self.faults}",
            f"the last {len(calls)} calls:",
            *calls,
            f"replay: .venv/bin/python -m tests.simulation {self._replay}",
        ]
        return "\n".join(lines)

    # --- the end --------------------------------------------------------------------------------------------------------

    def heal(self) -> None:
        """No fault happens any more: paused processes go on, clocks agree, hosts let go of the store."""
        self.faults.is_active = False
        for process in self.processes:
            process.paused_until, process.clock.skew = 0, 0
        self.people.heal()

    def settle(self) -> None:
        """I12: now everything ends within `LIVENESS_SECONDS`, and nothing is left over, in the store or in memory."""
        deadline = self.now + LIVENESS_SECONDS * SECOND
        while not (self._is_over()):
            if self.now > deadline:
                self.broken("I12", "; ".join(self._unfinished()))
            self.step()
        self.watch.check_all()
        self.watch.check_end()
        self.raise_broken()

    def _is_over(self) -> bool:
        return not self.people.waiting and self.watch.is_over() and not self._leaks()

    def _leaks(self) -> list[str]:
        return [leak for process in self.processes for leak in process.leaks()]

    def _unfinished(self) -> list[str]:
        watch = self.watch
        left: list[str] = [f"event {event} was never accepted" for event in self.people.waiting]
        left += [f"event {key} waits to be matched" for key in sorted(watch.unmatched)]
        left += [f"run {watch.runs[key]} is held so: {hold}" for key, hold in watch.active.items()]
        left += [
            f"schedule {row} is due" for row in watch.schedules.values() if (row["due_at"] or self.now + 1) <= self.now
        ]
        left += [f"outbox row {row} waits" for row in watch.outbox.values() if row["status"] == "pending"]
        return left + watch.replayed.unfinished() + watch.members.unfinished() + self._leaks()


def simulate(seed: int, faults: Faults | None = None) -> dict[str, Any]:
    """Live through one seed, from its first event to its end; figures of what happened.

    Raises:
        Broken: an invariant did not hold.
    """
    with World(seed, faults) as world:
        world.people.begin()
        world.run_for(world.people.seconds)
        world.heal()
        world.settle()
        return {
            "steps": world.steps,
            "commits": world.commits,
            "runs": len(world.watch.runs),
            "calls": len(world.provider.ledger),
            "digest": world.digest,
            "seconds": (world.now - START) / SECOND,
        }
