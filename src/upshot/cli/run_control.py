"""`upshot runs cancel | pause | resume | retry | bulk | skip | rerun`."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from upshot.cli import options
from upshot.cli.runs import RunId, commands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from upshot.app.bulk_runs import BulkRuns
    from upshot.engine.control import Action


@commands.command()
def cancel(
    *,
    run_id: RunId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Cancel a run that is not over. No further step starts."""
    _act("cancel", run_id, tenant, database, as_json=as_json)


@commands.command()
def pause(
    *,
    run_id: RunId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Pause a run. Steps in flight end and are kept, no further one starts, and timers wait."""
    _act("pause", run_id, tenant, database, as_json=as_json)


@commands.command()
def resume(
    *,
    run_id: RunId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Let a paused run go on where it stands."""
    _act("resume", run_id, tenant, database, as_json=as_json)


@commands.command()
def retry(
    *,
    run_id: RunId,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    as_json: options.Json = False,
) -> None:
    """Let a failed run go on at the step that failed, under the same idempotency key."""
    _act("retry", run_id, tenant, database, as_json=as_json)


@commands.command()
def bulk(
    *,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="cancel, pause, resume, retry, skip or rerun.")],
    automation: Annotated[str | None, typer.Option("--automation", help="Only this automation's, by id.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="Only those of this status.")] = None,
    event: Annotated[str | None, typer.Option("--event", help="Only those of this event, by id or name.")] = None,
    entity: options.Entity = None,
    replay: options.Replay = None,
    step: Annotated[str | None, typer.Option("--step", help="Of skip: which step.")] = None,
    output_: Annotated[
        str | None, typer.Option("--output", metavar="JSON", help="Of skip: the output in the place of its own.")
    ] = None,
    from_step: Annotated[
        str | None, typer.Option("--from-step", help="Of rerun: from this step, not from the beginning.")
    ] = None,
    is_same: Annotated[
        bool, typer.Option("--same-version", help="Of rerun: on each run's own version, not the live one.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many there are; of rerun, what would happen again too.")
    ] = False,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """Act on all runs that the options name and that the action can be done to, 500 a transaction, of skip and rerun 50."""
    from upshot.app.bulk_runs import ACTIONS
    from upshot.cli.input import read_json
    from upshot.cli.opening import opened
    from upshot.core import statuses
    from upshot.core.errors import Refused
    from upshot.core.events import entity_named

    if action not in ACTIONS:
        raise Refused.at("ACTION", f"is one of {', '.join(ACTIONS)}", "bad_action")
    if status is not None and status not in statuses.RUN:
        raise Refused.at("--status", f"is one of {', '.join(statuses.RUN)}", "bad_status")
    named: dict[str, Any] = {"automation": automation, "status": status, "event": event, "replay": replay}
    named |= {"entity": entity_named(entity, "--entity"), "step": step, "from_step": from_step}
    named["output"] = read_json(output_, "output") if output_ is not None else None
    named["version"] = "same" if is_same else None
    with opened(database, app) as upshot:
        batches = upshot.runs.bulk_all(tenant, action, dry_run=dry_run, actor=options.ACTOR, **named)
        _show_batches(batches, is_rerun=action == "rerun", as_json=as_json)


@commands.command()
def skip(
    *,
    run_id: RunId,
    step: Annotated[str | None, typer.Option("--step", help="Which step, where the run stands at several.")] = None,
    output_: Annotated[
        str, typer.Option("--output", metavar="JSON", help="The output in the place of its own.")
    ] = "null",
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """Go on past a step where a run stands: one that failed, waits, or is next in a paused run."""
    from upshot.cli import output
    from upshot.cli.input import read_json
    from upshot.cli.opening import opened

    given = read_json(output_, "output")
    with opened(database, app) as upshot:
        upshot.runs.skip(tenant, run_id, step=step, output=given, actor=options.ACTOR)
        status = upshot.runs.get(tenant, run_id)["status"]
    if as_json:
        output.show_json({"id": run_id, "status": status})
    else:
        output.show(f"The run {run_id} is {status}.")


@commands.command()
def rerun(
    *,
    run_id: RunId,
    from_step: Annotated[
        str | None, typer.Option("--from-step", help="From this step, not from the beginning.")
    ] = None,
    is_same: Annotated[
        bool, typer.Option("--same-version", help="On the run's own version, not the live one.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen again.")] = False,
    tenant: options.Tenant = options.DEFAULT_TENANT,
    database: options.Database = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """Start a new run of one that is over, and say which effects happen again."""
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database, app) as upshot:
        told = upshot.runs.rerun(
            tenant,
            run_id,
            from_step=from_step,
            version="same" if is_same else "current",
            dry_run=dry_run,
            actor=options.ACTOR,
        )
    if as_json:
        output.show_json(told)
        return
    if told["run_id"] is not None:
        output.show(f"Started as run {told['run_id']}, on version {told['version']}.")
    output.show(f"Kept: {', '.join(told['kept']) or 'nothing'}.")
    output.show(f"Effects that happen again: {', '.join(told['repeats']) or 'nothing'}.")


def _act(action: "Action", run_id: str, tenant: str, database: str | None, *, as_json: bool) -> None:
    from upshot.cli import output
    from upshot.cli.opening import opened

    with opened(database) as upshot:
        getattr(upshot.runs, action)(tenant, run_id, actor=options.ACTOR)
        status = upshot.runs.get(tenant, run_id)["status"]
    if as_json:
        output.show_json({"id": run_id, "status": status})
    else:
        output.show(f"The run {run_id} is {status}.")


def _show_batches(batches: "Iterator[BulkRuns]", *, is_rerun: bool, as_json: bool) -> None:
    """What these batches did, all in all."""
    from upshot.cli import output

    found = done = refused = 0
    problems: list[dict[str, str]] = []
    repeats: Counter[tuple[str, str]] = Counter()
    for did in batches:
        found = found or did.count
        done, refused = done + did.done, refused + did.refused
        problems += did.problems
        repeats.update({(one["automation"], one["step"]): one["runs"] for one in did.repeats})
        output.show_progress(found - did.left, found, "runs")
    again = [{"automation": of, "step": step, "runs": runs} for (of, step), runs in repeats.items()]
    if as_json:
        told: dict[str, Any] = {"count": found, "done": done, "refused": refused, "problems": problems}
        output.show_json({**told, "repeats": again} if is_rerun else told)
        return
    output.show(f"{found} found, {done} done, {refused} left as they are.")
    for problem in problems:
        output.show(f"{problem['id']}: {problem['reason']}")
    if is_rerun:
        output.show("Effects that happen again:" if again else "Effects that happen again: nothing.")
    for one in again:
        output.show(f"  {one['step']} of {one['automation']}: {one['runs']} runs")
