"""For hosts with FastAPI (or any Starlette application): Upshot's API and pages under a prefix of the host's own server."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from upshot.http.app import create_app

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot


def mount(app: FastAPI, upshot: "Upshot", *, path: str = "/upshot", engine: bool = True) -> None:
    """Serve Upshot's API and admin pages under `path`, and run its engine on the host's event loop from the host's start to
    its end. With `engine=False` another process runs it (`upshot worker`).

    The host's own lifespan still runs: the engine starts after it has started, and stops before it ends. Callers of the
    mounted API show a key of their tenant; `upshot.emit` in the host needs none.

    Raises:
        ValueError: the path does not begin with a slash, or ends with one.
    """
    if not path.startswith("/") or path.endswith("/"):
        raise ValueError(f"the path {path!r} begins with a slash and ends without one, like '/upshot'")
    app.mount(path, create_app(upshot))
    if engine:
        app.router.lifespan_context = _with_engine(app.router.lifespan_context, upshot)


def _with_engine(lifespan: Any, upshot: "Upshot") -> Any:
    """A mounted application gets no lifespan of its own from Starlette, so the host's is wrapped."""

    @asynccontextmanager
    async def wrapped(app: FastAPI) -> AsyncGenerator[Any]:
        async with lifespan(app) as state:
            await upshot.start_async()
            try:
                yield state
            finally:
                await upshot.stop_async()

    return wrapped
