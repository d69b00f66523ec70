"""`/schedules`."""

from starlette.responses import Response

from upshot.http.pages import Cursor, Limit
from upshot.http.routing import CallNow, asks, noun_router
from upshot.http.shapes import schedules as shapes

router = noun_router("schedules")


@router.get("/schedules", **asks("viewer", shapes.SchedulePage, operation="list_schedules"))
def list_schedules(call: CallNow, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """List the schedules of active and paused automations with their next occurrences, in the order of creation."""
    after = call.place("schedules", cursor)
    return call.page("schedules", call.upshot.schedules.page(call.tenant_id, limit=limit, after=after))
