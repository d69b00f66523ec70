"""The checker: it reads what every commit changed, in order, and holds it against the invariants at once.

I1 a committed event becomes exactly one event row, a rolled-back one none. I3 an event starts each automation that listens
for it, once. I4 statuses move only along `core.statuses`. I5 what is kept never changes, but what failed a run when people
retry it (`reopened`). I6 nothing is written for a run but by who holds it, under its present epoch. I8 a timer fires once and
never early. I10 tenants stay apart. I11 what was accepted is somewhere. I13 an occurrence of a schedule is one event, never
early, and the schedule moves on with it. I14 of a paused run nothing begins and no delay is over. I15: see `waiting`, I17: see
`cancels`, I18: see `loops`, I19: see `replayed`, I20: see `causes`, I21: see `changes`, I22: see `bulk`, I23: see `dates`,
I24, I25: see `members`, I26: see `queues`, I7: see `controls`. I9 (one key per step) is the provider's to see, I12 (it all
ends) the world's.
"""

import sqlite3
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from tests.simulation import causes, changes
from tests.simulation.automations import CHANGED_EVENT, LOOPING, NOT_BEFORE, TENANTS, THINGS, listens
from tests.simulation.bulk import Bulks
from tests.simulation.cancels import Cancels
from tests.simulation.commit import Commit, Key, Row
from tests.simulation.controls import Controls, is_batch
from tests.simulation.dates import Dates
from tests.simulation.held import HeldBack
from tests.simulation.loops import Loops
from tests.simulation.members import Members
from tests.simulation.provider import mark_of
from tests.simulation.queues import Queues
from tests.simulation.reopened import Reopened
from tests.simulation.replayed import Replayed
from tests.simulation.waiting import Waiting
from upshot.core.automations.document import CALLED, SCHEDULED
from upshot.core.events import DEPTH_MAX
from upshot.core.instants import from_text
from upshot.core.invariants import ASLEEP, Snapshot, moves, violations
from upshot.core.journal import WHOLE
from upshot.core.segments import EVENTS
from upshot.core.statuses import RUN_OVER, is_final, may_move
from upshot.store.runs import PAUSED
from upshot.store.schema import metadata

if TYPE_CHECKING:
    from tests.simulation.process import SimulatedProcess
    from tests.simulation.world import World

_decode = msgspec.json.decode
MEMBERSHIP = frozenset(EVENTS.values())


