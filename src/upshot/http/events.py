"""`/events`: reading them. Giving them is `ingest.py`, which is built for speed."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from upshot.core.events import entity_named
from upshot.core.instants import from_text
from upshot.http.pages import Cursor, Limit
from upshot.http.routing import CallNow, answer, asks, noun_router
from upshot.http.shapes import events as shapes
from upshot.store.event_pages import Filter

router = noun_router("events")


@router.get("/events", **asks("viewer", shapes.EventPage, operation="list_events"))
def list_events(
    call: CallNow,
    limit: Limit = 50,
    cursor: Cursor = None,
    name: Annotated[str | None, Query(max_length=200)] = None,
    entity: Annotated[str | None, Query(max_length=300, description="`type:id`.")] = None,
    q: Annotated[str | None, Query(max_length=200, description="Text in the name, the data or the id.")] = None,
    since: Annotated[str | None, Query(max_length=40, description="Accepted at or after this instant.")] = None,
    until: Annotated[str | None, Query(max_length=40, description="Accepted before this instant.")] = None,
) -> Response:
    """List events, newest first. A page that searches for text may be short, or empty, and still have a `next`."""
    wanted = Filter(
        name=name,
        entity=entity_named(entity),
        search=q,
        since=from_text(since, "since") if since is not None else None,
        until=from_text(until, "until") if until is not None else None,
    )
    after = call.place("events", cursor)
    return call.page("events", call.upshot.events.page(call.tenant_id, limit=limit, after=after, wanted=wanted))


@router.get("/events/{event_id:path}/explain", **asks("viewer", shapes.EventExplanation, operation="explain_event"))
def explain_event(call: CallNow, event_id: str) -> Response:
    """Say for each automation that listened why it did or did not start."""
    return answer(call.upshot.events.explain(call.tenant_id, event_id))


@router.get("/events/{event_id:path}", **asks("viewer", shapes.EventDetail, operation="get_event"))
def get_event(call: CallNow, event_id: str) -> Response:
    """Show one event and the runs it started."""
    return answer(call.upshot.events.get(call.tenant_id, event_id))
