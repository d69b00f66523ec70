"""`upshot automations`: list, show, move between installations, and look before they run."""

import json
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from upshot.cli import options

commands = typer.Typer(help="Automations: what happens when an event comes.", no_args_is_help=True)
AutomationId = Annotated[str, typer.Argument(metavar="ID", help="The automation's id.")]
Files = Annotated[list[str], typer.Argument(metavar="FILE", help="Documents as JSON; - reads the standard input.")]


@commands.command("list")
def list_(
    *,
    status: Annotated[str | None, typer.Option("--status", help="draft, active, paused or archived.")] = None,
    search: Annotated[
        str | None, typer.Option("--search", help="Only those with this in a name, a condition or an argument.")
    ] = None,
    folder: Annotated[str | None, typer.Option("--folder", help="Only those in this folder or below it.")] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="Only those with this tag.")] = None,
    limit: options.Limit = 50,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Automations, highest priority first."""
    from upshot.cli.opening import opened
    from upshot.cli.output import show_json, show_table
    from upshot.core import statuses
    from upshot.core.errors import Refused

    if status is not None and status not in statuses.AUTOMATION:
        raise Refused.at("--status", f"is one of {', '.join(statuses.AUTOMATION)}", "bad_status")
    with opened(database) as upshot:
        page = upshot.automations.page(tenant, limit=limit, status=status, search=search, folder=folder, tag=tag)
    if as_json:
        show_json({"items": page.items, "next": page.next})
        return
    columns = {
        "id": "ID",
        "status": "STATUS",
        "priority": "PRIORITY",
        "name": "NAME",
        "folder": "FOLDER",
        "trigger.event": "EVENT",
    }
    show_table(
        page.items, columns, "There are no automations. Import one (upshot automations import FILE) or install a pack."
    )


@commands.command()
def show(
    *,
    automation_id: AutomationId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """One automation, as its draft stands."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        item = upshot.automations.get(tenant, automation_id)
    if as_json:
        output.show_json(item)
    else:
        output.show_fields(item)


