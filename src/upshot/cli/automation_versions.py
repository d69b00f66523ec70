"""`upshot automations versions | diff | publish | restore`."""

from typing import Annotated, cast, get_args

import typer

from upshot.cli import options
from upshot.cli.automations import AutomationId, commands


@commands.command()
def versions(
    *,
    automation_id: AutomationId,
    limit: options.Limit = 50,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """The published versions of an automation, newest first."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        page = upshot.automations.versions(tenant, automation_id, limit=limit)
    if as_json:
        output.show_json({"items": page.items, "next": page.next})
        return
    columns = {"version": "VERSION", "published_at": "PUBLISHED", "published_by": "BY", "document.name": "NAME"}
    output.show_table(page.items, columns, "It was never published.")


@commands.command()
def diff(
    *,
    automation_id: AutomationId,
    before: Annotated[
        int | None, typer.Option("--from", min=1, max=options.VERSION_MAX, help="From this version, not the live one.")
    ] = None,
    after: Annotated[
        int | None, typer.Option("--to", min=1, max=options.VERSION_MAX, help="To this version, not the draft.")
    ] = None,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Say in words what changed from the live version to the draft, or between two versions."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        told = upshot.automations.diff(tenant, automation_id, before=before, after=after)
    if as_json:
        output.show_json(told)
        return
    for change in told["changes"]:
        output.show(change["text"])
    if not told["changes"]:
        output.show("Nothing changed.")


@commands.command()
def publish(
    *,
    automation_id: AutomationId,
    revision: Annotated[
        int | None, typer.Option("--revision", min=1, help="Only if the draft is still at this revision.")
    ] = None,
    runs: Annotated[
        str, typer.Option("--runs", help="The runs under way: finish where they are, move, or cancel.")
    ] = "finish",
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """Make the draft the next version, and active."""
    from upshot.app.runs_in_flight import InFlight
    from upshot.cli import output
    from upshot.cli.opening import opened
    from upshot.core.errors import Refused

    if runs not in get_args(InFlight):
        raise Refused.at("--runs", f"is one of {', '.join(get_args(InFlight))}", "bad_option")
    wanted = cast("InFlight", runs)
    with opened(database, app) as upshot:
        item = upshot.automations.publish(tenant, automation_id, revision=revision, runs=wanted, actor=options.ACTOR)
    if as_json:
        output.show_json(item)
        return
    output.show(f"Version {item['version']} is {item['status']}.")
    output.show_warnings(item["warnings"])
    told = item["runs_in_flight"]
    verb = {"finish": "left", "move": "moved", "cancel": "cancelled"}[runs]
    done = told["left"] if runs == "finish" else told["done"]
    under_way = f", {told['under_way']} at a step: publish again to move them" if told["under_way"] else ""
    if told["count"]:
        output.show(f"{told['count']} runs were under way on other versions: {done} {verb}{under_way}.")
    for one in told["reasons"]:
        output.show(f"{one['id']} finishes on its version: {one['reason']}")


@commands.command()
def restore(
    *,
    automation_id: AutomationId,
    version: Annotated[
        int, typer.Argument(metavar="VERSION", min=1, max=options.VERSION_MAX, help="The version to go back to.")
    ],
    and_publish: Annotated[bool, typer.Option("--publish", help="Publish it at once, as the next version.")] = False,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """Go back: a version's document becomes the draft."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database, app) as upshot:
        item = upshot.automations.restore(tenant, automation_id, version, publish=and_publish, actor=options.ACTOR)
    if as_json:
        output.show_json(item)
    elif and_publish:
        output.show(f"Version {item['version']} is {item['status']}, with the document of version {version}.")
        output.show_warnings(item["warnings"])
    else:
        output.show(f"The draft is that of version {version} again. It is not published yet.")
