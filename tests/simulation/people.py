"""What comes from outside: hosts that emit, operators that cancel and edit, and what befalls machines."""

import re
import sqlite3
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

from tests.simulation.automations import (
    CONTROLLED_EVENT,
    DATES,
    LOOPING_EVENT,
    SETTING_EVENT,
    STATES,
    TENANTS,
    THINGS,
    THINGS_MEANT,
    UNTIL,
    event_data,
)
from tests.simulation.bulk import Bulk, Said
from tests.simulation.door import DELIVERED, DOORS, deliver
from tests.simulation.held import opened
from tests.simulation.queues import SLOW
from tests.simulation.segments import DEFINITIONS, PICKED, TURNED
from upshot import Upshot
from upshot.app.replays import Wanted
from upshot.core.errors import Busy, UpshotError
from upshot.core.queues import QUEUE
from upshot.core.statuses import RUN_OVER
from upshot.engine.control import Action
from upshot.store.database import DatabaseError
from upshot.testing.clock import START

if TYPE_CHECKING:
    from tests.simulation.process import SimulatedProcess
    from tests.simulation.world import World

SECOND = 1_000_000
EMIT_AGAIN_SECONDS = 1.0
LEASES_PAUSED_MAX = 3
BULK_AGAIN_SECONDS = 0.3
BULK_ACTIONS: tuple[Action, ...] = ("cancel", "pause", "pause", "resume", "retry")
ASKED = (*["sim/asked"] * 5, "sim/answered")
SUBSTITUTES: dict[str, Any] = {
    "lot": {"path": 1},
    "big": {"result": True},
    "again?": {"result": False},
    "each[]": {"items": ["a"]},
    "pair[]": {"items": ["a"]},
}
"""What stands in for the outputs of steps that lead somewhere, whatever their round."""

Given = tuple[str, str]
"""Tenant and the host's id of an event."""
Made = tuple[Given, dict[str, Any]]
"""An event with its name and data."""


