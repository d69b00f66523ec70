"""Flow control over HTTP: refused at its path, kept, told in words, and explained."""

from tests.surfaces.conftest import Surface, document

FLOW = {"once": {"key": "{{ appointment.id }}", "per": "1h"}}


def test_nonsense_is_refused_at_its_path(surface: Surface) -> None:
    answer = surface.post("/automations", document(flow={"rate_limit": {"limit": 0, "per": "1h"}}))
    assert answer.status_code == 422
    assert [(one["path"], one["code"]) for one in answer.json()["errors"]] == [
        ("flow.rate_limit.limit", "out_of_range")
    ]


def test_it_is_kept_shown_compared_and_exported(surface: Surface) -> None:
    automation = surface.post("/automations", document(flow=FLOW, status="active")).json()
    assert automation["flow"] == FLOW
    path = f"/automations/{automation['id']}"
    changed = document(flow={"once": {"per": "2h"}})
    surface.put(path, changed, headers={"If-Match": "*"})
    (change,) = surface.get(f"{path}/diff").json()["changes"]
    assert (change["path"], change["text"]) == (
        "flow.once",
        "Once: once in 2h, was: once in 1h for each {{ appointment.id }}.",
    )
    checked = surface.post("/automations/validate", {"document": document(flow=FLOW)}).json()
    assert checked["valid"] is True
    assert checked["document"]["flow"] == FLOW


def test_what_it_did_to_an_event_is_explained(running: Surface) -> None:
    automation = running.post("/automations", document(flow=FLOW, status="active", condition=None)).json()
    data = {"appointment": {"id": "a1", "status": "scheduled", "patientId": "p1"}}
    for number in (1, 2):
        given = {"id": f"event-{number}", "name": "crm/appointment.created", "data": data}
        assert running.post("/events", given).status_code == 202
    running.settle()
    told = [running.get(f"/events/event-{number}/explain").json()["automations"] for number in (1, 2)]
    assert [(one["automation_id"], one["outcome"], one["key"]) for (one,) in told] == [
        (automation["id"], "started", None),
        (automation["id"], "duplicate_key", "a1"),
    ]
    assert told[1][0]["at"]
    assert "for 'a1' already" in told[1][0]["reason"]
