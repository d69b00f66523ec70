"""`POST /hooks/{token}`: what other systems tell, as events. Answered after the event is committed."""

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from upshot.adapters import causes
from upshot.core.automations.fields import as_object
from upshot.core.errors import Malformed, NotFound, NotSignedIn, Refused, TooLarge
from upshot.core.strict_json import decode
from upshot.core.webhooks import envelope_of
from upshot.engine import tracing
from upshot.http.problems import UnsupportedMedia
from upshot.http.routing import answer
from upshot.http.strict_body import decode_body, read_body

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot
    from upshot.app.webhooks import Hook

FORM: Final = "application/x-www-form-urlencoded"
FORM_FIELDS_MAX: Final = 1_000
CHALLENGE_MAX: Final = 500


async def receive(request: Request) -> Response:
    """Take one delivery: 202 for a new event, 200 when its id was taken before."""
    state = request.app.state
    upshot: Upshot = state.upshot
    token: str = request.path_params["token"]
    state.gate.look_at_stranger(request)
    hook = upshot.webhooks.known(token) or await run_in_threadpool(upshot.webhooks.find, token)
    counted = upshot.engine.process.metrics.hooks
    if hook is None:
        counted["unknown"] += 1
        state.gate.count_stranger(request)
        raise NotFound("address", "/hooks/...")
    state.gate.spend("webhook", hook.kept.id)
    raw = await read_body(request)
    try:
        upshot.webhooks.prove(hook, request.headers, raw)
        told = await _take(request, upshot, hook, raw)
    except (NotSignedIn, Refused, TooLarge, UnsupportedMedia) as refused:
        counted["refused"] += 1
        if upshot.webhooks.noted(hook, refused.code):
            await run_in_threadpool(upshot.webhooks.note, hook, str(refused)[:500])
        raise
    if isinstance(told, Response):
        return told
    counted["duplicate" if told["duplicate"] else "accepted"] += 1
    if upshot.webhooks.noted(hook, None):
        await run_in_threadpool(upshot.webhooks.note, hook, None)
    return answer(told, 200 if told["duplicate"] else 202)


async def _take(request: Request, upshot: "Upshot", hook: "Hook", raw: bytes) -> "dict[str, Any] | Response":
    body = _body(request, raw)
    if hook.settings.signing.scheme == "slack" and (challenge := _challenge(body)) is not None:
        return PlainTextResponse(challenge, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})
    envelope = envelope_of(hook.settings, hook.kept.id, request.headers, body)
    tenant_id = hook.kept.tenant_id
    cause = upshot.engine.process.secrets.cause(tenant_id, request.headers.get(causes.HEADER))
    trace = tracing.current() or tracing.checked(request.headers.get("traceparent"))
    (accepted,) = await upshot.events.accept_async(tenant_id, [envelope], [trace], cause=cause)
    return {"id": accepted.event.public_id, "duplicate": accepted.duplicate}


def _body(request: Request, raw: bytes) -> Any:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        return decode_body(request, raw)
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=FORM_FIELDS_MAX)
    except ValueError as error:
        raise Malformed.at("", f"is no form in UTF-8 of at most {FORM_FIELDS_MAX} fields", "bad_form") from error
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name not in fields:
            fields[name] = value
        elif isinstance(fields[name], list):
            fields[name].append(value)
        else:
            fields[name] = [fields[name], value]
    if list(fields) == ["payload"] and isinstance(fields["payload"], str):
        return decode(fields["payload"])  # how GitHub and Slack put JSON into a form
    return fields


def _challenge(body: Any) -> str | None:
    """What Slack wants to read back when an address is entered."""
    given = as_object(body) or {}
    challenge = given.get("challenge")
    is_asked = given.get("type") == "url_verification" and isinstance(challenge, str)
    return str(challenge)[:CHALLENGE_MAX] if is_asked else None


route = Route("/hooks/{token}", receive, methods=["POST"], include_in_schema=False)
