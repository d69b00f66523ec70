"""The addresses that orchestrators and monitoring ask of a process without an API, on a thread of their own: what a blocked
event loop is asked, it could not answer itself."""

import asyncio
import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from upshot.cli import server
from upshot.http.health import create_health_app

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot


@contextmanager
def health_server(upshot: "Upshot", host: str, port: int | None) -> Generator[str | None]:
    """Answer `/livez`, `/readyz`, `/healthz` and `/metrics` while inside; the URL, or None without a port. On a loopback
    address this machine itself needs no key.

    Raises:
        Conflict: the address is not free.
    """
    if port is None:
        yield None
        return
    listening = server.listen(host, port)
    config = uvicorn.Config(
        create_health_app(upshot, dev=server.is_loopback(host)),
        http="httptools",
        loop="asyncio",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level=logging.WARNING,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    answering = uvicorn.Server(config)
    thread = threading.Thread(
        target=lambda: asyncio.run(answering.serve([listening])), name="upshot-health", daemon=True
    )
    thread.start()
    try:
        yield server.address_of(listening)
    finally:
        answering.should_exit = True
        thread.join()
        listening.close()
