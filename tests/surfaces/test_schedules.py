"""`/schedules`, and documents with a schedule over HTTP."""

from typing import Any

from tests.surfaces.conftest import Surface, document
from upshot.http.shapes.schedules import SchedulePage

DAILY = {"schedule": {"daily": "09:00", "zone": "Europe/Paris"}}


def make(surface: Surface, name: str, **schedule: Any) -> str:
    given = document(name=name, trigger={"schedule": schedule or DAILY["schedule"]}, status="active")
    return surface.post("/automations", given).json()["id"]


def test_schedules_are_listed_with_their_next_times_by_page(surface: Surface) -> None:
    ids = [make(surface, "first"), make(surface, "second", cron="0 * * * *", jitter_seconds=60), make(surface, "third")]
    surface.post(f"/automations/{ids[2]}/pause")
    page = surface.get("/schedules?limit=2").json()
    SchedulePage.model_validate(page)
    assert [item["automation"]["id"] for item in page["items"]] == ids[:2]
    first, second = page["items"]
    assert (first["words"], first["zone"], first["status"]) == (
        "every day at 09:00 (Europe/Paris)",
        "Europe/Paris",
        "active",
    )
    assert first["next"][0] == first["next_at"] == first["due_at"]
    assert len(second["next"]) == 5
    assert second["due_at"] >= second["next_at"]
    assert not first["is_under_way"]
    (last,) = surface.get(f"/schedules?cursor={page['next']}").json()["items"]
    assert (last["automation"]["id"], last["status"], last["next_at"], last["next"]) == (ids[2], "paused", None, [])
    assert surface.get("/schedules", tenant="beta").json() == {"items": [], "next": None}


def test_a_schedule_is_refused_at_its_path(surface: Surface) -> None:
    refused = surface.post("/automations", document(trigger={"schedule": {"cron": "* * *", "zone": "Mars/Base"}}))
    assert refused.status_code == 422
    assert {error["path"] for error in refused.json()["errors"]} == {"trigger.schedule.cron", "trigger.schedule.zone"}
    past = surface.post("/automations", document(trigger={"type": "schedule", "runAt": "2020-01-01T09:00"}))
    assert [(error["path"], error["code"]) for error in past.json()["errors"]] == [
        ("trigger.schedule.run_at", "never_due")
    ]


def test_a_scheduled_automation_is_tried_and_run_by_hand(running: Surface) -> None:
    automation_id = make(running, "by hand")
    sample = {"schedule": {"occurrence_at": "2027-01-15T09:00:00Z"}, "appointment": {"status": "scheduled"}}
    assert running.post(f"/automations/{automation_id}/test", {"data": sample}).json()["would_start"] is True
    started = running.post(f"/automations/{automation_id}/run", {"data": sample})
    assert started.status_code == 202
    running.settle()
    run = running.get(f"/runs/{started.json()['run_id']}").json()
    assert (run["status"], run["event"]["name"]) == ("completed", f"system.schedule.{automation_id}")
    exported = running.get(f"/automations/{automation_id}/export").json()
    assert exported["trigger"] == DAILY
    running.post("/automations/import?mode=copy", exported)
    assert len(running.get("/schedules").json()["items"]) == 2


def test_a_schedule_that_is_being_written_tells_when_it_would_be_due(surface: Surface) -> None:
    unfinished = {"trigger": {"schedule": {"weekly": {"on": "monday", "at": "09:00"}, "zone": "Europe/Paris"}}}
    told = surface.post("/automations/validate", {"document": unfinished}).json()
    assert told["valid"] is False
    assert told["schedule"]["words"] == "every monday at 09:00 (Europe/Paris)"
    assert len(told["schedule"]["next"]) == 5
    for trigger in ({"event": "a"}, {"schedule": {"cron": "x"}}, "a", None):
        assert surface.post("/automations/validate", {"document": {"trigger": trigger}}).json()["schedule"] is None
