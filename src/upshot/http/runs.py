"""`/runs`."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from upshot.core.events import entity_named
from upshot.http.pages import Cursor, Limit
from upshot.http.routing import CallNow, answer, asks, noun_router
from upshot.http.shapes import runs as shapes

router = noun_router("runs")


@router.get("/runs", **asks("viewer", shapes.RunPage, operation="list_runs"))
def list_runs(
    call: CallNow,
    limit: Limit = 50,
    cursor: Cursor = None,
    event: Annotated[str | None, Query(max_length=200, description="An event's id, or an event's name.")] = None,
    automation: Annotated[str | None, Query(max_length=200, description="An automation's id.")] = None,
    status: Annotated[shapes.RunStatus | None, Query()] = None,
    entity: Annotated[str | None, Query(max_length=300, description="`type:id`.")] = None,
    replay: Annotated[str | None, Query(max_length=200, description="The id of the replay that started them.")] = None,
) -> Response:
    """List runs, newest first."""
    listed = call.upshot.runs.page(
        call.tenant_id,
        limit=limit,
        after=call.place("runs", cursor),
        event=event,
        automation=automation,
        status=status,
        entity=entity_named(entity),
        replay=replay,
    )
    return call.page("runs", listed)


@router.get("/runs/{run_id}", **asks("viewer", shapes.RunDetail, operation="get_run"))
def get_run(call: CallNow, run_id: str) -> Response:
    """Show one run: its steps, their attempts and log lines, why it started, and the document it runs."""
    return answer(call.upshot.runs.get(call.tenant_id, run_id))


@router.get("/runs/{run_id}/called", **asks("viewer", shapes.CalledPage, operation="list_called_runs"))
def list_called_runs(
    call: CallNow,
    run_id: str,
    step: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=200,
            description="The step that called, by its `id` in the run. May be left out where only one calls.",
        ),
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List the runs that a step of a run called: for each item of a list, in their order, or the one of a single call."""
    kind = f"called/{run_id}/{step or ''}"
    place = call.place(kind, cursor)
    return call.page(kind, call.upshot.runs.called(call.tenant_id, run_id, step, limit=limit, after=place))


@router.post("/runs/bulk", **asks("operator", shapes.BulkRuns, operation="act_on_runs"))
def act_on_runs(call: CallNow, body: shapes.BulkRunsBody) -> Response:
    """Cancel, pause, resume or retry the runs that a filter names, skip a step of them or run them again, a batch at a time.
    Changes nothing, unless `dry_run` is false."""
    wanted = body.filter
    did = call.upshot.runs.bulk(
        call.tenant_id,
        body.action,
        event=wanted.event,
        automation=wanted.automation,
        status=wanted.status,
        entity=(wanted.entity.type, wanted.entity.id) if wanted.entity is not None else None,
        replay=wanted.replay,
        step=body.step,
        output=body.output,
        from_step=body.from_step,
        version=body.version,
        dry_run=body.dry_run,
        until=body.until,
        after=body.after,
        limit=body.limit,
        actor=call.actor,
    )
    return answer(did)


@router.post("/runs/{run_id}/cancel", **asks("operator", shapes.RunDetail, operation="cancel_run"))
def cancel_run(call: CallNow, run_id: str) -> Response:
    """Cancel a run. No further step starts; what a step in flight does outside may still happen."""
    call.upshot.runs.cancel(call.tenant_id, run_id, actor=call.actor)
    return answer(call.upshot.runs.get(call.tenant_id, run_id))


@router.post("/runs/{run_id}/pause", **asks("operator", shapes.RunDetail, operation="pause_run"))
def pause_run(call: CallNow, run_id: str) -> Response:
    """Pause a run. Steps in flight end and are kept, no further one starts, and timers that come due do nothing until it is
    resumed."""
    call.upshot.runs.pause(call.tenant_id, run_id, actor=call.actor)
    return answer(call.upshot.runs.get(call.tenant_id, run_id))


@router.post("/runs/{run_id}/resume", **asks("operator", shapes.RunDetail, operation="resume_run"))
def resume_run(call: CallNow, run_id: str) -> Response:
    """Let a paused run go on where it stands."""
    call.upshot.runs.resume(call.tenant_id, run_id, actor=call.actor)
    return answer(call.upshot.runs.get(call.tenant_id, run_id))


@router.post("/runs/{run_id}/retry", **asks("operator", shapes.RunDetail, operation="retry_run"))
def retry_run(call: CallNow, run_id: str) -> Response:
    """Let a failed run go on at the step that failed, with the same idempotency key. Its dead letter is under way again."""
    call.upshot.runs.retry(call.tenant_id, run_id, actor=call.actor)
    return answer(call.upshot.runs.get(call.tenant_id, run_id))


@router.post("/runs/{run_id}/skip", **asks("operator", shapes.RunDetail, operation="skip_step"))
def skip_step(call: CallNow, run_id: str, body: shapes.SkipBody | None = None) -> Response:
    """Go on past a step where the run stands (one that failed, waits, or is next in a paused run), with an output in the
    place of its own."""
    given = body or shapes.SkipBody()
    call.upshot.runs.skip(call.tenant_id, run_id, step=given.step, output=given.output, actor=call.actor)
    return answer(call.upshot.runs.get(call.tenant_id, run_id))


@router.post("/runs/{run_id}/rerun", **asks("operator", shapes.Rerun, status=201, operation="rerun_run"))
def rerun_run(call: CallNow, run_id: str, body: shapes.RerunBody | None = None) -> Response:
    """Start a new run of one that is over: from its beginning, or from a step that it came to. Says what is kept and which
    effects happen again; with `dry_run`, only that."""
    given = body or shapes.RerunBody()
    told = call.upshot.runs.rerun(
        call.tenant_id,
        run_id,
        from_step=given.from_step,
        version=given.version,
        dry_run=given.dry_run,
        actor=call.actor,
    )
    return answer(told, 200 if given.dry_run else 201)
