"""`upshot serve`: the engine, the API and the admin pages, for production: every caller needs a key."""

from typing import Any

from upshot.cli import options


def serve(
    *,
    host: options.Host = options.LOOPBACK,
    port: options.Port = options.PORT,
    concurrency: options.Concurrency = None,
    queues: options.Queues = None,
    drain_seconds: options.DrainSeconds = None,
    database: options.Database = None,
    app: options.App = None,
    log_format: options.LogFormat = None,
    as_json: options.Json = False,
) -> None:
    """Run the engine, the API and the admin pages for production: every caller needs a key (`upshot keys create`)."""
    from upshot.cli import logs, server
    from upshot.cli.worker import limit, opened_for_service

    logs.start(log_format)
    with opened_for_service(database, app) as upshot:
        limit(upshot, concurrency, queues, drain_seconds)
        listening = server.listen(host, port)
        try:
            server.run_on_a_loop(lambda: _serve(upshot, listening, as_json=as_json))
        finally:
            listening.close()


async def _serve(upshot: Any, listening: Any, *, as_json: bool) -> None:
    from upshot.cli import server
    from upshot.cli.output import say
    from upshot.http.app import create_app

    async def started() -> None:
        url = server.address_of(listening)
        say(f"ready on {url}", as_json=as_json, event="ready", url=url)

    await server.serve(upshot, create_app(upshot), listening, trusts_proxy=True, started=started)
    say("stopped", as_json=as_json, event="stopped")
