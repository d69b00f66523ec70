"""`/automations`."""

from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Path, Query
from starlette.responses import Response

from upshot.app.automation_imports import Mode
from upshot.app.backtesting import Place
from upshot.core.errors import Malformed
from upshot.core.instants import from_text
from upshot.http.pages import Cursor, Limit
from upshot.http.revisions import IfMatch, change_on, optional_revision, tag_of
from upshot.http.routing import CallNow, answer, asks, nothing, noun_router
from upshot.http.shapes import automations as shapes
from upshot.http.shapes.base import JsonObject
from upshot.http.shapes.insights import Insights
from upshot.http.shapes.runs import StartedRun

router = noun_router("automations")
VersionNumber = shapes.Number


def _tagged(item: dict[str, Any], status: int = 200) -> Response:
    return answer(item, status, tag_of(item, "draft_revision"))


@router.get("/automations", **asks("viewer", shapes.AutomationPage, operation="list_automations"))
def list_automations(
    call: CallNow,
    limit: Limit = 50,
    cursor: Cursor = None,
    status: Annotated[Literal["draft", "active", "paused", "archived"] | None, Query()] = None,
    q: Annotated[
        str | None, Query(max_length=200, description="Text in names, triggers, conditions and arguments.")
    ] = None,
    folder: Annotated[
        str | None, Query(max_length=200, description="This folder and those below it; `/` for those in none.")
    ] = None,
    tag: Annotated[str | None, Query(max_length=50)] = None,
    deleted: Annotated[bool, Query(description="Only deleted ones, which `undelete` brings back.")] = False,
) -> Response:
    """List automations, the highest priority first, then in the order of creation. A page that looks for text, a folder or a
    tag may be short, or empty, and still have a `next`."""
    place = call.place("automations", cursor)
    after = (place[0], place[1]) if place is not None else None
    listed = call.upshot.automations.page(
        call.tenant_id, limit=limit, after=after, status=status, search=q, folder=folder, tag=tag, deleted=deleted
    )
    return call.page("automations", listed)


@router.post("/automations", **asks("editor", shapes.AutomationItem, status=201, operation="create_automation"))
def create_automation(call: CallNow, document: shapes.DocumentBody) -> Response:
    """Create an automation: a draft, or with `"status": "active"` published at once."""
    return _tagged(call.upshot.automations.create(call.tenant_id, document, actor=call.actor), 201)


@router.post("/automations/validate", **asks("viewer", shapes.Validation, operation="validate_automation"))
def validate_automation(call: CallNow, body: shapes.ValidateBody) -> Response:
    """Check a document and keep nothing. All problems are named at once."""
    return answer(call.upshot.automations.validate(body.document, tenant_id=call.tenant_id))


@router.post("/automations/test", **asks("viewer", shapes.DryRun, operation="test_automation_document"))
def test_automation_document(call: CallNow, body: shapes.TestDocumentBody) -> Response:
    """Tell what a document would do with a sample event. Nothing is kept and nothing happens."""
    entity = body.entity.model_dump() if body.entity is not None else None
    return answer(
        call.upshot.automations.try_out(
            call.tenant_id, body.document, body.data, event=body.event, entity=entity, automation_id=body.automation
        )
    )


@router.post("/automations/import", **asks("editor", shapes.Import, operation="import_automations"))
def import_automations(
    call: CallNow,
    body: shapes.ImportBody,
    dry_run: bool = False,
    mode: Annotated[
        Mode, Query(description="A document of whose name there is an automation becomes its draft, or a copy.")
    ] = "update",
    if_match: IfMatch = None,
) -> Response:
    """Import automations in any understood shape, all or none; with `dry_run=true`, tell what they would become. With the
    ETag of a dry run in `If-Match`, 412 when one that they would change was changed meanwhile."""
    done = call.upshot.automations.import_documents(
        call.tenant_id,
        body,
        mode=mode,
        revision=optional_revision(if_match),
        is_dry_run=dry_run,
        actor=call.actor,
    )
    return answer(done, 200, tag_of(done))


@router.get("/automations/labels", **asks("viewer", shapes.Labels, operation="list_automation_labels"))
def list_labels(call: CallNow) -> Response:
    """The folders and tags that there are."""
    return answer(call.upshot.automations.labels(call.tenant_id))


@router.get("/automations/export", **asks("viewer", JsonObject, operation="export_automations"))
def export_automations(call: CallNow) -> Response:
    """Every automation as a document that can be imported."""
    return answer(call.upshot.automations.export(call.tenant_id))


@router.get("/automations/{automation_id}", **asks("viewer", shapes.AutomationItem, operation="get_automation"))
def get_automation(call: CallNow, automation_id: str) -> Response:
    """Show one automation."""
    return _tagged(call.upshot.automations.get(call.tenant_id, automation_id))


