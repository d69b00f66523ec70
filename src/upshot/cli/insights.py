"""`upshot automations insights`."""

from upshot.cli import options
from upshot.cli.automation_states import AutomationId, commands


@commands.command()
def insights(
    *,
    automation_id: AutomationId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """How long the latest runs of an automation took, its slowest steps, its costliest conditions, and advice."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database, app) as upshot:
        told = upshot.automations.insights(tenant, automation_id)
    if as_json:
        output.show_json(told)
        return
    if not told["runs"]:
        output.show("No run of the live version has ended yet.")
    else:
        output.show(f"The newest {told['runs']} runs of version {told['version']}, since {told['since']}:")
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
