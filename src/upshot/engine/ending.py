"""Ending: a run of which the goal or the exit condition holds ends when its next step would begin: nobody is reminded of what
they have done. It is one transaction, so a crash before it asks again, and nothing of it is in the journal."""

from collections import Counter

import msgspec
from sqlalchemy import Connection

from upshot.core.commands import Await, Commands, Reason, RunStep, Sleep
from upshot.core.facts import Facts
from upshot.core.program import Ending
from upshot.engine import control
from upshot.engine.live_run import LiveRun
from upshot.engine.lost import LeaseLost
from upshot.store import counts, runs

BEGINS = (RunStep, Sleep, Await)
"""What begins a step."""
ENDED: dict[Ending, tuple[str, str]] = {"goal": ("completed", "goal_met"), "exit": ("cancelled", "exit_met")}
"""The status of a run that ended so, and the code of its reason."""


class Met(msgspec.Struct, frozen=True):
    """Which of the two holds, and why in a sentence."""

    ending: Ending
    told: str

    @property
    def status(self) -> str:
        """What the run becomes."""
        return ENDED[self.ending][0]


def may_end(run: LiveRun, commands: Commands) -> bool:
    """Whether these commands begin steps of a run that has a goal or exit and does not deal with its failure."""
    return bool(run.program.endings) and not run.state.handling and any(isinstance(one, BEGINS) for one in commands)


def met(run: LiveRun, facts: Facts) -> Met | None:
    """What of its goal and exit holds, the goal first. What cannot be decided does not hold."""
    for ending, condition in run.program.endings.items():
        explained = condition.explain(facts)
        if explained["result"]:
            return Met(ending, f"Its {ending} is met: {explained['text']}")
    return None


def end(connection: Connection, run: LiveRun, worker_id: str, met: Met, now: int) -> bool:
    """End this run; False when somebody paused it meanwhile, and nothing of it begins anyway.

    Raises:
        LeaseLost: another worker holds it, or it is over.
    """
    ours = runs.held(connection, [(*run.key, run.epoch)], worker_id)
    if run.id not in ours:
        raise LeaseLost(run.id)
    if ours[run.id]:
        return False
    status, code = ENDED[met.ending]
    control.end(connection, run.tenant_id, run.id, status, Reason(code, met.told), now)
    if not run.test:
        counts.add(connection, Counter({(run.tenant_id, "automation", run.automation_id, status): 1}), now)
    return True
