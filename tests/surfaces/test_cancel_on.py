"""Events that cancel runs, over HTTP: refused at its path, kept, compared, and told of run and event."""

from tests.surfaces.conftest import Surface, document

CANCEL_ON = [{"event": "crm/appointment.cancelled", "match": {"appointment.id": "{{ appointment.id }}"}}]
STEPS = [{"id": "nap", "delay": "30d"}]


def test_it_is_refused_at_its_path_kept_and_compared(surface: Surface) -> None:
    answer = surface.post("/automations", document(cancel_on=[{"event": "a", "match": {"x": "{{ run.id }}"}}]))
    assert [(one["path"], one["code"]) for one in answer.json()["errors"]] == [("cancel_on[0].match.x", "bad_path")]
    schema = {"type": "object", "properties": {"id": {"type": "string"}}, "additionalProperties": False}
    surface.put("/event-types/crm%2Fappointment.cancelled", {"schema": schema})
    answer = surface.post("/automations", document(cancel_on=CANCEL_ON))
    assert [one["code"] for one in answer.json()["errors"]] == ["never_matches"]
    kept = [{"event": "crm/appointment.cancelled", "match": {"id": "{{ appointment.id }}"}}]
    automation = surface.post("/automations", document(cancel_on=kept, status="active")).json()
    assert automation["cancel_on"] == kept
    surface.put(f"/automations/{automation['id']}", document(), headers={"If-Match": "*"})
    (change,) = surface.get(f"/automations/{automation['id']}/diff").json()["changes"]
    assert (change["path"], change["kind"]) == ("cancel_on", "removed")


def test_the_run_says_which_event_and_the_event_which_runs(running: Surface) -> None:
    running.post("/automations", document(cancel_on=CANCEL_ON, status="active", condition=None, steps=STEPS))
    for name in ("created", "cancelled"):
        data = {"appointment": {"id": "a1", "patientId": "p1"}}
        running.post("/events", {"id": name, "name": f"crm/appointment.{name}", "data": data})
        running.settle()
    (run,) = running.get("/runs?status=cancelled").json()["items"]
    assert run["reason"] == {
        "code": "cancelled_by_event",
        "message": "Cancelled by the event crm/appointment.cancelled.",
        "event": {"id": "cancelled", "name": "crm/appointment.cancelled"},
    }
    event = running.get("/events/cancelled").json()
    assert [one["id"] for one in event["cancelled_runs"]] == [run["id"]]
    assert running.get("/events/created").json()["cancelled_runs"] == []
