"""What the checker knows of loops (I18): other runs cause no more runs of an automation for an entity than they may within the
breaker's time, and each event that starts none for that reason says so.
"""

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tests.simulation.automations import LOOPING, LOOPING_EVENT
from upshot.core.events import DEPTH_MAX
from upshot.core.instants import SECOND

if TYPE_CHECKING:
    from tests.simulation.watch import Watch
    from tests.simulation.world import World

Row = dict[str, Any]

RUNS_MAX, WINDOW_SECONDS = 4, 60
CLOCKS_APART = 18
"""How many seconds the clocks of two processes may be apart: so much less of the window is seen by all."""


class Loops:
    """The runs of the automation that goes round and round."""

    def __init__(self, watch: "Watch", world: "World") -> None:
        self._watch, self._world = watch, world
        self._caused: dict[tuple[str, ...], list[int]] = defaultdict(list)

    def started(self, run: Row) -> None:
        """A run of it was made now."""
        event = self._watch.events[run["tenant_id"], run["event_id"]]
        if event["cause_step_id"] is None:
            return
        pair = (run["tenant_id"], event["entity_id"])
        since = self._world.now - (WINDOW_SECONDS - CLOCKS_APART) * SECOND
        near = self._caused[pair] = [at for at in self._caused[pair] if at > since] + [self._world.now]
        if len(near) > RUNS_MAX:
            self._world.broken("I18", f"runs caused {len(near)} runs of {run['automation_id']} for {pair} at {near}")

    def has_stopped(self, event: tuple[str, str], automation_id: str) -> bool:
        """Whether it is told that this event starts no run of it since a loop does."""
        told = self._watch.controls.outcomes.get((*event, automation_id))
        return told is not None and told["outcome"] == "loop_stopped"

    def check_end(self) -> None:
        """Each event of a loop started its automation, or tells that it was stopped."""
        watch = self._watch
        run_of = {(run["tenant_id"], run["event_id"]) for run in watch.runs.values() if watch.name_of(run) == LOOPING}
        for (tenant_id, automation_id), automation in watch.automations.items():
            if automation["name"] != LOOPING or (tenant_id, automation_id) in watch.paused:
                continue
            for key, event in watch.events.items():
                is_asked = (event["tenant_id"], event["name"]) == (tenant_id, LOOPING_EVENT)
                is_by_hand = event["cause_run_id"] is not None and event["cause_step_id"] is None
                if not is_asked or is_by_hand or event["depth"] > DEPTH_MAX or key in watch.dead:
                    continue
                told = watch.controls.outcomes.get((*key, automation_id))
                if (key in run_of) == (told is not None):
                    self._world.broken("I18", f"event {event} of a loop started {key in run_of}, and is told as {told}")
