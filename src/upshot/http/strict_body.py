"""Request bodies: capped while they stream, JSON said to be JSON, decoded once and strictly."""

import asyncio
from email.message import Message
from functools import lru_cache
from typing import Any, Final

from starlette.requests import Request

from upshot.core.automations.fields import as_object
from upshot.core.errors import Malformed, TooLarge
from upshot.core.strict_json import decode
from upshot.http.problems import TooSlow, UnsupportedMedia

BODY_BYTES_MAX: Final = 1_048_576
SECONDS_MAX: Final = 30


async def read_body(request: Request, bytes_max: int = BODY_BYTES_MAX) -> bytes:
    """The whole body.

    Raises:
        TooLarge: as soon as it is over the limit, by its own word or while it streams.
        TooSlow: it took longer than 30 s.
        UnsupportedMedia: it is compressed.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMedia("Bodies are taken as they are; leave Content-Encoding away.")
    said = request.headers.get("content-length", "0")
    if said.isdecimal() and int(said[:20]) > bytes_max:
        raise _too_large(bytes_max)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(SECONDS_MAX):
            async for chunk in request.stream():
                size += len(chunk)
                if size > bytes_max:
                    raise _too_large(bytes_max)
                chunks.append(chunk)
    except TimeoutError as error:
        raise TooSlow(f"The body did not arrive within {SECONDS_MAX} s.") from error
    return b"".join(chunks)


def decode_body(request: Request, raw: bytes, bytes_max: int = BODY_BYTES_MAX) -> Any:
    """The JSON value of a body.

    Raises:
        UnsupportedMedia: it is not said to be JSON in UTF-8.
        Malformed: it is not JSON, or JSON that is refused; the problems name the paths.
    """
    if not _is_json(request.headers.get("content-type", "")):
        raise UnsupportedMedia("Send the body as JSON in UTF-8, with `Content-Type: application/json`.")
    return decode(raw, max_bytes=bytes_max)


@lru_cache(maxsize=256)
def _is_json(content_type: str) -> bool:
    said = Message()
    said["content-type"] = content_type
    kind, subtype = said.get_content_maintype(), said.get_content_subtype()
    is_utf8 = str(said.get_param("charset", "utf-8")).lower().replace("-", "") == "utf8"
    return is_utf8 and kind == "application" and (subtype == "json" or subtype.endswith("+json"))


class StrictRequest(Request):
    """A request whose body was read and decoded before."""

    def __init__(self, request: Request, raw: bytes, value: Any) -> None:
        super().__init__(request.scope, request.receive)
        self._raw, self._value = raw, value

    async def body(self) -> bytes:
        """The bytes as they came."""
        return self._raw

    async def json(self) -> Any:
        """What they say."""
        return self._value


async def read_json(request: Request) -> StrictRequest:
    """The request with its JSON body; an empty body has the value None and is left to the route to want or not."""
    raw = await read_body(request)
    return StrictRequest(request, raw, decode_body(request, raw) if raw else None)


def raise_if_wanted(value: Any) -> None:
    """Hold a body that a route has no use for to be empty or `{}`.

    Raises:
        Malformed: it holds something.
    """
    if value is None or value == {}:
        return
    given = as_object(value)
    if given is not None:
        raise Malformed.at(next(iter(given))[:100], "is not a known field; this takes no body", "unknown_field")
    raise Malformed.at("", "this takes no body", "wrong_type")


def _too_large(bytes_max: int) -> TooLarge:
    return TooLarge(f"The body is over the limit of {bytes_max} bytes.")
