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
    """Accept the events that hosts wrote into the outbox, and say which rows were refused and why; with --loop say only how
    many. A running engine does this by itself."""
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
            refused = [] if loop else upshot.outbox.refused()
            for row in [] if as_json else refused:
                show(
                    f"row {row['id']} of tenant {row['tenant_id']} was refused ({row['attempts']} times): {row['error']}"
                )
            if as_json:
                show_json(done if loop else {**done, "refused": refused})
            elif not loop or any(done.values()):
                show(f"published {done['published']}, failed {done['failed']}")
            if not loop or asked.wait(PAUSE_SECONDS):
                return
