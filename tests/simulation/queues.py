"""Queues of a simulated world (I26): a run stands in that of its automation's version, or where flow control keeps it, and only
who serves it drives it.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from upshot.core.queues import EVERY, QUEUE, WAITING, serves

if TYPE_CHECKING:
    from tests.simulation.watch import Watch

Key = tuple[str, str]

QUEUED_FROM = 20_000
"""The first seed whose automations and processes have several queues; it has segments too."""
SLOW = "slow"
SLOW_ONES = frozenset({"forked", "told", "callee", "hears", "rounds", "rare", "places", "slowed", "batches", "sets"})
"""Automations of that queue: they sleep, wait, are called, caused by steps of others, and kept back by flow control."""
SERVED = (frozenset({QUEUE}), frozenset({SLOW}), frozenset({EVERY}))
"""What the processes of a world serve, one after another: two of them leave no queue out."""


class Queues:
    """Who serves what, and which run stands where."""

    def __init__(self, watch: "Watch") -> None:
        self._watch = watch
        self._served: dict[str, frozenset[str]] = {}
        self._own: dict[tuple[str, str, int], str] = {}

    def boots(self, worker_id: str, served: frozenset[str]) -> None:
        """A worker begins that serves these."""
        self._served[worker_id] = served

    def wrong(self, runs: "dict[Key, None]") -> str | None:
        """What is wrong with one of these runs, which a commit touched."""
        found = (self._misplaced(key, self._watch.active[key]) for key in runs if key in self._watch.active)
        return next((why for why in found if why is not None), None)

    def _misplaced(self, key: Key, hold: dict[str, Any]) -> str | None:
        run = self._watch.runs[key]
        own = self._own_queue(run["tenant_id"], run["automation_id"], run["version"])
        if hold["queue"] not in {own, *WAITING}:
            return f"run {run} of queue {own} stands in queue {hold['queue']}"
        served = self._served.get(hold["worker_id"])
        if served is not None and not serves(served, own):
            return f"run {run} of queue {own} is held by a worker that serves {sorted(served)}"
        return None

    def _own_queue(self, *version: Any) -> str:
        """What the document of this version says."""
        if version not in self._own:
            self._own[version] = msgspec.json.decode(self._watch.document(*version)).get("queue", QUEUE)
        return self._own[version]
