"""`upshot schedules`: when automations are due."""

import typer

from upshot.cli import options

commands = typer.Typer(help="Schedules: when automations are due.", no_args_is_help=True)


@commands.callback()
def schedules() -> None:
    """When automations are due."""


@commands.command("list")
def list_(
    *,
    limit: options.Limit = 50,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Schedules with the time each is due next."""
    from upshot.cli.opening import opened
    from upshot.cli.output import show_json, show_table

    with opened(database) as upshot:
        page = upshot.schedules.page(tenant, limit=limit)
    if as_json:
        show_json({"items": page.items, "next": page.next})
        return
    columns = {
        "automation.id": "AUTOMATION",
        "status": "STATUS",
        "next_at": "NEXT",
        "words": "WHEN",
        "automation.name": "NAME",
    }
    show_table(page.items, columns, "No automation has a schedule.")
