"""`/outbox`."""

from starlette.responses import Response

from upshot.http.routing import CallNow, answer, asks, noun_router
from upshot.http.shapes import system as shapes

router = noun_router("outbox")


@router.get("/outbox", **asks("viewer", shapes.OutboxCounts, operation="get_outbox"))
def get_outbox(call: CallNow) -> Response:
    """Count the tenant's outbox rows by status."""
    return answer(call.upshot.outbox.counts(call.tenant_id))


@router.post("/outbox/publish", **asks("operator", shapes.Published, operation="publish_outbox"))
def publish_outbox(call: CallNow) -> Response:
    """Publish what is due now: what a scheduled call does where no relay runs. The answer counts the tenant's own rows."""
    before = call.upshot.outbox.counts(call.tenant_id)
    call.upshot.outbox.publish()
    after = call.upshot.outbox.counts(call.tenant_id)
    moved = {status: max(0, after[status] - before[status]) for status in ("published", "failed")}
    return answer({**moved, "pending": after["pending"]})
