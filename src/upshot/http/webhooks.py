"""`/webhooks`: setting them up. What they receive comes in at `hooks.py`."""

from functools import partial

from starlette.responses import Response

from upshot.http.pages import Cursor, Limit
from upshot.http.revisions import IfMatch, change_on, tag_of
from upshot.http.routing import CallNow, answer, asks, nothing, noun_router
from upshot.http.shapes import webhooks as shapes

router = noun_router("webhooks")


@router.get("/webhooks", **asks("viewer", shapes.WebhookPage, operation="list_webhooks"))
def list_webhooks(call: CallNow, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """List the tenant's webhooks, newest first, without tokens and secrets."""
    after = call.place("webhooks", cursor)
    return call.page("webhooks", call.upshot.webhooks.page(call.tenant_id, limit=limit, after=after))


@router.post("/webhooks", **asks("admin", shapes.ShownWebhook, status=201, operation="create_webhook", shown_once=True))
def create_webhook(call: CallNow, body: shapes.NewWebhook) -> Response:
    """Create a webhook. The answer shows its address, and its secret if one was made; nothing ever shows them again."""
    document = body.model_dump(exclude={"secret"})
    made = call.upshot.webhooks.create(call.tenant_id, document, secret=body.secret, actor=call.actor)
    return answer(made, 201, tag_of(made))


@router.get("/webhooks/{webhook_id}", **asks("viewer", shapes.Webhook, operation="get_webhook"))
def get_webhook(call: CallNow, webhook_id: str) -> Response:
    """Show one webhook."""
    found = call.upshot.webhooks.get(call.tenant_id, webhook_id)
    return answer(found, headers=tag_of(found))


@router.patch("/webhooks/{webhook_id}", **asks("admin", shapes.Webhook, operation="change_webhook"))
def change_webhook(call: CallNow, webhook_id: str, body: shapes.WebhookPatch, if_match: IfMatch = None) -> Response:
    """Change settings; those left out stay. It says the `revision` it was made on: 428 without, 412 when it is stale."""
    changes = body.model_dump(exclude={"revision"}, exclude_unset=True)
    save = partial(call.upshot.webhooks.save, call.tenant_id, webhook_id, changes, actor=call.actor)
    changed = change_on(body.revision, if_match, lambda made_on: save(revision=made_on))
    return answer(changed, headers=tag_of(changed))


@router.post(
    "/webhooks/{webhook_id}/rotate",
    **asks("admin", shapes.ShownWebhook, operation="rotate_webhook", shown_once=True),
)
def rotate_webhook(call: CallNow, webhook_id: str, body: shapes.RotateBody) -> Response:
    """Make a new token or secret. What it replaces works for a while longer."""
    rotated = call.upshot.webhooks.rotate(
        call.tenant_id,
        webhook_id,
        body.what,
        secret=body.secret,
        overlap_seconds=body.overlap_seconds,
        actor=call.actor,
    )
    return answer(rotated)


@router.delete("/webhooks/{webhook_id}", **asks("admin", status=204, operation="delete_webhook"))
def delete_webhook(call: CallNow, webhook_id: str) -> Response:
    """Delete a webhook: it receives nothing any more."""
    call.upshot.webhooks.delete(call.tenant_id, webhook_id, actor=call.actor)
    return nothing()
