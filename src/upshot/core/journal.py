"""The journal: the kept outcomes of a run's steps, in kept order, from which the run resumes."""

from typing import Any

import msgspec

from upshot.core.commands import StepError


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """How one step ended, once and for all. `status` is a final step status."""

    step_id: str
    status: str
    output: Any = None
    error: StepError | None = None
