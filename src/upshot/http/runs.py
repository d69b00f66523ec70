"""`/runs`."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from upshot.http.events import entity_of
from upshot.http.pages import Cursor, Limit
from upshot.http.routing import CallNow, answer, asks, noun_router
from upshot.http.shapes import runs as shapes

router = noun_router("runs")


@router.get("/runs", **asks("viewer", shapes.RunPage, operation="list_runs"))
def list_runs(
    call: CallNow,
    limit: Limit = 50,
    cursor: Cursor = None,
    event: Annotated[str | None, Query(max_length=200, description="An event's id, or an event's name.")] = None,
    automation: Annotated[str | None, Query(max_length=200, description="An automation's id.")] = None,
    status: Annotated[shapes.RunStatus | None, Query()] = None,
    entity: Annotated[str | None, Query(max_length=300, description="`type:id`.")] = None,
) -> Response:
    """List runs, newest first."""
    listed = call.upshot.runs.page(
        call.tenant_id,
        limit=limit,
        after=call.place("runs", cursor),
        event=event,
        automation=automation,
        status=status,
        entity=entity_of(entity),
    )
    return call.page("runs", listed)


@router.get("/runs/{run_id}", **asks("viewer", shapes.RunDetail, operation="get_run"))
def get_run(call: CallNow, run_id: str) -> Response:
    """Show one run: its steps, their attempts and log lines, why it started, and the document it runs."""
    return answer(call.upshot.runs.get(call.tenant_id, run_id))


@router.post("/runs/{run_id}/cancel", **asks("operator", shapes.RunDetail, operation="cancel_run"))
def cancel_run(call: CallNow, run_id: str) -> Response:
    """Cancel a run. No further step starts; what a step in flight does outside may still happen."""
    call.upshot.runs.cancel(call.tenant_id, run_id, actor=call.actor)
    return answer(call.upshot.runs.get(call.tenant_id, run_id))
