"""`upshot automations insights`."""

from typing import Annotated

import typer

from upshot.cli import options
from upshot.cli.automation_states import AutomationId, commands


@commands.command()
def insights(
    *,
    automation_id: AutomationId,
    since: Annotated[
        str | None, typer.Option("--since", help="Only runs created from this instant on, or this long ago, like 30d.")
    ] = None,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """How the latest runs of an automation ended and how long they took, its slowest steps, its costliest conditions, and
    advice."""
    from upshot.cli import output
    from upshot.cli.input import read_window
    from upshot.cli.opening import opened

    with opened(database, app) as upshot:
        first = read_window(since, None, upshot.clock.now())[0] if since is not None else None
        told = upshot.automations.insights(tenant, automation_id, since=first)
    if as_json:
        output.show_json(told)
        return
    if not told["runs"]:
        output.show("No run of the live version has ended" + (" in that time." if since is not None else " yet."))
    else:
        output.show(f"The newest {told['runs']} runs of version {told['version']}, since {told['since']}:")
        output.show(", ".join(f"{count} {status}" for status, count in told["outcomes"].items()))
        rows = [{"name": name, **spread} for name, spread in told["durations"].items()]
        output.show_table(rows, {"name": "SECONDS", "p50_seconds": "P50", "p95_seconds": "P95"}, "")
    columns = {"id": "STEP", "p95_seconds": "P95", "p50_seconds": "P50", "times": "TIMES", "failed": "FAILED"}
    output.show_table(told["steps"], {**columns, "retried": "RETRIED"}, "It has no action steps.")
    columns = {"path": "CONDITION", "max_steps": "WORK AT MOST", "mean_steps": "ON AVERAGE", "events": "EVENTS"}
    output.show_table(told["conditions"], columns, "It has no conditions.")
    for advice in told["advice"]:
        output.show(f"{advice['path']}: {advice['text']}")
    if told["runs"] < told["runs_needed"]:
        output.show(f"Advice needs {told['runs_needed']} runs.")
