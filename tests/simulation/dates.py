"""What the checker knows of sweeps by dates (I23): an automation meets an entity once by each date that it had, on the day that
is meant; whoever kept a date that was meant is met by it.
"""

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from tests.simulation.automations import DATED, DATED_DAYS, DATES
from upshot.core.automations.document import SCHEDULED

if TYPE_CHECKING:
    from tests.simulation.watch import Watch
    from tests.simulation.world import World

Row = dict[str, Any]
Key = tuple[str, str]


class Dates:
    """Who had which dates, and who was met by which."""

    def __init__(self, watch: "Watch", world: "World") -> None:
        self._watch, self._world = watch, world
        self.had: dict[Key, list[str]] = defaultdict(list)
        self._met: dict[tuple[str, str, str], Row] = {}

    def entity_changed(self, key: Key, entity: Row) -> None:
        """An entity stands so now."""
        day = msgspec.json.decode(entity["fields"]).get("due_on")
        if day is not None and self.had[key][-1:] != [day]:
            self.had[key].append(day)

    def occurred(self, event: Row) -> None:
        """An entity is met."""
        automation = self._watch.automations[event["tenant_id"], event["name"].removeprefix(SCHEDULED)]
        if automation["name"] != DATED:
            return
        said = msgspec.json.decode(event["data"])["schedule"]
        at = (event["tenant_id"], event["entity_id"], said["date"])
        if at in self._met:
            self._broken(f"{self._met[at]} and {event} are of one date")
        self._met[at] = event
        meant = date.fromisoformat(said["occurrence_at"][:10]) + timedelta(days=DATED_DAYS)
        if said["date"] != meant.isoformat() or said["date"] not in self.had[at[:2]]:
            self._broken(f"{event} is of no date that was meant, of {self.had[at[:2]]}")

    def check_end(self) -> None:
        """Whose date was never moved was met by it."""
        for (tenant_id, automation_id), automation in self._watch.automations.items():
            if automation["name"] != DATED or (tenant_id, automation_id) in self._watch.paused:
                continue
            for (whose, entity_id), days in self.had.items():
                is_missed = (tenant_id, entity_id, days[0]) not in self._met
                if whose == tenant_id and len(days) == 1 and days[0] in DATES and is_missed:
                    self._broken(f"{entity_id} of {tenant_id} was not met by {days[0]}")

    def _broken(self, why: str) -> None:
        self._world.broken("I23", why)
