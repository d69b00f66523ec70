"""`/entities`."""

from functools import partial
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from upshot.http.pages import Cursor, Limit
from upshot.http.revisions import IfMatch, change_on, optional_revision, tag_of
from upshot.http.routing import CallNow, answer, asks, nothing, noun_router
from upshot.http.shapes import system as shapes

router = noun_router("entities")


def _tagged(entity: dict[str, Any], status: int = 200) -> Response:
    return answer(entity, status, tag_of(entity))


@router.get("/entities", **asks("viewer", shapes.EntityTypes, operation="list_entity_types"))
def list_entity_types(call: CallNow) -> Response:
    """The types of entities there are, with how many of each."""
    return answer({"items": call.upshot.entities.types(call.tenant_id), "next": None})


@router.get("/entities/{type}", **asks("viewer", shapes.EntityPage, operation="list_entities"))
def list_entities(
    call: CallNow,
    type: str,  # noqa: A002 - the wire's own name
    limit: Limit = 50,
    cursor: Cursor = None,
    q: Annotated[str | None, Query(max_length=200, description="Text in the fields or the id.")] = None,
    tag: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """List entities of one type, last changed first."""
    kind = f"entities/{type}"
    place = call.place(kind, cursor)
    after = (place[0], place[1]) if place is not None else None
    return call.page(kind, call.upshot.entities.page(call.tenant_id, type, limit=limit, after=after, search=q, tag=tag))


@router.post("/entities/{type}", **asks("editor", shapes.Entity, status=201, operation="create_entity"))
def create_entity(call: CallNow, type: str, body: shapes.NewEntity) -> Response:  # noqa: A002 - the wire's own name
    """Create an entity. `<type>.created` is emitted in the same transaction."""
    made = call.upshot.entities.create(
        call.tenant_id, type, id=body.id, fields=body.fields, tags=body.tags, actor=call.actor
    )
    return _tagged(made, 201)


@router.get("/entities/{type}/{entity_id:path}", **asks("viewer", shapes.Entity, operation="get_entity"))
def get_entity(call: CallNow, type: str, entity_id: str) -> Response:  # noqa: A002 - the wire's own name
    """Show one entity."""
    return _tagged(call.upshot.entities.get(call.tenant_id, type, entity_id))


@router.put("/entities/{type}/{entity_id:path}", **asks("editor", shapes.Entity, operation="replace_entity"))
def replace_entity(
    call: CallNow,
    type: str,  # noqa: A002 - the wire's own name
    entity_id: str,
    body: shapes.EntityBody,
    if_match: IfMatch = None,
) -> Response:
    """Give an entity these fields and no others, whether or not it is there. One that is there is changed on the revision
    that was read, in `If-Match` or as `revision`: 428 without, 412 when it was changed meanwhile."""
    change = partial(
        call.upshot.entities.replace,
        call.tenant_id,
        type,
        entity_id,
        fields=body.fields,
        tags=body.tags,
        actor=call.actor,
    )
    return _tagged(change_on(body.revision, if_match, lambda made_on: change(revision=made_on)))


@router.patch("/entities/{type}/{entity_id:path}", **asks("editor", shapes.Entity, operation="patch_entity"))
def patch_entity(
    call: CallNow,
    type: str,  # noqa: A002 - the wire's own name
    entity_id: str,
    body: shapes.EntityPatch,
    if_match: IfMatch = None,
) -> Response:
    """Change some fields of an entity by JSON merge patch, on the revision that was read: 428 without one, 412 when it was
    changed meanwhile."""
    change = partial(
        call.upshot.entities.patch,
        call.tenant_id,
        type,
        entity_id,
        fields=body.fields,
        tags=body.tags,
        actor=call.actor,
    )
    return _tagged(change_on(body.revision, if_match, lambda made_on: change(revision=made_on)))


@router.delete("/entities/{type}/{entity_id:path}", **asks("editor", status=204, operation="delete_entity"))
def delete_entity(call: CallNow, type: str, entity_id: str, if_match: IfMatch = None) -> Response:  # noqa: A002 - the wire's own name
    """Delete an entity; with `If-Match`, only at this revision. The events and runs about it stay."""
    call.upshot.entities.delete(call.tenant_id, type, entity_id, revision=optional_revision(if_match), actor=call.actor)
    return nothing()
