"""`Idempotency-Key`: the same request under the same key is answered again, and not done again, for 24 hours."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from upshot.app.changing import change_async
from upshot.core.errors import Malformed, Refused
from upshot.core.instants import HOUR
from upshot.http.problems import Unfinished
from upshot.store import idempotency as store

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

HEADER: Final = "idempotency-key"
KEY_MAX: Final = 200
KEPT_FOR: Final = 24 * HOUR
ANSWER_MAX: Final = 262_144


async def once(
    request: Request,
    upshot: "Upshot",
    tenant_id: str,
    body: bytes,
    perform: Callable[[], Awaitable[Response]],
) -> Response:
    """The answer of `perform`, or the one it gave before under this key. Without the header, just `perform`.

    A request that failed changed nothing and gives its key back. One that was cut off by a crash holds its key until it
    expires: nobody knows what it did, and doing it again is not for us to decide.

    Raises:
        Refused: the key was used for another request.
        Unfinished: the first request under this key has not ended.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return await perform()
    if not 0 < len(key) <= KEY_MAX or not all("!" <= character <= "~" for character in key):
        raise Malformed.at("Idempotency-Key", f"is 1 to {KEY_MAX} visible ASCII characters", "bad_key")
    route, hashed = f"{request.method} {request.url.path}", hashlib.sha256(body).hexdigest()
    now = upshot.clock.now()
    first = await change_async(
        upshot, tenant_id, lambda c: store.claim(c, tenant_id, key, route, hashed, now, now + KEPT_FOR)
    )
    if first is not None:
        return _again(first, route, hashed)
    try:
        response = await perform()
    except BaseException:
        await change_async(upshot, tenant_id, lambda c: store.release(c, tenant_id, key))
        raise
    answer = bytes(response.body)
    if response.status_code < 300 and len(answer) <= ANSWER_MAX:
        await change_async(
            upshot, tenant_id, lambda c: store.keep(c, tenant_id, key, response.status_code, answer.decode())
        )
    else:
        await change_async(upshot, tenant_id, lambda c: store.release(c, tenant_id, key))
    return response


def _again(first: store.KeptRequest, route: str, hashed: str) -> Response:
    if first.route != route or first.body_hash != hashed:
        raise Refused.at("Idempotency-Key", "was used for another request; take a new one", "key_reused")
    if first.status is None:
        raise Unfinished(
            "The first request with this Idempotency-Key has not ended. Ask for what it made before sending another."
        )
    headers = {"Idempotency-Replayed": "true", "Cache-Control": "no-store"}
    return Response(first.response, first.status, headers, "application/json")
