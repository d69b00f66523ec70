"""`upshot segments`: the entities that meet a saved condition."""

from typing import Annotated, Any

import typer

from upshot.cli import options

commands = typer.Typer(help="Segments: the entities that meet a saved condition.", no_args_is_help=True)
SegmentId = Annotated[str, typer.Argument(metavar="ID", help="The segment's id.")]


@commands.command("list")
def list_(
    *,
    entity_type: Annotated[str | None, typer.Option("--type", help="Only those of entities of this type.")] = None,
    entity: options.Entity = None,
    limit: options.Limit = 50,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """The segments by name, with how many are in each; with `--entity`, those that it is in."""
    from upshot.cli import output
    from upshot.cli.opening import opened
    from upshot.core.events import entity_named

    about = entity_named(entity, "--entity")
    with opened(database) as upshot:
        page = upshot.segments.page(tenant, limit=limit, entity_type=entity_type, entity=about)
    if as_json:
        output.show_json({"items": page.items, "next": page.next})
        return
    columns = {
        "id": "ID",
        "name": "NAME",
        "entity_type": "TYPE",
        "members": "MEMBERS",
        "status": "STATUS",
        "words": "WHO",
    }
    output.show_table(page.items, columns, "There are no segments: upshot segments create")


@commands.command()
def show(
    *,
    segment_id: SegmentId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """One segment, how many are in it, and whether they are being found."""
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        _show(upshot.segments.get(tenant, segment_id), as_json=as_json)


@commands.command()
def create(
    *,
    name: Annotated[str, typer.Option("--name", help="Its name, unique in the tenant.")],
    entity_type: Annotated[str, typer.Option("--type", help="The type of its entities, like member.")],
    condition: Annotated[
        str, typer.Option("--condition", metavar="JSON", help="Who is in it; - the standard input, @file a file.")
    ],
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
    announce: Annotated[
        bool, typer.Option("--announce", help="Tell that those who are there already join, as events.")
    ] = False,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Create a segment. A running engine finds who is in it."""
    from upshot.cli.input import read_json
    from upshot.cli.opening import opened

    document = read_json(condition, "condition")
    with opened(database) as upshot:
        upshot.tenants.get(tenant)
        made = upshot.segments.create(
            tenant,
            name=name,
            entity_type=entity_type,
            condition=document,
            description=description,
            announce=announce,
            actor=options.ACTOR,
        )
    _show(made, as_json=as_json)


@commands.command()
def members(
    *,
    segment_id: SegmentId,
    limit: options.Limit = 50,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Who is in a segment, in the order of their ids."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        page = upshot.segments.members(tenant, segment_id, limit=limit)
    if as_json:
        output.show_json({"items": page.items, "next": page.next})
        return
    output.show_table(page.items, {"type": "TYPE", "id": "ID", "joined_at": "JOINED"}, "Nobody is in it.")


@commands.command()
def delete(
    *,
    segment_id: SegmentId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Delete a segment that no automation uses. Nobody is told that they left."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        upshot.segments.delete(tenant, segment_id, actor=options.ACTOR)
    if as_json:
        output.show_json({"id": segment_id, "deleted": True})
    else:
        output.show(f"The segment {segment_id} is deleted.")


def _show(told: dict[str, Any], *, as_json: bool) -> None:
    from upshot.cli import output

    if as_json:
        output.show_json(told)
        return
    state = "; a running engine is finding them" if told["status"] == "computing" else ""
    output.show(
        f"Segment {told['id']} “{told['name']}”: each {told['entity_type']} of which {told['words'] or 'anything'}"
    )
    output.show(f"{told['members']} are in it{state}.")
