"""Automations: their document in every understood shape, read, checked, written, described, tried without effects."""

from upshot.core.automations.action_shape import ActionShape
from upshot.core.automations.describe import condition_words, describe, describe_step
from upshot.core.automations.document import (
    END,
    ActionStep,
    Automation,
    BranchStep,
    CallStep,
    DelayStep,
    ForEachStep,
    ParallelStep,
    Retries,
    SplitPath,
    SplitStep,
    Step,
    StopStep,
    WaitStep,
)
from upshot.core.automations.dry_run import dry_run
from upshot.core.automations.gaps import gap_notes
from upshot.core.automations.normalise import inspect, normalise
from upshot.core.automations.validation import examine, read
from upshot.core.automations.writing import to_document

__all__ = [
    "END",
    "ActionShape",
    "ActionStep",
    "Automation",
    "BranchStep",
    "CallStep",
    "DelayStep",
    "ForEachStep",
    "ParallelStep",
    "Retries",
    "SplitPath",
    "SplitStep",
    "Step",
    "StopStep",
    "WaitStep",
    "condition_words",
    "describe",
    "describe_step",
    "dry_run",
    "examine",
    "gap_notes",
    "inspect",
    "normalise",
    "read",
    "to_document",
]
