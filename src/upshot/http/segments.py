"""`/segments`."""

from functools import partial
from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from upshot.core.events import entity_named
from upshot.http.pages import Cursor, Limit
from upshot.http.revisions import IfMatch, change_on, optional_revision, tag_of
from upshot.http.routing import CallNow, answer, asks, nothing, noun_router
from upshot.http.shapes import segments as shapes

router = noun_router("segments")


@router.get("/segments", **asks("viewer", shapes.SegmentPage, operation="list_segments"))
def list_segments(
    call: CallNow,
    limit: Limit = 50,
    cursor: Cursor = None,
    q: Annotated[str | None, Query(max_length=200, description="Text in the name.")] = None,
    type: Annotated[str | None, Query(max_length=64, description="Of entities of this type.")] = None,  # noqa: A002 - the wire's own name
    entity: Annotated[
        str | None, Query(max_length=300, description="Those that this entity is in: `member:m-17`.")
    ] = None,
) -> Response:
    """List the segments by name, with how many are in each."""
    after = call.place("segments", cursor)
    about = entity_named(entity, "entity")
    page = call.upshot.segments.page(call.tenant_id, limit=limit, after=after, search=q, entity_type=type, entity=about)
    return call.page("segments", page)


@router.post("/segments", **asks("editor", shapes.Segment, status=201, operation="create_segment"))
def create_segment(call: CallNow, body: shapes.NewSegment) -> Response:
    """Create a segment. Who is in it is found in the background; nobody is told of that, unless `announce`."""
    made = call.upshot.segments.create(
        call.tenant_id,
        name=body.name,
        entity_type=body.entity_type,
        condition=body.condition,
        kind=body.kind,
        description=body.description,
        announce=body.announce,
        actor=call.actor,
    )
    return answer(made, 201, tag_of(made))


@router.get("/segments/{segment_id}", **asks("viewer", shapes.Segment, operation="get_segment"))
def get_segment(call: CallNow, segment_id: str) -> Response:
    """Show one segment, how many are in it, and whether they are being found."""
    found = call.upshot.segments.get(call.tenant_id, segment_id)
    return answer(found, headers=tag_of(found))


@router.put("/segments/{segment_id}", **asks("editor", shapes.Segment, operation="replace_segment"))
def replace_segment(call: CallNow, segment_id: str, body: shapes.SegmentBody, if_match: IfMatch = None) -> Response:
    """Give a segment this name and condition, on the revision that was read: 428 without one, 412 when it was changed
    meanwhile. Another condition is worked out in the background; nobody is told of that, unless `announce`."""
    save = partial(
        call.upshot.segments.save,
        call.tenant_id,
        segment_id,
        name=body.name,
        entity_type=body.entity_type,
        condition=body.condition,
        description=body.description,
        announce=body.announce,
        actor=call.actor,
    )
    saved = change_on(body.revision, if_match, lambda made_on: save(revision=made_on))
    return answer(saved, headers=tag_of(saved))


@router.delete("/segments/{segment_id}", **asks("editor", status=204, operation="delete_segment"))
def delete_segment(call: CallNow, segment_id: str, if_match: IfMatch = None) -> Response:
    """Delete a segment; with `If-Match`, only at this revision. 409 while automations use it."""
    revision = optional_revision(if_match)
    call.upshot.segments.delete(call.tenant_id, segment_id, revision=revision, actor=call.actor)
    return nothing()


@router.get("/segments/{segment_id}/members", **asks("viewer", shapes.MemberPage, operation="list_segment_members"))
def list_segment_members(call: CallNow, segment_id: str, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """List who is in a segment, in the order of their ids."""
    kind = f"segments/{segment_id}"
    after = call.place(kind, cursor)
    return call.page(kind, call.upshot.segments.members(call.tenant_id, segment_id, limit=limit, after=after))


@router.put(
    "/segments/{segment_id}/members/{entity_id:path}", **asks("editor", status=204, operation="put_segment_member")
)
def put_segment_member(call: CallNow, segment_id: str, entity_id: str) -> Response:
    """Put an entity into a segment that is kept by hand. `segment.joined` is emitted in the same transaction."""
    call.upshot.segments.add(call.tenant_id, segment_id, entity_id, actor=call.actor)
    return nothing()


@router.delete(
    "/segments/{segment_id}/members/{entity_id:path}", **asks("editor", status=204, operation="delete_segment_member")
)
def delete_segment_member(call: CallNow, segment_id: str, entity_id: str) -> Response:
    """Take an entity out of a segment that is kept by hand. `segment.left` is emitted in the same transaction."""
    call.upshot.segments.remove(call.tenant_id, segment_id, entity_id, actor=call.actor)
    return nothing()
