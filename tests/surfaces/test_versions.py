"""Versions over HTTP: the diff in words, going back, and publishing what was looked at."""

from typing import Any

import pytest

from tests.surfaces.conftest import Surface, document


def saved(surface: Surface, automation_id: str, **changes: Any) -> Any:
    answer = surface.put(f"/automations/{automation_id}", document(**changes), headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.json()
    return answer.json()


def texts(surface: Surface, automation_id: str, query: str = "") -> list[str]:
    told = surface.get(f"/automations/{automation_id}/diff{query}", role="viewer").json()
    return [change["text"] for change in told["changes"]]


def test_what_publishing_would_change_is_told_in_words(surface: Surface) -> None:
    automation = surface.post("/automations", document()).json()["id"]
    assert texts(surface, automation) == ["Everything is new: it starts on crm/appointment.created."]
    surface.post(f"/automations/{automation}/publish")
    assert texts(surface, automation) == []
    saved(surface, automation, priority=9, condition=None)
    told = surface.get(f"/automations/{automation}/diff").json()
    assert (told["from"], told["to"], told["draft_revision"]) == (1, None, 2)
    assert told["changes"] == [
        {"path": "priority", "kind": "changed", "text": "Priority is 9, was 5.", "before": 5, "after": 9},
        {
            "path": "condition",
            "kind": "removed",
            "text": "The condition “appointment.status equals scheduled” is gone.",
            "before": {"combinator": "and", "rules": document()["condition"]["rules"]},
            "after": None,
        },
    ]
    saved(surface, automation, status="active", priority=7)
    assert texts(surface, automation, "?from=1&to=2") == ["Priority is 7, was 5."]
    assert texts(surface, automation, "?from=2&to=1") == ["Priority is 5, was 7."]


def test_what_others_saved_since_a_document_was_read_is_told(surface: Surface) -> None:
    automation = surface.post("/automations", document()).json()["id"]
    path = f"/automations/{automation}"
    read = surface.get(f"{path}/export").json()
    saved(surface, automation, priority=8)
    told = surface.post(f"{path}/diff", {"document": read}, role="viewer").json()
    assert [change["text"] for change in told["changes"]] == ["Priority is 8, was 5."]
    assert (told["from"], told["to"], told["draft_revision"]) == (None, None, 2)
    refused = surface.post(f"{path}/diff", {"document": {"name": "No steps"}})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "trigger.event")


def test_going_back_keeps_every_version(surface: Surface) -> None:
    automation = surface.post("/automations", document(status="active")).json()["id"]
    path = f"/automations/{automation}"
    saved(surface, automation, name="Second", priority=9, status="active")
    back = surface.post(f"{path}/restore", {"version": 1})
    assert back.headers["ETag"] == '"3"'
    item = back.json()
    assert (item["name"], item["priority"], item["version"], item["has_draft_changes"]) == (
        "Consultation booked",
        5,
        2,
        True,
    )
    published = surface.post(f"{path}/restore", {"version": 1, "publish": True}).json()
    assert (published["version"], published["status"], published["has_draft_changes"]) == (3, "active", False)
    listed = surface.get(f"{path}/versions").json()["items"]
    assert [(v["version"], v["document"]["name"]) for v in listed] == [
        (3, "Consultation booked"),
        (2, "Second"),
        (1, "Consultation booked"),
    ]
    entries = surface.get("/audit?noun=automation").json()["items"]
    assert [entry["action"] for entry in entries[:2]] == ["restore", "restore"]
    assert (entries[0]["before"]["version"], entries[0]["after"]["version"]) == (2, 3)


def test_a_paused_automation_that_goes_back_and_publishes_is_active(surface: Surface) -> None:
    automation = surface.post("/automations", document(status="active")).json()["id"]
    surface.post(f"/automations/{automation}/pause")
    item = surface.post(f"/automations/{automation}/restore", {"version": 1}).json()
    assert (item["status"], item["draft_revision"], item["version"]) == ("paused", 1, 1)
    item = surface.post(f"/automations/{automation}/restore", {"version": 1, "publish": True}).json()
    assert (item["status"], item["version"]) == ("active", 1)


def test_only_what_was_looked_at_is_published_and_gone_back_from(surface: Surface) -> None:
    automation = surface.post("/automations", document(status="active")).json()["id"]
    saved(surface, automation, name="Looked at")
    saved(surface, automation, name="Saved meanwhile")
    for path, body in (("publish", None), ("restore", {"version": 1})):
        told = surface.post(f"/automations/{automation}/{path}", body, headers={"If-Match": '"2"'})
        assert (told.status_code, told.json()["type"]) == (412, "urn:upshot:problem:stale_revision")
    item = surface.get(f"/automations/{automation}").json()
    assert (item["name"], item["version"]) == ("Saved meanwhile", 1)
    item = surface.post(f"/automations/{automation}/publish", headers={"If-Match": '"3"'}).json()
    assert (item["name"], item["version"]) == ("Saved meanwhile", 2)
    again = surface.post(f"/automations/{automation}/publish", headers={"If-Match": '"3"'}).json()
    assert again["version"] == 2, "the same draft stays the version it is"


def test_a_version_that_cannot_run_any_more_is_not_gone_back_to(surface: Surface) -> None:
    automation = surface.post("/automations", document(status="active")).json()["id"]
    saved(surface, automation, name="Second", status="active")
    del surface.upshot.actions.shapes["create_entity"]  # type: ignore[attr-defined] - what an uninstalled package leaves
    told = surface.post(f"/automations/{automation}/restore", {"version": 1})
    assert told.status_code == 422
    assert surface.get(f"/automations/{automation}").json()["name"] == "Second"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "diff?from=2", None, 404),
        ("GET", "diff?to=2", None, 404),
        ("GET", "diff?from=0", None, 400),
        ("POST", "restore", {"version": 2}, 404),
        ("POST", "restore", {}, 400),
        ("POST", "restore", {"version": "1"}, 400),
    ],
)
def test_what_is_not_there(surface: Surface, method: str, path: str, body: Any, status: int) -> None:
    automation = surface.post("/automations", document(status="active")).json()["id"]
    more = {"json": body} if body is not None else {}
    assert surface.call(method, f"/automations/{automation}/{path}", **more).status_code == status
    assert surface.call(method, f"/automations/none/{path}", **more).status_code in {status, 404}


def test_publishing_says_what_became_of_the_runs_under_way(surface: Surface) -> None:
    automation = surface.post("/automations", document(status="active")).json()["id"]
    saved(surface, automation, priority=9)
    told = surface.get(f"/automations/{automation}/diff").json()
    assert told["runs_in_flight"] == 0
    nothing = {"count": 0, "done": 0, "under_way": 0, "left": 0, "reasons": []}
    for runs in ("finish", "move", "cancel"):
        published = surface.post(f"/automations/{automation}/publish", {"runs": runs}).json()
        assert (published["version"], published["runs_in_flight"]) == (2, {"action": runs, **nothing})
    refused = surface.post(f"/automations/{automation}/publish", {"runs": "odd"})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (400, "runs")
