"""`/stream`: what changes, as it changes, as server-sent events. A hint to read again, never the truth."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from fastapi import Request
from starlette.responses import Response, StreamingResponse

from upshot.engine.changes import Changes
from upshot.http.routing import CallNow, asks, noun_router

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

T = TypeVar("T")

router = noun_router("stream")
HEARTBEAT_SECONDS = 15.0
RETRY_MILLISECONDS = 2_000


@router.get("/stream", **asks("viewer", operation="stream"))
async def stream(request: Request, call: CallNow) -> Response:
    """Follow the tenant's changes: events `run`, `step`, `event`, `automation`, `replay`; `resync` asks to read everything
    again."""
    notices = changes_of(call.upshot, call.tenant_id, request)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(notices, media_type="text/event-stream", headers=headers)


async def changes_of(upshot: "Upshot", tenant_id: str, request: Request) -> AsyncIterator[bytes]:
    """The tenant's changes as lines of an event stream, with a comment where nothing changed for a while."""
    yield f"retry: {RETRY_MILLISECONDS}\n: hello\n\n".encode()
    follower = await _Follower.begin(upshot, tenant_id)
    try:
        while not await request.is_disconnected():
            notice = await follower.next(HEARTBEAT_SECONDS)
            yield _line(notice) if notice is not None else b": still here\n\n"
    finally:
        follower.close()


def _line(notice: dict[str, Any]) -> bytes:
    facts = {name: value for name, value in notice.items() if name != "kind"}
    return b"event: " + notice["kind"].encode() + b"\ndata: " + msgspec.json.encode(facts) + b"\n\n"


class _Follower:
    """Reads one subscription, on the engine's event loop, whichever this is. Without an engine in this process there is
    nothing to follow, and pages fall back on reading now and then."""

    def __init__(self, changes: Changes, tenant_id: str, loop: asyncio.AbstractEventLoop) -> None:
        self._changes, self._tenant_id, self._loop = changes, tenant_id, loop
        self._queue: asyncio.Queue[dict[str, Any]] | None = None
        self._next: asyncio.Future[dict[str, Any]] | None = None

    @classmethod
    async def begin(cls, upshot: "Upshot", tenant_id: str) -> "_Follower":
        """Subscribe."""
        here = asyncio.get_running_loop()
        follower = cls(upshot.engine.process.changes, tenant_id, upshot.engine.loop or here)
        await follower._on_loop(follower._subscribe())
        return follower

    async def next(self, seconds: float) -> dict[str, Any] | None:
        """The next change, or None when there was none for this long."""
        assert self._queue is not None  # noqa: S101 - made by begin
        if self._next is None:
            self._next = self._on_loop(self._queue.get())
        done, _ = await asyncio.wait({self._next}, timeout=seconds)
        if not done:
            return None
        notice, self._next = self._next.result(), None
        return notice

    def close(self) -> None:
        """Follow no longer."""
        if self._next is not None:
            self._next.cancel()
        if self._queue is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changes.unsubscribe, self._tenant_id, self._queue)

    async def _subscribe(self) -> None:
        self._queue = self._changes.subscribe(self._tenant_id)

    def _on_loop(self, work: Coroutine[Any, Any, T]) -> "asyncio.Future[T]":
        if self._loop is asyncio.get_running_loop():
            return asyncio.ensure_future(work)
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))