@router.put("/automations/{automation_id}", **asks("editor", shapes.AutomationItem, operation="save_automation"))
def save_automation(
    call: CallNow, automation_id: str, document: shapes.DraftBody, if_match: IfMatch = None
) -> Response:
    """Save the draft; with `"status": "active"`, publish it in the same transaction. It says the `draft_revision` that it
    was made on, in `If-Match` or as `revision`: 428 without, 412 when somebody else saved meanwhile."""
    given = dict(document)
    revision = given.pop("revision", None)
    if revision is not None and (not isinstance(revision, int) or isinstance(revision, bool)):
        raise Malformed.at("revision", "is a whole number", "wrong_type")
    save = partial(call.upshot.automations.save, call.tenant_id, automation_id, given, actor=call.actor)
    return _tagged(change_on(revision, if_match, lambda made_on: save(revision=made_on)))


@router.delete("/automations/{automation_id}", **asks("editor", status=204, operation="delete_automation"))
def delete_automation(call: CallNow, automation_id: str) -> Response:
    """Delete an automation. Its runs stay; `undelete` brings it back as it was."""
    call.upshot.automations.delete(call.tenant_id, automation_id, actor=call.actor)
    return nothing()


@router.post(
    "/automations/{automation_id}/undelete", **asks("editor", shapes.AutomationItem, operation="undelete_automation")
)
def undelete_automation(call: CallNow, automation_id: str) -> Response:
    """Bring a deleted automation back as it was."""
    return _tagged(call.upshot.automations.undelete(call.tenant_id, automation_id, actor=call.actor))


@router.post(
    "/automations/{automation_id}/publish", **asks("editor", shapes.PublishedItem, operation="publish_automation")
)
def publish_automation(
    call: CallNow, automation_id: str, body: shapes.PublishBody | None = None, if_match: IfMatch = None
) -> Response:
    """The draft becomes the next version, and active. With the `draft_revision` that was looked at in `If-Match`, nothing else
    is published: 412 when somebody saved meanwhile. `runs` says what happens to the runs under way on other versions."""
    runs = body.runs if body is not None else "finish"
    publish = partial(call.upshot.automations.publish, call.tenant_id, automation_id, runs=runs, actor=call.actor)
    return _tagged(publish(revision=optional_revision(if_match)))


@router.post(
    "/automations/{automation_id}/activate", **asks("editor", shapes.AutomationItem, operation="activate_automation")
)
def activate_automation(call: CallNow, automation_id: str) -> Response:
    """The version that was live is live again; one that was never published is published."""
    return _tagged(call.upshot.automations.activate(call.tenant_id, automation_id, actor=call.actor))


@router.post(
    "/automations/{automation_id}/pause", **asks("editor", shapes.AutomationItem, operation="pause_automation")
)
def pause_automation(call: CallNow, automation_id: str, body: shapes.PauseBody | None = None) -> Response:
    """It starts no runs until it is active again. Runs that go on go on, unless `runs` says that they are paused too."""
    and_runs = body is not None and body.runs
    return _tagged(call.upshot.automations.pause(call.tenant_id, automation_id, and_runs=and_runs, actor=call.actor))


@router.post(
    "/automations/{automation_id}/archive", **asks("editor", shapes.AutomationItem, operation="archive_automation")
)
def archive_automation(call: CallNow, automation_id: str) -> Response:
    """Put an automation away. It can be activated again."""
    return _tagged(call.upshot.automations.archive(call.tenant_id, automation_id, actor=call.actor))


@router.post(
    "/automations/{automation_id}/duplicate",
    **asks("editor", shapes.AutomationItem, status=201, operation="duplicate_automation"),
)
def duplicate_automation(call: CallNow, automation_id: str) -> Response:
    """Make a new draft with the same document."""
    return _tagged(call.upshot.automations.duplicate(call.tenant_id, automation_id, actor=call.actor), 201)


@router.get("/automations/{automation_id}/export", **asks("viewer", JsonObject, operation="export_automation"))
def export_automation(call: CallNow, automation_id: str) -> Response:
    """One automation as a document that can be imported."""
    return answer(call.upshot.automations.export(call.tenant_id, automation_id))


@router.post("/automations/{automation_id}/test", **asks("viewer", shapes.DryRun, operation="test_automation"))
def test_automation(call: CallNow, automation_id: str, body: shapes.TestBody) -> Response:
    """Tell what the draft would do with a sample event. Nothing is kept and nothing happens."""
    entity = body.entity.model_dump() if body.entity is not None else None
    draft = call.upshot.automations.draft(call.tenant_id, automation_id)
    return answer(
        call.upshot.automations.try_out(
            call.tenant_id, draft, body.data, event=body.event, entity=entity, automation_id=automation_id
        )
    )


