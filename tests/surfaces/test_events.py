"""`/events` and `/runs`: from accepted to explained."""

from typing import Any

from tests.surfaces.conftest import Surface, document
from upshot.core.statuses import RUN

DECLARED: dict[str, Any] = {
    "title": "Appointment created",
    "schema": {
        "type": "object",
        "properties": {"appointment": {"type": "object", "properties": {"status": {"type": "string"}}}},
        "required": ["appointment"],
    },
    "entity": {"type": "patient", "id": "appointment.patientId"},
    "on_invalid": "refuse",
    "sample": {"appointment": {"status": "scheduled"}},
}
NAME = "crm/appointment.created"


def event(status: str = "scheduled", **more: Any) -> dict[str, Any]:
    """An appointment was created."""
    return {"name": NAME, "data": {"appointment": {"id": "a1", "status": status, "patientId": "p1"}}, **more}


def test_an_event_is_accepted_started_and_its_run_can_be_read(running: Surface) -> None:
    running.put(f"/event-types/{NAME}", DECLARED)
    automation = running.post("/automations", document(status="active")).json()
    accepted = running.post("/events", event(id="host-1"), role="emitter")
    assert accepted.status_code == 202
    assert accepted.json() == {"ids": ["host-1"], "duplicates": 0}
    running.settle()
    shown = running.get("/events/host-1").json()
    assert shown["status"] == "matched"
    assert shown["entity"] == {"type": "patient", "id": "p1"}
    (summary,) = shown["runs"]
    assert (summary["status"], summary["automation"]["id"]) == ("completed", automation["id"])
    run = running.get(f"/runs/{summary['id']}").json()
    assert run["explanation"]["result"] is True
    assert [(step["id"], step["kind"], step["status"]) for step in run["steps"]] == [("note", "action", "completed")]
    assert run["steps"][0]["attempts"][0]["input"]["fields"] == {"content": "a1"}
    assert run["steps"][0]["attempts"][0]["idempotency_key"] == f"{run['id']}:note"
    assert run["document"]["name"] == "Consultation booked"
    listed = running.get("/runs?event=host-1&status=completed&entity=patient:p1").json()["items"]
    assert [item["id"] for item in listed] == [run["id"]]
    assert len(running.get(f"/runs?event={NAME}&automation={automation['id']}").json()["items"]) == 1
    item = running.get(f"/automations/{automation['id']}").json()
    assert (item["run_count"], item["success_rate"], item["last_run"]["id"]) == (1, 1.0, run["id"])
    assert running.get("/stats").json()["runs"] == {**dict.fromkeys(RUN, 0), "completed": 1}
    assert running.get("/entities/note").json()["items"][0]["fields"] == {"content": "a1"}


def test_the_same_id_again_is_a_duplicate(surface: Surface) -> None:
    assert surface.post("/events", event(id="e1")).json() == {"ids": ["e1"], "duplicates": 0}
    assert surface.post("/events", [event(id="e1"), event(id="e2")]).json() == {"ids": ["e1", "e2"], "duplicates": 1}
    assert surface.post("/events", event(id="e1"), tenant="beta").json()["duplicates"] == 0
    assert len(surface.get("/events").json()["items"]) == 2


def test_events_that_started_nothing_are_explained(running: Surface) -> None:
    paused = running.post("/automations", document(name="Paused", status="active", priority=9)).json()
    running.post(f"/automations/{paused['id']}/pause")
    running.post("/automations", document(name="Draft", priority=8))
    running.post("/automations", document(name="Live", status="active", priority=7))
    running.post("/automations", document(name="Other", status="active", trigger={"event": "crm/other"}))
    running.post("/events", event("cancelled", id="e1"))
    running.settle()
    running.post("/automations", document(name="Later", status="active", priority=10))
    told = running.get("/events/e1/explain").json()["automations"]
    assert [(one["name"], one["outcome"]) for one in told] == [
        ("Paused", "paused"),
        ("Draft", "not_published"),
        ("Live", "condition_false"),
    ]
    assert "cancelled" in told[2]["reason"]
    assert told[2]["explanation"]["result"] is False


