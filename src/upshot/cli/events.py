"""`upshot events`: what happened, and why it did or did not start something."""

from typing import Annotated

import typer

from upshot.cli import options

commands = typer.Typer(help="Events: what happened, and what it started.", no_args_is_help=True)
EventId = Annotated[str, typer.Argument(metavar="ID", help="The event's id, the host's or the engine's.")]


@commands.command("list")
def list_(
    *,
    name: Annotated[str | None, typer.Option("--name", help="Only those of this name.")] = None,
    entity: options.Entity = None,
    search: Annotated[str | None, typer.Option("--search", help="Only those with this in name, data or id.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Only those accepted from this instant on.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Only those accepted before this instant.")] = None,
    limit: options.Limit = 50,
    after: Annotated[
        str | None, typer.Option("--after", help="Go on after this place: `next` of the page before.")
    ] = None,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Events, newest first."""
    from upshot.cli.opening import opened
    from upshot.cli.output import show_json, show_table
    from upshot.core.events import entity_named
    from upshot.core.instants import from_text
    from upshot.store.event_pages import Filter

    wanted = Filter(
        name=name,
        entity=entity_named(entity, "--entity"),
        search=search,
        since=from_text(since, "--since") if since is not None else None,
        until=from_text(until, "--until") if until is not None else None,
    )
    with opened(database) as upshot:
        page = upshot.events.page(tenant, limit=limit, after=after, wanted=wanted)
    if as_json:
        show_json({"items": page.items, "next": page.next})
        return
    columns = {
        "id": "ID",
        "status": "STATUS",
        "name": "NAME",
        "entity.type": "ENTITY",
        "entity.id": "ENTITY ID",
        "run_count": "RUNS",
        "accepted_at": "ACCEPTED",
    }
    show_table(page.items, columns, "There are no events. Emit one: upshot emit NAME JSON")


@commands.command()
def show(
    *,
    event_id: EventId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """One event with the runs it started and cancelled."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        event = upshot.events.get(tenant, event_id)
    if as_json:
        output.show_json(event)
        return
    output.show_fields({name: value for name, value in event.items() if name not in {"runs", "cancelled_runs", "path"}})
    columns = {"id": "RUN", "status": "STATUS", "automation.name": "AUTOMATION", "created_at": "CREATED"}
    output.show_table(event["runs"], columns, f"It started no run. Why: upshot events explain {event_id}")
    if event["cancelled_runs"]:
        output.show("It cancelled:")
        output.show_table(event["cancelled_runs"], columns, "")


@commands.command()
def explain(
    *,
    event_id: EventId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Say of each automation that listened why it did or did not start."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        told = upshot.events.explain(tenant, event_id)
    if as_json:
        output.show_json(told)
        return
    for one in told["automations"]:
        version = f" (version {one['version']})" if one["version"] is not None else ""
        output.show(f"{one['name']}{version}: {one['outcome'].replace('_', ' ')}")
        output.show(f"  {one['reason']}")
        for name, label in (("key", "key"), ("at", "at"), ("run_id", "run"), ("automation_id", "automation")):
            if one[name] is not None:
                output.show(f"  {label}: {one[name]}")
    if not told["automations"]:
        output.show("No automation listened for it. Which there are: upshot automations list")
