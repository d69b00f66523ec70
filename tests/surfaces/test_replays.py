"""`/automations/{id}/replay` and what follows: looked at first, then begun, watched, held and ended, on both databases."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.crash.processes import until
from tests.surfaces.conftest import StillClock, Surface, document, make_surface
from upshot.core.instants import HOUR, MINUTE, to_text

NAME = "crm/appointment.created"
pytestmark = pytest.mark.usefixtures("own_ids")


class MovedClock(StillClock):
    """Time that a test moves, and that goes on a little by itself, so that nothing that waits for it stands still."""

    def now(self) -> int:
        """A millisecond later each time."""
        self.instant += 1_000
        return self.instant


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def past(url: str, clock: MovedClock) -> Iterator[Surface]:
    """An engine with ten events of an hour ago, five of them scheduled, and no automation."""
    for surface in make_surface(url, engine=True, clock=clock):
        events = [
            {"name": NAME, "id": f"e{n}", "data": {"appointment": {"id": n, "status": "scheduled" if n % 2 else "-"}}}
            for n in range(10)
        ]
        assert surface.post("/events", events).status_code == 202
        surface.settle()
        clock.instant += HOUR
        yield surface


def made(surface: Surface, **changes: Any) -> str:
    return str(surface.post("/automations", document(status="active", **changes)).json()["id"])


def asked(surface: Surface, automation_id: str, **body: Any) -> Any:
    """What a replay of the last day would do; with `dry_run=False`, begin it."""
    since = to_text(surface.upshot.clock.now() - 24 * HOUR)
    answer = surface.post(f"/automations/{automation_id}/replay", {"since": since, **body}, role="operator")
    assert answer.status_code == (200 if body.get("dry_run", True) else 202), answer.json()
    return answer.json()


def counted(told: Any) -> dict[str, int]:
    return {kind: number for kind, number in told["counts"].items() if number}


def at_its_end(surface: Surface, automation_id: str, replay_id: str) -> Any:
    """The replay when it is over."""

    def look() -> Any:
        return surface.get(f"/automations/{automation_id}/replays/{replay_id}", role="viewer").json()

    until(lambda: look()["finished_at"] is not None, "the replay is over")
    return look()


def test_it_is_looked_at_begun_and_seen_in_runs_and_explanations(past: Surface) -> None:
    automation_id = made(past)
    told = asked(past, automation_id)
    assert (told["id"], told["status"], told["next"]) == (None, None, None)
    assert (told["progress"], counted(told)) == ({"events": 10, "of": 10}, {"started": 5, "not_met": 5})
    past.settle()
    assert past.get("/runs").json()["items"] == [], "looking starts nothing"
    begun = asked(past, automation_id, dry_run=False, per_minute=6_000)
    assert (begun["status"], begun["created_by"], begun["version"]) == ("running", "key:operator", 1)
    told = at_its_end(past, automation_id, begun["id"])
    assert (told["status"], counted(told)) == ("completed", {"started": 5, "not_met": 5})
    past.settle()
    listed = past.get(f"/runs?replay={begun['id']}").json()["items"]
    assert len(listed) == 5
    assert {(run["status"], run["replay_id"]) for run in listed} == {("completed", begun["id"])}
    (why,) = past.get("/events/e1/explain").json()["automations"]
    assert (why["outcome"], why["replay_id"]) == ("started", begun["id"])
    assert past.get(f"/automations/{automation_id}/replays").json()["items"] == [told]
    assert counted(asked(past, automation_id)) == {"already": 5, "not_met": 5}
    assert past.post("/runs/bulk", {"action": "retry", "filter": {"replay": begun["id"]}}).json()["count"] == 0
    entries = past.get("/audit?noun=replay").json()["items"]
    assert [(entry["actor"], entry["action"], entry["noun_id"]) for entry in entries] == [
        ("key:operator", "start", begun["id"])
    ]


def test_a_large_window_is_looked_at_in_parts(past: Surface) -> None:
    automation_id, body = (
        made(past),
        {"events": 3, "condition": {"field": "appointment.id", "operator": "less_than", "value": 8}},
    )
    told = [asked(past, automation_id, **body)]
    while told[-1]["next"] is not None:
        told.append(asked(past, automation_id, **body, cursor=told[-1]["next"]))
    assert [part["progress"]["events"] for part in told] == [3, 6, 9, 10]
    assert counted(told[-1]) == {"started": 4, "not_met": 4, "left_out": 2}
    other = made(past, name="Another")
    since = to_text(past.upshot.clock.now() - HOUR)
    answer = past.post(f"/automations/{other}/replay", {"since": since, "cursor": told[0]["next"]})
    assert answer.status_code == 400


def test_it_is_paused_resumed_and_cancelled(past: Surface, clock: MovedClock) -> None:
    automation_id = made(past)
    begun = asked(past, automation_id, dry_run=False, per_minute=1)
    at = f"/automations/{automation_id}/replays/{begun['id']}"
    until(lambda: past.get(at).json()["counts"]["started"] == 1, "the first run")
    again = past.post(f"/automations/{automation_id}/replay", {"since": begun["since"], "dry_run": False})
    assert (again.status_code, begun["id"] in again.json()["detail"]) == (409, True)
    assert past.post(f"{at}/pause").json()["status"] == "paused"
    clock.instant += 10 * MINUTE
    assert past.post(f"{at}/pause").status_code == 409
    assert past.get(at).json()["counts"]["started"] == 1
    assert past.post(f"{at}/resume").json()["status"] == "running"
    until(lambda: past.get(at).json()["counts"]["started"] == 2, "the second run")
    told = past.post(f"{at}/cancel").json()
    assert (told["status"], told["counts"]["started"], told["next_at"]) == ("cancelled", 2, None)
    assert past.post(f"{at}/resume").status_code == 409
    assert past.post(f"/automations/{made(past, name='Another')}/replays/{begun['id']}/cancel").status_code == 404


def test_it_ends_with_its_automation_in_the_same_change(past: Surface) -> None:
    automation_id = made(past)
    begun = asked(past, automation_id, dry_run=False, per_minute=1)
    assert past.post(f"/automations/{automation_id}/pause", role="editor").status_code == 200
    told = past.get(f"/automations/{automation_id}/replays/{begun['id']}").json()
    assert (told["status"], told["reason"]) == ("cancelled", "The automation is paused.")
    entry = past.get("/audit?noun=replay").json()["items"][0]
    assert (entry["actor"], entry["action"], entry["after"]["status"]) == ("key:editor", "cancel", "cancelled")
    since = to_text(past.upshot.clock.now() - HOUR)
    answer = past.post(f"/automations/{automation_id}/replay", {"since": since})
    assert (answer.status_code, "is paused" in answer.json()["detail"]) == (409, True)


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({}, 400, "since"),
    ({"since": "yesterday"}, 400, "since"),
    ({"since": "2120-01-01T00:00:00Z"}, 422, "since"),
    ({"since": "2020-01-02T00:00:00Z", "until": "2020-01-01T00:00:00Z"}, 422, "since"),
    ({"since": "2020-01-02T00:00:00Z", "until": "later"}, 400, "until"),
    ({"since": "2020-01-02T00:00:00Z", "per_minute": 0}, 400, "per_minute"),
    ({"since": "2020-01-02T00:00:00Z", "per_minute": 6_001}, 400, "per_minute"),
    ({"since": "2020-01-02T00:00:00Z", "limit": 0}, 400, "limit"),
    ({"since": "2020-01-02T00:00:00Z", "events": 50_001}, 400, "events"),
    ({"since": "2020-01-02T00:00:00Z", "entity": {"type": "patient"}}, 400, "entity.id"),
    ({"since": "2020-01-02T00:00:00Z", "condition": {"field": "x", "operator": "no"}}, 422, "condition.operator"),
    ({"since": "2020-01-02T00:00:00Z", "condition": 7}, 422, "condition"),
    ({"since": "2020-01-02T00:00:00Z", "cursor": "x"}, 400, "cursor"),
    ({"since": "2020-01-02T00:00:00Z", "pace": 5}, 400, "pace"),
]


def test_what_cannot_be_asked(surface: Surface) -> None:
    automation_id = made(surface)
    for body, status, path in REFUSED:
        for dry_run in (True, False):
            told = surface.post(f"/automations/{automation_id}/replay", {**body, "dry_run": dry_run})
            found = [problem["path"] for problem in told.json()["errors"]]
            assert (told.status_code, found) == (status, [path]), (body, told.json())
    assert surface.get(f"/automations/{automation_id}/replays").json()["items"] == []


def test_nothing_of_another_tenant_and_of_nobody(surface: Surface) -> None:
    automation_id, since = made(surface), "2020-01-01T00:00:00Z"
    begun = surface.post(f"/automations/{automation_id}/replay", {"since": since, "dry_run": False}).json()
    for tenant, at in (("beta", automation_id), ("alpha", "nobody")):
        assert surface.post(f"/automations/{at}/replay", {"since": since}, tenant=tenant).status_code == 404
        assert surface.get(f"/automations/{at}/replays", tenant=tenant).status_code == 404
        assert surface.get(f"/automations/{at}/replays/{begun['id']}", tenant=tenant).status_code == 404
        assert surface.post(f"/automations/{at}/replays/{begun['id']}/cancel", tenant=tenant).status_code == 404
    assert surface.get("/runs?replay=nobody").json() == {"items": [], "next": None}
