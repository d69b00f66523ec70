"""`/automations/{id}/backtest`: what would have happened, and that nothing does."""

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.surfaces.conftest import StillClock, Surface, document, make_surface
from upshot.adapters.clock import ids_from
from upshot.core.instants import DAY, HOUR, to_text
from upshot.store.schema import runs

NAME = "crm/appointment.created"
OTHER = "crm/appointment.moved"


def condition(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"combinator": "and", "rules": list(rules)}


def above(minutes: int) -> dict[str, Any]:
    """Appointments that are longer."""
    return condition({"field": "minutes", "operator": "greater_than", "value": minutes})


def give(surface: Surface, *minutes: int, name: str = NAME, **more: Any) -> None:
    events = [{"name": name, "id": f"{name}-{n}", "data": {"minutes": n}, **more} for n in minutes]
    assert surface.post("/events", events).status_code == 202


def made(surface: Surface, **changes: Any) -> str:
    return str(surface.post("/automations", document(**changes)).json()["id"])


def saved(surface: Surface, automation_id: str, **changes: Any) -> None:
    answer = surface.put(f"/automations/{automation_id}", document(**changes), headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.json()


def backtest(surface: Surface, automation_id: str, **body: Any) -> Any:
    answer = surface.post(f"/automations/{automation_id}/backtest", body, role="viewer")
    assert answer.status_code == 200, answer.json()
    return answer.json()


def kinds(told: Any) -> dict[str, int]:
    """The counts that are not zero."""
    return {kind: count for kind, count in told["counts"].items() if count}


def ids(told: Any, kind: str) -> list[str]:
    return [sample["event_id"] for sample in told["samples"][kind]]


@pytest.fixture(autouse=True)
def ids_of_now() -> Iterator[None]:
    """Ids are made for the instants of each test, whatever time other tests of this process lived in."""
    with ids_from(os.urandom):
        yield


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def still(url: str, clock: StillClock) -> Iterator[Surface]:
    """A surface whose time passes only when the test moves it."""
    yield from make_surface(url, clock=clock)


def test_a_draft_is_compared_with_the_live_version(surface: Surface) -> None:
    automation = made(surface, condition=above(50), status="active")
    give(surface, 10, 40, 60, 80)
    saved(surface, automation, condition=condition({"field": "minutes", "operator": "between", "value": [30, 70]}))
    told = backtest(surface, automation)
    assert kinds(told) == {"newly": 1, "no_longer": 1, "both": 1, "neither": 1}
    assert (told["would_start"], told["other_would_start"]) == (2, 2)
    assert (told["version"], told["draft_revision"], told["against"], told["next"]) == (None, 2, 1, None)
    assert told["progress"] == {"events": 4, "of": 4}
    assert ids(told, "newly") == [f"{NAME}-40"]
    (lost,) = told["samples"]["no_longer"]
    assert (lost["event_id"], lost["name"], lost["entity"]) == (f"{NAME}-80", NAME, None)
    assert "80" in lost["reason"]
    assert "70" in lost["reason"]
    assert lost["other_reason"].startswith("Matched")


def test_any_version_is_compared_with_any(surface: Surface) -> None:
    automation = made(surface, condition=above(10), status="active")
    for minutes in (20, 30):
        saved(surface, automation, condition=above(minutes), status="active")
    give(surface, 15, 25, 35)
    told = backtest(surface, automation, version=1, against=2)
    assert (told["version"], told["draft_revision"], told["against"]) == (1, None, 2)
    assert (kinds(told), ids(told, "newly")) == ({"newly": 1, "both": 2}, [f"{NAME}-15"])
    assert kinds(backtest(surface, automation, version=2)) == {"newly": 1, "both": 1, "neither": 1}


def test_what_was_never_published_has_no_other_version(surface: Surface) -> None:
    automation = made(surface, condition=above(50))
    give(surface, 10, 60)
    told = backtest(surface, automation)
    assert (told["against"], kinds(told)) == (None, {"newly": 1, "neither": 1})
    assert told["samples"]["newly"][0]["other_reason"] == "There is no other version."


def test_two_versions_may_start_on_two_events(still: Surface, clock: StillClock) -> None:
    automation = made(still, condition=None, status="active")
    saved(still, automation, condition=above(20), trigger={"event": OTHER})
    give(still, 1, 2, 3)
    give(still, 10, 30, name=OTHER)
    clock.instant += HOUR
    whole = backtest(still, automation)
    assert kinds(whole) == {"newly": 1, "no_longer": 3, "neither": 1}
    assert whole["samples"]["newly"][0]["other_reason"] == f"It starts on {NAME}."
    assert whole["samples"]["no_longer"][0]["other_reason"] == "It has no condition."
    assert part_by_part(still, automation, 2)[-1] == whole


def part_by_part(surface: Surface, automation_id: str, limit: int) -> list[Any]:
    """The answers of a backtest that looks at so many events a call."""
    told = [backtest(surface, automation_id, limit=limit)]
    while told[-1]["next"] is not None:
        told.append(backtest(surface, automation_id, limit=limit, cursor=told[-1]["next"]))
    return told


@pytest.mark.parametrize("limit", [1, 3, 10, 11])
def test_part_by_part_it_says_how_far_it_is_and_ends_the_same(still: Surface, clock: StillClock, limit: int) -> None:
    automation = made(still, condition=above(3), status="active")
    saved(still, automation, condition=above(6))
    give(still, *range(10))
    clock.instant += HOUR
    whole = backtest(still, automation)
    assert (kinds(whole), whole["progress"]) == ({"no_longer": 3, "both": 3, "neither": 4}, {"events": 10, "of": 10})
    parts = part_by_part(still, automation, limit)
    assert parts[-1] == whole
    seen = [part["progress"]["events"] for part in parts]
    assert seen == sorted(seen)
    assert all(part["progress"]["of"] == 10 for part in parts)
    assert seen[0] == min(limit, 10)


def test_at_most_five_samples_of_a_kind_the_newest(surface: Surface) -> None:
    automation = made(surface, condition=above(3))
    for number in range(4, 12):
        give(surface, number)
    assert ids(backtest(surface, automation), "newly") == [f"{NAME}-{n}" for n in (11, 10, 9, 8, 7)]


def test_a_window_begins_with_its_first_instant_and_ends_before_its_last(still: Surface, clock: StillClock) -> None:
    automation = made(still, condition=None)
    began = clock.instant
    for hour in range(4):
        clock.instant = began + hour * HOUR
        give(still, hour)
    window = {"since": to_text(began + HOUR), "until": to_text(began + 3 * HOUR)}
    told = backtest(still, automation, **window)
    assert ids(told, "newly") == [f"{NAME}-2", f"{NAME}-1"]
    assert (told["since"], told["until"]) == (window["since"], window["until"])
    clock.instant = began + 7 * DAY
    told = backtest(still, automation)
    assert ids(told, "newly") == [f"{NAME}-{n}" for n in (3, 2, 1, 0)], "without a window, a week"
    clock.instant += 1
    assert backtest(still, automation)["progress"] == {"events": 3, "of": 3}
    ahead = to_text(clock.instant + DAY)
    assert backtest(still, automation, until=ahead)["until"] == to_text(clock.instant), "what is to come is not past"


def test_now_is_the_instant_the_event_was_accepted(still: Surface, clock: StillClock) -> None:
    automation = made(still, condition=condition({"field": "now.hour", "operator": "less_than", "value": 12}))
    hours: list[bool] = []
    for number in range(8):
        clock.instant += 3 * HOUR
        hours.append(int(to_text(clock.instant)[11:13]) < 12)
        give(still, number)
    clock.instant += HOUR
    assert backtest(still, automation)["would_start"] == sum(hours)
    assert 0 < sum(hours) < 8


def test_the_entity_is_read(surface: Surface) -> None:
    automation = made(surface, condition=condition({"field": "entity.tier", "operator": "equals", "value": "gold"}))
    for name, tier in (("p1", "gold"), ("p2", "none")):
        assert surface.post("/entities/patient", {"id": name, "fields": {"tier": tier}}).status_code == 201
        give(surface, 1 if name == "p1" else 2, entity={"type": "patient", "id": name})
    give(surface, 3, entity={"type": "patient", "id": "nobody"})
    told = backtest(surface, automation)
    assert kinds(told) == {"newly": 1, "neither": 2}
    assert told["samples"]["newly"][0]["entity"] == {"type": "patient", "id": "p1"}


def test_nothing_of_another_tenant_and_nothing_of_tests(running: Surface) -> None:
    automation = made(running, condition=None, status="active")
    assert running.post("/events", {"name": NAME, "data": {}}, tenant="beta").status_code == 202
    assert running.post(f"/automations/{automation}/run", {"data": {}, "test": True}).status_code == 202
    running.settle()
    assert backtest(running, automation)["progress"] == {"events": 0, "of": 0}
    assert running.post(f"/automations/{automation}/backtest", {}, tenant="beta").status_code == 404


def test_it_decides_as_matching_decided_and_does_nothing(running: Surface) -> None:
    chance = random.Random(5)
    rules = [
        {"field": "minutes", "operator": "greater_than", "value": 30},
        {"field": "kind", "operator": "in", "value": ["a", "b"]},
        {"combinator": "or", "not": True, "rules": [{"field": "note", "operator": "contains", "value": "x"}]},
    ]
    automation = made(running, condition=condition(*rules), status="active")
    for number in range(60):
        data: dict[str, Any] = {"minutes": chance.randrange(60), "kind": chance.choice("abc")}
        if chance.random() < 0.7:
            data["note"] = chance.choice(["axb", "ab", None])
        running.post("/events", {"name": NAME, "id": f"e{number}", "data": data})
    running.settle()
    with running.upshot.database.reading() as connection:
        started = len(connection.execute(runs.select()).all())
    before = running.get("/stats").json()
    told = backtest(running, automation)
    assert (told["would_start"], kinds(told)) == (started, {"both": started, "neither": 60 - started})
    assert 0 < started < 60
    running.settle()
    assert running.get("/stats").json() == before


def test_what_has_no_answer_starts_nothing(surface: Surface) -> None:
    rule = {"field": "at", "operator": "before", "value": {"mode": "relative", "offset": 1_000_000, "unit": "year"}}
    automation = made(surface, condition=condition(rule), status="active")
    surface.post("/events", {"name": NAME, "id": "far", "data": {"at": "2026-11-21"}})
    told = backtest(surface, automation)
    assert (kinds(told), ids(told, "undecided")) == ({"undecided": 1}, ["far"])
    assert (told["would_start"], told["other_would_start"]) == (0, 0)


def test_a_draft_that_is_saved_meanwhile_is_begun_again(surface: Surface) -> None:
    automation = made(surface, condition=above(1), status="active")
    give(surface, 1, 2, 3)
    begun, of_version = backtest(surface, automation, limit=1), backtest(surface, automation, limit=1, version=1)
    saved(surface, automation, condition=above(2), status="active")
    told = surface.post(f"/automations/{automation}/backtest", {"cursor": begun["next"]})
    assert (told.status_code, told.json()["type"]) == (409, "urn:upshot:problem:draft_changed")
    ended = backtest(surface, automation, cursor=of_version["next"])
    assert (ended["against"], kinds(ended)) == (1, {"both": 2, "neither": 1}), "the versions it began with"


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        ({"since": "2020-01-02T00:00:00Z", "until": "2020-01-01T00:00:00Z"}, 422, "since"),
        ({"since": "2120-01-01T00:00:00Z"}, 422, "since"),
        ({"since": "yesterday"}, 400, "since"),
        ({"until": "2020-01-01T00:00:00"}, 400, "until"),
        ({"version": 0}, 400, "version"),
        ({"version": 2}, 404, None),
        ({"against": 2}, 404, None),
        ({"limit": 0}, 400, "limit"),
        ({"limit": 50_001}, 400, "limit"),
        ({"cursor": "x"}, 400, "cursor"),
        ({"draft": True}, 400, "draft"),
    ],
)
def test_what_cannot_be_asked(surface: Surface, body: dict[str, Any], status: int, path: str | None) -> None:
    automation = made(surface, status="active")
    told = surface.post(f"/automations/{automation}/backtest", body)
    assert told.status_code == status, told.json()
    assert path is None or [problem["path"] for problem in told.json()["errors"]] == [path]


def test_a_cursor_is_good_for_its_own_backtest(surface: Surface) -> None:
    one, other = made(surface, condition=None), made(surface, condition=None)
    give(surface, 1, 2)
    begun = backtest(surface, one, limit=1)
    assert surface.post(f"/automations/{other}/backtest", {"cursor": begun["next"]}).status_code == 400
    assert surface.post("/automations/none/backtest").status_code == 404
    assert surface.post(f"/automations/{one}/backtest").json()["progress"] == {"events": 2, "of": 2}, "without a body"
