"""`/session`: how people sign in. A browser's EventSource cannot send a bearer key, so pages use a cookie."""

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from upshot.app.keys import Caller
from upshot.http.auth import PUBLIC
from upshot.http.routing import CallNow, answer, asks, nothing, noun_router
from upshot.http.shapes import system as shapes

router = noun_router("session")


async def _who(request: Request, caller: Caller) -> dict[str, object]:
    definitions = request.app.state.upshot.engine.process.definitions
    known = await run_in_threadpool(definitions.of_now, caller.tenant_id)
    return {
        "tenant": caller.tenant_id,
        "role": caller.role,
        "actor": caller.actor,
        "dev": caller.key_id is None,
        "zone": known.zone,
    }


@router.post("/session", **asks(PUBLIC, shapes.Session, operation="sign_in"))
async def sign_in(request: Request, body: shapes.SignIn) -> Response:
    """Sign in with a key: the answer sets a cookie that only this site's pages can use."""
    response = answer(None)
    caller = await request.app.state.gate.sign_in(request, response, body.key)
    signed_in = answer(await _who(request, caller))
    signed_in.headers.append("set-cookie", response.headers["set-cookie"])
    return signed_in


@router.get("/session", **asks("viewer", shapes.Session, operation="get_session"))
async def get_session(request: Request, call: CallNow) -> Response:
    """Say who is signed in."""
    return answer(await _who(request, call.caller))


@router.delete("/session", **asks(PUBLIC, status=204, operation="sign_out"))
async def sign_out(request: Request) -> Response:
    """Sign out of the browser's session."""
    response = nothing()
    request.app.state.gate.sign_out(request, response)
    return response
