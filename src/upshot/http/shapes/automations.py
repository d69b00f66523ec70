"""Automations on the wire."""

from typing import Annotated, Any, Literal

from fastapi import Body as BodyParameter
from pydantic import Field, WithJsonSchema

from upshot.app.backtesting import EVENTS_AT_ONCE, EVENTS_AT_ONCE_MAX
from upshot.http.shapes.base import (
    Answer,
    AnyJson,
    Body,
    EntityRef,
    EntityRefBody,
    Instant,
    JsonObject,
    Note,
    ProblemItem,
)
from upshot.http.shapes.documents import CANCEL_ON, FLOW, QUEUE, STEP, STEPS, TRIGGER
from upshot.http.shapes.runs import RunStatus

EXAMPLE: dict[str, Any] = {
    "name": "Consultation booked",
    "trigger": {"event": "crm/appointment.created"},
    "priority": 5,
    "condition": {
        "combinator": "and",
        "rules": [{"field": "appointment.status", "operator": "equals", "value": "scheduled"}],
    },
    "steps": [{"id": "note", "action": "create_note", "with": {"patientId": "{{ appointment.patientId }}"}}],
}
_SHAPE: dict[str, Any] = {
    "type": "object",
    "title": "AutomationDocument",
    "description": "An automation in the canonical shape, or in any of the shapes that are understood on import.",
    "properties": {
        "name": {"type": "string", "maxLength": 200},
        "description": {"type": "string", "maxLength": 5000},
        "trigger": {"anyOf": [TRIGGER, {"type": "string", "description": "The name of an event."}]},
        "condition": {"description": "A boolean tree over the facts, or null to start always."},
        "priority": {"type": "integer", "minimum": 1, "maximum": 10, "default": 5},
        "steps": {
            "type": "array",
            "items": {"anyOf": [*STEPS, {"type": "object", "description": "A step in a shape understood on import."}]},
        },
        "on_failure": {"description": "The id of the step that a run goes to when it fails, or null."},
        "timeout": {"description": "How long a run may take, as delays are written."},
        "cancel_on": CANCEL_ON,
        "goal": {
            "description": "A condition; a run of which it holds when its next step would begin is completed there."
        },
        "exit": {
            "description": "A condition; a run of which it holds when its next step would begin is cancelled there."
        },
        "folder": {"type": "string", "maxLength": 200},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 50}, "maxItems": 20},
        "flow": FLOW,
        "queue": QUEUE,
        "status": {"type": "string", "description": '"active" publishes it at once.'},
    },
    "examples": [EXAMPLE],
}
_SAVED = {
    **_SHAPE,
    "title": "AutomationDraft",
    "properties": {**_SHAPE["properties"], "revision": {"type": "integer", "minimum": 0}},
}
DocumentBody = Annotated[dict[str, Any], WithJsonSchema(_SHAPE)]
DraftBody = Annotated[dict[str, Any], WithJsonSchema(_SAVED)]
ImportBody = Annotated[
    Any,
    WithJsonSchema(
        {
            "description": 'One automation, a list of them, or `{"automations": [...]}`.',
            "anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}, "maxItems": 1000}],
        }
    ),
    BodyParameter(),
]


class ValidateBody(Body):
    """A document to check."""

    document: AnyJson


class TestBody(Body):
    """A sample event to try an automation with."""

    __test__ = False  # not a test class, whatever pytest takes its name for

    data: JsonObject
    event: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    entity: EntityRefBody | None = None


class TestDocumentBody(TestBody):
    """A document to try, and a sample event to try it with."""

    document: DocumentBody
    automation: Annotated[str, Field(max_length=100)] = ""
    """Whose document it is, if anybody's: a split goes by the automation's id too."""


class RunBody(Body):
    """What to run an automation with."""

    data: JsonObject
    test: bool = Field(default=True, description="Whether the run is marked as a test.")
    entity: EntityRefBody | None = None


class LastRun(Answer):
    """The newest run of an automation."""

    id: str
    status: RunStatus
    at: Instant


