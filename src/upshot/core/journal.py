"""The journal: the kept outcomes of a run's steps, in kept order, from which the run resumes."""

from typing import Any, Final

import msgspec

from upshot.core.commands import StepError

WHOLE: Final = ""
"""Stands for the run itself where a step's id stands: its time limit has a timer and, when it is over, an outcome."""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """How one step ended, once and for all. `status` is a final step status."""

    step_id: str
    status: str
    output: Any = None
    error: StepError | None = None
