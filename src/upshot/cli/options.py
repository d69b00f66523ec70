"""The options that many commands share."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Answer with JSON, for programs.")]
Tenant = Annotated[str, typer.Option("--tenant", help="The tenant.")]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="The database, like sqlite:///upshot.db. Without it: UPSHOT_DATABASE_URL, else the one `upshot dev` keeps here.",
    ),
]
Host = Annotated[str, typer.Option("--host", help="The address to listen on.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="The port to listen on; 0 takes any free one.")]
App = Annotated[
    str | None,
    typer.Option("--app", metavar="MODULE:NAME", help="The host's own Upshot object, which knows the host's actions."),
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=200, help="How many at most.")]

DEFAULT_TENANT = "default"
LOOPBACK = "127.0.0.1"
PORT = 8321
ACTOR = "cli"
