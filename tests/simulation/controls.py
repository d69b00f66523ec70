"""The checker's eyes on flow control. I7: no more runs of a key have begun and are unfinished than its limit, what starts in a
period fits into it, and what is held back is not let go early. I11: each event ends in exactly one outcome, and what is
gathered starts once, with the last event or with all of them.
"""

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from tests.simulation.automations import CONTROLLED, CONTROLLED_EVENT
from upshot.core.automations.durations import parse
from upshot.core.flow import BATCHES

if TYPE_CHECKING:
    from tests.simulation.watch import Watch
    from tests.simulation.world import World

Row = dict[str, Any]
Key = tuple[str, str]
NO_RUN = frozenset({"duplicate_key", "rate_limited", "already_running"})


class Controls:
    """What flow control keeps, as the commits change it."""

    def __init__(self, watch: "Watch", world: "World") -> None:
        self._watch, self._world = watch, world
        self.due: dict[tuple[str, ...], Row] = {}
        self.outcomes: dict[tuple[str, str, str], Row] = {}
        self.windows: dict[Key, list[str]] = defaultdict(list)
        """The events of each window, in the order in which they were gathered."""

    def name_of(self, row: Row) -> str | None:
        """The name of the controlled automation that this row is of."""
        name = self._watch.automations[row["tenant_id"], row["automation_id"]]["name"]
        return name if name in CONTROLLED else None

    def key_changed(self, new: Row | None, old: Row | None) -> None:
        """A key's row was written."""
        row = new or old or {}
        at = tuple(row[name] for name in ("tenant_id", "automation_id", "control", "key"))
        self.due.pop(at, None)
        if new is not None and new["due_at"] is not None:
            self.due[at] = new

    def outcome_changed(self, new: Row | None, old: Row | None, now: int) -> None:
        """What is told of an event was written."""
        row = new or old or {}
        at = (row["tenant_id"], row["event_id"], row["automation_id"])
        if (
            old is not None
            and old["due_at"] is not None
            and (new is None or new["due_at"] is None)
            and now < old["due_at"]
        ):
            self._world.broken("I7", f"{old} was let go {old['due_at'] - now} microseconds early")
        if new is None:
            self.outcomes.pop(at, None)
            return
        if old is None and new["window_id"] is not None:
            self.windows[new["tenant_id"], new["window_id"]].append(new["event_id"])
        if new["outcome"] == "already_running" and (new["tenant_id"], new["run_id"]) not in self._watch.active:
            self._world.broken("I7", f"{new}, and that run is not under way")
        self.outcomes[at] = new

    def after_commit(self, runs: "dict[Key, None]") -> None:
        """I7: the limits hold for the runs that this commit touched."""
        touched = {(row["tenant_id"], row["automation_id"]) for key in runs if (row := self._watch.runs.get(key))}
        for tenant_id, automation_id in touched:
            rule = CONTROLLED.get(self._watch.automations[tenant_id, automation_id]["name"], {}).get("flow", {})
            if "reentry" in rule:
                self._one_for_each(tenant_id, automation_id)
            if "concurrency" not in rule:
                continue
            begun: dict[str, list[str]] = defaultdict(list)
            for key in self._watch.active:
                run = self._watch.runs[key]
                is_its = (run["tenant_id"], run["automation_id"]) == (tenant_id, automation_id)
                has_begun = run["status"] in {"running", "waiting"} or (run["status"] == "paused" and run["place"])
                if is_its and has_begun and not self._is_by_hand(run):
                    begun[str(self._data(run)["even"] if "key" in rule["concurrency"] else "")].append(run["id"])
            for which, found in begun.items():
                if len(found) > rule["concurrency"]["limit"]:
                    self._world.broken("I7", f"runs {found} of {automation_id} {which} are under way at once")

    def _one_for_each(self, tenant_id: str, automation_id: str) -> None:
        """Of each entity one run is under way; not counting those that people started, or had go on after they failed."""
        watch, found = self._watch, defaultdict[str, list[str]](list)
        for key in watch.active:
            run = watch.runs[key]
            is_its = (run["tenant_id"], run["automation_id"]) == (tenant_id, automation_id)
            if is_its and key not in watch.reopened.keys and not self._is_by_hand(run):
                found[self._data(run)["thing"]].append(run["id"])
        for thing, runs in found.items():
            if len(runs) > 1:
                self._world.broken("I7", f"runs {runs} of {automation_id} for {thing} are under way at once")

    def is_over(self) -> bool:
        """Whether nothing is gathered, and nothing waits for its instant."""
        return not self.due and all(row["due_at"] is None for row in self.outcomes.values())

    def check_end(self) -> None:
        """Every event of a controlled automation that always listened ended in one outcome, and the periods hold."""
        watch = self._watch
        of_event: dict[tuple[str, str, str], Row] = {
            (run["tenant_id"], run["event_id"], run["automation_id"]): run for run in watch.runs.values()
        }
        for (tenant_id, automation_id), automation in watch.automations.items():
            if automation["name"] not in CONTROLLED:
                continue
            for event in watch.events.values():
                key = (tenant_id, event["id"])
                is_asked = event["name"] == CONTROLLED_EVENT and event["cause_run_id"] is None
                if event["tenant_id"] != tenant_id or not is_asked or key in watch.dead:
                    continue
                at = (tenant_id, event["id"], automation_id)
                self._one_outcome(at, of_event.get(at), may_be_none=(tenant_id, automation_id) in watch.paused)
            own = [run for run in watch.runs.values() if run["automation_id"] == automation_id]
            own = [run for run in own if not self._is_paced(run)]
            self._periods(automation["name"], own)
        for (tenant_id, window_id), events in self.windows.items():
            self._window(tenant_id, window_id, events)

    def _one_outcome(self, at: tuple[str, str, str], run: Row | None, *, may_be_none: bool) -> None:
        told, world = self.outcomes.get(at), self._world
        if told is None:
            if run is None and not may_be_none:
                world.broken("I11", f"event {at} started nothing, and nothing is told of it")
        elif told["outcome"] in NO_RUN and run is not None and run["replay_id"] is None:
            world.broken("I11", f"{told}, and it started run {run}")
        elif told["outcome"] not in NO_RUN and (told["tenant_id"], told["run_id"]) not in self._watch.runs:
            world.broken("I11", f"{told}, and there is no such run")

    def _window(self, tenant_id: str, window_id: str, events: list[str]) -> None:
        """One run, of the last event of a debounce, or of all events of a batch."""
        world = self._world
        rows = [row for row in self.outcomes.values() if (row["tenant_id"], row["window_id"]) == (tenant_id, window_id)]
        started = {row["run_id"] for row in rows}
        if not rows:
            return None  # one event alone, which is told as any that starts
        if len(started) > 1 or (tenant_id, next(iter(started))) not in self._watch.runs:
            return world.broken("I11", f"events {events} were gathered and started {started}")
        run = self._watch.runs[tenant_id, next(iter(started))]
        if rows[0]["outcome"] == "debounced" and run["event_id"] != events[-1]:
            return world.broken("I11", f"events {events} were gathered, and run {run} is not of the last one")
        if rows[0]["outcome"] == "batched":
            held = self._data(run)["events"]
            given = [
                msgspec.json.decode(self._watch.events[tenant_id, event_id]["data"]) for event_id in sorted(events)
            ]
            if held != given or len(held) > CONTROLLED["batches"]["flow"]["batch"]["size"]:
                return world.broken("I11", f"events {events} were gathered, and run {run} has {held}")
        return None

    def _periods(self, name: str, runs: list[Row]) -> None:
        rule = CONTROLLED[name]["flow"]
        control = next((rule[one] for one in ("rate_limit", "throttle", "once") if one in rule), None)
        if control is None:
            return
        started: dict[str, list[int]] = defaultdict(list)
        for run in runs:
            told = self.outcomes.get((run["tenant_id"], run["event_id"], run["automation_id"]))
            at = told["until"] if told is not None and told["outcome"] == "throttled" else run["created_at"]
            data = self._data(run)
            key = {"rated": data["even"], "single": data["number"]}.get(name, "")
            started[f"{run['tenant_id']} {key}"].append(at)
        for key, found in started.items():
            limit, per = control.get("limit", 1), parse(control["per"])
            ordered = sorted(found)
            close = [at for at, later in zip(ordered, ordered[limit:], strict=False) if later - at < per]
            if close:
                self._world.broken("I7", f"runs of {name} {key} started at {ordered}: more than {limit} in {per}")

    def _is_by_hand(self, run: Row) -> bool:
        """Whether somebody had it run again: such a run takes no notice of flow control."""
        return self._watch.events[run["tenant_id"], run["event_id"]]["cause_run_id"] is not None

    def _is_paced(self, run: Row) -> bool:
        """Whether somebody asked for it: what flow control says of periods does not hold of it."""
        return self._is_by_hand(run) or run["replay_id"] is not None

    def _data(self, run: Row) -> Row:
        return msgspec.json.decode(self._watch.events[run["tenant_id"], run["event_id"]]["data"])


def is_batch(event: Row) -> bool:
    """Whether this event was made of others."""
    return event["name"].startswith(BATCHES)
