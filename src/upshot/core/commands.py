"""What a program asks the engine to do next."""

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from upshot.core.journal import Outcome


MISSING_ACTION: Final = "unknown_action"
"""The code of an attempt whose action the worker did not have. It began nothing."""


class RunStep(msgspec.Struct, frozen=True):
    """Run this step now: perform its action, or decide its branch."""

    step_id: str


class Sleep(msgspec.Struct, frozen=True):
    """Set the timer of this step: a delay that sleeps until the instant it names, or the timeout of an open parallel step."""

    step_id: str


class Await(msgspec.Struct, frozen=True):
    """Wait for the event that this step names, or for the end of the run that it calls."""

    step_id: str


class Keep(msgspec.Struct, frozen=True):
    """Keep this outcome in the same transaction, and apply it: it follows from what was kept and needs nobody's work."""

    outcome: "Outcome"


class Finish(msgspec.Struct, frozen=True):
    """End the run with this final status (`completed`, `partial` or `failed`)."""

    status: str
    error: "StepError | None" = None


class StepError(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a step failed: a stable code, a sentence for a person, and the step it happened in."""

    code: str
    message: str
    step_id: str | None = None


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a run ended before its last step, though nothing failed: a stable code, a sentence for a person, and the event that
    ended it, by the id its host knows and its name."""

    code: str
    message: str
    event_id: str | None = None
    event_name: str | None = None


Command = RunStep | Sleep | Await | Keep | Finish
Commands = tuple[Command, ...]
