"""Events and event types on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from upshot.http.shapes.base import Answer, Body, EntityRef, Instant, JsonObject, ProblemItem
from upshot.http.shapes.runs import Cause, CauseLink, RunSummary

EventName = Annotated[str, Field(min_length=1, max_length=200, examples=["crm/appointment.created"])]


class NewEvent(Body):
    """An event to accept."""

    name: EventName
    data: JsonObject = Field(default_factory=dict, description="The facts, a JSON object of at most 256 KiB.")
    id: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None,
        description="The host's own id. The same id again is a duplicate, answered and not accepted twice.",
    )
    ts: Instant | None = Field(default=None, description="When it happened; now if left out.")
    entity: EntityRef | None = Field(default=None, description="What it is about; by the event type if left out.")


class EventList(Body):
    """Several events, accepted together or not at all."""

    events: Annotated[list[NewEvent], Field(min_length=1, max_length=1_000)]


class AcceptedEvents(Answer):
    """The ids of the accepted events in the order they were given. They are committed and synced to disk."""

    ids: list[str]
    duplicates: int


class EventItem(Answer):
    """One event. `status` is `pending` until it was matched, then `matched`; `invalid` when its data do not meet a schema
    that only warns; `loop_stopped` or `failed` when it starts nothing."""

    id: str
    name: str
    data: JsonObject
    ts: Instant
    accepted_at: Instant
    entity: EntityRef | None
    status: Literal["pending", "matched", "invalid", "loop_stopped", "failed"]
    marks: list[ProblemItem]
    cause: Cause | None
    root_id: str
    depth: int
    test: bool
    run_count: int


class EventDetail(EventItem):
    """One event, the runs it started and those it cancelled, 200 of each at most. `replay_of` is the dead letter whose edited
    replay it is, `path` the chain of causes that led to it, from its root on, as far as it is kept."""

    path: list[CauseLink]
    replay_of: str | None
    runs: list[RunSummary]
    cancelled_runs: list[RunSummary]


class EventPage(Answer):
    """A page of events."""

    items: list[EventItem]
    next: str | None


class ExplainedAutomation(Answer):
    """Why one automation did or did not start for an event."""

    automation_id: str
    name: str
    version: int | None
    outcome: str = Field(
        examples=[
            *("started", "condition_false", "paused", "not_published", "pending", "loop_stopped", "error"),
            *("debounced", "batched", "throttled", "rate_limited", "duplicate_key", "held_by_concurrency"),
            "already_running",
        ]
    )
    reason: str
    key: str | None
    at: Instant | None
    run_id: str | None
    replay_id: str | None = Field(description="The replay of past events that started the run.")
    explanation: JsonObject | None


class EventExplanation(Answer):
    """Why each listening automation did or did not start."""

    event_id: str
    automations: list[ExplainedAutomation]


class EventTypeBody(Body):
    """What an event type declares."""

    name: EventName | None = Field(default=None, description="If given, the name in the address.")
    title: Annotated[str, Field(max_length=200)] | None = ""
    description: Annotated[str, Field(max_length=5_000)] | None = ""
    # "schema" is a method of pydantic's old interface, so the field has a name of its own here
    payload_schema: JsonObject | bool | None = Field(
        default=None, alias="schema", description="JSON Schema of the data."
    )
    entity: dict[str, str] | None = Field(default=None, examples=[{"type": "patient", "id": "appointment.patientId"}])
    on_invalid: Literal["refuse", "warn"] = "refuse"
    sample: JsonObject | None = Field(default=None, description="An example of the data, for tests by hand.")


class EventType(Answer):
    """A declared event type."""

    name: str
    title: str
    description: str
    payload_schema: JsonObject | bool | None = Field(alias="schema")
    entity: dict[str, str] | None
    on_invalid: Literal["refuse", "warn"]
    sample: JsonObject | None
    created_at: Instant
    updated_at: Instant


class EventTypePage(Answer):
    """A page of event types."""

    items: list[EventType]
    next: str | None
