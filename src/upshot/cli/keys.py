"""`upshot keys`: API keys."""

from typing import Annotated

import typer

from upshot.cli import options

commands = typer.Typer(help="API keys: what callers of the HTTP API show.", no_args_is_help=True)


@commands.callback()
def _keys() -> None:
    pass


@commands.command()
def create(
    *,
    role: Annotated[
        str, typer.Option("--role", help="viewer, editor, operator, admin; an emitter may only give events.")
    ],
    name: Annotated[str, typer.Option("--name", help="What it is for; the audit shows it.")],
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Make an API key. It is printed this once and kept as a hash only."""
    from upshot.cli.opening import opened
    from upshot.cli.output import show, show_json

    with opened(database) as upshot:
        made = upshot.keys.create(tenant, name=name, role=role, actor=options.ACTOR)
    if as_json:
        show_json(made)
    else:
        typer.echo(f"The key {name!r} of tenant {tenant!r} ({role}); it is shown this once:", err=True)
        show(made["key"])
