"""`upshot worker`: the engine alone, beside a host that serves its own pages."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from upshot.cli import options

if TYPE_CHECKING:
    import asyncio


def worker(*, database: options.Database = None, app: options.App = None, as_json: options.Json = False) -> None:
    """Run the engine alone, without API and pages, until SIGINT or SIGTERM."""
    from upshot.cli import server

    with opened_for_service(database, app) as upshot:
        server.run_on_a_loop(lambda: _work(upshot, as_json=as_json))


@contextmanager
def opened_for_service(database: str | None, app: str | None) -> Generator[Any]:
    """An Upshot for production: with the settings' database and a secret key that outlives the process.

    Raises:
        Refused: there is no secret key.
        Conflict: the database has not this release's schema.
    """
    from upshot.cli import opening
    from upshot.core.errors import Refused
    from upshot.store import health

    upshot = opening.loaded(app, database) if app else None
    given = upshot.settings if upshot is not None else opening.settings()
    if not given.has_secret_key:
        raise Refused.at(
            "secret_key",
            "is missing. Sessions and webhook signatures depend on it: set UPSHOT_SECRET_KEY to at least 16 characters, "
            "the same for every process. `upshot dev` needs none.",
            "missing",
        )
    upshot = upshot or opening.build(database or given.database_url, given)
    try:
        health.raise_unless_ready(upshot.database)
        yield upshot
    finally:
        upshot.close()


async def _work(upshot: Any, *, as_json: bool) -> None:
    import asyncio

    from upshot.cli import server
    from upshot.cli.output import say
    from upshot.cli.signals import stopping

    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    with stopping(lambda _number, _frame: _soon(loop, asked), ends_process=True):
        await upshot.start_async()
        try:
            server.settle_memory()
            say("the engine runs (stop with Ctrl-C)", as_json=as_json, event="ready")
            await asked.wait()
        finally:
            await server.stop_engine(upshot)
    say("stopped", as_json=as_json, event="stopped")


def _soon(loop: "asyncio.AbstractEventLoop", asked: "asyncio.Event") -> None:
    loop.call_soon_threadsafe(asked.set)
