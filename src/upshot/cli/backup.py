"""`upshot backup` and `upshot restore`: a copy of everything, and its return."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from upshot.cli import options

File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup's file.")]
TOLD_EVERY = 0.1


def backup(*, file: File, database: options.Database = None, as_json: options.Json = False) -> None:
    """Copy everything to a new file while the engine runs, and check the copy. PostgreSQL needs pg_dump on the PATH."""
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        made = upshot.backups.write(file, told=_progress(as_json=as_json))
    _show(made, "holds", as_json=as_json)


def restore(
    *,
    file: File,
    force: Annotated[
        bool, typer.Option("--force", help="Take the place of what is there; a file is kept aside.")
    ] = False,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Put a backup into a new database (name it with --database), or with --force into the present one. Stop everything
    that uses that database first."""
    from upshot.cli import opening

    given = opening.settings()
    upshot = opening.build(opening.url_for_commands(given, database), given)
    try:
        made = upshot.backups.restore(file, is_forced=force, actor=options.ACTOR, told=_progress(as_json=as_json))
        made["database"] = upshot.database.url.render_as_string(hide_password=True)
    finally:
        upshot.close()
    _show(made, f"is restored to {made['database']}: it holds", as_json=as_json)


def _progress(*, as_json: bool) -> Any:
    """Says on standard error how far it is, each tenth."""
    told = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal told
        share = done / max(total, 1)
        if not as_json and (share >= told + TOLD_EVERY):
            told = share
            print(f"upshot: {share:.0%} copied", file=sys.stderr, flush=True)

    return progress


def _show(made: dict[str, Any], verb: str, *, as_json: bool) -> None:
    from upshot.cli import output

    if as_json:
        output.show_json(made)
        return
    until = made["accepted_until"]
    content = f"what was accepted until {until}" if until else "no event yet"
    output.show(f"{made['file']} ({made['bytes'] / 1_048_576:,.1f} MiB, schema {made['schema']}) {verb} {content}.")
    if "database" in made:
        output.show(
            "Send again what was accepted about then or later, under the same ids: what is here already is not doubled."
        )
