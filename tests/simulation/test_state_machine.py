"""The same worlds, but a machine chooses what happens next and shrinks what breaks to a short story."""

import logging

from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.simulation.automations import TENANTS, event_data
from tests.simulation.faults import KINDS, Faults
from tests.simulation.world import World

NUMBERS = strategies.integers(0, 10)
ANY = strategies.integers(0, 50)
NOT_TOGGLED = {
    "crash",
    "pause",
    "clock",
    "drain",
    "cancel",
    "edit",
    "hold",
    "skip",
    "again",
    "replay",
    "deadly",
    "small",
    "change",
    "bulk",
    "segment",
}
TOGGLED = sorted(set(KINDS) - NOT_TOGGLED)


class Living(RuleBasedStateMachine):
    """Hosts, operators and mishaps in any order; the world holds every commit against the invariants."""

    @initialize(seed=strategies.integers(0, 2**16), processes=strategies.integers(1, 3))
    def begin(self, seed: int, processes: int) -> None:
        logging.disable(logging.CRITICAL)
        self.world = World(seed, Faults({}), processes=processes)
        self.world.__enter__()
        self.people = self.world.people
        self.number = 0

    def _given(self, tenant_id: str, number: int):
        self.number += 1
        return (tenant_id, f"event-{self.number}"), {"name": "sim/asked", "data": event_data(tenant_id, number)}

    @rule(tenant_id=strategies.sampled_from(TENANTS), number=NUMBERS)
    def emit(self, tenant_id: str, number: int) -> None:
        self.people.emit(self._given(tenant_id, number))

    @rule(tenant_id=strategies.sampled_from(TENANTS), number=NUMBERS, rolls_back=strategies.booleans())
    def transact(self, tenant_id: str, number: int, rolls_back: bool) -> None:
        self.world.faults.turn("host_rolls_back", rate=float(rolls_back))
        self.people.transact([self._given(tenant_id, number)])

    @rule()
    def cancel(self) -> None:
        self.people.cancel()

    @rule()
    def hold(self) -> None:
        self.people.hold()

    @rule()
    def skip(self) -> None:
        self.people.skip()

    @rule()
    def again(self) -> None:
        self.people.again()

    @rule()
    def replay(self) -> None:
        self.people.replay()

    @rule()
    def change(self) -> None:
        self.people.change()

    @rule()
    def bulk(self) -> None:
        self.people.bulk()

    @rule()
    def segment(self) -> None:
        self.people.segment()

    @rule()
    def edit(self) -> None:
        self.people.edit()

    @rule(which=ANY)
    def crash(self, which: int) -> None:
        processes = self.world.processes
        if processes:
            self.world.crash(processes[which % len(processes)])

    @rule()
    def pause(self) -> None:
        self.people.pause()

    @rule()
    def drain(self) -> None:
        self.people.drain()

    @rule(kind=strategies.sampled_from(TOGGLED), rate=strategies.sampled_from((0.0, 0.1, 0.3)))
    def turn(self, kind: str, rate: float) -> None:
        self.world.faults.turn(kind, rate=rate)

    @rule(seconds=strategies.floats(0.001, 5))
    def advance(self, seconds: float) -> None:
        self.world.run_for(seconds)

    @rule(steps=strategies.integers(1, 60))
    def step(self, steps: int) -> None:
        for _ in range(steps):
            self.world.step()

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "world"):
            self.world.watch.check_all()
            self.world.raise_broken()

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.world.heal()
            self.world.settle()
        finally:
            self.world.__exit__()
            logging.disable(logging.NOTSET)


TestLiving = Living.TestCase
TestLiving.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