class AutomationItem(Answer):
    """One automation as its draft stands, and how it did."""

    id: str
    name: str
    description: str
    status: Literal["draft", "active", "paused", "archived"]
    priority: int
    trigger: Annotated[dict[str, Any], WithJsonSchema(TRIGGER)]
    condition: JsonObject | None
    steps: list[Annotated[dict[str, Any], WithJsonSchema(STEP)]]
    on_failure: str | None = Field(description="The step a run goes to when it fails.")
    flow: JsonObject | None = Field(description="How many runs it starts, and when; null where nothing limits that.")
    queue: str = Field(description="The queue of its runs.")
    timeout: AnyJson = Field(description="How long a run may take, as delays are written; null: as long as it likes.")
    cancel_on: list[JsonObject] = Field(description="The events that cancel its runs under way.")
    goal: JsonObject | None = Field(description="The condition that completes its runs early.")
    exit: JsonObject | None = Field(description="The condition that cancels its runs.")
    folder: str | None = Field(description="Where it is kept, like `Clinic/Reminders`; null for nowhere.")
    tags: list[str]
    version: int | None = Field(description="The live version; null when it was never published.")
    draft_revision: int
    has_draft_changes: bool
    created_by: str
    created_at: Instant
    updated_at: Instant
    deleted_at: Instant | None
    last_run: LastRun | None
    run_count: int = Field(description="Runs that ended.")
    success_rate: float | None
    warnings: list[Note] = Field(
        description="Circles it makes with the active automations: allowed, and stopped when they run too long. Empty in lists."
    )


class Labels(Answer):
    """The folders and tags of automations."""

    folders: list[str]
    tags: list[str]


class AutomationPage(Answer):
    """A page of automations."""

    items: list[AutomationItem]
    next: str | None


class Foretold(Answer):
    """What a schedule means, and when it would be due next."""

    words: str
    zone: str
    next: list[Instant]


class Validation(Answer):
    """Whether a document could be saved."""

    valid: bool
    problems: list[ProblemItem]
    document: JsonObject | None
    notes: list[Note]
    warnings: list[Note] = Field(description="What could go wrong though it may be saved: circles of automations.")
    schedule: Foretold | None = Field(description="Its schedule, if it has one that can be read.")


class DiffChange(Answer):
    """One difference. A step's path is its id: `steps.note.with.content`."""

    path: str
    kind: Literal["added", "removed", "changed", "moved"]
    text: str = Field(examples=["Step “note”: content is “Booked”, was “New”."])
    before: AnyJson
    after: AnyJson


class Imported(Answer):
    """What one imported document became."""

    document: JsonObject | None
    notes: list[Note]
    warnings: list[Note] = Field(description="Circles that it makes with the active automations.")
    problems: list[ProblemItem]
    id: str | None = Field(description="The automation that it is, or would be; null for what would be new.")
    state: Literal["new", "changed", "same"] = Field(
        description="Whether it is a new automation, or changes the one of its name or not."
    )
    changes: list[DiffChange] = Field(description="What it changes of that one, in words.")


class Import(Answer):
    """What an import did, or would do."""

    automations: list[Imported]
    revision: int = Field(description="How the automations that they were compared with stand; the ETag.")


class DryRun(Answer):
    """What an automation would do."""

    would_start: bool
    explanation: JsonObject | None
    endings: list[JsonObject] = Field(
        description="Its goal and exit: `met_before` is the step before which the run would end, null where it is not met."
    )
    cancel_on: list[JsonObject] = Field(
        description="The events that would cancel the run, with the values that their fields must have."
    )
    steps: list[JsonObject]


Number = Annotated[int, Field(ge=1, le=2_147_483_647)]


