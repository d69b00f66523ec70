"""Serving: uvicorn and the engine on one event loop, in a process that is ours to tune and to stop within seconds."""

import asyncio
import contextlib
import gc
import ipaddress
import logging
import socket
import sys
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any

import uvicorn

from upshot.cli.signals import stopping
from upshot.core.errors import Conflict

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from upshot.app.upshot import Upshot

REQUESTS_SECONDS = 2
"""How long requests in flight may take to end once the server stops."""
HAND_BACK_SECONDS = 1.5
"""How long handing back what did not end may take after that; else it is free when the lease ends."""
SWITCH_SECONDS = 0.0005
"""The commit thread waits for the interpreter lock at most about this long; the default of 5 ms is most of a step."""
GC_THRESHOLDS = (5_000, 20, 50)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        Conflict: the address is not free, or not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise Conflict(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. Choose another with --port."
        ) from error
    return made


def address_of(listening: socket.socket) -> str:
    """The URL that reaches this socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches this address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def run_on_a_loop(main: Callable[[], Awaitable[None]]) -> None:
    """Run `main` on the fastest event loop there is."""
    try:
        from uvloop import new_event_loop
    except ImportError:  # no uvloop on Windows
        from asyncio import new_event_loop
    tune()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_awaited(main))


async def serve(
    upshot: "Upshot",
    app: "ASGIApp",
    listening: socket.socket,
    *,
    trusts_proxy: bool,
    started: Callable[[], Awaitable[None]],
) -> None:
    """Run the engine and answer requests until SIGINT or SIGTERM; then stop both in a few seconds. `started` is called when
    requests are answered."""
    streams = EndingStreams(app)
    config = uvicorn.Config(
        streams,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level=logging.WARNING,
        server_header=False,
        proxy_headers=trusts_proxy,
        timeout_graceful_shutdown=REQUESTS_SECONDS,
    )
    server = _Server(config, streams, started)
    with stopping(server.handle_exit, ends_after=seconds_to_stop(upshot)):
        await upshot.start_async()
        try:
            settle_memory()
            await server.serve([listening])
        finally:
            await stop_engine(upshot)


def seconds_to_stop(upshot: "Upshot") -> float:
    """How long after it was asked to stop this process is over at the latest."""
    return REQUESTS_SECONDS + upshot.engine.process.limits.drain_seconds + HAND_BACK_SECONDS


async def stop_engine(upshot: "Upshot") -> None:
    """Stop the engine; its limits say how long steps in flight may take."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(upshot.engine.process.limits.drain_seconds + HAND_BACK_SECONDS):
            await upshot.stop_async()


def tune() -> None:
    """Set up a process that is ours: quick hand-over between threads, and collections of garbage that come less often."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(*GC_THRESHOLDS)


def settle_memory() -> None:
    """Keep what start-up made out of every later collection."""
    gc.collect()
    gc.freeze()


class EndingStreams:
    """Ends open event streams in order when the server stops; without it, each would hold the server up until its patience
    ends, and every open page is one."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app
        self._open: set[asyncio.Task[Any]] = set()

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass the request on, noting whether it is answered with a stream."""
        task = asyncio.current_task()

        async def note(message: "Message") -> None:
            is_start = message["type"] == "http.response.start"
            if is_start and task is not None and _is_event_stream(message):
                self._open.add(task)
            await send(message)

        try:
            await self._app(scope, receive, note)
        except asyncio.CancelledError:
            if task not in self._open:
                raise
            task.uncancel()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            if task is not None:
                self._open.discard(task)

    def end(self) -> None:
        """End every open stream."""
        for task in self._open:
            task.cancel()


def _is_event_stream(message: "Message") -> bool:
    return any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in message["headers"])


class _Server(uvicorn.Server):
    """uvicorn, with signals that are handled here, and a word when it is ready."""

    def __init__(self, config: uvicorn.Config, streams: EndingStreams, started: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._streams, self._started = streams, started

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals are `serve`'s: uvicorn would raise them again at its end, before the engine has stopped."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        await self._started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then what else is in flight."""
        self._streams.end()
        await super().shutdown(sockets)


async def _awaited(main: Callable[[], Awaitable[None]]) -> None:
    await main()
