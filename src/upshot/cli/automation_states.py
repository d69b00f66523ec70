"""`upshot automations pause | activate | archive | delete | run`."""

from typing import Annotated, Any

import typer

from upshot.cli import options
from upshot.cli.automation_versions import AutomationId, commands


@commands.command()
def pause(
    *,
    automation_id: AutomationId,
    runs: Annotated[bool, typer.Option("--runs", help="And pause its runs that are under way.")] = False,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Let it start no runs until it is active again. Its runs go on, unless they are paused too."""
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        item = upshot.automations.pause(tenant, automation_id, and_runs=runs, actor=options.ACTOR)
    _show_state(item, as_json=as_json)


@commands.command()
def activate(
    *,
    automation_id: AutomationId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """Make the version that was live live again; one that was never published is published."""
    from upshot.cli.opening import opened

    with opened(database, app) as upshot:
        item = upshot.automations.activate(tenant, automation_id, actor=options.ACTOR)
    _show_state(item, as_json=as_json)


@commands.command()
def archive(
    *,
    automation_id: AutomationId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Put an automation away: it starts nothing, and can be activated again."""
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        item = upshot.automations.archive(tenant, automation_id, actor=options.ACTOR)
    _show_state(item, as_json=as_json)


@commands.command()
def delete(
    *,
    automation_id: AutomationId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Delete an automation: it starts nothing any more, and its runs stay."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        upshot.automations.delete(tenant, automation_id, actor=options.ACTOR)
    if as_json:
        output.show_json({"id": automation_id, "deleted": True})
    else:
        output.show(f"The automation {automation_id} is deleted.")


@commands.command()
def run(
    *,
    automation_id: AutomationId,
    data: Annotated[
        str,
        typer.Option("--data", metavar="JSON", help="The data it runs with; - reads the standard input, @file a file."),
    ] = "{}",
    entity: Annotated[str | None, typer.Option("--entity", metavar="TYPE:ID", help="The entity it is about.")] = None,
    test: Annotated[bool, typer.Option("--test/--no-test", help="Whether the run is marked as a test.")] = True,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """Run the live version by hand, whatever its condition says. It is a real run, which a running engine takes up."""
    from upshot.cli import output
    from upshot.cli.input import read_entity, read_json
    from upshot.cli.opening import opened

    given, about = read_json(data, "data"), read_entity(entity)
    with opened(database, app) as upshot:
        started = upshot.runs.start_by_hand(tenant, automation_id, given, test=test, entity=about, actor=options.ACTOR)
    if as_json:
        output.show_json(started)
    else:
        output.show(f"Started as run {started['run_id']}.")


def _show_state(item: dict[str, Any], *, as_json: bool) -> None:
    from upshot.cli import output

    if as_json:
        output.show_json(item)
        return
    output.show(f"The automation {item['id']} is {item['status']}.")
    output.show_warnings(item["warnings"])
