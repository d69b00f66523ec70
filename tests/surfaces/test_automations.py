"""`/automations`: drafts, publishing, and what is refused."""

from typing import Any

import pytest

from tests.surfaces.conftest import Surface, document
from upshot.store import automations as store


def test_an_automation_is_drafted_published_paused_and_brought_back(surface: Surface) -> None:
    made = surface.post("/automations", document()).json()
    assert made["status"] == "draft"
    assert made["version"] is None
    path = f"/automations/{made['id']}"
    published = surface.post(f"{path}/publish").json()
    assert (published["status"], published["version"], published["has_draft_changes"]) == ("active", 1, False)
    saved = surface.put(path, document(name="Renamed", revision=1)).json()
    assert (saved["name"], saved["version"], saved["has_draft_changes"], saved["draft_revision"]) == (
        "Renamed",
        1,
        True,
        2,
    )
    again = surface.post(f"{path}/publish").json()
    assert again["version"] == 2
    assert surface.post(f"{path}/pause").json()["status"] == "paused"
    assert surface.post(f"{path}/activate").json()["status"] == "active"
    assert surface.delete(path).status_code == 204
    assert surface.get(path).status_code == 404
    assert surface.get("/automations").json()["items"] == []
    (deleted,) = surface.get("/automations?deleted=true").json()["items"]
    assert (deleted["id"], deleted["deleted_at"] is not None) == (made["id"], True)
    assert surface.post(f"{path}/undelete").json()["status"] == "active"
    assert surface.get("/automations?deleted=true").json()["items"] == []
    assert [v["version"] for v in surface.get(f"{path}/versions").json()["items"]] == [2, 1]
    assert surface.get(f"{path}/versions/1").json()["document"]["name"] == "Consultation booked"
    actions = [entry["action"] for entry in surface.get("/audit?noun=automation").json()["items"]]
    assert actions == ["undelete", "delete", "activate", "pause", "publish", "save", "publish", "create"]


def test_written_as_active_it_is_published_at_once(surface: Surface) -> None:
    made = surface.post("/automations", document(status="active")).json()
    assert (made["status"], made["version"], made["has_draft_changes"]) == ("active", 1, False)


def test_all_problems_of_a_document_are_named_and_nothing_is_kept(surface: Surface) -> None:
    bad = document(steps=[{"id": "a", "action": "nonsense"}, {"id": "b", "delay": "soon", "next": "nowhere"}])
    refused = surface.post("/automations", bad)
    assert refused.status_code == 422
    paths = {error["path"] for error in refused.json()["errors"]}
    assert any(path.startswith("steps[0]") for path in paths)
    assert any(path.startswith("steps[1]") for path in paths)
    assert surface.get("/automations").json()["items"] == []


def test_fields_that_the_server_owns_are_unknown_fields(surface: Surface) -> None:
    for name in ("tenant_id", "created_at", "version", "id"):
        refused = surface.post("/automations", document(**{name: "x"}))
        assert refused.status_code == 400, name
        assert name in {error["path"] for error in refused.json()["errors"]}


def test_an_import_says_how_it_understood_and_keeps_all_or_nothing(surface: Surface) -> None:
    foreign = {
        "name": "Imported",
        "triggerEvent": "crm/appointment.created",
        "conditions": {
            "operator": "and",
            "conditions": [{"field": "appointment.status", "operator": "==", "value": "x"}],
        },
        "actions": [{"type": "create_entity", "args": {"type": "note", "fields": {"text": "{appointment.id}"}}}],
        "enabled": True,
        "id": "theirs",
    }
    told = surface.post("/automations/import?dry_run=true", foreign).json()["automations"][0]
    assert told["problems"] == []
    assert told["id"] is None
    assert told["notes"]
    assert surface.get("/automations").json()["items"] == []
    broken = surface.post("/automations/import", {"automations": [foreign, {"name": "x", "steps": 5}]})
    assert broken.status_code == 422
    assert all(error["path"].startswith("automations[1]") for error in broken.json()["errors"])
    assert surface.get("/automations").json()["items"] == []
    done = surface.post("/automations/import", [foreign]).json()["automations"][0]
    kept = surface.get(f"/automations/{done['id']}").json()
    assert done["id"] != "theirs"
    assert kept["status"] == "active"
    exported = surface.get(f"/automations/{done['id']}/export").json()
    assert surface.post("/automations/import", exported).status_code == 200


