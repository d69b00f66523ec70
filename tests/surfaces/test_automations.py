"""`/automations`: drafts, publishing, and what is refused."""

from tests.surfaces.conftest import Surface, document


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
    assert surface.post(f"{path}/undelete").json()["status"] == "active"
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
