"""`upshot worker`: the engine alone, beside a host that serves its own pages."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from upshot.cli import options

if TYPE_CHECKING:
    import asyncio


def worker(
    *,
    concurrency: options.Concurrency = None,
    queues: options.Queues = None,
    drain_seconds: options.DrainSeconds = None,
    database: options.Database = None,
    app: options.App = None,
    health_port: options.HealthPort = None,
    health_host: options.HealthHost = options.LOOPBACK,
    log_format: options.LogFormat = None,
    as_json: options.Json = False,
) -> None:
    """Run the engine alone, without API and pages, until SIGINT or SIGTERM. On PostgreSQL any number of them, on any number
    of machines, share the work."""
    from upshot.cli import logs, server
    from upshot.cli.health_server import health_server

    logs.start(log_format)
    with opened_for_service(database, app) as upshot:
        limit(upshot, concurrency, queues, drain_seconds)
        with health_server(upshot, health_host, health_port) as url:
            server.run_on_a_loop(lambda: _work(upshot, url, as_json=as_json))


@contextmanager
def opened_for_service(database: str | None, app: str | None) -> Generator[Any]:
    """An Upshot for production: with the settings' database and a secret key that outlives the process.

    Raises:
        Refused: there is no secret key.
        Conflict: the database's schema is older than this release's.
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


def limit(upshot: Any, concurrency: int | None, queues: str | None, drain_seconds: int | None) -> None:
    """Bound this process as its options say.

    Raises:
        Refused: `--queues` names none, or what no queue is called.
    """
    from upshot.core.errors import Refused
    from upshot.core.queues import served_problems

    limits = upshot.engine.process.limits
    if concurrency is not None:
        limits.runs_max = concurrency
    if queues is not None:
        limits.queues = frozenset(name.strip() for name in queues.split(",") if name.strip())
        problems = served_problems(limits.queues, "--queues")
        if problems:
            raise Refused(problems)
    if drain_seconds is not None:
        limits.drain_seconds = float(drain_seconds)


async def _work(upshot: Any, health_url: str | None, *, as_json: bool) -> None:
    import asyncio

    from upshot.cli import server
    from upshot.cli.output import say
    from upshot.cli.signals import stopping

    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    with stopping(lambda _number, _frame: _soon(loop, asked), ends_after=server.seconds_to_stop(upshot)):
        await upshot.start_async()
        try:
            server.settle_memory()
            told = {"health": health_url} if health_url else {}
            answers = f"; health on {health_url}" if health_url else ""
            say(f"the engine runs (stop with Ctrl-C){answers}", as_json=as_json, event="ready", **told)
            await asked.wait()
        finally:
            await server.stop_engine(upshot)
    say("stopped", as_json=as_json, event="stopped")


def _soon(loop: "asyncio.AbstractEventLoop", asked: "asyncio.Event") -> None:
    loop.call_soon_threadsafe(asked.set)
