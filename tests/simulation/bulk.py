"""What the checker knows of what people do to many runs at once (I22): a bulk operation acts on every run that its filter names
and that was there when it began, and on no other, whatever batch of it is lost; an automation that is paused with its runs, and
a publish that cancels, leave none of them out.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from upshot.core.instants import from_text
from upshot.engine.control import BECOMES, Action, actionable

if TYPE_CHECKING:
    from tests.simulation.watch import Watch
    from tests.simulation.world import World
    from upshot import Upshot

Row = dict[str, Any]
Key = tuple[str, str]
Said = dict[str, Any]
"""A filter, as `upshot.runs.bulk` takes it."""


class Left:
    """Runs that are to leave these statuses."""

    def __init__(self, statuses: list[str], keys: set[Key]) -> None:
        self.statuses, self.keys = frozenset(statuses), keys


class Bulk:
    """One operation of somebody who asks for batch after batch, and for one again whose answer was lost."""

    def __init__(self, tenant_id: str, action: Action, said: Said, limit: int = 500) -> None:
        self.tenant_id, self.said, self.limit = tenant_id, said, limit
        self.action: Action = action
        self.until: str | None = None
        self.after: str | None = None
        self.is_over = False
        self.left = Left(actionable(action), set())


class Bulks:
    """The operations that are under way, and what is written of them."""

    def __init__(self, watch: "Watch", world: "World") -> None:
        self._watch, self._world = watch, world
        self._open: list[Left] = []

    def run_changed(self, key: Key, run: Row) -> None:
        """A run stands so now."""
        for left in self._open:
            if run["status"] not in left.statuses:
                left.keys.discard(key)

    def batch(self, upshot: "Upshot", bulk: Bulk) -> None:
        """Have the next batch done; after the last, nobody is left out."""
        if bulk.is_over:
            return
        if bulk.until is None:
            status = bulk.said.get("status")
            bulk.left.statuses &= {status} if status is not None else bulk.left.statuses
            bulk.left.keys = self._named(bulk.tenant_id, bulk.said, bulk.left.statuses)
            self._open = [*(left for left in self._open if left is not bulk.left), bulk.left]
        told = upshot.runs.bulk(
            bulk.tenant_id,
            bulk.action,
            **bulk.said,
            dry_run=False,
            until=bulk.until,
            after=bulk.after,
            limit=bulk.limit,
        )
        bulk.until, bulk.after, bulk.is_over = told.until, told.next, told.next is None
        if told.problems and bulk.action != "retry":
            self._broken(f"{bulk.action} of {bulk.said} was refused: {told.problems}")
        bulk.left.keys -= {(bulk.tenant_id, problem["id"]) for problem in told.problems}
        if bulk.is_over:
            self._open.remove(bulk.left)
            self._nobody_is_left(bulk.left, from_text(told.until), f"{bulk.action} of {bulk.said}")

    def pause_with_runs(self, upshot: "Upshot", tenant_id: str, automation_id: str) -> None:
        """Have an automation paused and its runs too."""
        left = Left(actionable("pause"), self._named(tenant_id, {"automation": automation_id}, actionable("pause")))
        began_at = upshot.clock.now()
        self._open.append(left)
        try:
            upshot.automations.pause(tenant_id, automation_id, and_runs=True)
        finally:
            self._open.remove(left)
        self._nobody_is_left(left, began_at, f"the pause of {automation_id} with its runs")

    def publish(self, upshot: "Upshot", tenant_id: str, automation_id: str) -> None:
        """Have the draft published and the runs of other versions cancelled."""
        left = Left(actionable("cancel"), self._named(tenant_id, {"automation": automation_id}, actionable("cancel")))
        self._open.append(left)
        try:
            version = upshot.automations.publish(tenant_id, automation_id, runs="cancel")["version"]
        finally:
            self._open.remove(left)
        left.keys = {key for key in left.keys if self._watch.runs[key]["version"] != version}
        self._nobody_is_left(left, None, f"the publish of {automation_id} that cancels")

    def audited(self, row: Row) -> None:
        """Something was written of what people did."""
        if not row["action"].startswith("bulk_"):
            return
        action: Action = row["action"].removeprefix("bulk_")
        said: Said = msgspec.json.decode(row["after"])["filter"]
        for run_id, was in msgspec.json.decode(row["before"])["status"].items():
            run = self._watch.runs[row["tenant_id"], run_id]
            is_named = self._is_named(run, said) and said.get("status", was) == was and was in actionable(action)
            if not is_named or run["status"] not in {BECOMES[action], "running" if action == "resume" else ""}:
                self._broken(f"{action} of {said} was done to {run}, which was {was}")

    def _nobody_is_left(self, left: Left, until: int | None, what: str) -> None:
        runs = [self._watch.runs[key] for key in left.keys]
        missed = [run for run in runs if until is None or run["created_at"] <= until]
        if missed:
            self._broken(f"{what} left out {missed}")

    def _named(self, tenant_id: str, said: Said, statuses: "frozenset[str] | list[str]") -> set[Key]:
        runs = ((key, run) for key, run in self._watch.runs.items() if key[0] == tenant_id)
        return {key for key, run in runs if run["status"] in statuses and self._is_named(run, said)}

    def _is_named(self, run: Row, said: Said) -> bool:
        entity = said.get("entity")
        entity_id = entity["id"] if isinstance(entity, dict) else entity and entity[1]
        is_of = {
            "automation": run["automation_id"],
            "event": self._watch.events[run["tenant_id"], run["event_id"]]["name"],
        }
        is_about = entity_id is None or run["entity_id"] == entity_id
        return is_about and all(said.get(name, value) == value for name, value in is_of.items())

    def _broken(self, why: str) -> None:
        self._world.broken("I22", why)