@router.post(
    "/automations/{automation_id}/backtest", **asks("viewer", shapes.Backtest, operation="backtest_automation")
)
def backtest_automation(call: CallNow, automation_id: str, body: shapes.BacktestBody | None = None) -> Response:
    """Tell what the draft, or a version, would have done with past events, and what the live version would have. Nothing is
    kept and nothing happens. Large windows take several calls: each answer counts from the beginning up to its `next`."""
    given = body or shapes.BacktestBody()
    kind = f"backtest/{automation_id}"
    place = call.place(kind, given.cursor)
    told, further = call.upshot.automations.backtest_some(
        call.tenant_id,
        automation_id,
        since=from_text(given.since, "since") if given.since is not None else None,
        until=from_text(given.until, "until") if given.until is not None else None,
        version=given.version,
        against=given.against,
        events_max=given.limit,
        place=msgspec.convert(place, Place) if place is not None else None,
    )
    return answer({**told, "next": call.cursor(kind, further)})


@router.get("/automations/{automation_id}/insights", **asks("viewer", Insights, operation="get_automation_insights"))
def get_insights(
    call: CallNow,
    automation_id: str,
    since: Annotated[
        str | None, Query(max_length=40, description="Only runs created at or after this instant count.")
    ] = None,
) -> Response:
    """Tell how the latest runs of the live version ended, how long they took, at which steps, what its conditions cost, and
    what could be better. It looks at the newest 500 that completed or failed; test runs do not count."""
    first = from_text(since, "since") if since is not None else None
    return answer(call.upshot.automations.insights(call.tenant_id, automation_id, since=first))


@router.post("/automations/{automation_id}/run", **asks("editor", StartedRun, status=202, operation="run_automation"))
def run_automation(call: CallNow, automation_id: str, body: shapes.RunBody) -> Response:
    """Run the live version by hand, whatever its condition says. It is a real run, kept in the history."""
    entity = body.entity.model_dump() if body.entity is not None else None
    started = call.upshot.runs.start_by_hand(
        call.tenant_id, automation_id, body.data, test=body.test, entity=entity, actor=call.actor
    )
    return answer(started, 202)


@router.get("/automations/{automation_id}/versions", **asks("viewer", shapes.VersionPage, operation="list_versions"))
def list_versions(call: CallNow, automation_id: str, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """List the published versions, newest first."""
    kind = f"versions/{automation_id}"
    place = call.place(kind, cursor)
    return call.page(kind, call.upshot.automations.versions(call.tenant_id, automation_id, limit=limit, after=place))


@router.get(
    "/automations/{automation_id}/versions/{version}", **asks("viewer", shapes.Version, operation="get_version")
)
def get_version(call: CallNow, automation_id: str, version: Annotated[VersionNumber, Path()]) -> Response:
    """Show one published version."""
    return answer(call.upshot.automations.version(call.tenant_id, automation_id, version))


@router.get("/automations/{automation_id}/diff", **asks("viewer", shapes.Diff, operation="diff_automation"))
def diff_automation(
    call: CallNow,
    automation_id: str,
    before: Annotated[VersionNumber | None, Query(alias="from", description="The live version if left out.")] = None,
    after: Annotated[VersionNumber | None, Query(alias="to", description="The draft if left out.")] = None,
) -> Response:
    """Tell in words what changed from one version to another, or to the draft: what publishing would change."""
    return answer(call.upshot.automations.diff(call.tenant_id, automation_id, before=before, after=after))


@router.post(
    "/automations/{automation_id}/diff", **asks("viewer", shapes.Diff, operation="diff_automation_from_document")
)
def diff_from_document(call: CallNow, automation_id: str, body: shapes.DiffBody) -> Response:
    """Tell in words what changed from a document to the draft: what others saved since it was read."""
    return answer(call.upshot.automations.diff_from(call.tenant_id, automation_id, body.document))


@router.post(
    "/automations/{automation_id}/restore", **asks("editor", shapes.AutomationItem, operation="restore_automation")
)
def restore_automation(
    call: CallNow, automation_id: str, body: shapes.RestoreBody, if_match: IfMatch = None
) -> Response:
    """Go back: a version's document becomes the draft and, with `publish`, the next version. With a `draft_revision` in
    `If-Match`, 412 when somebody saved meanwhile."""
    restored = call.upshot.automations.restore(
        call.tenant_id,
        automation_id,
        body.version,
        publish=body.publish,
        revision=optional_revision(if_match),
        actor=call.actor,
    )
    return _tagged(restored)
