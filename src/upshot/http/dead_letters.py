"""`/dead-letters`."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from upshot.http.pages import Cursor, Limit
from upshot.http.routing import CallNow, answer, asks, noun_router
from upshot.http.shapes import dead_letters as shapes

router = noun_router("dead-letters")

Kind = Annotated[shapes.LetterKind | None, Query()]
Status = Annotated[shapes.LetterStatus | None, Query()]
Fingerprint = Annotated[str | None, Query(max_length=100)]
AutomationId = Annotated[str | None, Query(max_length=200, description="An automation's id.")]


@router.get("/dead-letters", **asks("viewer", shapes.DeadLetterPage, operation="list_dead_letters"))
def list_dead_letters(
    call: CallNow,
    limit: Limit = 50,
    cursor: Cursor = None,
    kind: Kind = None,
    status: Status = None,
    fingerprint: Fingerprint = None,
    automation: AutomationId = None,
) -> Response:
    """List what was given up on, what failed last first."""
    listed = call.upshot.dead_letters.page(
        call.tenant_id,
        limit=limit,
        after=call.place("dead-letters", cursor),
        kind=kind,
        status=status,
        fingerprint=fingerprint,
        automation=automation,
    )
    return call.page("dead-letters", listed)


@router.get("/dead-letters/groups", **asks("viewer", shapes.DeadLetterGroups, operation="list_dead_letter_groups"))
def list_dead_letter_groups(
    call: CallNow,
    limit: Limit = 50,
    cursor: Cursor = None,
    kind: Kind = None,
    status: Status = "open",
    automation: AutomationId = None,
) -> Response:
    """List dead letters by fingerprint: what has one cause together. The open ones, if no status is given."""
    listed = call.upshot.dead_letters.groups(
        call.tenant_id,
        limit=limit,
        after=call.place("dead-letter-groups", cursor),
        kind=kind,
        status=status,
        automation=automation,
    )
    return call.page("dead-letter-groups", listed)


@router.post("/dead-letters/bulk", **asks("operator", shapes.BulkAnswer, operation="act_on_dead_letters"))
def act_on_dead_letters(call: CallNow, body: shapes.BulkBody) -> Response:
    """Retry or discard the open letters of one fingerprint, a batch at a time. Counts only, unless `dry_run` is false."""
    did = call.upshot.dead_letters.bulk(
        call.tenant_id,
        body.fingerprint,
        body.action,
        reason=body.reason,
        dry_run=body.dry_run,
        until=body.until,
        after=body.after,
        limit=body.limit,
        actor=call.actor,
    )
    return answer(did)


@router.get("/dead-letters/{letter_id}", **asks("viewer", shapes.DeadLetterDetail, operation="get_dead_letter"))
def get_dead_letter(call: CallNow, letter_id: str) -> Response:
    """Show one dead letter: its error, the attempts, and the data it is about."""
    return answer(call.upshot.dead_letters.get(call.tenant_id, letter_id))


@router.post(
    "/dead-letters/{letter_id}/retry",
    **asks("operator", shapes.DeadLetterDetail, operation="retry_dead_letter"),
)
def retry_dead_letter(call: CallNow, letter_id: str) -> Response:
    """Try it again: a run goes on at the step that failed, with the same idempotency key; an event is matched again; an
    outbox row is relayed again. Twice is once."""
    return answer(call.upshot.dead_letters.retry(call.tenant_id, letter_id, actor=call.actor))


@router.post(
    "/dead-letters/{letter_id}/replay", **asks("operator", shapes.Replayed, status=201, operation="replay_dead_letter")
)
def replay_dead_letter(call: CallNow, letter_id: str, body: shapes.ReplayBody) -> Response:
    """Let it happen anew with other data, as an event with a new id. A run's replay starts its automation alone."""
    replayed = call.upshot.dead_letters.replay(call.tenant_id, letter_id, body.data, name=body.name, actor=call.actor)
    return answer(replayed, 201)


@router.post(
    "/dead-letters/{letter_id}/discard",
    **asks("operator", shapes.DeadLetterDetail, operation="discard_dead_letter"),
)
def discard_dead_letter(call: CallNow, letter_id: str, body: shapes.DiscardBody) -> Response:
    """Close it for a reason. What it is about stays as it is."""
    return answer(call.upshot.dead_letters.discard(call.tenant_id, letter_id, body.reason, actor=call.actor))
