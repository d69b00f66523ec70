"""`/keys`."""

from starlette.responses import Response

from upshot.http.pages import Cursor, Limit
from upshot.http.routing import CallNow, answer, asks, nothing, noun_router
from upshot.http.shapes import system as shapes

router = noun_router("keys")


@router.get("/keys", **asks("admin", shapes.KeyPage, operation="list_keys"))
def list_keys(call: CallNow, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """List the tenant's keys, newest first, without their secrets."""
    after = call.place("keys", cursor)
    return call.page("keys", call.upshot.keys.page(call.tenant_id, limit=limit, after=after))


@router.post("/keys", **asks("admin", shapes.CreatedKey, status=201, operation="create_key", shown_once=True))
def create_key(call: CallNow, body: shapes.NewKey) -> Response:
    """Create a key. The answer shows it, and nothing ever shows it again."""
    made = call.upshot.keys.create(
        call.tenant_id, name=body.name, role=body.role, expires_at=body.expires_at, actor=call.actor
    )
    return answer(made, 201)


@router.delete("/keys/{key_id}", **asks("admin", status=204, operation="revoke_key"))
def revoke_key(call: CallNow, key_id: str) -> Response:
    """A key stops working at once. The tenant's last admin key stays."""
    call.upshot.keys.revoke(call.tenant_id, key_id, keep_an_admin=True, actor=call.actor)
    return nothing()
