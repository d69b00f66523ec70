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
Concurrency = Annotated[
    int | None,
    typer.Option("--concurrency", min=1, max=100_000, metavar="N", help="How many runs to drive at once."),
]
Queues = Annotated[
    str | None,
    typer.Option(
        "--queues",
        metavar="A,B",
        help="The queues whose runs to drive, like automation,notifications; all if left out.",
    ),
]
DrainSeconds = Annotated[
    int | None,
    typer.Option("--drain-seconds", min=0, metavar="N", help="How long steps in flight may take to end on SIGTERM."),
]
LogFormat = Annotated[
    str | None,
    typer.Option("--log-format", metavar="text|json", help="How to write the log: key=value, or JSON lines."),
]
HealthPort = Annotated[
    int | None,
    typer.Option("--health-port", min=0, max=65535, help="Answer /livez, /readyz, /healthz and /metrics on this port."),
]
HealthHost = Annotated[
    str, typer.Option("--health-host", help="The address for that; beyond this machine, /metrics then needs a key.")
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=200, help="How many at most.")]
Entity = Annotated[str | None, typer.Option("--entity", metavar="TYPE:ID", help="Only those about this entity.")]
Replay = Annotated[str | None, typer.Option("--replay", metavar="ID", help="Only those that this replay started.")]

DEFAULT_TENANT = "default"
LOOPBACK = "127.0.0.1"
PORT = 8321
ACTOR = "cli"
VERSION_MAX = 2_147_483_647
