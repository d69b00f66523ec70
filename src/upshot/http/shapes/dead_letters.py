"""Dead letters on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from upshot.http.shapes.base import Answer, Body, Instant, JsonObject
from upshot.http.shapes.runs import Attempt

LetterKind = Literal["event", "run", "delivery"]
LetterStatus = Literal["open", "retrying", "resolved", "discarded"]
Reason = Annotated[str, Field(min_length=1, max_length=500, description="Why, for whoever looks at it later.")]


class Reference(Answer):
    """What was given up on: an event, a run, or a row of the outbox by its number."""

    noun: Literal["event", "run", "outbox"]
    id: str


class LetterAutomation(Answer):
    """The automation of the run."""

    id: str
    name: str


class LetterEvent(Answer):
    """The event, or the one that started the run. Of an outbox row only the name is known."""

    id: str | None
    name: str


class LetterCause(Answer):
    """What went wrong. The message holds no secrets; the fingerprint is the same for the same trouble."""

    kind: LetterKind
    fingerprint: str
    code: str
    message: str
    automation: LetterAutomation | None
    step_id: str | None


class DeadLetter(LetterCause):
    """One thing that was given up on. `attempts` were made before; `replay_id` is the event it was replayed as."""

    id: str
    reference: Reference
    status: LetterStatus
    version: int | None
    event: LetterEvent | None
    attempts: int
    first_at: Instant
    last_at: Instant
    updated_at: Instant
    actor: str | None = Field(description="Who last did something about it.")
    reason: str | None
    replay_id: str | None


class DeadLetterDetail(DeadLetter):
    """One letter with the data it is about (or, of an outbox row, what the host wrote), the attempts of the step that
    failed, and what keeps it from being retried, if anything."""

    data: JsonObject | None
    payload: str | None
    tries: list[Attempt]
    blocked: str | None


class DeadLetterPage(Answer):
    """A page of dead letters."""

    items: list[DeadLetter]
    next: str | None


class DeadLetterGroup(LetterCause):
    """Dead letters of one fingerprint: how many, since when, and the latest of them."""

    event_name: str | None
    count: int
    first_at: Instant
    last_at: Instant
    latest_id: str


class DeadLetterGroups(Answer):
    """A page of groups."""

    items: list[DeadLetterGroup]
    next: str | None


class ReplayBody(Body):
    """The event to happen instead."""

    data: JsonObject
    name: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="The event's name; the same if left out. A run's cannot be another."
    )


class Replayed(Answer):
    """The new event and, for a run, the new run."""

    event_id: str
    run_id: str | None


class DiscardBody(Body):
    """Why a letter is closed."""

    reason: Reason


class BulkBody(Body):
    """What to do about the open letters of one fingerprint. `dry_run` counts them and changes nothing."""

    fingerprint: Annotated[str, Field(min_length=1, max_length=100)]
    action: Literal["retry", "discard"]
    reason: Reason | None = Field(default=None, description="Required to discard, except of a dry run.")
    dry_run: bool = True
    until: Instant | None = Field(
        default=None, description="Leave out what failed later: the `until` of the answer before."
    )
    after: Annotated[str, Field(min_length=1, max_length=300)] | None = Field(
        default=None, description="The `next` of the answer before."
    )
    limit: Annotated[int, Field(ge=1, le=500)] = 500


class BulkProblem(Answer):
    """A letter that was left as it is."""

    id: str
    reason: str


class BulkAnswer(Answer):
    """What one batch did. Send the request again with `next` as `after`, with `until` and after `wait_seconds`, until `next` is
    null. `problems` names up to 20 of those that were `refused`."""

    count: int
    done: int
    refused: int
    left: int
    until: Instant
    next: str | None
    wait_seconds: float
    problems: list[BulkProblem]
