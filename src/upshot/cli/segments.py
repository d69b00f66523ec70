"""`upshot segments`: the entities that meet a saved condition, or that somebody put there."""

from typing import Annotated, Any

import typer

from upshot.cli import options

commands = typer.Typer(help="Segments: the entities that meet a saved condition.", no_args_is_help=True)
SegmentId = Annotated[str, typer.Argument(metavar="ID", help="The segment's id.")]
EntityId = Annotated[str, typer.Argument(metavar="ENTITY", help="The entity's id; its type is the segment's.")]
Condition = Annotated[
    str | None, typer.Option("--condition", metavar="JSON", help="Who is in it; - the standard input, @file a file.")
]


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
    condition: Condition = None,
    by_hand: Annotated[bool, typer.Option("--manual", help="It has no condition: it is kept by hand.")] = False,
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
    announce: Annotated[
        bool, typer.Option("--announce", help="Tell that those who are there already join, as events.")
    ] = False,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Create a segment. A running engine finds who is in it, unless it is kept by hand."""
    from upshot.cli.input import read_json
    from upshot.cli.opening import opened

    document = read_json(condition, "condition") if condition is not None else None
    with opened(database) as upshot:
        upshot.tenants.get(tenant)
        made = upshot.segments.create(
            tenant,
            name=name,
            entity_type=entity_type,
            condition=document,
            kind="manual" if by_hand else "dynamic",
            description=description,
            announce=announce,
            actor=options.ACTOR,
        )
    _show(made, as_json=as_json)


@commands.command()
def change(
    *,
    segment_id: SegmentId,
    name: Annotated[str | None, typer.Option("--name", help="Its name, unique in the tenant.")] = None,
    condition: Condition = None,
    description: Annotated[str | None, typer.Option("--description", help="What it is for.")] = None,
    announce: Annotated[
        bool, typer.Option("--announce", help="Tell who joins and leaves by another condition, as events.")
    ] = False,
    revision: Annotated[
        int | None, typer.Option("--revision", min=1, help="Only if it is still at this revision.")
    ] = None,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Change these; the rest stays. By another condition a running engine finds anew who is in it."""
    from upshot.cli.input import read_json
    from upshot.cli.opening import opened

    document = read_json(condition, "condition") if condition is not None else None
    with opened(database) as upshot:
        present = upshot.segments.get(tenant, segment_id)
        saved = upshot.segments.save(
            tenant,
            segment_id,
            name=present["name"] if name is None else name,
            condition=present["condition"] if condition is None else document,
            description=present["description"] if description is None else description,
            announce=announce,
            revision=revision or present["revision"],
            actor=options.ACTOR,
        )
    _show(saved, as_json=as_json)


@commands.command()
def add(
    *,
    segment_id: SegmentId,
    entity_id: EntityId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Put an entity into a segment that is kept by hand; once it is there, it stays."""
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        upshot.segments.add(tenant, segment_id, entity_id, actor=options.ACTOR)
        told = upshot.segments.get(tenant, segment_id)
    _show(told, as_json=as_json)


@commands.command()
def remove(
    *,
    segment_id: SegmentId,
    entity_id: EntityId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Take an entity out of a segment that is kept by hand."""
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        upshot.segments.remove(tenant, segment_id, entity_id, actor=options.ACTOR)
        told = upshot.segments.get(tenant, segment_id)
    _show(told, as_json=as_json)


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
    is_by_hand = told["kind"] == "manual"
    who = "kept by hand" if is_by_hand else f"each {told['entity_type']} of which {told['words'] or 'anything'}"
    output.show(f"Segment {told['id']} “{told['name']}”: {who}")
    output.show(f"{told['members']} are in it{state}.")
