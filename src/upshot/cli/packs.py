"""`upshot packs`: bundles of event types, entities and automations for one field."""

from typing import Annotated

import typer

from upshot.cli import options

commands = typer.Typer(help="Packs: ready bundles for one field.", no_args_is_help=True)


@commands.command("list")
def list_(*, database: options.Database = None, as_json: options.Json = False) -> None:
    """Which packs there are."""
    from upshot.cli.opening import opened
    from upshot.cli.output import show_json, show_table

    with opened(database) as upshot:
        items = upshot.packs.list()
    if as_json:
        show_json({"items": items})
    else:
        show_table(items, {"name": "NAME", "title": "TITLE"}, "There are no packs.")


@commands.command()
def install(
    *,
    name: Annotated[str, typer.Argument(help="The pack's name.")],
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Install a pack into a tenant. Installing it again changes only what is missing."""
    from upshot.cli.opening import opened
    from upshot.cli.output import show, show_json

    with opened(database) as upshot:
        upshot.tenants.get(tenant)
        done = upshot.packs.install(tenant, name, actor=options.ACTOR)
    if as_json:
        show_json(done)
    else:
        show(f"The pack {name!r} is installed in the tenant {tenant!r}.")