def test_what_started_is_explained_with_its_run(running: Surface) -> None:
    running.post("/automations", document(status="active"))
    running.post("/events", event(id="e1"))
    running.settle()
    (told,) = running.get("/events/e1/explain").json()["automations"]
    assert told["outcome"] == "started"
    assert running.get(f"/runs/{told['run_id']}").status_code == 200


def test_an_event_that_no_engine_took_yet_is_pending(surface: Surface) -> None:
    surface.post("/automations", document(status="active"))
    surface.post("/events", event(id="e1"))
    assert surface.get("/events/e1").json()["status"] == "pending"
    (told,) = surface.get("/events/e1/explain").json()["automations"]
    assert told["outcome"] == "pending"


def test_a_run_by_hand_is_kept_and_can_be_cancelled(running: Surface) -> None:
    steps = [{"id": "later", "delay": "24h"}, {"id": "end", "stop": True}]
    made = running.post("/automations", document(status="active", steps=steps)).json()
    started = running.post(f"/automations/{made['id']}/run", {"data": {}, "test": True})
    assert started.status_code == 202
    path = f"/runs/{started.json()['run_id']}"
    running.settle()
    run = running.get(path).json()
    assert (run["status"], run["test"], run["current_step"]) == ("waiting", True, "later")
    assert run["waiting_until"] == run["steps"][0]["due_at"]
    assert [step["status"] for step in run["steps"]] == ["waiting", "pending"]
    assert len(running.get("/runs?status=waiting").json()["items"]) == 1
    cancelled = running.post(f"{path}/cancel")
    assert cancelled.json()["status"] == "cancelled"
    assert running.post(f"{path}/cancel").status_code == 409


def test_data_that_does_not_meet_its_type_is_refused_or_marked(surface: Surface) -> None:
    surface.put(f"/event-types/{NAME}", DECLARED)
    refused = surface.post("/events", [event(), {"name": NAME, "data": {"appointment": {"status": 5}}}])
    assert refused.status_code == 422
    assert [error["path"] for error in refused.json()["errors"]] == ["[1].data.appointment.status"]
    assert surface.get("/events").json()["items"] == []
    surface.put(f"/event-types/{NAME}", {**DECLARED, "on_invalid": "warn"})
    assert surface.post("/events", {"name": NAME, "data": {}, "id": "odd"}).status_code == 202
    assert surface.get("/events/odd").json()["marks"]


def test_event_types_are_declared_changed_and_removed(surface: Surface) -> None:
    put = surface.put(f"/event-types/{NAME}", DECLARED)
    assert put.status_code == 200
    assert surface.get(f"/event-types/{NAME}").json()["schema"] == DECLARED["schema"]
    assert [item["name"] for item in surface.get("/event-types").json()["items"]] == [NAME]
    bad = surface.put(
        "/event-types/x", {"schema": {"type": "nonsense"}, "entity": {"type": "9"}, "on_invalid": "refuse"}
    )
    assert bad.status_code == 422
    assert {error["path"].split(".")[0] for error in bad.json()["errors"]} == {"schema", "entity"}
    assert surface.delete(f"/event-types/{NAME}").status_code == 204
    assert surface.get(f"/event-types/{NAME}").status_code == 404


def test_events_are_searched_literally(surface: Surface) -> None:
    surface.post("/events", [{"name": "a", "data": {"x": "100% sure"}}, {"name": "a", "data": {"x": "100 sure_ly"}}])
    for needle, found in (("100%", 1), ("sure", 2), ("_ly", 1), ("'; DROP TABLE x", 0), ("\\", 0)):
        items = surface.get("/events", params={"q": needle}).json()["items"]
        assert len(items) == found, needle
    assert (
        surface.get("/events", params={"since": "2000-01-01T00:00:00Z", "until": "2001-01-01T00:00:00Z"}).json()[
            "items"
        ]
        == []
    )
    assert len(surface.get("/events", params={"since": "2001-01-01T00:00:00Z"}).json()["items"]) == 2


def test_an_id_with_a_slash_is_found(surface: Surface) -> None:
    surface.post("/events", event(id="crm/7"))
    assert surface.get("/events/crm%2F7").json()["id"] == "crm/7"
    assert surface.get("/events/crm%2F7/explain").json()["event_id"] == "crm/7"