class BacktestBody(Body):
    """What to try on which events of the past. With a `cursor` nothing else but `limit` counts."""

    since: Annotated[str, Field(max_length=40)] | None = Field(
        default=None, description="Accepted at or after this instant; a week before `until` if left out."
    )
    until: Annotated[str, Field(max_length=40)] | None = Field(
        default=None, description="Accepted before this instant; now if left out."
    )
    version: Number | None = Field(default=None, description="The version to try; the draft if left out.")
    against: Number | None = Field(default=None, description="The version beside it; the live one if left out.")
    limit: int = Field(
        default=EVENTS_AT_ONCE, ge=1, le=EVENTS_AT_ONCE_MAX, description="Events to look at in this call."
    )
    cursor: Annotated[str, Field(min_length=1, max_length=16_000)] | None = Field(
        default=None, description="The `next` of the answer before."
    )


class BacktestProgress(Answer):
    """How far it is."""

    events: int = Field(description="Events looked at.")
    of: int


class BacktestCounts(Answer):
    """What became of the events looked at. The five add up to them."""

    newly: int = Field(description="Only the tried version would start.")
    no_longer: int = Field(description="Only the other version would start.")
    both: int
    neither: int
    undecided: int = Field(description="A condition had no answer, so that nothing starts.")


class BacktestSample(Answer):
    """One event, and why the two versions start on it or do not."""

    event_id: str
    name: str
    at: Instant
    entity: EntityRef | None
    reason: str
    other_reason: str


class BacktestSamples(Answer):
    """The newest events of each kind, at most five."""

    newly: list[BacktestSample]
    no_longer: list[BacktestSample]
    both: list[BacktestSample]
    neither: list[BacktestSample]
    undecided: list[BacktestSample]


class Backtest(Answer):
    """What would have happened, up to here. It is the whole when `next` is null."""

    since: Instant
    until: Instant
    version: int | None = Field(description="The version that was tried; null for the draft.")
    draft_revision: int | None
    against: int | None = Field(description="The version beside it; null when none was ever published.")
    progress: BacktestProgress
    would_start: int
    other_would_start: int
    counts: BacktestCounts
    samples: BacktestSamples
    next: str | None


class PauseBody(Body):
    """What else to pause."""

    runs: bool = Field(default=False, description="Whether its runs under way are paused too.")


class RestoreBody(Body):
    """Which version to go back to."""

    version: Number
    publish: bool = Field(default=False, description="Whether it becomes the next version at once, and active.")


class DiffBody(Body):
    """What somebody read before."""

    document: JsonObject


class VersionInFlight(Answer):
    """How many runs that are not over are on a version."""

    version: int
    runs: int


class Diff(Answer):
    """What changed, in words."""

    from_: int | None = Field(
        alias="from", description="The version before; null when there is none, or a document was given."
    )
    to: int | None = Field(description="The version after; null for the draft.")
    draft_revision: int | None
    runs_in_flight: int = Field(description="How many runs of the automation are not over now.")
    in_flight: list[VersionInFlight] = Field(description="On which versions they are, the newest first.")
    changes: list[DiffChange]


class PublishBody(Body):
    """What happens to the runs under way."""

    runs: Literal["finish", "move", "cancel"] = Field(
        default="finish",
        description="To the runs that are under way on other versions: they finish there, move to this one, or are cancelled.",
    )


class LeftRun(Answer):
    """A run that stays on its version."""

    id: str
    reason: str


class RunsInFlight(Answer):
    """What became of the runs that were under way on other versions."""

    action: Literal["finish", "move", "cancel"]
    count: int = Field(description="How many there were.")
    done: int = Field(description="How many moved, or were cancelled.")
    under_way: int = Field(
        description="How many stayed since a worker was at a step of them; publish again to move them."
    )
    left: int = Field(description="How many finish on their version.")
    reasons: list[LeftRun] = Field(description="Why they could not move, of up to 20.")


class PublishedItem(AutomationItem):
    """An automation that was published."""

    runs_in_flight: RunsInFlight


class Version(Answer):
    """One published version."""

    version: int
    document: JsonObject
    published_at: Instant
    published_by: str


class VersionPage(Answer):
    """A page of versions."""

    items: list[Version]
    next: str | None
