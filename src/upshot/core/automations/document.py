"""The canonical automation document, as values.

The wire form is `{"name", "trigger": {"event"}, {"segment", "on"}, {"schedule"} or {"manual"}, "priority", "condition",
"steps": [...]}`; `normalise.py` turns every understood shape into it, `validation.py` reads it into these values and
`writing.py` writes it. A step without `next` flows into the one below it; `next: null` (here `END`) ends the path.
"""

from typing import Any, Final, Literal

import msgspec

from upshot.core.flow.model import Flow
from upshot.core.queues import QUEUE
from upshot.core.schedules.model import Schedule
from upshot.core.segments import starting_condition

END: Final = None
"""A `next`, `if_true` or `if_false` that ends the path."""

OnError = Literal["stop", "continue", "retry"]
Delivery = Literal["at_least_once", "at_most_once"]
"""What a crash in the middle of a step means: it is tried again with the same key, or it ends as `unknown`."""


class Retries(msgspec.Struct, frozen=True):
    """How a failed attempt is tried again: `count` more attempts, waiting `backoff_seconds` * 2^n with jitter."""

    count: int = 0
    backoff_seconds: float = 1.0
    backoff_max_seconds: float = 3600.0


class ActionStep(msgspec.Struct, frozen=True):
    """Perform one action. `arguments` may hold templates; `next` is resolved (never implicit). When it has failed for good the
    path goes to `on_failure`, if that is set."""

    id: str
    action: str
    arguments: dict[str, Any]
    next: str | None
    on_error: OnError = "stop"
    retries: Retries = Retries()
    timeout_seconds: float = 60.0
    on_failure: str | None = None
    delivery: Delivery = "at_least_once"
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


class ParallelStep(msgspec.Struct, frozen=True):
    """Go on along several branches at once, and at `next` when enough of them have ended.

    `branches` are their first steps. `join` is `all`, `any`, or how many must end; those still open then are cancelled.
    After `timeout` (a delay) the step fails, or goes to `on_timeout`.
    """

    id: str
    branches: tuple[str, ...]
    next: str | None
    join: Literal["all", "any"] | int = "all"
    timeout: str | dict[str, Any] | None = None
    on_timeout: str | None = None
    on_failure: str | None = None
    name: str = ""
    note: str = ""

    @property
    def needed(self) -> int:
        """How many branches must end."""
        return {"all": len(self.branches), "any": 1}.get(self.join, 0) if isinstance(self.join, str) else self.join


class CallStep(msgspec.Struct, frozen=True):
    """Start a run of another automation, with `data`, which may hold templates, as that of its event. The path goes on when
    that run is over or, if it is not awaited, at once.

    After `timeout` (a delay) an awaited call fails, or goes on at `on_timeout`, or ends its path there (`ends_on_timeout`).
    """

    id: str
    automation: str
    data: dict[str, Any]
    next: str | None
    is_awaited: bool = True
    timeout: str | dict[str, Any] | None = None
    on_timeout: str | None = None
    ends_on_timeout: bool = False
    on_error: Literal["stop", "continue"] = "stop"
    on_failure: str | None = None
    name: str = ""
    note: str = ""


class ForEachStep(msgspec.Struct, frozen=True):
    """Perform one action, or call another automation, for each item of a list, `concurrency` of them at once, and go on at
    `next` when all are done.

    `items` is the list, or the placeholder that gives it. The item is `item` in the templates of `each`, its place `index`.
    A list of more than `limit` items fails the step.
    """

    id: str
    items: str | list[Any]
    each: ActionStep | CallStep
    next: str | None
    concurrency: int = 1
    limit: int = 10_000
    on_failure: str | None = None
    name: str = ""
    note: str = ""


class WaitStep(msgspec.Struct, frozen=True):
    """Wait for an event of this name whose fields equal the values of `match`, which may hold templates.

    After `timeout` (a delay) the step fails, or goes on at `on_timeout`, or ends its path there (`ends_on_timeout`).
    """

    id: str
    event: str
    match: dict[str, Any]
    next: str | None
    timeout: str | dict[str, Any] | None = None
    on_timeout: str | None = None
    ends_on_timeout: bool = False
    on_failure: str | None = None
    name: str = ""
    note: str = ""


class CancelOn(msgspec.Struct, frozen=True):
    """An event that cancels a run under way: of this name, with fields that equal the values of `match`, which may hold
    templates."""

    event: str
    match: dict[str, Any]


class SplitPath(msgspec.Struct, frozen=True):
    """One of the paths of a split: its share is its weight among all weights."""

    weight: float
    next: str | None
    name: str = ""


class SplitStep(msgspec.Struct, frozen=True):
    """Choose a path by lot, the same for the same entity each time."""

    id: str
    paths: tuple[SplitPath, ...]
    name: str = ""
    note: str = ""


Step = ActionStep | BranchStep | CallStep | DelayStep | ForEachStep | ParallelStep | SplitStep | StopStep | WaitStep

_KINDS: Final[dict[type[Step], str]] = {
    ActionStep: "action",
    BranchStep: "branch",
    CallStep: "call",
    DelayStep: "delay",
    ForEachStep: "for_each",
    ParallelStep: "parallel",
    SplitStep: "split",
    StopStep: "stop",
    WaitStep: "wait_for_event",
}


def kind_of(step: Step) -> str:
    """The kind of this step, as documents and journals say it."""
    return _KINDS[type(step)]


SCHEDULED: Final = "system.schedule."
"""How the names of the events begin that schedules make; the automation's id follows. Hosts cannot emit such names."""
BY_HAND: Final = "system.manual."
"""The same of automations that start by hand only."""
CALLED: Final = "system.call."
"""The same of the events by which automations are called, whatever starts them else."""


class Automation(msgspec.Struct, frozen=True):
    """One validated automation: what a version holds, read. It starts by an `event`, of one `segment` if that is named, or,
    when it is empty, by a schedule or only by hand. A run that fails takes the steps from `on_failure` on first. One that takes
    longer than `timeout` (a delay) fails. One of which the `goal` or `exit` condition holds when its next step would begin ends
    there, in order. Workers that serve its `queue` drive its runs."""

    name: str
    event: str
    priority: int
    condition: dict[str, Any] | None
    steps: tuple[Step, ...]
    description: str = ""
    on_failure: str | None = None
    schedule: Schedule | None = None
    flow: Flow | None = None
    timeout: str | dict[str, Any] | None = None
    folder: str = ""
    tags: tuple[str, ...] = ()
    cancel_on: tuple[CancelOn, ...] = ()
    goal: dict[str, Any] | None = None
    exit: dict[str, Any] | None = None
    segment: str = ""
    queue: str = QUEUE

    def listens_to(self, automation_id: str) -> str:
        """The name of the events that start it."""
        return self.event or (BY_HAND if self.schedule is None else SCHEDULED) + automation_id

    @property
    def starts_when(self) -> dict[str, Any] | None:
        """What must hold of an event of that name for it to start on it; None: nothing."""
        return starting_condition({"segment": self.segment} if self.segment else {}, self.condition)

    def step(self, step_id: str) -> Step:
        """The step with this id; KeyError when there is none."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)