class People:
    """Draws what hosts and operators do, and when, for the length of one seed."""

    def __init__(self, world: "World") -> None:
        self._world, self._draw = world, world.draw.people
        self._host = Upshot(f"sqlite:///{world.path}", clock=world_clock(world))
        self._connections: list[sqlite3.Connection] = []
        self._numbers = 0
        self.waiting: dict[Given, dict[str, Any]] = {}
        """Events that a host wants accepted and has no answer for."""
        self.seconds = self._draw.uniform(3, 12)
        self._rare_share = 0.2 if self._draw.random() < 0.1 else 0.0  # they sleep long, and long seeds are slow

        self._controlled = Random(f"controlled {world.seed}")
        self._controlled_share = self._controlled.choice((0.0, 0.0, 0.3, 0.8))
        self._looping = Random(f"looping {world.seed}")
        self._looping_share = self._looping.choice((0.0, 0.0, 0.0, 0.15))
        self._door = Random(f"door {world.seed}")
        self._door_share = self._door.choice((0.0, 0.0, 0.5))
        self._setting = Random(f"setting {world.seed}")
        self._membership = Random(f"membership {world.seed}")
        self._setting_share = self._setting.choice((0.0, 0.0, 0.2, 0.6))

    def begin(self) -> None:
        """Spread this seed's events, operators and mishaps over its time."""
        draw, after = self._draw, self._world.after
        for _ in range(draw.randint(3, 20)):
            after(draw.uniform(0, self.seconds), self.emit if draw.random() < 0.5 else self.transact)
        deeds = {"cancel": self.cancel, "edit": self.edit, "hold": self.hold, "skip": self.skip, "again": self.again}
        deeds["replay"] = self.replay
        deeds["retry"] = self.retry
        for kind, deed in deeds.items():
            self._often(kind, deed)
        mishaps = {"crash": self.crash, "pause": self.pause, "clock": self.jump, "drain": self.drain}
        for kind, deed in mishaps.items():
            self._often(kind, deed)
        self._often("change", self.change)
        self._often("bulk", self.bulk)
        if self._world.has_segments:
            self._often("segment", self.segment)

    def _often(self, kind: str, deed: Callable[[], None]) -> None:
        rate, at = self._world.faults.rate(kind), 0.0
        while rate and (at := at + self._world.draw.mishaps.expovariate(rate)) < self.seconds:
            self._world.after(at, deed)

    def heal(self) -> None:
        """Open transactions end now."""
        for connection in self._connections:
            if connection.in_transaction:
                connection.rollback()
        self._let_all_go_on()

    def close(self) -> None:
        """Let go of the file."""
        for connection in self._connections:
            connection.close()
        self._host.close()

    # --- hosts ----------------------------------------------------------------------------------------------------------

    def made(self) -> Made:
        """An event of some tenant. Both tenants' hosts count from one, so their ids are the same."""
        draw = self._draw
        tenant_id, self._numbers = draw.choice(TENANTS), self._numbers + 1
        name = "sim/rare" if draw.random() < self._rare_share else draw.choice(ASKED)
        if self._controlled.random() < self._controlled_share:
            name = CONTROLLED_EVENT
        if self._looping.random() < self._looping_share:
            name = LOOPING_EVENT
        if self._setting.random() < self._setting_share:
            name = SETTING_EVENT
        is_deadly = draw.random() < self._world.faults.rate("deadly")
        data = event_data(tenant_id, self._numbers % 11, is_deadly=is_deadly)
        return (tenant_id, f"event-{self._numbers // 2}"), {"name": name, "data": data}

    def emit(self, made: "Made | None" = None) -> None:
        """A host emits directly, until it is answered. It uses the same id each time."""
        given, envelope = made or self.made()
        if made is None and envelope["name"] == DELIVERED and self._door.random() < self._door_share:
            tenant_id, delivery_id = given
            given = (tenant_id, DOORS[tenant_id].source_id(delivery_id))
            envelope = {**envelope, "delivery": delivery_id}
        if given not in self._world.given:
            self._world.given[given] = "maybe"
            self.waiting[given] = envelope
            self._emit(given)

    def _emit(self, given: Given) -> None:
        if given not in self.waiting:
            return
        serving = self._world.serving()
        if serving:
            process = self._draw.choice(serving)
            process.loop.create_task(self._ask(process, given, self.waiting[given]))
        self._world.after(EMIT_AGAIN_SECONDS, lambda: self._emit(given))

    async def _ask(self, process: "SimulatedProcess", given: Given, envelope: dict[str, Any]) -> None:
        tenant_id, source_id = given
        try:
            if "delivery" in envelope:
                await self._deliver(process, tenant_id, envelope)
            else:
                await process.upshot.emit_async(envelope["name"], envelope["data"], tenant=tenant_id, id=source_id)
        except (Busy, DatabaseError):
            return
        self._world.given[given] = "committed"
        self.waiting.pop(given, None)
        if given not in self._world.watch.by_source:
            self._world.broken("I1", f"event {given} was acknowledged and is not kept")

    async def _deliver(self, process: "SimulatedProcess", tenant_id: str, envelope: dict[str, Any]) -> None:
        """Some senders send again what they were answered for."""
        given = (tenant_id, envelope["delivery"], envelope["data"], self._world.now)
        await deliver(process.upshot, *given)
        if self._door.random() < 0.2 and not await deliver(process.upshot, *given):
            self._world.broken("I1", f"delivery {given} was taken as a new one again")

    def transact(self, made: "list[Made] | None" = None) -> None:
        """A host emits one to three events in a transaction of its own, which it then commits or rolls back."""
        connection = sqlite3.connect(self._world.path, timeout=0, isolation_level=None)
        connection.execute("PRAGMA synchronous = OFF")
        self._connections.append(connection)
        self._transact(connection, made or [self.made() for _ in range(self._draw.randint(1, 3))])

    def _transact(self, connection: sqlite3.Connection, made: list[Made]) -> None:
        world, draw = self._world, self._draw
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            world.after(0.05, lambda: self._transact(connection, made))
            return
        fresh = [(given, envelope) for given, envelope in made if given not in world.given]
        for (tenant_id, source_id), envelope in fresh:
            world.given[tenant_id, source_id] = "maybe"
            for _ in range(1 + (draw.random() < 0.2)):  # some hosts write a row twice
                self._host.emit(
                    envelope["name"], envelope["data"], tenant=tenant_id, id=source_id, connection=connection
                )
        rolls_back = draw.random() < world.faults.rate("host_rolls_back")
        holds = draw.uniform(0, 2) if draw.random() < world.faults.rate("host_holds") else 0.0

        def end() -> None:
            is_kept = connection.in_transaction and not rolls_back
            connection.commit() if is_kept else connection.rollback()
            for given, _ in fresh:
                world.given[given] = "committed" if is_kept else "rolled_back"
            world.note("host", "COMMIT" if is_kept else "ROLLBACK")
            world.committed(None)

        world.after(holds, end) if holds else end()

    # --- operators ------------------------------------------------------------------------------------------------------

    def _operate(self, deed: Callable[[Upshot], object]) -> None:
        serving = self._world.serving()
        if serving:
            process = self._draw.choice(serving)

            def do() -> None:
                try:
                    deed(process.upshot)
                except (UpshotError, DatabaseError) as error:
                    self._world.note("operator", f"was refused: {error}")

            self._world.at(self._world.now, do, process)

    def cancel(self) -> None:
        """Somebody cancels a run that was not over a moment ago."""
        unfinished = sorted(self._world.watch.active)
        if unfinished:
            tenant_id, run_id = self._draw.choice(unfinished)
            self._world.note("operator", f"cancels run {run_id}")
            self._operate(lambda upshot: upshot.runs.cancel(tenant_id, run_id))

    def hold(self) -> None:
        """Somebody pauses a run that was not over a moment ago, and lets it go on a little later."""
        unfinished = sorted(self._world.watch.active)
        if unfinished:
            tenant_id, run_id = self._draw.choice(unfinished)
            self._world.note("operator", f"pauses run {run_id}")
            self._operate(lambda upshot: upshot.runs.pause(tenant_id, run_id))
            self._world.after(self._draw.uniform(0.2, 4), lambda: self._let_go_on(tenant_id, run_id))

    def _let_go_on(self, tenant_id: str, run_id: str) -> None:
        run = self._world.watch.runs[tenant_id, run_id]
        if run["status"] == "paused":
            self._world.note("operator", f"resumes run {run_id}")
            self._operate(lambda upshot: upshot.runs.resume(tenant_id, run_id))
        if run["status"] not in RUN_OVER:  # the process that was to pause it may come to that later
            self._world.after(1.0, lambda: self._let_go_on(tenant_id, run_id))

    def skip(self) -> None:
        """Somebody skips a step of a run that nobody drove a moment ago."""
        watch = self._world.watch
        resting = sorted(key for key, hold in watch.active.items() if hold["worker_id"] is None)
        if resting:
            tenant_id, run_id = self._draw.choice(resting)
            name = watch.name_of(watch.runs[tenant_id, run_id])
            step_id = self._draw.choice(sorted(opened(name, watch.steps[tenant_id, run_id])) or [None])
            output = SUBSTITUTES.get(re.sub(":[0-9]+", "", step_id or ""))
            self._world.note("operator", f"skips step {step_id} of run {run_id}")
            self._operate(lambda upshot: upshot.runs.skip(tenant_id, run_id, step=step_id, output=output))

    def retry(self) -> None:
        """Somebody lets a run go on that failed: at the step that failed it, or past it."""
        failed = sorted(key for key, run in self._world.watch.runs.items() if run["status"] == "failed")
        if not failed:
            return
        tenant_id, run_id = self._draw.choice(failed)
        if self._draw.random() < 0.3:
            self._world.note("operator", f"skips what failed run {run_id}")
            self._operate(lambda upshot: upshot.runs.skip(tenant_id, run_id))
        else:
            self._world.note("operator", f"retries run {run_id}")
            self._operate(lambda upshot: upshot.runs.retry(tenant_id, run_id))

    def again(self) -> None:
        """Somebody runs a run again that is over: from the beginning, or from a step it came to."""
        watch = self._world.watch
        over = sorted(key for key, run in watch.runs.items() if run["status"] in RUN_OVER)
        if over:
            tenant_id, run_id = self._draw.choice(over)
            step_id = self._draw.choice([None, *sorted(watch.steps[tenant_id, run_id])])
            self._world.note("operator", f"runs run {run_id} again from {step_id}")
            self._operate(lambda upshot: upshot.runs.rerun(tenant_id, run_id, from_step=step_id))

    def replay(self) -> None:
        """Somebody lets an automation act on what happened until now; may pause or end that, and lets it go on."""
        draw = self._draw
        automations = self._world.watch.automations
        late = sorted(key for key, row in automations.items() if row["name"] == "late")
        tenant_id, automation_id = draw.choice(late if draw.random() < 0.4 else sorted(automations))
        wanted = Wanted(
            since=START,
            per_minute=draw.choice((60, 120, 600)),
            limit=draw.choice((None, None, None, 2)),
            dropped=draw.random() < 0.3,
        )
        self._world.note("operator", f"replays automation {automation_id}")

        def begin(upshot: Upshot) -> None:
            upshot.automations.activate(tenant_id, automation_id)
            upshot.replays.start(tenant_id, automation_id, wanted)

        self._operate(begin)
        if draw.random() < 0.5:
            self._world.after(
                draw.uniform(0, 3), lambda: self._hold_replays(tenant_id, draw.choice(("pause", "cancel")))
            )

    def _hold_replays(self, tenant_id: str, verb: str) -> None:
        for (whose, replay_id), row in sorted(self._world.watch.replayed.of.items()):
            if (whose, row["status"]) == (tenant_id, "running"):
                self._world.note("operator", f"{verb} replay {replay_id}")
                self._operate(lambda upshot, one=replay_id: getattr(upshot.replays, verb)(tenant_id, one))
                self._world.after(1.0, lambda one=replay_id: self._resume_replay(tenant_id, one))

    def _resume_replay(self, tenant_id: str, replay_id: str) -> None:
        status = self._world.watch.replayed.of[tenant_id, replay_id]["status"]
        if status == "paused":
            self._operate(lambda upshot: upshot.replays.resume(tenant_id, replay_id))
        if status in {"paused", "running"}:  # the process that was to pause it may come to that later
            self._world.after(1.0, lambda: self._resume_replay(tenant_id, replay_id))

    def edit(self) -> None:
        """Somebody pauses, activates or publishes an automation, perhaps with the runs under way."""
        tenant_id, automation_id = self._some_automation(self._draw)
        verb = self._draw.choice(("pause", "activate", "publish", "move", "replace"))
        self._world.note("operator", f"{verb} automation {automation_id}")
        if verb in {"move", "replace"}:
            is_end = verb == "replace"
            self._operate(lambda upshot: self._publish_anew(upshot, tenant_id, automation_id, is_end=is_end))
        else:
            self._operate(lambda upshot: getattr(upshot.automations, verb)(tenant_id, automation_id))

    def _some_automation(self, draw: Random) -> tuple[str, str]:
        """Perhaps one that has runs under way."""
        watch = self._world.watch
        busy = sorted({(key[0], watch.runs[key]["automation_id"]) for key in watch.active})
        return draw.choice(busy if busy and draw.random() < 0.5 else sorted(watch.automations))

    def _publish_anew(self, upshot: Upshot, tenant_id: str, automation_id: str, *, is_end: bool) -> None:
        """Publish another version, perhaps of another queue, and take the runs under way along, or cancel them."""
        draft = upshot.automations.draft(tenant_id, automation_id)
        own = {"queue": self._draw.choice((QUEUE, SLOW))} if self._world.has_queues else {}
        changed = {**draft, "description": f"as of {self._world.now}", **own}
        upshot.automations.save(tenant_id, automation_id, changed)
        if is_end:
            self._world.watch.bulks.publish(upshot, tenant_id, automation_id)
        else:
            upshot.automations.publish(tenant_id, automation_id, runs="move")

    def change(self) -> None:
        """Somebody changes the state or date of an entity, perhaps to what it is already."""
        draw = self._setting
        tenant_id, number = draw.choice(TENANTS), draw.randrange(THINGS)
        is_dated, thing = number >= THINGS_MEANT, f"thing-{number}"
        fields = {"due_on": draw.choice((*DATES, "2027-02-01"))} if is_dated else {"state": draw.choice(STATES)}
        self._world.note("operator", f"sets {fields} of {thing}")

        def patch(upshot: Upshot) -> None:
            told = upshot.entities.patch(tenant_id, "thing", thing, fields=fields)
            if self._world.watch.entities[tenant_id, thing]["revision"] < told["revision"]:
                self._world.broken("I21", f"a change was acknowledged as {told} and is not kept")

        self._operate(patch)

    def segment(self) -> None:
        """Somebody gives a segment another condition, puts an entity into one by hand or takes it out, or says when time is to
        turn one."""
        if not self._world.has_segments:
            return
        draw = self._membership
        tenant_id, thing = draw.choice(TENANTS), f"thing-{draw.randrange(THINGS)}"
        segments = self._world.watch.members.segments.items()
        of_name = {row["name"]: key[1] for key, row in segments if key[0] == tenant_id}
        if draw.random() < 0.5:
            number, is_told = draw.randrange(len(DEFINITIONS)), draw.random() < 0.5
            self._world.note("operator", f"gives segment {TURNED} of {tenant_id} definition {number}, told: {is_told}")
            self._operate(
                lambda upshot: upshot.segments.save(
                    *(tenant_id, of_name[TURNED]),
                    name=TURNED,
                    condition=DEFINITIONS[number].condition,
                    description=str(number),
                    announce=is_told,
                )
            )
        elif draw.random() < 0.5:
            verb = draw.choice(("add", "remove"))
            self._world.note("operator", f"{verb} {thing} of {tenant_id} by hand")
            self._operate(lambda upshot: getattr(upshot.segments, verb)(tenant_id, of_name[PICKED], thing))
        else:
            until = draw.choice(UNTIL)
            self._world.note("operator", f"has {thing} of {tenant_id} turn at {until}")
            self._operate(lambda upshot: upshot.entities.patch(tenant_id, "thing", thing, fields={"until": until}))

    def bulk(self) -> None:
        """Somebody acts on all runs that a filter names, batch by batch, or pauses an automation with its runs."""
        draw = self._setting
        tenant_id, automation_id = self._some_automation(draw)
        filters: list[Said] = [{"automation": automation_id}] * 3
        filters += [{"event": "sim/asked"}, {"event": CONTROLLED_EVENT}, {"entity": ("thing", "thing-1")}]
        filters += [{"status": "waiting"}, {}]
        said, limit = draw.choice(filters), draw.choice((1, 2, 500))
        if draw.random() < 0.2:
            action, said = "pause", filters[0]
            self._world.note("operator", f"pauses automation {automation_id} with its runs")
            self._operate(lambda upshot: self._world.watch.bulks.pause_with_runs(upshot, tenant_id, automation_id))
        else:
            action = draw.choice(BULK_ACTIONS)
            self._go_on_with(Bulk(tenant_id, action, said, limit))
        if action == "pause":
            again = Bulk(tenant_id, "resume", {name: one for name, one in said.items() if name != "status"})
            self._world.after(draw.uniform(0.2, 4), lambda: self._go_on_with(again))

    def _go_on_with(self, bulk: Bulk) -> None:
        if bulk.is_over:
            return
        self._world.note("operator", f"{bulk.action} of all of {bulk.said} after {bulk.after}")
        self._operate(lambda upshot: self._world.watch.bulks.batch(upshot, bulk))
        self._world.after(BULK_AGAIN_SECONDS, lambda: self._go_on_with(bulk))

    def _let_all_go_on(self) -> None:
        """Nothing stays paused for ever: whoever had a filter's runs paused may not know of all of them."""
        watch = self._world.watch
        for tenant_id in sorted({key[0] for key in watch.active if watch.runs[key]["status"] == "paused"}):
            self._go_on_with(Bulk(tenant_id, "resume", {}))
        self._world.after(1.0, self._let_all_go_on)

    # --- mishaps --------------------------------------------------------------------------------------------------------

    def _victim(self) -> "SimulatedProcess | None":
        processes = self._world.processes
        return self._world.draw.mishaps.choice(processes) if processes else None

    def crash(self) -> None:
        """kill -9."""
        if (victim := self._victim()) is not None:
            self._world.crash(victim)

    def pause(self) -> None:
        """SIGSTOP, and SIGCONT perhaps long after its lease."""
        if (victim := self._victim()) is not None:
            seconds = self._world.draw.mishaps.uniform(0, LEASES_PAUSED_MAX * victim.limits.lease_seconds)
            self._world.note(victim.name, f"is paused for {seconds:.3f} s")
            victim.paused_until = self._world.now + int(seconds * SECOND)

    def jump(self) -> None:
        """A wall clock is set."""
        if (victim := self._victim()) is not None:
            victim.clock.skew = int(SECOND * self._world.draw.mishaps.uniform(-8, 8))
            self._world.note(victim.name, f"has its clock set {victim.clock.skew / SECOND:.3f} s off")

    def drain(self) -> None:
        """A process is stopped in order (SIGTERM), to be started again."""
        serving = self._world.serving()
        if serving:
            victim = self._world.draw.mishaps.choice(serving)
            self._world.note(victim.name, "is stopped in order")
            victim.drain()


def world_clock(world: "World") -> Any:
    """The clock of a host whose time is right."""

    class HostClock:
        def now(self) -> int:
            return world.now

    return HostClock()
