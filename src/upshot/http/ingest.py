"""`POST /events`: a plain Starlette endpoint over msgspec, several times as fast as the routes beside it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from upshot.app.keys import EMITTER
from upshot.core.automations.fields import as_list, as_object
from upshot.core.errors import Malformed
from upshot.engine import tracing
from upshot.http.idempotency import once
from upshot.http.routing import answer, raise_unless_known
from upshot.http.strict_body import decode_body, read_body

PATH = "/api/v1/events"


async def accept_events(request: Request) -> Response:
    """Accept one event, a list of them, or `{"events": [...]}`: committed and synced when the answer is given."""
    state = request.app.state
    caller = await state.gate.admit(request, EMITTER)
    raise_unless_known(request, set())
    bytes_max = state.upshot.settings.events_bytes_max
    raw = await read_body(request, bytes_max)
    envelopes = _envelopes(decode_body(request, raw, bytes_max))

    async def accept() -> Response:
        traces = [_trace(request)] * len(envelopes)
        accepted = await state.upshot.events.accept_async(caller.tenant_id, envelopes, traces)
        duplicates = sum(1 for one in accepted if one.duplicate)
        return answer({"ids": [one.event.public_id for one in accepted], "duplicates": duplicates}, 202)

    return await once(request, state.upshot, caller.tenant_id, raw, accept)


def _trace(request: Request) -> str | None:
    """The trace this request belongs to: as the host's own instrumentation has it, else as its sender says."""
    return tracing.current() or tracing.checked(request.headers.get("traceparent"))


def _envelopes(value: Any) -> list[Any]:
    one, listed = as_object(value), as_list(value)
    if one is not None and "events" in one and "name" not in one:
        for name in one:
            if name != "events":
                raise Malformed.at(name[:100], "stands beside `events` and is not known", "unknown_field")
        listed = as_list(one["events"])
        if listed is None:
            raise Malformed.at("events", "is a list of events", "wrong_type")
    if listed is None:
        return [value]
    if not listed:
        raise Malformed.at("events", "holds no event", "missing")
    return listed


route = Route(PATH, accept_events, methods=["POST"], include_in_schema=False)
