"""Runs on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from upshot.http.shapes.base import Answer, AnyJson, Body, EntityRef, EntityRefBody, Instant, JsonObject

RunStatus = Literal["pending", "running", "waiting", "paused", "completed", "partial", "failed", "cancelled"]
StepStatus = Literal["pending", "ready", "running", "waiting", "completed", "failed", "skipped", "cancelled", "unknown"]


class RunAutomation(Answer):
    """The automation a run belongs to, and the version it stays on."""

    id: str
    name: str
    version: int | None


class RunEvent(Answer):
    """The event that started a run."""

    id: str
    name: str


class RunError(Answer):
    """Why a run ended as it did."""

    code: str
    message: str
    step_id: str | None


class RunReason(Answer):
    """Why a run ended before its last step, though nothing failed."""

    code: str = Field(examples=["cancelled_by_event"])
    message: str
    event: RunEvent | None = Field(description="The event that ended it.")


class StepError(Answer):
    """Why a step or attempt failed."""

    code: str
    message: str


class RunSummary(Answer):
    """One run of a list."""

    id: str
    automation: RunAutomation
    status: RunStatus
    event: RunEvent | None
    entity: EntityRef | None
    test: bool
    replay_id: str | None = Field(description="The replay of past events that started it.")
    created_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    duration_seconds: float | None
    error: RunError | None
    reason: RunReason | None
    current_step: str | None
    waiting_until: Instant | None


class LogLine(Answer):
    """A line that an action wrote."""

    at: Instant
    text: str
    fields: JsonObject | None = None


class Attempt(Answer):
    """One try of a step."""

    attempt: int
    status: str
    started_at: Instant | None
    finished_at: Instant | None
    duration_seconds: float | None
    input: AnyJson
    output: AnyJson
    error: StepError | None
    log: list[LogLine]
    idempotency_key: str | None


class CalledRun(Answer):
    """The run that a step called, and its status now."""

    id: str
    status: RunStatus


class RunStep(Answer):
    """One step of a run: what was kept of it, what it does now, or that it is yet to come. `called_run` is that of a call, as
    long as it is kept."""

    id: str = Field(
        description="Its own in the run: `remind`, `remind:3` in the third round, `each[7]` for the eighth item."
    )
    step_id: str = Field(description="The step of the document.")
    round: int = Field(description="In which round of the circle that the step is on, from 1.")
    item: int | None = Field(description="For which item of a list, from 0.")
    kind: str
    action: str | None
    status: StepStatus
    attempts: list[Attempt]
    input: AnyJson
    output: AnyJson
    error: StepError | None
    started_at: Instant | None
    finished_at: Instant | None
    due_at: Instant | None
    explanation: JsonObject | None
    called_run: CalledRun | None


class Cause(Answer):
    """The step that caused an event: emitted it, or called an automation by it. Without a step it is a run that was run
    again."""

    run_id: str
    step_id: str | None


class CausedAutomation(Answer):
    """The automation of a run in a chain of causes."""

    id: str
    name: str


class CauseLink(Answer):
    """One link of a chain of causes: an event started a run, and a step of it made the next event happen."""

    event: RunEvent
    run_id: str
    automation: CausedAutomation
    step_id: str | None


class RunDetail(RunSummary):
    """One run with its steps, why it started, and the document of the version it runs. `cause` is the step of another run that
    caused its event, by calling it or otherwise; `path` the chain of causes that led to its event, from its root on, as far as
    it is kept; `depth` counts how many events it has."""

    cause: Cause | None
    root_id: str | None
    depth: int | None
    path: list[CauseLink]
    explanation: JsonObject | None
    steps: list[RunStep]
    document: JsonObject | None


class RunPage(Answer):
    """A page of runs."""

    items: list[RunSummary]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


class CalledItem(Answer):
    """What a step called: for an item of its list, or at all."""

    id: str = Field(description="The place of the call in the run: `ask`, or `each[7]` for the eighth item.")
    item: int | None = Field(description="For which item of the list, from 0.")
    called_run: CalledRun | None = Field(
        description="Null where none was called, or not yet, or it is not kept any more."
    )


class CalledPage(Answer):
    """A page of what a step called."""

    items: list[CalledItem]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


class StartedRun(Answer):
    """A run that was started by hand."""

    run_id: str
    event_id: str


class RunFilterBody(Body):
    """Which runs are meant; every field that is given must hold."""

    event: Annotated[str, Field(max_length=200)] | None = Field(default=None, description="An event's id, or its name.")
    automation: Annotated[str, Field(max_length=200)] | None = Field(default=None, description="An automation's id.")
    status: RunStatus | None = None
    entity: EntityRefBody | None = None
    replay: Annotated[str, Field(max_length=200)] | None = Field(default=None, description="The id of a replay.")


class BulkRunsBody(Body):
    """What to do about the runs that a filter names. The next batch takes the answer's `until` and `next`."""

    action: Literal["cancel", "pause", "resume", "retry", "skip", "rerun"]
    filter: RunFilterBody = Field(default_factory=RunFilterBody)
    step: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="Of a skip: which step; where each run stands if left out."
    )
    output: AnyJson = Field(default=None, description="Of a skip: the output that later steps read.")
    from_step: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="Of a rerun: a step that the runs came to; their beginning if left out."
    )
    version: Literal["same", "current"] | None = Field(
        default=None, description="Of a rerun: each run's own version, or the live one, which it is if left out."
    )
    dry_run: bool = Field(
        default=True, description="Only say how many there are and, of a rerun, which effects would happen again."
    )
    until: Annotated[str, Field(max_length=40)] | None = Field(
        default=None, description="Only runs that were created up to this instant; now if left out."
    )
    after: Annotated[str, Field(max_length=200)] | None = None
    limit: int = Field(default=500, ge=1, le=500, description="How many at most; of a skip or rerun 50 at most.")


class RefusedRun(Answer):
    """A run that stayed as it was."""

    id: str
    reason: str


class RepeatedEffect(Answer):
    """A step whose effects happen again, and in how many runs."""

    automation: str = Field(description="The automation's id.")
    step: str
    runs: int


class BulkRuns(Answer):
    """What one batch did. `next` is null when nothing is left."""

    count: int
    done: int
    refused: int
    left: int
    until: Instant
    next: str | None
    problems: list[RefusedRun]
    repeats: list[RepeatedEffect] = Field(description="Of a rerun: the effects that happen again, or would.")


class SkipBody(Body):
    """What stands in the place of the step."""

    step: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="Which step; it may be left out where the run stands at one only, or failed at it."
    )
    output: AnyJson = Field(default=None, description="The output that later steps read.")


class RerunBody(Body):
    """From where, and on which version."""

    from_step: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="A step that the run came to; its beginning if left out."
    )
    version: Literal["same", "current"] = Field(
        default="current", description="The run's own version, or the live one."
    )
    dry_run: bool = False


class Rerun(Answer):
    """A run that was started again, or would be."""

    run_id: str | None
    event_id: str | None
    version: int
    kept: list[str] = Field(description="Steps whose outcomes the new run has already; they are not performed again.")
    repeats: list[str] = Field(
        description="Steps whose effects happened before and happen again if the run comes to them, under new keys; items of a "
        "list and rounds of a circle by their own ids where some are kept."
    )