class Watch:
    """Follows the store of one world."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._connection = sqlite3.connect(world.path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._seen = 0
        self._snapshot: Snapshot | None = None
        self.automations: dict[Key, Row] = {}
        self.events: dict[Key, Row] = {}
        self.by_source: dict[Key, Row] = {}
        self.unmatched: set[Key] = set()
        self.runs: dict[Key, Row] = {}
        self.active: dict[Key, Row] = {}
        self.steps: dict[Key, dict[str, Row]] = defaultdict(dict)
        self.timers: dict[Key, dict[str, Row]] = defaultdict(dict)
        self.waiting = Waiting()
        self.cancels = Cancels(self)
        self.outbox: dict[int, Row] = {}
        self.emitted: dict[tuple[Key, str], Row] = {}
        self.schedules: dict[Key, Row] = {}
        self.controls = Controls(self, world)
        self.replayed = Replayed(self, world)
        self.loops = Loops(self, world)
        self.reopened = Reopened()
        self.bulks = Bulks(self, world)
        self.entities: dict[Key, Row] = {}
        self.dates = Dates(self, world)
        self.members = Members(self, world)
        self.queues = Queues(self)
        self.paused: set[Key] = set()
        self.dead: set[Key] = set()
        self.held_back = HeldBack()
        self.committed(None)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def committed(self, process: "SimulatedProcess | None") -> None:
        """Read what was committed since the last look; by this process, or by a host."""
        query = "SELECT at, name, old, new FROM changes WHERE at > ? ORDER BY at"
        found = self._connection.execute(query, (self._seen,)).fetchall()
        if not found:
            return
        commit, before = Commit(process), dict(self.automations)
        for at, name, old, new in found:
            self._seen = at
            row, was = new and _decode(new), old and _decode(old)
            getattr(self, f"_{name}")(commit, was, row)
        self._at_the_end(commit, before)

    def _broken(self, invariant: str, why: str) -> None:
        self._world.broken(invariant, why)

    # --- one change -----------------------------------------------------------------------------------------------------

    def _automations(self, _commit: Commit, _old: Row | None, new: Row | None) -> None:
        assert new is not None
        self.automations[new["tenant_id"], new["id"]] = new
        if new["status"] != "active":
            self.paused.add((new["tenant_id"], new["id"]))

    def _schedules(self, _commit: Commit, old: Row | None, new: Row | None) -> None:
        row = new or old or {}
        key = (row["tenant_id"], row["automation_id"])
        if new is None:
            self.schedules.pop(key)
            return
        self.schedules[key] = new
        if old is not None and (new["last_at"] or 0) < (old["last_at"] or 0):
            self._broken("I13", f"schedule {old} became {new}")

    def _events(self, commit: Commit, old: Row | None, new: Row | None) -> None:
        if old is not None or new is None:
            return self._broken("I5", f"event {old} became {new}")
        key, source = (new["tenant_id"], new["id"]), (new["tenant_id"], new["source_id"])
        self.events[key] = new
        commit.accepted.append(new)
        self.cancels.event_accepted(new)
        run = self.runs.get((new["tenant_id"], new["cause_run_id"]))
        cause = self.events[new["tenant_id"], run["event_id"]] if run is not None else None
        is_led = new["name"] in MEMBERSHIP and new["root_id"] != new["id"]
        change = self.events.get((new["tenant_id"], new["root_id"])) if is_led and cause is None else None
        if not is_batch(new) and (why := causes.wrong(new, cause, change)) is not None:
            self._broken("I20", why)
        if new["cause_run_id"] is not None and new["cause_step_id"] is None:
            commit.again.append(new)
            was = self.events[new["tenant_id"], self.runs[new["tenant_id"], new["cause_run_id"]]["event_id"]]
            if (new["name"], new["data"]) != (was["name"], was["data"]):
                self._broken("I3", f"event {new} was made of {was} again")
            return None
        if is_batch(new):
            pass
        elif new["cause_run_id"] is not None:
            commit.emitted.append(new)
            at = ((new["tenant_id"], new["cause_run_id"]), new["cause_step_id"])
            if new["name"] in MEMBERSHIP:  # beside the change that made it so; how many there are is I25
                pass
            elif at in self.emitted:
                self._broken("I5", f"step {at} emitted {self.emitted[at]} and {new}")
            else:
                self.emitted[at] = new
        elif new["name"] in {CHANGED_EVENT, *MEMBERSHIP}:
            pass
        elif source in self.by_source:
            self._broken("I1", f"event {source} was accepted twice")
        elif new["name"].startswith(SCHEDULED):
            commit.occurred.append(new)
            self.by_source[source] = new
            return None
        elif source not in self._world.given:
            self._broken("I1", f"event {source} was accepted and nobody gave it")
        elif self._world.given[source] == "rolled_back":
            self._broken("I1", f"event {source} was accepted though its host rolled it back")
        else:
            self.by_source[source] = new
        if mark_of(new["tenant_id"]) not in new["data"]:
            self._broken("I10", f"event {new} is not its tenant's")
        return None

    def _unmatched(self, commit: Commit, old: Row | None, new: Row | None) -> None:
        row = new or old or {}
        key = (row["tenant_id"], row["event_id"])
        if new is None:
            self.unmatched.discard(key)
            commit.matched.append(key)
        else:
            self.unmatched.add(key)

    def _runs(self, commit: Commit, old: Row | None, new: Row | None) -> None:
        if new is None:
            return self._broken("I11", f"run {old} is gone")
        key = (new["tenant_id"], new["id"])
        commit.runs[key] = None
        self.runs[key] = new
        self.bulks.run_changed(key, new)
        if old is None:
            commit.started.append(new)
        elif old["status"] != new["status"]:
            if not may_move("run", old["status"], new["status"]):
                self._broken("I4", f"run {key} went from {old['status']} to {new['status']}")
            if old["status"] == "failed":
                commit.reopened[key] = old
            if new["status"] in {"completed", "partial"}:
                self._needs_hold(commit, key, ("runs", key), f"ended {new['status']}")
        elif is_final("run", old["status"]) and old != new:
            self._broken("I4", f"run {key} changed after its end: {old} became {new}")
        return None

    def _active(self, commit: Commit, old: Row | None, new: Row | None) -> None:
        row = new or old or {}
        key = (row["tenant_id"], row["run_id"])
        commit.runs[key] = None
        if new is None:
            self.active.pop(key)
            return
        if old is not None:
            if new["epoch"] < old["epoch"]:
                self._broken("I6", f"the epoch of run {key} went back")
            if new["worker_id"] not in {None, old["worker_id"]} and new["epoch"] == old["epoch"]:
                self._broken("I6", f"run {key} changed hands within epoch {new['epoch']}")
        if self.held_back.moved(key, old, new, self.name_of(self.runs[key]), self.steps[key]):
            commit.woken.add(key)
        self.active[key] = new

    def _steps(self, commit: Commit, old: Row | None, new: Row | None) -> None:
        row = new or old or {}
        key = (row["tenant_id"], row["run_id"])
        kept = self.steps[key]
        if new is None:
            self.reopened.forgot(commit, key, kept.pop(row["step_id"]))
            return None
        if old is not None:
            return self._broken("I5", f"kept step {old} became {new}")
        if new["step_id"] in kept or new["seq"] != len(kept):
            self._broken("I5", f"run {key} kept {new} after {list(kept.values())}")
        kept[new["step_id"]] = new
        if self.reopened.kept_again(commit, key, new):
            return None
        if (why := self.waiting.heard(key, new, kept, self.emitted)) is not None:
            self._broken("I15", why)
        commit.kept.append(new)
        commit.runs[key] = None
        hold = self.active.get(key)
        if new["status"] == "skipped" or any(key == (run["tenant_id"], run["id"]) for run in commit.started):
            if hold is None or hold["worker_id"] is not None:
                self._broken("I6", f"step {new} was kept by people while the run was held so: {hold}")
            return None
        if hold is not None and hold["parked"] == PAUSED and (why := self.held_back.kept_while_paused(key, new)):
            self._broken("I14", why)
        self._needs_hold(commit, key, ("steps", key, new["step_id"]), f"kept step {new['step_id']}")
        self._not_early(commit, key, new)
        return None

    def _not_early(self, commit: Commit, key: Key, step: Row) -> None:
        """I8: a delay until a local time, opening hours, an instant or a date is not over before."""
        is_over = (step["kind"], step["status"]) == ("delay", "completed")
        until = NOT_BEFORE.get(step["step_id"], 0) if is_over and self.name_of(self.runs[key]) == "rare" else 0
        if commit.process is not None and commit.process.clock.now() < until:
            self._broken("I8", f"delay {step} was over {until - commit.process.clock.now()} microseconds early")

    def _timers(self, commit: Commit, old: Row | None, new: Row | None) -> None:
        row = new or old or {}
        key = (row["tenant_id"], row["run_id"])
        commit.runs[key] = None
        if new is None:
            commit.fired.append(self.timers[key].pop(row["step_id"]))
        elif old is not None:
            self._broken("I5", f"timer {old} became {new}")
        else:
            self.timers[key][row["step_id"]] = new

    def _waits(self, commit: Commit, old: Row | None, new: Row | None) -> None:
        row, key = (new or old or {}), (str((new or old or {})["tenant_id"]), str((new or old or {})["run_id"]))
        commit.runs[key] = None
        if row["kind"] == "cancel":
            return self.cancels.watch_changed(key, old, new)
        if (why := self.waiting.changed(key, old, new)) is not None:
            self._broken("I15", why)
        if row["met_by"] is not None:
            commit.met.add(key)
        return None

    def _cancelling(self, _commit: Commit, old: Row | None, new: Row | None) -> None:
        self.cancels.spread_changed(old, new)

    def _outbox(self, _commit: Commit, old: Row | None, new: Row | None) -> None:
        if new is None:
            return self._broken("I1", f"outbox row {old} is gone")
        if old is not None and old["status"] != new["status"] and not may_move("outbox", old["status"], new["status"]):
            self._broken("I4", f"outbox row {old} became {new}")
        if new["status"] == "published" and (new["tenant_id"], new["id"]) not in self.by_source:
            self._broken("I1", f"outbox row {new} is published and its event is not accepted")
        self.outbox[new["seq"]] = new
        return None

    def _entities(self, commit: Commit, old: Row | None, new: Row | None) -> None:
        if new is None:
            return self._broken("I21", f"entity {old} is gone")
        key = (new["tenant_id"], new["id"])
        self.entities[key] = new
        self.dates.entity_changed(key, new)
        if old is not None:
            commit.changed[key] = (commit.changed.get(key, (old, old))[0], new)
        return None

    def _segments(self, _commit: Commit, _old: Row | None, new: Row | None) -> None:
        self.members.segment_changed(new)

    def _segment_members(self, _commit: Commit, old: Row | None, new: Row | None) -> None:
        self.members.member_changed(old, new)

    def _audit(self, commit: Commit, _old: Row | None, new: Row | None) -> None:
        assert new is not None
        commit.by_hand |= new["action"] in {"add", "remove"}
        self.bulks.audited(new)

    def _replays(self, _commit: Commit, old: Row | None, new: Row | None) -> None:
        self.replayed.changed(old, new)

    def _flow_keys(self, _commit: Commit, old: Row | None, new: Row | None) -> None:
        self.controls.key_changed(new, old)

    def _flow_outcomes(self, commit: Commit, old: Row | None, new: Row | None) -> None:
        self.controls.outcome_changed(new, old, commit.process.clock.now() if commit.process is not None else 0)

    def _dead_letters(self, commit: Commit, _old: Row | None, new: Row | None) -> None:
        assert new is not None
        commit.dead.add((new["tenant_id"], new["noun_id"]))
        self.dead.add((new["tenant_id"], new["noun_id"]))

    def _needs_hold(self, commit: Commit, key: Key, written: tuple[Any, ...], what: str) -> None:
        """I6: who writes for a run holds it, at this moment of its transaction, under the epoch it thinks."""
        assert commit.process is not None
        hold = self.active.get(key)
        epoch = commit.epochs.get(written, hold and hold["epoch"])
        if hold is None or (hold["worker_id"], hold["epoch"]) != (commit.process.worker_id, epoch):
            by = f"{commit.process.name} (worker {commit.process.worker_id}) under epoch {epoch}"
            self._broken("I6", f"{by} {what} of run {key}, which is held so: {hold}")

    # --- one commit -----------------------------------------------------------------------------------------------------

    def _at_the_end(self, commit: Commit, before: dict[Key, Row]) -> None:
        if (why := self.reopened.wrong(commit)) is not None:
            self._broken("I5", why)
        self._matches(commit, before)
        self._timers_fired(commit)
        self.controls.after_commit(commit.runs)
        self.replayed.after_commit(commit)
        if (wrong := self.cancels.wrong(commit.runs, commit.matched)) is not None:
            self._broken("I17", wrong)
        if (wrong := changes.wrong(commit)) is not None:
            self._broken("I21", wrong)
        if (wrong := self.queues.wrong(commit.runs)) is not None:
            self._broken("I26", wrong)
        self.members.after_commit(commit)
        for event in commit.occurred:
            self._occurred(commit, event)
        for key in commit.runs:
            run, hold, timers = self.runs.get(key), self.active.get(key), self.timers[key]
            if run is None:
                self._broken("I11", f"run {key} is not kept")
            elif (run["status"] in RUN_OVER) != (hold is None):
                self._broken("I4", f"run {run} is held so: {hold}")
            elif (run["status"] in RUN_OVER) != (run["finished_at"] is not None):
                self._broken("I4", f"run {run} ends oddly")
            elif timers and (hold is None or not (hold["parked"] or self._may_have_timers(key, run))):
                self._broken("I8", f"run {run}, held so: {hold}, has the timers {timers}")
            elif (
                hold is not None and hold["parked"] == ASLEEP and not (timers.keys() - {WHOLE} or self.waiting.of[key])
            ):
                self._broken("I12", f"run {run} sleeps and nothing can wake it")
            if (why := self.waiting.wrong(key, hold)) is not None:
                self._broken("I15", why)
        for step in commit.kept:
            output = _decode(step["output"]) if step["output"] is not None else None
            if (
                isinstance(output, dict)
                and "event_id" in output
                and (step["tenant_id"], output["event_id"]) not in self.events
            ):
                self._broken("I11", f"step {step} is kept and its event is not")
        for event in commit.emitted:
            key, step_id = (event["tenant_id"], event["cause_run_id"]), event["cause_step_id"]
            is_awaited = event["name"].startswith(CALLED) and self.waiting.waits_for_a_run(key, step_id)
            if step_id not in self.steps[key] and not is_awaited and not self._is_let_go(commit, event):
                self._broken("I11", f"event {event} is kept and its step is not")

    def _is_let_go(self, commit: Commit, event: Row) -> bool:
        """Whether a run that made a call was over before the commit was; if it was cancelled, so is what it called."""
        caller = self.runs[event["tenant_id"], event["cause_run_id"]]
        called = [(run["tenant_id"], run["id"]) for run in commit.started if run["event_id"] == event["id"]]
        are_over = all(self.runs[key]["status"] in RUN_OVER for key in called)
        is_call = event["name"].startswith(CALLED)
        return is_call and caller["status"] in RUN_OVER and (are_over or caller["status"] != "cancelled")

    def _may_have_timers(self, key: Key, run: Row) -> bool:
        """Whether some of its steps may wait while others run, or it was taken from its sleep by people."""
        forked = {"forked", "rare", "many", "limited", "hears", "caller", "rounds", "lists"}
        return key in self.held_back.taken or self.name_of(run) in forked

    def name_of(self, run: Row) -> str:
        """The name of this run's automation."""
        return self.automations[run["tenant_id"], run["automation_id"]]["name"]

    def document(self, tenant_id: str, automation_id: str, version: int) -> str:
        """The text of this version."""
        query = "SELECT document FROM upshot_automation_versions WHERE (tenant_id, automation_id, version) = (?, ?, ?)"
        (found,) = self._rows(query, tenant_id, automation_id, version)
        return found["document"]

    def _matches(self, commit: Commit, before: dict[Key, Row]) -> None:
        """I3: an event that was just matched, or accepted and does not wait, started what listens for it, at the beginning or
        the end of this commit."""
        again = {(row["tenant_id"], row["id"]): row for row in commit.again}
        own = [row for row in commit.accepted if row["depth"] <= DEPTH_MAX and not is_batch(row)]
        accepted = [(row["tenant_id"], row["id"]) for row in own]
        ahead = [key for key in accepted if key not in self.unmatched and key not in again]
        started: dict[Key, list[tuple[str, int]]] = {key: [] for key in [*commit.matched, *ahead]}
        for run in commit.started:
            key = (run["tenant_id"], run["event_id"])
            if key in again:
                self._run_again(run, again.pop(key))
                continue
            if self.controls.name_of(run) is not None or run["replay_id"] is not None:
                continue
            if self.name_of(run) == LOOPING:
                self.loops.started(run)
                continue
            if key not in started:
                self._broken("I3", f"run {run} was started by an event that was not to be matched any more")
                return
            started[key].append((run["automation_id"], run["version"]))
        for key, found in started.items():
            expected = [self._listening(self.events[key], live) for live in (before, self.automations)]
            if self.events[key]["name"] in {CHANGED_EVENT, *MEMBERSHIP}:  # if a run made it, the breaker counts
                expected = [
                    [one for one in listening if not self.loops.has_stopped(key, one[0])] for listening in expected
                ]
            if sorted(found) not in expected and key not in commit.dead:
                self._broken("I3", f"event {key} started {found}, not {expected[-1]}")

    def _run_again(self, run: Row, event: Row) -> None:
        """I3: what people run again is one more run of the same automation, of a run that was over."""
        was = self.runs[event["tenant_id"], event["cause_run_id"]]
        if was["status"] not in RUN_OVER or was["automation_id"] != run["automation_id"]:
            self._broken("I3", f"run {run} was made of {was} again")

    def _occurred(self, commit: Commit, event: Row) -> None:
        """I13: this occurrence was due, and its schedule has moved on."""
        key = (event["tenant_id"], event["name"].removeprefix(SCHEDULED))
        occurrence = from_text(_decode(event["data"])["schedule"]["occurrence_at"])
        now = commit.process.clock.now() if commit.process is not None else 0
        if now < occurrence:
            self._broken("I13", f"{event} was made {occurrence - now} microseconds early")
        row = self.schedules[key]
        if row["occurrence_at"] is not None and row["occurrence_at"] <= occurrence:
            self._broken("I13", f"{event} was made and its schedule stands so: {row}")
        self.dates.occurred(event)

    def _listening(self, event: Row, live: dict[Key, Row]) -> list[tuple[str, int]]:
        return sorted(
            (row["id"], row["version"])
            for row in live.values()
            if row["tenant_id"] == event["tenant_id"]
            and row["status"] == "active"
            and self.controls.name_of({**row, "automation_id": row["id"]}) is None
            and row["name"] != LOOPING
            and listens(row["id"], row["name"], event["name"], _decode(event["data"]))
        )

    def _timers_fired(self, commit: Commit) -> None:
        now = commit.process.clock.now() if commit.process is not None else 0
        fired = {(timer["tenant_id"], timer["run_id"]) for timer in commit.fired}
        for key in commit.woken - fired - commit.met:
            self._broken("I8", f"run {key} was woken and no timer fired")
        for timer in commit.fired:
            key = (timer["tenant_id"], timer["run_id"])
            kept = self.steps[key].get(timer["step_id"], {})
            is_let_go = (
                kept.get("status") in {"cancelled", "skipped"}
                or (kept.get("kind") == "parallel" and kept["output"] is not None)
                or (kept.get("kind") in {"wait_for_event", "call"} and '"timeout"' not in (kept["error"] or ""))
                or (timer["step_id"] != WHOLE and WHOLE in self.steps[key])
            )
            if self.runs[key]["status"] not in RUN_OVER and not is_let_go and now < timer["due_at"]:
                self._broken("I8", f"timer {timer} fired {timer['due_at'] - now} microseconds early")

    # --- everything -----------------------------------------------------------------------------------------------------

    def is_over(self) -> bool:
        """Whether there is nothing left to do in the store."""
        is_due = any(
            row["due_at"] is not None and (row["due_at"] <= self._world.now or row["sweep_at"] is not None)
            for row in self.schedules.values()
        )
        is_relayed = all(row["status"] != "pending" for row in self.outbox.values())
        return (
            not (self.active or self.unmatched or self.cancels.spreading or is_due)
            and is_relayed
            and self.controls.is_over()
            and self.replayed.is_over()
            and not self.members.unfinished()
        )

    def check_all(self) -> None:
        """Hold the whole store against the invariants of the core, and the tenants' rows against each other."""
        rows = {name: self._rows(f"SELECT * FROM upshot_{name}") for name in Snapshot.__struct_fields__}
        snapshot, before = Snapshot(**rows), self._snapshot
        self._snapshot = snapshot
        if before is not None:  # what a retry changes of a journal was looked at as it happened
            same = [step for step in before.steps if (step["tenant_id"], step["run_id"]) not in self.reopened.keys]
            before = msgspec.structs.replace(before, steps=same)
        for violation in violations(snapshot) + (moves(before, snapshot) if before is not None else []):
            invariant, _, why = violation.partition(": ")
            self._broken(invariant, why)
        for table in metadata.tables.values():
            if "tenant_id" not in table.columns:
                continue
            for tenant_id in TENANTS:
                others = [mark_of(other) for other in TENANTS if other != tenant_id]
                for row in self._rows(f"SELECT * FROM {table.name} WHERE tenant_id = ?", tenant_id):
                    if any(mark in str(value) for value in row.values() for mark in others):
                        self._broken("I10", f"tenant {tenant_id} has a row of another: {table.name} {row}")

    def check_end(self) -> None:
        """What must hold when everything is over: nothing given was lost, and the counts are those of the rows."""
        for (tenant_id, source_id), how in self._world.given.items():
            is_there = (tenant_id, source_id) in self.by_source
            if how == "committed" and not is_there:
                self._broken("I1", f"event {source_id} of tenant {tenant_id} is lost")
        self.controls.check_end()
        self.replayed.check_end()
        self.loops.check_end()
        self.dates.check_end()
        self.members.check_end()
        for key, row in self.schedules.items():
            if key not in self.paused and row["occurrence_at"] is None and row["last_at"] is None:
                self._broken("I13", f"the occurrence of schedule {row} was never started")
            of_tenant = [event for event in self.events.values() if event["tenant_id"] == key[0]]
            names = [event["name"] for event in of_tenant if event["cause_run_id"] is None]
            is_each = self.automations[key]["name"] == "each" and row["last_at"] is not None and key not in self.paused
            if is_each and names.count(SCHEDULED + key[1]) != THINGS:
                self._broken("I13", f"schedule {row} met {names.count(SCHEDULED + key[1])} of {THINGS} entities")
        query = "SELECT tenant_id, status, SUM(delta) AS number FROM upshot_counts WHERE noun = 'runs' GROUP BY 1, 2"
        counted = {(row["tenant_id"], row["status"]): row["number"] for row in self._rows(query) if row["number"]}
        query = "SELECT tenant_id, status, COUNT(*) AS number FROM upshot_runs GROUP BY 1, 2"
        actual = {(row["tenant_id"], row["status"]): row["number"] for row in self._rows(query)}
        if counted != actual:
            self._broken("I11", f"the counts say {counted}, the rows {actual}")

    def _rows(self, query: str, *parameters: Any) -> list[Row]:
        return [dict(row) for row in self._connection.execute(query, parameters)]
