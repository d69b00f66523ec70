"""`/automations/{id}/replay` and `/automations/{id}/replays`."""

import msgspec
from starlette.responses import Response

from upshot.app.replays import Place, Wanted
from upshot.core.errors import Malformed
from upshot.core.instants import from_text
from upshot.http.pages import Cursor, Limit
from upshot.http.routing import CallNow, answer, asks, noun_router
from upshot.http.shapes import replays as shapes

router = noun_router("replays")


@router.post(
    "/automations/{automation_id}/replay",
    **asks("operator", shapes.StartedReplay, status=202, operation="replay_automation"),
)
def replay_automation(call: CallNow, automation_id: str, body: shapes.ReplayBody) -> Response:
    """Let the live version act on events of the past, with its effects: so many runs a minute, each event once. Only says what
    it would start, unless `dry_run` is false. Large windows take several calls of a dry run: each answer counts from the
    beginning up to its `next`."""
    wanted = Wanted(
        since=from_text(body.since, "since"),
        until=from_text(body.until, "until") if body.until is not None else None,
        entity=(body.entity.type, body.entity.id) if body.entity is not None else None,
        condition=body.condition,
        per_minute=body.per_minute,
        limit=body.limit,
        dropped=body.dropped,
    )
    replays, tenant_id = call.upshot.replays, call.tenant_id
    if not body.dry_run and body.cursor is not None:
        raise Malformed.at("cursor", "goes with a dry run only; leave it out to begin the replay", "not_taken")
    if not body.dry_run:
        return answer({**replays.start(tenant_id, automation_id, wanted, actor=call.actor), "next": None}, 202)
    kind = f"replay/{automation_id}"
    place = call.place(kind, body.cursor)
    told, further = replays.preview(
        tenant_id,
        automation_id,
        wanted,
        events_max=body.events,
        place=msgspec.convert(place, Place) if place is not None else None,
    )
    return answer({**told, "next": call.cursor(kind, further)}, 200)


@router.get("/automations/{automation_id}/replays", **asks("viewer", shapes.ReplayPage, operation="list_replays"))
def list_replays(call: CallNow, automation_id: str, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """List the replays of an automation, newest first."""
    kind = f"replays/{automation_id}"
    place = call.place(kind, cursor)
    return call.page(kind, call.upshot.replays.page(call.tenant_id, automation_id, limit=limit, after=place))


@router.get("/automations/{automation_id}/replays/{replay_id}", **asks("viewer", shapes.Replay, operation="get_replay"))
def get_replay(call: CallNow, automation_id: str, replay_id: str) -> Response:
    """Show one replay, and how far it is."""
    return answer(call.upshot.replays.get(call.tenant_id, replay_id, automation_id=automation_id))


@router.post(
    "/automations/{automation_id}/replays/{replay_id}/pause",
    **asks("operator", shapes.Replay, operation="pause_replay"),
)
def pause_replay(call: CallNow, automation_id: str, replay_id: str) -> Response:
    """Let a replay start nothing until it is resumed. The runs it started go on."""
    replays = call.upshot.replays
    return answer(replays.pause(call.tenant_id, replay_id, automation_id=automation_id, actor=call.actor))


@router.post(
    "/automations/{automation_id}/replays/{replay_id}/resume",
    **asks("operator", shapes.Replay, operation="resume_replay"),
)
def resume_replay(call: CallNow, automation_id: str, replay_id: str) -> Response:
    """Let a paused replay go on where it stands."""
    replays = call.upshot.replays
    return answer(replays.resume(call.tenant_id, replay_id, automation_id=automation_id, actor=call.actor))


@router.post(
    "/automations/{automation_id}/replays/{replay_id}/cancel",
    **asks("operator", shapes.Replay, operation="cancel_replay"),
)
def cancel_replay(call: CallNow, automation_id: str, replay_id: str) -> Response:
    """End a replay. The runs it started go on; `POST /runs/bulk` with its id as `replay` acts on them."""
    replays = call.upshot.replays
    return answer(replays.cancel(call.tenant_id, replay_id, automation_id=automation_id, actor=call.actor))
