"""The canonical automation document, as values.

The wire form is `{"name", "trigger": {"event"} or {"schedule"} or {"manual"}, "priority", "condition", "steps": [...]}`;
`normalise.py` turns every understood shape into it, `validation.py` reads it into these values and `writing.py`
writes it. A step without `next` flows into the one below it; `next: null` (here `END`) ends the path.
"""

from typing import Any, Final, Literal

import msgspec

from upshot.core.schedules.model import Schedule

END: Final = None
"""A `next`, `if_true` or `if_false` that ends the path."""

OnError = Literal["stop", "continue", "retry"]


class Retries(msgspec.Struct, frozen=True):
    """How a failed attempt is tried again: `count` more attempts, waiting `backoff_seconds` * 2^n with jitter."""

    count: int = 0
    backoff_seconds: float = 1.0
    backoff_max_seconds: float = 3600.0


class ActionStep(msgspec.Struct, frozen=True):
    """Perform one action. `arguments` may hold templates; `next` is resolved (never implicit)."""

    id: str
    action: str
    arguments: dict[str, Any]
    next: str | None
    on_error: OnError = "stop"
    retries: Retries = Retries()
    timeout_seconds: float = 60.0
    name: str = ""
    note: str = ""


class BranchStep(msgspec.Struct, frozen=True):
    """Choose a path by a condition (canonical condition document)."""

    id: str
    condition: dict[str, Any]
    if_true: str | None
    if_false: str | None
    name: str = ""
    note: str = ""


class DelayStep(msgspec.Struct, frozen=True):
    """Sleep durably. `delay` is what the author wrote: `"24h"`, `{"seconds": "{{ n }}"}`, `{"until": ...}`."""

    id: str
    delay: str | dict[str, Any]
    next: str | None
    name: str = ""
    note: str = ""


class StopStep(msgspec.Struct, frozen=True):
    """End the run here, completed."""

    id: str
    reason: str = ""
    name: str = ""
    note: str = ""


Step = ActionStep | BranchStep | DelayStep | StopStep


SCHEDULED: Final = "system.schedule."
"""How the names of the events begin that schedules make; the automation's id follows. Hosts cannot emit such names."""
BY_HAND: Final = "system.manual."
"""The same of automations that start by hand only."""


class Automation(msgspec.Struct, frozen=True):
    """One validated automation: what a version holds, read. It starts by an `event` or, when that is
    empty, by a schedule or only by hand."""

    name: str
    event: str
    priority: int
    condition: dict[str, Any] | None
    steps: tuple[Step, ...]
    description: str = ""
    schedule: Schedule | None = None

    def listens_to(self, automation_id: str) -> str:
        """The name of the events that start it."""
        return self.event or (BY_HAND if self.schedule is None else SCHEDULED) + automation_id

    def step(self, step_id: str) -> Step:
        """The step with this id; KeyError when there is none."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)
