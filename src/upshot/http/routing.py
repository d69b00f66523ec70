"""What every route of a noun has in common: who may, which query, what body, and how the answer is written.

Before a route's function runs, in this order: the caller is admitted, the query holds only what the route knows, the body
is JSON and decoded strictly, and a repeated Idempotency-Key is answered from what was kept.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from upshot.app.keys import Caller
from upshot.app.listed import Listed
from upshot.core.errors import Malformed, NotFound, Problem
from upshot.http.auth import PUBLIC, Gate
from upshot.http.idempotency import HEADER, once
from upshot.http.pages import cursor_of, page_of, place_of
from upshot.http.signing import Signer
from upshot.http.strict_body import StrictRequest, raise_if_wanted, read_json

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

ROLE = "x-role"
SHOWN_ONCE = "x-shown-once"
ADDRESS_SHOWN_MAX = 100


class Call:
    """One admitted request: the engine, and the caller's tenant and name."""

    __slots__ = ("_signer", "caller", "upshot")

    def __init__(self, upshot: "Upshot", caller: Caller, signer: Signer) -> None:
        self.upshot, self.caller, self._signer = upshot, caller, signer

    @property
    def tenant_id(self) -> str:
        """The tenant that the caller's key belongs to."""
        return self.caller.tenant_id

    @property
    def actor(self) -> str:
        """The name that the audit keeps."""
        return self.caller.actor

    def place(self, kind: str, cursor: str | None) -> Any:
        """Where the page of this cursor begins."""
        return place_of(self._signer, kind, self.tenant_id, cursor)

    def cursor(self, kind: str, place: Any) -> str | None:
        """The cursor of this place; None for none."""
        return cursor_of(self._signer, kind, self.tenant_id, place)

    def page(self, kind: str, listed: Listed) -> Response:
        """A page as the answer."""
        return answer(page_of(self._signer, kind, self.tenant_id, listed))


async def _call_of(request: Request) -> Call:
    state = request.app.state
    return Call(state.upshot, request.state.caller, state.signer)


CallNow = Annotated[Call, Depends(_call_of)]


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    clean = {"Cache-Control": "no-store", **(headers or {})}
    return Response(msgspec.json.encode(value), status, clean, "application/json")


def nothing() -> Response:
    """An answer without a body."""
    return Response(None, 204, {"Cache-Control": "no-store"})


def asks(
    role: str, model: Any = None, *, status: int = 200, operation: str = "", shown_once: bool = False
) -> dict[str, Any]:
    """What to declare of a route: the least role that may, what it answers with, and its stable operation id."""
    described: dict[str, Any] = {"description": "As asked."}
    if model is not None:
        described["model"] = model
    extra: dict[str, Any] = {ROLE: role}
    if shown_once:
        extra[SHOWN_ONCE] = True
    return {
        "openapi_extra": extra,
        "operation_id": operation,
        "responses": {status: described},
        "response_model": None,
        "status_code": status,
    }


class NounRoute(APIRoute):
    """A route of a noun."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, behind what every route has in common."""
        inner = super().get_route_handler()
        extra = self.openapi_extra or {}
        role: str = extra[ROLE]
        known = {field.alias for field in self.dependant.query_params}
        wants_body = self.body_field is not None
        is_shown_once = bool(extra.get(SHOWN_ONCE))

        async def handle(request: Request) -> Response:
            if role != PUBLIC:
                gate: Gate = request.app.state.gate
                request.state.caller = await gate.admit(request, role)
            raise_if_nowhere(request)
            raise_unless_known(request, known)
            if request.method not in {"POST", "PUT", "PATCH"}:
                return await inner(request)
            strict = await read_json(request)
            if not wants_body:
                raise_if_wanted(await strict.json())
            return await _perform(strict, inner, is_shown_once=is_shown_once)

        return handle


async def _perform(
    request: StrictRequest, inner: Callable[[Request], Awaitable[Response]], *, is_shown_once: bool
) -> Response:
    if request.method != "POST" or HEADER not in request.headers:
        return await inner(request)
    if is_shown_once or not hasattr(request.state, "caller"):
        raise Malformed.at("Idempotency-Key", "is not taken here: the answer is shown once and never kept", "not_taken")
    caller: Caller = request.state.caller
    body = await request.body()
    return await once(request, request.app.state.upshot, caller.tenant_id, body, lambda: inner(request))


def raise_if_nowhere(request: Request) -> None:
    """Nothing has an id with a NUL in it, and PostgreSQL cannot even be asked for it.

    Raises:
        NotFound: the address has one.
    """
    address: str = request.scope["path"]
    if "\x00" in address:
        raise NotFound("address", address.replace("\x00", "\\0")[:ADDRESS_SHOWN_MAX])


def raise_unless_known(request: Request, known: set[str]) -> None:
    """Hold the query to parameters that are known, each once.

    Raises:
        Malformed: naming every parameter that is not.
    """
    if not request.url.query:
        return
    seen: set[str] = set()
    problems: list[Problem] = []
    for name, value in request.query_params.multi_items():
        if "\x00" in value:
            problems.append(Problem(name[:100], "holds a NUL character", "bad_text"))
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            problems.append(
                Problem(name[:100], f"is not a parameter of this address; it knows {listed}", "unknown_parameter")
            )
        elif name in seen:
            problems.append(Problem(name, "is given more than once", "repeated_parameter"))
        seen.add(name)
    if problems:
        raise Malformed(problems)


def noun_router(noun: str) -> APIRouter:
    """The router of one noun."""
    return APIRouter(prefix="/api/v1", tags=[noun], route_class=NounRoute)
