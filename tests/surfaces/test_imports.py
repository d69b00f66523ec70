"""Imports over HTTP that meet automations of the same names: what the dry run says is what the import does."""

from typing import Any

import pytest

from tests.surfaces.conftest import Surface, document
from tests.surfaces.test_calls import call, doc, refused


def bring(surface: Surface, given: Any, query: str = "", **more: Any) -> Any:
    """What an import answers, which must be what its dry run said, ids of new automations aside."""
    dry = surface.post(f"/automations/import?dry_run=true{query.replace('?', '&')}", given, **more)
    done = surface.post(f"/automations/import{query}", given, headers={"If-Match": dry.headers["ETag"]}, **more)
    assert (dry.status_code, done.status_code) == (200, 200), done.json()
    assert done.headers["ETag"] == dry.headers["ETag"] == f'"{dry.json()["revision"]}"'
    for said, did in zip(dry.json()["automations"], done.json()["automations"], strict=True):
        assert (said["state"], said["changes"]) == (did["state"], did["changes"])
        assert said["id"] == (None if did["state"] == "new" else did["id"])
    return done.json()["automations"]


def kept(surface: Surface, tenant: str = "alpha") -> list[dict[str, Any]]:
    return surface.get("/automations", tenant=tenant).json()["items"]


def audited(surface: Surface) -> list[str]:
    return [entry["action"] for entry in surface.get("/audit?noun=automation").json()["items"]]


def test_a_document_becomes_the_draft_of_the_automation_of_its_name(surface: Surface) -> None:
    made = surface.post("/automations", document(status="active")).json()
    (told,) = bring(surface, document(priority=8))
    assert (told["state"], told["id"]) == ("changed", made["id"])
    assert [change["text"] for change in told["changes"]] == ["Priority is 8, was 5."]
    (now,) = kept(surface)
    assert (now["id"], now["priority"], now["draft_revision"], now["version"]) == (made["id"], 8, 2, 1)
    assert now["has_draft_changes"] is True
    (told,) = bring(surface, document(priority=8, status="active"))
    assert [change["text"] for change in told["changes"]] == [
        "It is published and active; it was active in another version."
    ]
    (now,) = kept(surface)
    assert (now["draft_revision"], now["version"], now["status"]) == (2, 2, "active")
    assert audited(surface) == ["save", "save", "create"]
    saved = surface.get("/audit?noun=automation").json()["items"][1]
    assert (saved["before"]["document"]["priority"], saved["after"]["document"]["priority"]) == (5, 8)


def test_the_same_file_again_changes_nothing(surface: Surface) -> None:
    log = {"id": "log", "action": "log", "with": {"message": "Hello"}}
    file = {
        "automations": [doc("A", call("B")), doc("B"), doc("Twin"), doc("Twin", log), doc("Draft", is_active=False)]
    }
    assert [one["state"] for one in bring(surface, file)] == ["new"] * 5
    before, entries = kept(surface), audited(surface)
    assert entries == ["create"] * 5
    revision = surface.upshot.automations.import_documents("alpha", file, is_dry_run=True)["revision"]
    again = bring(surface, file)
    assert [(one["state"], one["changes"]) for one in again] == [("same", [])] * 5
    whole = surface.get("/automations/export").json()
    assert {one["state"] for one in bring(surface, whole)} == {"same"}
    assert (kept(surface), audited(surface)) == (before, entries)
    assert surface.upshot.automations.import_documents("alpha", file)["revision"] == revision


def test_one_that_says_active_is_published_whatever_it_was(surface: Surface) -> None:
    made = surface.post("/automations", document(status="active")).json()
    surface.post(f"/automations/{made['id']}/pause")
    assert [one["state"] for one in bring(surface, document())] == ["same"]
    assert kept(surface)[0]["status"] == "paused"
    (told,) = bring(surface, document(status="active"))
    assert told["changes"][0] == {
        "path": "status",
        "kind": "changed",
        "text": "It is published and active; it was paused.",
        "before": "paused",
        "after": "active",
    }
    (now,) = kept(surface)
    assert (now["status"], now["version"]) == ("active", 1)


def test_a_copy_is_made_on_wish(surface: Surface) -> None:
    made = surface.post("/automations", document()).json()
    (told,) = bring(surface, document(priority=8), "?mode=copy")
    assert (told["state"], told["changes"]) == ("new", [])
    assert {(one["id"], one["priority"]) for one in kept(surface)} == {(made["id"], 5), (told["id"], 8)}
    (told,) = bring(surface, document(priority=8, description="One of two"))
    assert told["id"] == made["id"], "of several that differ, the oldest is meant"
    assert surface.post("/automations/import?mode=other", document()).status_code in {400, 422}


def test_nothing_is_kept_where_one_of_several_is_refused(surface: Surface) -> None:
    surface.post("/automations", document())
    before = kept(surface)
    good = [document(priority=8), document(name="New", status="active")]
    for bad, path in (
        (document(name="Bad", steps=5), "[2].steps"),
        (doc("Caller", call("nobody")), "[2].steps[0].call"),
        (doc("Caller", call("Caller")), "[2].steps[0].call"),
    ):
        assert [error[0] for error in refused(surface.post("/automations/import", [*good, bad]))] == [path]
    assert (kept(surface), audited(surface)) == (before, ["create"])


@pytest.mark.parametrize("change", ["save", "publish", "delete", "another"])
def test_what_was_changed_since_the_dry_run_is_not_overwritten(surface: Surface, change: str) -> None:
    path = f"/automations/{surface.post('/automations', document()).json()['id']}"
    file = [document(name="New"), document(priority=8)]
    tag = surface.post("/automations/import?dry_run=true", file).headers["ETag"]
    match change:
        case "save":
            surface.put(path, document(priority=2), headers={"If-Match": "*"})
        case "publish":
            surface.post(f"{path}/publish")
        case "delete":
            surface.delete(path)
        case _:
            surface.post("/automations", document(name="New"))
    before = kept(surface)
    stale = surface.post("/automations/import", file, headers={"If-Match": tag})
    assert stale.status_code == 412, stale.json()
    assert kept(surface) == before
    assert surface.post("/automations/import", file, headers={"If-Match": "*"}).status_code == 200


def test_a_callee_of_the_file_is_the_one_that_is_there(surface: Surface) -> None:
    first = bring(surface, [doc("A", call("B")), doc("B")])
    told = bring(surface, [doc("C", call("B")), doc("B", {"id": "end", "stop": True}, is_active=False)])
    assert told[1]["id"] == first[1]["id"]
    assert told[0]["document"]["steps"][0]["call"] == first[1]["id"], "which is live, though the file has a draft of it"
    turned = [doc("B", call("A"))]
    assert refused(surface.post("/automations/import", turned)) == [("[0].steps[0].call", "cycle")]
    both = [doc("A"), doc("B", call("A"))]
    assert [one["state"] for one in bring(surface, both)] == ["changed", "changed"]
