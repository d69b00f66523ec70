"""`upshot doctor`: look at the installation and say what should be changed."""

import typer

from upshot.cli import options


def doctor(*, database: options.Database = None, as_json: options.Json = False) -> None:
    """Look at settings, database and secret key; exit code 1 when something does not work."""
    import msgspec

    from upshot.cli import opening, output
    from upshot.store import health
    from upshot.store.health import Finding

    given = opening.settings()
    upshot = opening.build(opening.url_for_commands(given, database), given)
    try:
        findings = [Finding("settings", "ok", "The settings are usable."), *health.examine(upshot.database)]
    finally:
        upshot.close()
    findings.append(
        Finding("secret_key", "ok", "A secret key is set.")
        if given.has_secret_key
        else Finding("secret_key", "warning", "No secret key is set.", "`upshot serve` needs UPSHOT_SECRET_KEY.")
    )
    is_well = all(finding.status != "failed" for finding in findings)
    if as_json:
        output.show_json({"status": "ok" if is_well else "failed", "findings": msgspec.to_builtins(findings)})
    else:
        for finding in findings:
            output.show(f"{finding.status.ljust(7)}  {finding.name.ljust(10)}  {finding.detail} {finding.remedy or ''}")
    if not is_well:
        raise typer.Exit(1)
