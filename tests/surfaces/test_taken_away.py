"""What a run stands on is taken away while it sleeps: it goes on on its version, or fails and says so; it is never stuck."""

import time
from typing import Any

import pytest
from sqlalchemy import text

from tests.surfaces.conftest import Surface, make_surface

WAITS = {"id": "wait", "wait_for_event": "answered", "match": {"order": "{{ order }}"}, "timeout": "30d"}
STEPS = [WAITS, {"id": "end", "action": "emit_event", "with": {"name": "told", "data": {"order": "{{ order }}"}}}]
DOCUMENT = {"name": "Asked", "trigger": {"event": "asked"}, "steps": STEPS, "status": "active"}
OTHER = {**DOCUMENT, "steps": [{"id": "end", "stop": "nothing waits any more"}]}
WAIT_SECONDS = 30


def emit(surface: Surface, name: str, order: str) -> None:
    given = {"events": [{"name": name, "data": {"order": order}, "id": f"{name}-{order}"}]}
    assert surface.post("/events", given).is_success


def comes_to(surface: Surface, event: str, status: str) -> Any:
    """The only run of this event, once it is of this status."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        surface.settle()
        found = surface.get("/runs", params={"event": event}).json()["items"]
        if [run["status"] for run in found] == [status]:
            return surface.get(f"/runs/{found[0]['id']}").json()
        assert time.monotonic() < deadline, found


def begun(surface: Surface, order: str) -> Any:
    """The run of this order, which sleeps."""
    emit(surface, "asked", order)
    return comes_to(surface, f"asked-{order}", "waiting")


def made(surface: Surface) -> str:
    answer = surface.post("/automations", DOCUMENT)
    assert answer.status_code == 201, answer.json()
    return f"/automations/{answer.json()['id']}"


@pytest.mark.parametrize("way", ["replaced", "archived", "deleted", "archived and deleted"])
def test_a_run_that_sleeps_goes_on_on_its_version(running: Surface, way: str) -> None:
    path = made(running)
    run = begun(running, "a")
    if way == "replaced":
        assert running.put(path, OTHER, headers={"If-Match": "*"}).json()["version"] == 2
    if "archived" in way:
        assert running.post(f"{path}/archive").status_code == 200
    if "deleted" in way:
        assert running.delete(path).status_code == 204
    for version in (1, 2):
        assert running.delete(f"{path}/versions/{version}").status_code == 405, "nobody deletes a version"
    assert running.get(f"/runs/{run['id']}").json()["status"] == "waiting"
    emit(running, "answered", "a")
    ended = comes_to(running, "asked-a", "completed")
    assert [step["id"] for step in ended["steps"]] == ["wait", "end"]
    assert (ended["automation"]["version"], ended["document"]["steps"][0]["id"]) == (1, "wait")
    emit(running, "asked", "b")
    running.settle()
    of_another = [run["automation"]["version"] for run in running.get("/runs?event=asked-b").json()["items"]]
    assert of_another == ([2] if way == "replaced" else [])
    if "deleted" in way:
        assert running.post(f"{path}/undelete").json()["version"] == 1


@pytest.mark.parametrize("action", ["cancel", "pause", "skip"])
def test_people_still_reach_a_run_of_a_deleted_automation(running: Surface, action: str) -> None:
    path = made(running)
    run = begun(running, "a")
    assert running.delete(path).status_code == 204
    body = {"step": "wait", "output": {"order": "a"}} if action == "skip" else None
    assert running.post(f"/runs/{run['id']}/{action}", body).status_code == 200
    if action == "pause":
        emit(running, "answered", "a")
        assert comes_to(running, "asked-a", "paused")["steps"][0]["status"] != "completed"
        assert running.post(f"/runs/{run['id']}/resume").status_code == 200
    comes_to(running, "asked-a", "cancelled" if action == "cancel" else "completed")


def test_a_run_whose_version_is_gone_from_the_store_fails_and_says_so(url: str) -> None:
    for surface in make_surface(url, engine=True):
        made(surface)
        begun(surface, "a")
    for surface in make_surface(url, engine=True):
        with surface.upshot.database.writing() as connection:
            connection.execute(text("DELETE FROM upshot_automation_versions"))
        emit(surface, "answered", "a")
        run = comes_to(surface, "asked-a", "failed")
        assert (run["error"]["code"], run["document"]) == ("missing_version", None)
        assert "Version 1 of its automation is not in the store" in run["error"]["message"]
        (letter,) = surface.get("/dead-letters?status=open").json()["items"]
        assert (letter["code"], letter["reference"]) == ("missing_version", {"noun": "run", "id": run["id"]})
        assert surface.post(f"/runs/{run['id']}/cancel").status_code == 409
        retried = surface.post(f"/runs/{run['id']}/retry")
        assert (retried.status_code, "is gone; replay it instead" in retried.json()["detail"]) == (409, True)
