"""`upshot runs`: executions of automations."""

from typing import Annotated

import typer

from upshot.cli import options

commands = typer.Typer(help="Runs: what automations did, step by step.", no_args_is_help=True)
RunId = Annotated[str, typer.Argument(metavar="ID", help="The run's id.")]


@commands.command("list")
def list_(
    *,
    automation: Annotated[str | None, typer.Option("--automation", help="Only this automation's, by id.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="Only those of this status.")] = None,
    event: Annotated[str | None, typer.Option("--event", help="Only those of this event, by id or name.")] = None,
    entity: options.Entity = None,
    replay: options.Replay = None,
    limit: options.Limit = 50,
    after: Annotated[
        str | None, typer.Option("--after", help="Go on after this place: `next` of the page before.")
    ] = None,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Runs, newest first."""
    from upshot.cli.opening import opened
    from upshot.cli.output import show_json, show_table
    from upshot.core import statuses
    from upshot.core.errors import Refused
    from upshot.core.events import entity_named

    if status is not None and status not in statuses.RUN:
        raise Refused.at("--status", f"is one of {', '.join(statuses.RUN)}", "bad_status")
    about = entity_named(entity, "--entity")
    with opened(database) as upshot:
        page = upshot.runs.page(
            tenant,
            limit=limit,
            after=after,
            automation=automation,
            status=status,
            event=event,
            entity=about,
            replay=replay,
        )
    if as_json:
        show_json({"items": page.items, "next": page.next})
        return
    columns = {
        "id": "ID",
        "status": "STATUS",
        "automation.name": "AUTOMATION",
        "event.name": "EVENT",
        "created_at": "CREATED",
    }
    show_table(
        page.items, columns, "There are no runs. Emit an event that an active automation listens for: upshot emit"
    )


@commands.command()
def show(
    *,
    run_id: RunId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """One run with its steps."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        run = upshot.runs.get(tenant, run_id)
    if as_json:
        output.show_json(run)
        return
    output.show(f"{run['id']}  {run['status']}  {run['automation']['name']} (version {run['automation']['version']})")
    if run["cause"] is not None and run["cause"]["step_id"] is not None:
        output.show(f"caused by step “{run['cause']['step_id']}” of run {run['cause']['run_id']}")
    if run["error"]:
        output.show(f"failed: {run['error']['message']}")
    if run["reason"]:
        event = run["reason"]["event"]
        output.show(f"{run['reason']['message']}{' ' + event['id'] if event else ''}")
    columns = {"id": "STEP", "kind": "KIND", "action": "ACTION", "status": "STATUS", "error.message": "ERROR"}
    if any(step["called_run"] is not None for step in run["steps"]):
        columns |= {"called_run.id": "CALLED RUN", "called_run.status": "WHICH IS"}
    output.show_table(run["steps"], columns, "No step has begun.")


@commands.command()
def called(
    *,
    run_id: RunId,
    step: Annotated[
        str | None, typer.Option("--step", metavar="STEP", help="The step that called; needed where several do.")
    ] = None,
    limit: options.Limit = 50,
    after: Annotated[
        int | None, typer.Option("--after", min=0, help="Go on after this place: `next` of the page before.")
    ] = None,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """The runs that a step of a run called, for each item of a list."""
    from upshot.cli.opening import opened
    from upshot.cli.output import show_json, show_table

    with opened(database) as upshot:
        page = upshot.runs.called(tenant, run_id, step, limit=limit, after=after)
    if as_json:
        show_json({"items": page.items, "next": page.next})
        return
    columns = {"id": "STEP", "item": "ITEM", "called_run.id": "CALLED RUN", "called_run.status": "WHICH IS"}
    show_table(page.items, columns, "It has called no run yet.")
