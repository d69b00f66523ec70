"""Where a run stands, as a value: what `advance` gives and takes."""

import msgspec

from upshot.core.commands import Finish, StepError
from upshot.core.journal import Outcome


class Joining(msgspec.Struct, frozen=True, gc=False):
    """How far an open parallel step is: the branches (by their first step) that arrived and that failed, in order."""

    step_id: str
    arrived: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    error: StepError | None = None


class Looping(msgspec.Struct, frozen=True, gc=False):
    """How far an open `for_each` is: how many items it has (-1 until its list is read), how many began, ended, and failed and
    were passed over; and the failure that ends it."""

    step_id: str
    total: int = -1
    begun: int = 0
    ended: int = 0
    failed: int = 0
    error: StepError | None = None


class State(msgspec.Struct, frozen=True, gc=False):
    """Where a run stands: the steps that wait for an outcome, whether a failed step was passed over, how far its parallel
    steps and loops are, the end that is coming once what is open is closed, and the failure that the automation's own steps
    handle. `done` is what those steps came to when they handled a failure before: they are not performed again.

    `rounds` is how many rounds of each circle have begun, `repeated` how many of all of them were not the first; `spent` are
    open steps that have gone round too often, and fail."""

    open: tuple[str, ...] = ()
    has_failures: bool = False
    joins: tuple[Joining, ...] = ()
    ending: Finish | None = None
    handling: Finish | None = None
    loops: tuple[Looping, ...] = ()
    done: tuple[Outcome, ...] = ()
    rounds: dict[str, int] = {}
    repeated: int = 0
    spent: tuple[str, ...] = ()
