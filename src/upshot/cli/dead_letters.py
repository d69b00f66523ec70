"""`upshot dead-letters`: what was given up on."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from upshot.cli import options

if TYPE_CHECKING:
    from upshot.app.letter_batches import Action
    from upshot.app.upshot import Upshot

commands = typer.Typer(help="Dead letters: what was given up on, and what to do about it.", no_args_is_help=True)
LetterId = Annotated[str, typer.Argument(metavar="ID", help="The dead letter's id, like run:0192.")]
OneOrMany = Annotated[str | None, typer.Argument(metavar="[ID]", help="The dead letter's id, like run:0192.")]
Fingerprint = Annotated[
    str | None, typer.Option("--fingerprint", help="All open ones of this fingerprint, in batches, instead of one.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say how many there are; needs --fingerprint.")]


@commands.command("list")
def list_(
    *,
    kind: Annotated[str | None, typer.Option("--kind", help="Only event, run or delivery.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="Only those of this status; open at first.")] = "open",
    fingerprint: Annotated[str | None, typer.Option("--fingerprint", help="Only those of this fingerprint.")] = None,
    automation: Annotated[str | None, typer.Option("--automation", help="Only this automation's, by id.")] = None,
    groups: Annotated[bool, typer.Option("--groups", help="Count them by fingerprint.")] = False,
    limit: options.Limit = 50,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Dead letters, what failed last first."""
    from upshot.cli.opening import opened
    from upshot.cli.output import show_json, show_table
    from upshot.core import dead_letters, statuses
    from upshot.core.errors import Refused

    for option, value, known in (
        ("--kind", kind, dead_letters.KINDS),
        ("--status", status, tuple(statuses.DEAD_LETTER)),
    ):
        if value is not None and value not in known:
            raise Refused.at(option, f"is one of {', '.join(known)}", "unknown_value")
    if groups and fingerprint is not None:
        raise Refused.at("--groups", "lists all fingerprints; leave --fingerprint out")
    with opened(database) as upshot:
        if groups:
            page = upshot.dead_letters.groups(tenant, limit=limit, kind=kind, status=status, automation=automation)
        else:
            page = upshot.dead_letters.page(
                tenant, limit=limit, kind=kind, status=status, fingerprint=fingerprint, automation=automation
            )
    if as_json:
        show_json({"items": page.items, "has_more": page.next is not None})
        return
    columns = {"count": "COUNT", "fingerprint": "FINGERPRINT"} if groups else {"id": "ID", "status": "STATUS"}
    columns |= {
        "kind": "KIND",
        "automation.name": "AUTOMATION",
        "step_id": "STEP",
        "message": "ERROR",
        "last_at": "LAST",
    }
    show_table(page.items, columns, "There are no such dead letters.")


@commands.command()
def show(
    *,
    letter_id: LetterId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """One dead letter: its error, the attempts, and the data it is about."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        letter = upshot.dead_letters.get(tenant, letter_id)
    if as_json:
        output.show_json(letter)
    else:
        output.show_fields(letter)


@commands.command()
def retry(
    *,
    letter_id: OneOrMany = None,
    fingerprint: Fingerprint = None,
    dry_run: DryRun = False,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Try again what was given up on, one or all of a fingerprint: a run goes on at its failed step, under the same key."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        if letter_id is None or fingerprint is not None or dry_run:
            _many(upshot, tenant, letter_id, fingerprint, "retry", None, dry_run=dry_run, as_json=as_json)
            return
        letter = upshot.dead_letters.retry(tenant, letter_id, actor=options.ACTOR)
    if as_json:
        output.show_json(letter)
    else:
        output.show(f"The dead letter {letter_id} is {letter['status']}.")


@commands.command()
def replay(
    *,
    letter_id: LetterId,
    data: Annotated[
        str,
        typer.Argument(metavar="JSON", help="The data to happen instead; - reads the standard input, @file a file."),
    ],
    name: Annotated[str | None, typer.Option("--name", help="The event's name; the same without it.")] = None,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Let it happen anew with other data, as an event with a new id. A run's replay starts its automation alone."""
    from upshot.cli import output
    from upshot.cli.input import read_json
    from upshot.cli.opening import opened

    given = read_json(data, "data")
    with opened(database) as upshot:
        replayed = upshot.dead_letters.replay(tenant, letter_id, given, name=name, actor=options.ACTOR)
    if as_json:
        output.show_json(replayed)
    else:
        output.show(f"Replayed as event {replayed['event_id']}.")


@commands.command()
def discard(
    *,
    letter_id: OneOrMany = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for whoever looks at it later.")],
    fingerprint: Fingerprint = None,
    dry_run: DryRun = False,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Close a dead letter, or all of a fingerprint, for a reason. What it is about stays as it is."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        if letter_id is None or fingerprint is not None or dry_run:
            _many(upshot, tenant, letter_id, fingerprint, "discard", reason, dry_run=dry_run, as_json=as_json)
            return
        letter = upshot.dead_letters.discard(tenant, letter_id, reason, actor=options.ACTOR)
    if as_json:
        output.show_json(letter)
    else:
        output.show(f"The dead letter {letter_id} is discarded.")


def _many(
    upshot: "Upshot",
    tenant: str,
    letter_id: str | None,
    fingerprint: str | None,
    action: "Action",
    reason: str | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Act on all of a fingerprint, batch by batch, at the rate that the engine asks for."""
    from threading import Event

    from upshot.cli import output
    from upshot.core.errors import Refused

    if fingerprint is None or letter_id is not None:
        raise Refused.at("ID", "give either one ID, or --fingerprint for all open ones of a fingerprint")
    did = upshot.dead_letters.bulk(tenant, fingerprint, action, reason=reason, actor=options.ACTOR)
    found, done, refused = did.count, 0, 0
    problems: list[dict[str, Any]] = []
    place: str | None = ""
    while not dry_run and place is not None and found:
        Event().wait(did.wait_seconds)
        did = upshot.dead_letters.bulk(
            tenant,
            fingerprint,
            action,
            reason=reason,
            dry_run=False,
            until=did.until,
            after=place,
            actor=options.ACTOR,
        )
        done, refused, place = done + did.done, refused + did.refused, did.next
        problems += did.problems
        if not as_json:
            output.say(f"{done + refused} of {found}")
    if as_json:
        output.show_json({"count": found, "done": done, "refused": refused, "problems": problems})
    else:
        output.show(f"{found} found, {done} done, {refused} left as they are.")
        for problem in problems:
            output.show(f"{problem['id']}: {problem['reason']}")
