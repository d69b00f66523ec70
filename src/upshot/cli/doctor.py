"""`upshot doctor`: look at the installation and say what should be changed."""

from typing import Annotated

import typer

from upshot.cli import options


def doctor(
    *,
    deep: Annotated[bool, typer.Option("--deep", help="Read every page of an SQLite file, however large.")] = False,
    database: options.Database = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """Look at settings, secret key, database, work and definitions; exit code 1 when something does not work."""
    import msgspec

    from upshot.app import doctor as examining
    from upshot.cli import opening, output

    if app is not None:
        upshot = opening.loaded(app, database)
    else:
        given = opening.settings()
        upshot = opening.build(opening.url_for_commands(given, database), given)
    try:
        findings = examining.examine(upshot, is_deep=deep, knows_host=app is not None)
    finally:
        upshot.close()
    is_well = all(finding.status != "failed" for finding in findings)
    if as_json:
        output.show_json({"status": "ok" if is_well else "failed", "findings": msgspec.to_builtins(findings)})
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            output.show(
                f"{finding.status.ljust(7)}  {finding.name.ljust(width)}  {finding.detail} {finding.remedy or ''}".rstrip()
            )
    if not is_well:
        raise typer.Exit(1)
