"""`/audit`."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from upshot.http.pages import Cursor, Limit
from upshot.http.routing import CallNow, asks, noun_router
from upshot.http.shapes import system as shapes

router = noun_router("audit")


@router.get("/audit", **asks("admin", shapes.AuditPage, operation="list_audit"))
def list_audit(
    call: CallNow,
    limit: Limit = 50,
    cursor: Cursor = None,
    noun: Annotated[str | None, Query(max_length=50)] = None,
    noun_id: Annotated[str | None, Query(max_length=300)] = None,
) -> Response:
    """List who changed what, newest first, with before and after."""
    after = call.place("audit", cursor)
    return call.page(
        "audit", call.upshot.audit.page(call.tenant_id, limit=limit, after=after, noun=noun, noun_id=noun_id)
    )
