"""`/stats`."""

from starlette.responses import Response

from upshot.http.routing import CallNow, answer, asks, noun_router
from upshot.http.shapes import system as shapes

router = noun_router("stats")


@router.get("/stats", **asks("viewer", shapes.Stats, operation="get_stats"))
def get_stats(call: CallNow) -> Response:
    """Count runs, events, outbox rows and automations by status."""
    return answer(call.upshot.stats.get(call.tenant_id))