def test_what_an_automation_is_run_with_is_as_its_event_type_says(surface: Surface) -> None:
    properties = {"appointment": {"type": "object", "required": ["id"]}}
    declared = {"schema": {"type": "object", "properties": properties}, "title": "Booked"}
    surface.put("/event-types/crm/appointment.created", {**declared, "on_invalid": "refuse"})
    path = f"/automations/{surface.post('/automations', document(status='active')).json()['id']}/run"
    refused = surface.post(path, {"data": {"appointment": {}}})
    sent = surface.post("/events", {"name": "crm/appointment.created", "data": {"appointment": {}}})
    assert refused.status_code == sent.status_code == 422
    assert refused.json()["errors"] == sent.json()["errors"]
    assert [(one["path"], one["code"]) for one in refused.json()["errors"]] == [
        ("data.appointment.id", "schema_required")
    ]
    assert surface.get("/runs").json()["items"] == []
    assert surface.post(path, {"data": {"appointment": {"id": "a1"}}}).status_code == 202
    surface.put("/event-types/crm/appointment.created", {**declared, "on_invalid": "warn"}, headers={"If-Match": "*"})
    marked = surface.post(path, {"data": {"appointment": {}}})
    assert marked.status_code == 202
    marks = surface.get(f"/events/{marked.json()['event_id']}").json()["marks"]
    assert [one["path"] for one in marks] == ["appointment.id"]


def test_a_dry_run_tells_what_would_happen(surface: Surface) -> None:
    tried = surface.post(
        "/automations/test", {"document": document(), "data": {"appointment": {"status": "cancelled"}}}
    )
    assert tried.status_code == 200
    assert tried.json()["would_start"] is False
    made = surface.post("/automations", document()).json()
    tried = surface.post(
        f"/automations/{made['id']}/test", {"data": {"appointment": {"status": "scheduled", "id": "a1"}}}
    )
    assert tried.json()["would_start"] is True
    assert tried.json()["steps"][0]["would"] == "perform"


def test_a_dry_run_takes_the_path_of_a_split_that_a_run_takes(surface: Surface) -> None:
    lot = {"id": "lot", "split": [{"weight": 1, "next": "one"}, {"weight": 1, "next": "two"}]}
    steps = [lot, {"id": "one", "stop": True}, {"id": "two", "stop": True}]
    made = surface.post("/automations", document(steps=steps)).json()
    told: dict[str, set[str]] = {"own": set(), "document": set()}
    for number in range(12):
        sample = {"data": {"appointment": {"status": "scheduled"}}, "entity": {"type": "patient", "id": f"p{number}"}}
        own = surface.post(f"/automations/{made['id']}/test", sample).json()["steps"][0]["text"]
        given = {"document": document(steps=steps), "automation": made["id"], **sample}
        assert surface.post("/automations/test", given).json()["steps"][0]["text"] == own
        told["own"].add(own)
    assert len(told["own"]) == 2


def test_a_document_is_checked_without_being_kept(surface: Surface) -> None:
    assert surface.post("/automations/validate", {"document": document()}).json()["valid"] is True
    told = surface.post("/automations/validate", {"document": {"name": 5}}).json()
    assert told["valid"] is False
    assert told["problems"]