@commands.command("import")
def import_(
    *,
    files: Files,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what each would become, and keep nothing.")] = False,
    copy: Annotated[bool, typer.Option("--copy", help="Make new ones, also beside those of the same names.")] = False,
    revision: Annotated[
        int | None, typer.Option("--revision", min=0, help="Only if all is as when a dry run said this revision.")
    ] = None,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """Import documents of any understood shape: all of them, or none. One of whose name there is an automation becomes its
    draft."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    documents = [document for name in files for document in _documents(name)]
    with opened(database, app) as upshot:
        upshot.tenants.get(tenant)
        done = upshot.automations.import_documents(
            tenant,
            documents,
            mode="copy" if copy else "update",
            revision=revision,
            is_dry_run=dry_run,
            actor=options.ACTOR,
        )
    if as_json:
        output.show_json(done)
    else:
        _show_told(done["automations"], is_done=not dry_run)
        if dry_run:
            output.show(f"What is there is at revision {done['revision']}.")
    _exit_on_problems(done["automations"])


@commands.command()
def export(
    *,
    automation_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Only this one.")] = None,
    output_file: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Write there.")] = None,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Print all automations, or one, as JSON that can be imported."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        document = upshot.automations.export(tenant, automation_id)
    if output_file is not None:
        output_file.write_text(json.dumps(document, indent=2) + "\n")
        if as_json:
            output.show_json({"file": str(output_file)})
    elif as_json:
        output.show_json(document)
    else:
        print(json.dumps(document, indent=2))


@commands.command()
def lint(*, files: Files, app: options.App = None, as_json: options.Json = False) -> None:
    """Say everything that is wrong with documents. It needs no database."""
    from upshot.cli import opening, output

    upshot = opening.loaded(app, None) if app else opening.build(opening.settings().database_url)
    told: list[dict[str, Any]] = []
    for name in files:
        found = upshot.automations.lint(_documents(name))["automations"]
        told += [{"file": name, **one} for one in found]
    if as_json:
        output.show_json({"automations": told})
    else:
        _show_told(told)
    _exit_on_problems(told)


@commands.command("test")
def try_out(
    *,
    which: Annotated[
        str, typer.Argument(metavar="ID|PATH", help="An automation's id, a document's file, or scenarios.")
    ],
    data: Annotated[
        str, typer.Option("--data", metavar="JSON", help="The sample event's data; @file reads a file.")
    ] = "{}",
    event: Annotated[str | None, typer.Option("--event", help="The sample event's name.")] = None,
    entity: Annotated[str | None, typer.Option("--entity", metavar="TYPE:ID", help="The entity it is about.")] = None,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """Say what an automation would do with a sample event, and do none of it; or play scenarios, a file or a folder of them."""
    from upshot.cli import output
    from upshot.cli.input import read_entity, read_file, read_json
    from upshot.cli.opening import opened
    from upshot.cli.scenarios import is_scenario, play_files

    if is_scenario(which):
        play_files(which, app, as_json=as_json)
        return
    sample, about = read_json(data, "data"), read_entity(entity)
    with opened(database, app) as upshot:
        is_file = Path(which).is_file()
        document = read_file(which) if is_file else upshot.automations.draft(tenant, which)
        own = "" if is_file else which
        told = upshot.automations.try_out(tenant, document, sample, event=event, entity=about, automation_id=own)
    if as_json:
        output.show_json(told)
        return
    output.show("It would start:" if told["would_start"] else "It would not start: its condition does not hold.")
    for said in (*told["endings"], *told["cancel_on"]):
        output.show(f"{said['text']}.")
    output.show_table(told["steps"], {"id": "STEP", "would": "WOULD", "text": "WHAT"}, "It has no steps.")


@commands.command()
def backtest(
    *,
    automation_id: AutomationId,
    since: Annotated[
        str, typer.Option("--since", help="From this instant on, or this long before --until, like 30d.")
    ] = "7d",
    until: Annotated[str | None, typer.Option("--until", help="Up to this instant; now without it.")] = None,
    version: Annotated[
        int | None, typer.Option("--version", min=1, max=options.VERSION_MAX, help="This version instead of the draft.")
    ] = None,
    against: Annotated[
        int | None,
        typer.Option("--against", min=1, max=options.VERSION_MAX, help="Beside this version, not the live one."),
    ] = None,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """Say what a draft would have done with the events of the past, beside the live version. Nothing happens."""
    from upshot.cli import output
    from upshot.cli.input import read_window
    from upshot.cli.opening import opened

    told: dict[str, Any] = {}
    with opened(database, app) as upshot:
        first, last = read_window(since, until, upshot.clock.now())
        parts = upshot.automations.backtest(
            tenant, automation_id, since=first, until=last, version=version, against=against
        )
        for told in parts:
            output.show_progress(told["progress"]["events"], told["progress"]["of"], "events")
    if as_json:
        output.show_json(told)
    else:
        _show_backtest(told)


def _show_backtest(told: dict[str, Any]) -> None:
    from upshot.cli import output

    tried = "The draft" if told["version"] is None else f"Version {told['version']}"
    output.show(f"{tried} would have started {told['would_start']} times on {told['progress']['events']} events.")
    if told["against"] is not None:
        counts = told["counts"]
        output.show(
            f"Version {told['against']} would have started {told['other_would_start']} times: "
            f"{counts['newly']} newly start, {counts['no_longer']} no longer do."
        )
    if told["counts"]["undecided"]:
        output.show(f"On {told['counts']['undecided']} events a condition had no answer.")
    samples = [
        {"kind": kind.replace("_", " "), **sample}
        for kind in ("newly", "no_longer", "undecided")
        for sample in told["samples"][kind]
    ]
    if samples:
        output.show_table(samples, {"kind": "KIND", "event_id": "EVENT", "at": "AT", "reason": "WHY"}, "")


def _documents(name: str) -> list[Any]:
    from upshot.cli.input import read_file

    content = read_file(name)
    if isinstance(content, dict):
        document = cast("dict[str, Any]", content)
        content = document["automations"] if list(document) == ["automations"] else [document]
    return cast("list[Any]", content) if isinstance(content, list) else [content]


def _show_told(told: list[dict[str, Any]], *, is_done: bool = False) -> None:
    from upshot.cli import output

    for index, one in enumerate(told):
        where = one.get("file") or f"[{index}]"
        name = one["document"]["name"] if one["document"] else "a document"
        output.show(f"{where}: {name}: {_state(one, is_done=is_done)}")
        for found in (*one["problems"], *one["notes"]):
            output.show(f"  {found['path'] or 'document'}: {found['message']}")
        output.show_warnings(one["warnings"])
        for change in one.get("changes", []):
            output.show(f"  {'changed' if is_done else 'would change'}: {change['text']}")


def _state(one: dict[str, Any], *, is_done: bool) -> str:
    if one["problems"]:
        return "cannot be imported"
    if one["state"] == "same":
        return f"is the same as {one['id']}"
    if one["state"] == "changed":
        return f"{'has changed' if is_done else 'would change'} {one['id']}"
    return f"imported as {one['id']}" if is_done else "is fine"


def _exit_on_problems(told: list[dict[str, Any]]) -> None:
    if any(one["problems"] for one in told):
        raise typer.Exit(1)
