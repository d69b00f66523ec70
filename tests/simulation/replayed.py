"""What the checker knows of replays (I19): a run of a replay is made with the move of its place, of an event in its window that
the automation listens for; what is counted is what there is; no minute has more runs than were asked for; and no event of the
window is passed over.
"""

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from tests.simulation.automations import listens
from tests.simulation.controls import is_batch
from upshot.core.automations.document import CALLED
from upshot.core.events import DEPTH_MAX
from upshot.core.statuses import is_final, may_move

if TYPE_CHECKING:
    from tests.simulation.commit import Commit
    from tests.simulation.watch import Watch
    from tests.simulation.world import World

Row = dict[str, Any]
Key = tuple[str, str]
MINUTE = 60_000_000


class Replayed:
    """The replays of every automation, as the commits change them."""

    def __init__(self, watch: "Watch", world: "World") -> None:
        self._watch, self._world = watch, world
        self.of: dict[Key, Row] = {}
        self._known: dict[Key, set[Key]] = {}
        self._moved: dict[Key, Row] = {}

    def changed(self, old: Row | None, new: Row | None) -> None:
        """A replay was begun, or stands otherwise."""
        if new is None:
            return self._broken(f"replay {old} is gone")
        key = (new["tenant_id"], new["id"])
        self.of[key] = new
        if old is None:
            self._known[key] = set(self._watch.events)
        elif is_final("replay", old["status"]) or not _may_become(old["status"], new["status"]):
            self._broken(f"replay {old} became {new}")
        elif old["place"] > new["place"]:
            self._broken(f"replay {old} went back: {new}")
        elif old["place"] != new["place"]:
            self._moved[key] = old
        return None

    def after_commit(self, commit: "Commit") -> None:
        """The runs that this commit made of replays are those by which they moved."""
        moved, self._moved = self._moved, {}
        made: dict[Key, list[Row]] = defaultdict(list)
        for run in commit.started:
            if run["replay_id"] is not None:
                made[run["tenant_id"], run["replay_id"]].append(run)
        for key in made.keys() | moved.keys():
            before, after = moved.get(key), self.of[key]
            if before is None:
                self._broken(f"runs {made[key]} were made and replay {after} did not move")
                continue
            began = _counts(after)["started"] - _counts(before)["started"]
            if before["status"] != "running" or began != len(made[key]):
                self._broken(f"replay {before} became {after} and started {made[key]}")
            for run in made[key]:
                self._of_replay(run, before, after)

    def _of_replay(self, run: Row, before: Row, after: Row) -> None:
        event = self._watch.events[run["tenant_id"], run["event_id"]]
        name = self._watch.automations[run["tenant_id"], run["automation_id"]]["name"]
        is_its = (run["automation_id"], run["version"]) == (after["automation_id"], after["version"])
        is_inside = after["since"] <= event["accepted_at"] < after["until"]
        is_after = before["place"] < event["id"] <= after["place"]
        data = msgspec.json.decode(event["data"])
        if not (is_its and is_inside and is_after and listens(run["automation_id"], name, event["name"], data)):
            self._broken(f"replay {after} started {run} of {event}")

    def is_over(self) -> bool:
        """Whether none goes on."""
        return all(row["status"] != "running" for row in self.of.values())

    def unfinished(self) -> list[str]:
        """Those that go on, in words."""
        return [f"replay {row} goes on" for row in self.of.values() if row["status"] == "running"]

    def check_end(self) -> None:
        """What was counted is there, and what was in a window that was gone through has been acted on."""
        runs: dict[Key, list[Row]] = defaultdict(list)
        started: set[tuple[str, str, str]] = set()
        for run in self._watch.runs.values():
            started.add((run["tenant_id"], run["event_id"], run["automation_id"]))
            if run["replay_id"] is not None:
                runs[run["tenant_id"], run["replay_id"]].append(run)
        for key, replay in self.of.items():
            counts = _counts(replay)
            if counts["started"] != len(runs[key]):
                self._broken(f"replay {replay} started {runs[key]}")
            if replay["status"] == "completed" and replay["runs_max"] is None:
                if sum(counts.values()) < replay["total"] or counts["gone"]:
                    self._broken(f"replay {replay} has not looked at all that there was")
                self._nothing_is_passed_over(key, replay, started)
            if not self._world.faults.has_clocks_apart:
                self._pace(replay, sorted(run["created_at"] for run in runs[key]))

    def _nothing_is_passed_over(self, key: Key, replay: Row, started: set[tuple[str, str, str]]) -> None:
        tenant_id, automation_id = key[0], replay["automation_id"]
        name = self._watch.automations[tenant_id, automation_id]["name"]
        for event_key in self._known[key]:
            event = self._watch.events[event_key]
            at = (tenant_id, event["id"], automation_id)
            is_again = event["cause_run_id"] is not None and event["cause_step_id"] is None
            if (
                event["tenant_id"] != tenant_id
                or not replay["since"] <= event["accepted_at"] < replay["until"]
                or event["depth"] > DEPTH_MAX
                or is_again
                or is_batch(event)
                or event["name"].startswith(CALLED)
                or not listens(automation_id, name, event["name"], msgspec.json.decode(event["data"]))
            ):
                continue
            if at not in started and at not in self._watch.controls.outcomes:
                self._broken(f"replay {replay} passed over {event}")

    def _pace(self, replay: Row, made: list[int]) -> None:
        for number, at in enumerate(made):
            last = number + replay["per_minute"]
            if last < len(made) and made[last] - at < MINUTE:
                self._broken(f"replay {replay} started runs at {made}")

    def _broken(self, why: str) -> None:
        self._world.broken("I19", why)


def _may_become(before: str, after: str) -> bool:
    return before == after or may_move("replay", before, after)


def _counts(replay: Row) -> dict[str, int]:
    return msgspec.json.decode(replay["counts"])
