"""What a program asks the engine to do next."""

import msgspec


class RunStep(msgspec.Struct, frozen=True):
    """Run this step now: perform its action, or decide its branch."""

    step_id: str


class Sleep(msgspec.Struct, frozen=True):
    """Park the run on this delay step until the instant that the step names."""

    step_id: str


class Finish(msgspec.Struct, frozen=True):
    """End the run with this final status (`completed`, `partial` or `failed`)."""

    status: str
    error: "StepError | None" = None


class StepError(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a step failed: a stable code, a sentence for a person, and the step it happened in."""

    code: str
    message: str
    step_id: str | None = None


Command = RunStep | Sleep | Finish