def test_the_list_is_ordered_by_priority_then_creation_and_paged(surface: Surface) -> None:
    for name, priority in (("a", 5), ("b", 10), ("c", 5), ("d", 1)):
        surface.post("/automations", document(name=name, priority=priority))
    names: list[str] = []
    cursor = ""
    while True:
        page = surface.get(f"/automations?limit=2{cursor}").json()
        names += [item["name"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert names == ["b", "a", "c", "d"]
    assert [i["name"] for i in surface.get("/automations?q=%25").json()["items"]] == []


def test_a_circle_of_automations_is_named_and_not_refused(surface: Surface) -> None:
    def emitting(name: str, event: str, told: str) -> dict[str, object]:
        return document(
            name=name, trigger={"event": event}, steps=[{"id": "tell", "action": "emit_event", "with": {"name": told}}]
        )

    there = surface.post("/automations", {**emitting("There", "a/first", "a/second"), "status": "active"}).json()
    assert there["warnings"] == []
    back = emitting("Back", "a/second", "a/first")
    (warning,) = surface.post("/automations/validate", {"document": back}).json()["warnings"]
    assert warning["path"] == "steps[0]"
    assert "“There”" in warning["message"]
    made = surface.post("/automations", back).json()
    assert made["warnings"] == [warning]
    published = surface.post(f"/automations/{made['id']}/publish").json()
    assert (published["status"], published["warnings"]) == ("active", [warning])
    (of_other,) = surface.get(f"/automations/{there['id']}").json()["warnings"]
    assert "“Back”" in of_other["message"], "the one that was there before is in the same circle"
    assert surface.post("/automations/validate", {"document": back}, tenant="beta").json()["warnings"] == []
    saved = surface.put(f"/automations/{made['id']}", {**emitting("Back", "a/second", "a/else"), "revision": 1}).json()
    assert saved["warnings"] == []


def filed(name: str, **changes: Any) -> dict[str, Any]:
    return document(name=name, condition=None, **changes)


def test_automations_are_found_by_folder_tag_and_what_stands_in_them(surface: Surface) -> None:
    task = {"id": "a", "action": "create_task", "with": {"title": "Call Müller", "description": '50% of "all"'}}
    condition = {"field": "order.total", "operator": "greater_than", "value": 4711}
    for made in (
        filed("One", folder="Clinic", tags=["vip", "daily"], priority=9),
        filed("Two", folder="Clinic/Reminders", tags=["vip"], steps=[task], priority=8),
        filed("Three", folder="Clinical", priority=7) | {"condition": condition},
        filed("Four", trigger={"event": "shop/order.paid"}, priority=6),
    ):
        assert surface.post("/automations", made).status_code == 201

    def found(query: str, tenant: str = "alpha") -> list[str]:
        return [item["name"] for item in surface.get(f"/automations?{query}", tenant=tenant).json()["items"]]

    assert found("folder=Clinic") == ["One", "Two"], "a folder and what is below it, not what begins alike"
    assert found("folder=Clinic/Reminders") == ["Two"]
    assert found("folder=/") == ["Four"]
    assert found("tag=vip") == ["One", "Two"]
    assert found("tag=VIP") == found("tag=vi") == []
    assert found("q=tHREE") == ["Three"]
    assert found("q=order.total") == found("q=4711") == ["Three"]
    assert found("q=m%C3%BCller") == found("q=%22ALL%22") == found("q=50%25") == ["Two"]
    assert found("q=order.paid") == ["Four"]
    assert found("q=description") == ["Two"], "names of arguments count, those of the document do not"
    assert found("q=steps") == found("q=priority") == found("q=%25%25") == []
    assert found("q=call&tag=vip&folder=Clinic&status=draft") == ["Two"]
    assert found("q=call", tenant="beta") == []
    assert surface.get("/automations/labels").json() == {
        "folders": ["Clinic", "Clinic/Reminders", "Clinical"],
        "tags": ["daily", "vip"],
    }
    first = surface.get("/automations?tag=vip&limit=1").json()
    assert [item["name"] for item in first["items"]] == ["One"]
    assert found(f"tag=vip&limit=1&cursor={first['next']}") == ["Two"]
    (exported, *_) = surface.get("/automations/export").json()["automations"]
    assert (exported["folder"], exported["tags"]) == ("Clinic", ["vip", "daily"])


def test_a_search_goes_through_so_many_documents_and_says_where_to_go_on(
    surface: Surface, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SCAN_MAX", 3)
    for number in range(7):
        surface.post("/automations", filed(f"a{number}", tags=["seen"] if number in {1, 6} else []))
    pages: list[list[str]] = []
    cursor = ""
    while cursor is not None:
        page = surface.get(f"/automations?tag=seen{cursor and f'&cursor={cursor}'}").json()
        pages.append([item["name"] for item in page["items"]])
        cursor = page["next"]
    assert pages == [["a1"], [], ["a6"]]


def test_folders_and_tags_that_will_not_do_are_refused(surface: Surface) -> None:
    for changes, path in (
        ({"folder": "a//b"}, "folder"),
        ({"folder": " a"}, "folder"),
        ({"folder": "x" * 201}, "folder"),
        ({"folder": 5}, "folder"),
        ({"tags": "vip"}, "tags"),
        ({"tags": ["x"] * 2}, "tags[1]"),
        ({"tags": [""]}, "tags[0]"),
        ({"tags": [f"{number}" for number in range(21)]}, "tags"),
    ):
        refused = surface.post("/automations", filed("x", **changes))
        assert (refused.status_code, [error["path"] for error in refused.json()["errors"]]) == (422, [path])


def test_an_automation_says_its_queue_and_one_that_no_worker_serves_is_refused(surface: Surface) -> None:
    made = surface.post("/automations", document(queue="night-batch")).json()
    assert (made["queue"], surface.post("/automations", document()).json()["queue"]) == ("night-batch", "automation")
    path = f"/automations/{made['id']}"
    assert surface.post(f"{path}/publish").json()["queue"] == "night-batch"
    assert surface.get(f"{path}/versions/1").json()["document"]["queue"] == "night-batch"
    surface.put(path, document(revision=1))
    (change,) = surface.get(f"{path}/diff").json()["changes"]
    assert (change["path"], change["text"]) == ("queue", "Queue is not set any more, was “night-batch”.")
    for queue, code in ((",held", "reserved_name"), (",throttled", "reserved_name"), ("Loud", "bad_text")):
        refused = surface.post("/automations", document(queue=queue))
        assert refused.status_code == 422
        assert [(error["path"], error["code"]) for error in refused.json()["errors"]] == [("queue", code)]


def test_a_dry_run_of_an_import_says_what_it_would_change(surface: Surface) -> None:
    surface.post("/automations", filed("Same"))
    surface.post("/automations", filed("Changed", priority=3))
    surface.post("/automations", filed("Changed", priority=4))
    given = [
        filed("Same", status="active"),
        filed("Changed", priority=8, folder="Shop"),
        filed("New"),
        {"name": "Same"},
    ]
    told = surface.post("/automations/import?dry_run=true", given).json()["automations"]
    assert [one["state"] for one in told] == ["changed", "changed", "new", "new"]
    assert [change["text"] for change in told[0]["changes"]] == ["It is published and active; it was draft."]
    assert {change["text"] for change in told[1]["changes"]} == {
        "Priority is 8, was 3.",
        "Folder is “Shop”, was not set.",
    }
    assert told[2]["changes"] == []
    assert told[3]["problems"]
    assert len(surface.get("/automations").json()["items"]) == 3
