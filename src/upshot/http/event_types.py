"""`/event-types`."""

from starlette.responses import Response

from upshot.core.errors import Malformed
from upshot.http.pages import Cursor, Limit
from upshot.http.routing import CallNow, answer, asks, nothing, noun_router
from upshot.http.shapes import events as shapes

router = noun_router("event-types")


@router.get("/event-types", **asks("viewer", shapes.EventTypePage, operation="list_event_types"))
def list_event_types(call: CallNow, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """List the declared event types, in the order of their names."""
    after = call.place("event-types", cursor)
    return call.page("event-types", call.upshot.event_types.page(call.tenant_id, limit=limit, after=after))


@router.get("/event-types/{name:path}", **asks("viewer", shapes.EventType, operation="get_event_type"))
def get_event_type(call: CallNow, name: str) -> Response:
    """Show one event type."""
    return answer(call.upshot.event_types.get(call.tenant_id, name))


@router.put("/event-types/{name:path}", **asks("editor", shapes.EventType, operation="put_event_type"))
def put_event_type(call: CallNow, name: str, body: shapes.EventTypeBody) -> Response:
    """Declare an event type in the place of what its name meant before."""
    if body.name is not None and body.name != name:
        raise Malformed.at("name", f"is {body.name!r}, and the address says {name!r}", "mismatch")
    declared = call.upshot.event_types.put(
        call.tenant_id,
        name,
        title=body.title or "",
        description=body.description or "",
        schema=body.payload_schema,
        entity=body.entity,
        on_invalid=body.on_invalid,
        sample=body.sample,
        actor=call.actor,
    )
    return answer(declared)


@router.delete("/event-types/{name:path}", **asks("editor", status=204, operation="delete_event_type"))
def delete_event_type(call: CallNow, name: str) -> Response:
    """Events of this name are no longer checked; those that were accepted stay."""
    call.upshot.event_types.remove(call.tenant_id, name, actor=call.actor)
    return nothing()
