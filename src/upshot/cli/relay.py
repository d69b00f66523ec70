"""`upshot relay`: move the outbox on where no engine runs."""

from typing import Annotated

import typer

from upshot.cli import options

PAUSE_SECONDS = 1.0


def relay(
    *,
    loop: Annotated[bool, typer.Option("--loop", help="Go on, once a second, until SIGINT or SIGTERM.")] = False,
    database: options.Database = None,
    log_format: options.LogFormat = None,
    as_json: options.Json = False,
) -> None:
    """Accept the events that hosts wrote into the outbox. A running engine does this by itself."""
    import threading

    from upshot.cli import logs
    from upshot.cli.opening import opened
    from upshot.cli.output import show, show_json
    from upshot.cli.signals import stopping

    logs.start(log_format)
    asked = threading.Event()
    with opened(database) as upshot, stopping(lambda _number, _frame: asked.set()):
        while True:
            done = upshot.outbox.publish()
            if as_json:
                show_json(done)
            elif not loop or any(done.values()):
                show(f"published {done['published']}, failed {done['failed']}")
            if not loop or asked.wait(PAUSE_SECONDS):
                return
