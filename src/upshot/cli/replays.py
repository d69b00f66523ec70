"""`upshot automations replay`, and `upshot replays`: automations that act on events of the past."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from upshot.cli import options
from upshot.cli.automation_states import commands as automations
from upshot.cli.automations import AutomationId

if TYPE_CHECKING:
    from upshot.app.replays import Wanted
    from upshot.app.upshot import Upshot

commands = typer.Typer(help="Replays: automations that act on events of the past.", no_args_is_help=True)
ReplayId = Annotated[str, typer.Argument(metavar="ID", help="The replay's id.")]


@automations.command()
def replay(
    *,
    automation_id: AutomationId,
    since: Annotated[
        str, typer.Option("--since", help="Events from this instant on, or this long before --until, like 30d.")
    ],
    until: Annotated[str | None, typer.Option("--until", help="Up to this instant; now without it.")] = None,
    entity: options.Entity = None,
    condition: Annotated[
        str | None,
        typer.Option("--condition", metavar="JSON", help="Only events that meet this condition too; @file a file."),
    ] = None,
    per_minute: Annotated[int, typer.Option("--per-minute", min=1, help="Runs it starts in a minute at most.")] = 60,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Runs it starts in all at most.")] = None,
    dropped: Annotated[
        bool, typer.Option("--dropped", help="Also start what flow control dropped at the time.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would start.")] = False,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """Let the live version act on events of the past, with its effects, each event once. A running engine goes on with it."""
    from upshot.app.replays import Wanted
    from upshot.cli import output
    from upshot.cli.input import read_json, read_window
    from upshot.cli.opening import opened
    from upshot.core.events import entity_named

    about, own = entity_named(entity, "--entity"), read_json(condition, "condition") if condition is not None else None
    with opened(database, app) as upshot:
        first, last = read_window(since, until, upshot.clock.now())
        wanted = Wanted(
            since=first,
            until=last,
            entity=about,
            condition=own,
            per_minute=per_minute,
            limit=limit,
            dropped=dropped,
        )
        if dry_run:
            told = _previewed(upshot, tenant, automation_id, wanted)
        else:
            told = upshot.replays.start(tenant, automation_id, wanted, actor=options.ACTOR)
    if as_json:
        output.show_json(told)
    elif dry_run:
        output.show(f"It would start {told['counts']['started']} runs on version {told['version']}. {_counted(told)}")
    else:
        said = (
            f"Replay {told['id']} of {told['progress']['of']} events is under way, {per_minute} runs a minute at most."
        )
        output.show(f"{said} See: upshot replays show {told['id']}")


@commands.command("list")
def list_(
    *,
    automation_id: AutomationId,
    limit: options.Limit = 50,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """The replays of an automation, newest first."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        page = upshot.replays.page(tenant, automation_id, limit=limit)
    if as_json:
        output.show_json({"items": page.items, "next": page.next})
        return
    columns = {
        "id": "ID",
        "status": "STATUS",
        "progress.events": "LOOKED AT",
        "progress.of": "OF",
        "counts.started": "STARTED",
        "created_by": "BY",
    }
    output.show_table(page.items, columns, "There are no replays of it: upshot automations replay")


@commands.command()
def show(
    *,
    replay_id: ReplayId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """One replay, and how far it is."""
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        _show(upshot.replays.get(tenant, replay_id), as_json=as_json)


@commands.command()
def pause(
    *,
    replay_id: ReplayId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Let a replay start nothing until it is resumed. The runs it started go on."""
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        _show(upshot.replays.pause(tenant, replay_id, actor=options.ACTOR), as_json=as_json)


@commands.command()
def resume(
    *,
    replay_id: ReplayId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Let a paused replay go on where it stands."""
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        _show(upshot.replays.resume(tenant, replay_id, actor=options.ACTOR), as_json=as_json)


@commands.command()
def cancel(
    *,
    replay_id: ReplayId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """End a replay. The runs it started go on: upshot runs bulk cancel --replay ID."""
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        _show(upshot.replays.cancel(tenant, replay_id, actor=options.ACTOR), as_json=as_json)


def _previewed(upshot: "Upshot", tenant: str, automation_id: str, wanted: "Wanted") -> dict[str, Any]:
    """What all the events of the window tell of a replay."""
    from upshot.app.replays import EVENTS_AT_ONCE_MAX
    from upshot.cli import output

    told, place = upshot.replays.preview(tenant, automation_id, wanted, events_max=EVENTS_AT_ONCE_MAX)
    while place is not None:
        output.show_progress(told["progress"]["events"], told["progress"]["of"], "events")
        told, place = upshot.replays.preview(tenant, automation_id, wanted, events_max=EVENTS_AT_ONCE_MAX, place=place)
    return told


def _show(told: dict[str, Any], *, as_json: bool) -> None:
    from upshot.cli import output

    if as_json:
        output.show_json(told)
        return
    why = f": {told['reason']}" if told["reason"] else ""
    progress = told["progress"]
    output.show(f"Replay {told['id']} is {told['status']}{why}")
    output.show(f"It looked at {progress['events']} of {progress['of']} events. {_counted(told)}")


def _counted(told: dict[str, Any]) -> str:
    """The counts that are not zero, in words."""
    counts = [f"{kind.replace('_', ' ')} {number}" for kind, number in told["counts"].items() if number]
    return f"Of {told['progress']['events']} events: {', '.join(counts) or 'none'}."
