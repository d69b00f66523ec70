"""All commands. Each noun's file imports what it needs when it runs, so that `upshot version` is quick."""

import typer

from upshot.cli import (
    backup,
    dead_letters,
    dev,
    doctor,
    emit,
    events,
    insights,
    keys,
    migrate,
    openapi,
    packs,
    prune,
    relay,
    replays,
    run_control,
    schedules,
    segments,
    serve,
    version,
    webhooks,
    worker,
)

app = typer.Typer(
    help="Upshot: the durable automation engine inside a Python product.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for verb in (dev.dev, serve.serve, worker.worker, migrate.migrate, emit.emit, relay.relay):
    app.command()(verb)
NOUNS = {
    "automations": insights,
    "events": events,
    "schedules": schedules,
    "segments": segments,
    "runs": run_control,
    "replays": replays,
    "dead-letters": dead_letters,
    "packs": packs,
    "keys": keys,
    "webhooks": webhooks,
}
for name, noun in NOUNS.items():
    app.add_typer(noun.commands, name=name)
for verb in (prune.prune, backup.backup, backup.restore, doctor.doctor, openapi.openapi, version.version):
    app.command()(verb)
