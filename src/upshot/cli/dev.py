"""`upshot dev`: everything in one process on this machine, with nothing to set up."""

from typing import Annotated, Any

import typer

from upshot.cli import options
from upshot.cli.opening import FOLDER


def dev(
    *,
    demo: Annotated[bool, typer.Option("--demo", help="Install the sample pack and start a few runs.")] = False,
    host: options.Host = options.LOOPBACK,
    port: options.Port = options.PORT,
    database: options.Database = None,
    app: options.App = None,
    log_format: options.LogFormat = None,
    as_json: options.Json = False,
) -> None:
    """Run everything on this machine: engine, API and admin pages, without keys, in ./.upshot."""
    from upshot.cli import logs, server

    if not server.is_loopback(host):
        raise typer.BadParameter(
            f"{host!r} can be reached from other machines, and `upshot dev` lets everybody in without a key. "
            "Use `upshot serve` there.",
            param_hint="--host",
        )
    logs.start(log_format)
    listening = server.listen(options.LOOPBACK if host == "localhost" else host, port)
    upshot = _opened(database, app, as_json=as_json)
    upshot.engine.process.limits.drain_seconds = DRAIN_SECONDS
    try:
        server.run_on_a_loop(lambda: _serve(upshot, listening, demo=demo, as_json=as_json))
    finally:
        listening.close()
        upshot.close()
    from upshot.cli.output import say

    say("stopped", as_json=as_json, event="stopped")


DRAIN_SECONDS = 1.0
"""Nobody likes to wait for Ctrl-C; a step that is cut off is taken up again at the next start."""
SECRET_KEY_FILE = FOLDER / "secret-key"


def _opened(database: str | None, app: str | None, *, as_json: bool) -> Any:
    """The migrated Upshot, after saying what was prepared."""
    import dataclasses

    from upshot.app.settings import kept_secret_key
    from upshot.cli import opening
    from upshot.cli.output import say

    if app is not None:
        upshot = opening.loaded(app, database)
    else:
        given = opening.settings()
        url = database or (given.database_url if opening.is_configured(given) else f"sqlite:///{opening.DEV_FILE}")
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / ".gitignore").write_text("*\n")
        if not given.has_secret_key:
            given = dataclasses.replace(given, secret_key=kept_secret_key(SECRET_KEY_FILE))
            say(
                f"the secret key is kept in {SECRET_KEY_FILE}",
                as_json=as_json,
                event="secret_key",
                file=str(SECRET_KEY_FILE),
            )
        upshot = opening.build(url, given)
    shown = upshot.database.url.render_as_string(hide_password=True)
    changed = upshot.migrate()
    state = "brought to this release's schema" if changed else "has this release's schema"
    say(f"the database {shown} {state}", as_json=as_json, event="database", url=shown, migrated=changed)
    return upshot


async def _serve(upshot: Any, listening: Any, *, demo: bool, as_json: bool) -> None:
    import asyncio

    from upshot.cli import server
    from upshot.cli.output import say
    from upshot.http.app import create_app

    if demo:
        upshot.packs.install(options.DEFAULT_TENANT, "clinic", actor="demo")
        say("the sample pack `clinic` is installed", as_json=as_json, event="pack", name="clinic")

    async def started() -> None:
        url = server.address_of(listening)
        if demo:
            count = await asyncio.to_thread(upshot.packs.demo, options.DEFAULT_TENANT)
            words = f"{count} sample events were emitted" if count else "the sample events were emitted before"
            say(words, as_json=as_json, event="demo", events=count)
        say(f"ready on {url} (API: {url}/api/docs; stop with Ctrl-C)", as_json=as_json, event="ready", url=url)

    await server.serve(upshot, create_app(upshot, dev=True), listening, trusts_proxy=False, started=started)
