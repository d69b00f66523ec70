"""Schedules on the real engine: due by the calendar, each occurrence once, and every policy."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.conftest import Bench
from upshot import Refused
from upshot.core.instants import from_text
from upshot.testing.clock import START

NOTE = {"id": "note", "action": "note", "with": {"at": "{{ schedule.local_time }}"}}
HOUR = 3_600.0


def scheduled(bench: Bench, steps: list[dict[str, Any]] | None = None, **schedule: Any) -> str:
    """An active automation with this schedule; its id. The bench begins at 2027-01-15T08:00 UTC, a Friday."""
    document = {"name": "s", "trigger": {"schedule": schedule}, "steps": steps or [NOTE], "status": "active"}
    return bench.upshot.automations.create("default", document)["id"]


def started(bench: Bench) -> list[str]:
    """The local times of the runs' occurrences, in their order."""
    return [args["at"] for _, args in bench.calls]


def listed(bench: Bench) -> dict[str, Any]:
    (item,) = bench.upshot.schedules.page("default").items
    return item


def test_an_occurrence_starts_one_run_and_the_next_one_is_known(bench: Bench) -> None:
    scheduled(bench, daily="09:30", zone="Europe/Paris")
    bench.advance(29 * 60)
    assert started(bench) == []
    bench.advance(60)
    assert started(bench) == ["2027-01-15T09:30:00"]
    assert listed(bench)["next_at"] == "2027-01-16T08:30:00.000000Z"
    assert listed(bench)["last_at"] == "2027-01-15T08:30:00.000000Z"
    bench.restart()
    bench.advance(24 * HOUR)
    assert started(bench) == ["2027-01-15T09:30:00", "2027-01-16T09:30:00"]
    assert {run["status"] for run in bench.runs()} == {"completed"}


def test_the_condition_decides_and_a_non_run_is_explained(bench: Bench) -> None:
    automation_id = scheduled(bench, daily="09:00")
    document = bench.upshot.automations.draft("default", automation_id)
    document["condition"] = {"field": "now.weekday", "operator": "equals", "value": "saturday"}
    bench.upshot.automations.save("default", automation_id, document)
    bench.advance(HOUR)
    assert started(bench) == []
    (event,) = bench.events()
    assert event["id"] == f"schedule:{automation_id}:2027-01-15T09:00:00.000000Z"
    (told,) = bench.upshot.events.explain("default", event["id"])["automations"]
    assert (told["automation_id"], told["outcome"]) == (automation_id, "condition_false")
    bench.advance(24 * HOUR)
    assert started(bench) == ["2027-01-16T09:00:00"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, ["2027-01-18T09:00:00"]),
        ({"catch_up": "all"}, [f"2027-01-{day}T09:00:00" for day in (15, 16, 17, 18)]),
        ({"catch_up": "all", "catch_up_hours": 30}, [f"2027-01-{day}T09:00:00" for day in (17, 18)]),
        ({"catch_up": "none"}, []),
        ({"catch_up_hours": 1}, []),
    ],
)
def test_what_was_missed_is_caught_up_as_the_schedule_says(
    bench: Bench, policy: dict[str, Any], expected: list[str]
) -> None:
    scheduled(bench, daily="09:00", **policy)
    bench.upshot.stop()
    bench.clock.advance(3 * 24 * HOUR + 3 * HOUR)  # Monday, 11:00
    bench.restart()
    assert started(bench) == expected
    assert listed(bench)["next_at"] == "2027-01-19T09:00:00.000000Z"
    assert listed(bench)["skipped_why"] == (None if len(expected) == 4 else "missed")


@pytest.mark.parametrize(
    ("overlap", "statuses"),
    [
        ("allow", ["waiting", "waiting"]),
        ("skip", ["waiting"]),
        ("queue", ["waiting"]),
        ("cancel", ["cancelled", "waiting"]),
    ],
)
def test_a_run_that_is_not_over_when_the_next_one_is_due(bench: Bench, overlap: str, statuses: list[str]) -> None:
    scheduled(bench, [{"id": "long", "delay": "90m"}, NOTE], cron="0 * * * *", overlap=overlap)
    bench.advance(HOUR)
    bench.advance(HOUR)
    assert [run["status"] for run in bench.runs()] == statuses
    assert listed(bench)["skipped_why"] == ("overlap" if overlap == "skip" else None)
    bench.advance(0.5 * HOUR)  # 10:30: the first is over
    bench.advance(3)
    assert len(bench.runs()) == (1 if overlap == "skip" else 2)
    assert started(bench) == ([] if overlap == "cancel" else ["2027-01-15T09:00:00"])


def test_a_pause_lets_occurrences_pass_and_nothing_is_caught_up(bench: Bench) -> None:
    automation_id = scheduled(bench, daily="09:00")
    bench.upshot.automations.pause("default", automation_id)
    assert (listed(bench)["status"], listed(bench)["next_at"]) == ("paused", None)
    bench.advance(2 * HOUR)
    bench.upshot.automations.activate("default", automation_id)
    bench.advance(HOUR)
    assert started(bench) == []
    assert listed(bench)["next_at"] == "2027-01-16T09:00:00.000000Z"
    bench.upshot.automations.delete("default", automation_id)
    assert bench.upshot.schedules.page("default").items == []
    bench.advance(48 * HOUR)
    assert started(bench) == []


def test_another_step_keeps_what_is_due_and_another_time_does_not(bench: Bench) -> None:
    automation_id = scheduled(bench, daily="09:00")
    bench.upshot.stop()
    bench.clock.advance(1.5 * HOUR)
    document = bench.upshot.automations.draft("default", automation_id)
    bench.upshot = bench.open()
    bench.upshot.automations.save("default", automation_id, {**document, "priority": 7})
    bench.restart()
    assert started(bench) == ["2027-01-15T09:00:00"]
    document["trigger"]["schedule"] = {"daily": "09:15"}
    bench.upshot.automations.save("default", automation_id, document)
    bench.advance(HOUR)
    assert listed(bench)["next_at"] == "2027-01-16T09:15:00.000000Z"
    assert started(bench) == ["2027-01-15T09:00:00"]


def test_a_one_off_is_over_afterwards(bench: Bench) -> None:
    scheduled(bench, run_at="2027-01-15T09:00:00+00:00", jitter_seconds=600)
    due = from_text(listed(bench)["due_at"])
    assert 0 < due - START - int(HOUR) * 10**6 < 600 * 10**6
    bench.advance(HOUR + 1)
    assert bench.runs() == []
    bench.advance(600)
    assert started(bench) == ["2027-01-15T09:00:00"]
    assert (listed(bench)["status"], listed(bench)["next_at"], listed(bench)["next"]) == ("over", None, [])


def test_a_schedule_follows_its_tenants_zone(bench: Bench) -> None:
    scheduled(bench, daily="09:00")
    assert listed(bench)["next_at"] == "2027-01-15T09:00:00.000000Z"
    bench.upshot.tenants.change("default", settings={"zone": "America/New_York"})
    assert listed(bench)["next_at"] == "2027-01-15T14:00:00.000000Z"


def test_a_suspended_tenants_occurrences_wait(bench: Bench) -> None:
    scheduled(bench, daily="09:00")
    bench.upshot.tenants.change("default", status="suspended")
    bench.advance(2 * HOUR)
    assert started(bench) == []
    bench.upshot.tenants.change("default", status="active")
    bench.advance(61)
    assert started(bench) == ["2027-01-15T09:00:00"]


@pytest.mark.parametrize(
    ("schedule", "path", "code"),
    [
        ({"run_at": "2027-03-14T02:30", "zone": "America/New_York"}, "trigger.schedule.run_at", "impossible_time"),
        ({"run_at": "2027-01-15T07:00"}, "trigger.schedule.run_at", "never_due"),
        ({"rrule": "FREQ=DAILY;COUNT=3", "starts": "2026-01-01T09:00"}, "trigger.schedule.rrule", "never_due"),
    ],
)
def test_one_that_is_never_due_is_refused_on_save(bench: Bench, schedule: dict[str, Any], path: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        scheduled(bench, **schedule)
    assert [(problem.path, problem.code) for problem in refused.value.problems] == [(path, code)]
    validated = bench.upshot.automations.validate(
        {"name": "s", "trigger": {"schedule": schedule}, "steps": [NOTE]}, tenant_id="default"
    )
    assert [(problem["path"], problem["code"]) for problem in validated["problems"]] == [(path, code)]


def test_more_than_one_transaction_takes_all_start_once(bench: Bench) -> None:
    documents = [
        {"name": f"s{n}", "trigger": {"schedule": {"daily": "09:00"}}, "steps": [NOTE], "status": "active"}
        for n in range(250)
    ]
    bench.upshot.automations.import_documents("default", documents)
    bench.advance(HOUR)
    assert len(bench.calls) == 250
    assert len({run["automation"]["id"] for run in bench.runs()}) == 200  # of the 200 that are listed
    bench.advance(HOUR)
    assert len(bench.calls) == 250


@pytest.fixture
def shared(url: str) -> Iterator[tuple[Bench, Bench]]:
    """Two engines on one database, with one clock."""
    if url.startswith("sqlite"):
        with Bench(url) as one:
            yield one, one
        return
    with Bench(url) as one:
        other = Bench(url)
        other.clock = one.clock
        other.upshot = other.open()
        with other:
            yield one, other


def test_two_workers_start_an_occurrence_once(shared: tuple[Bench, Bench]) -> None:
    one, other = shared
    for _ in range(20):
        scheduled(one, cron="*/10 * * * *", overlap="queue")
    for _ in range(6):
        one.clock.advance(600)
        for bench in {id(one): one, id(other): other}.values():
            bench.advance(0)
    for bench in (one, other, one):
        bench.settle()
    happened = [*one.calls, *other.calls] if one is not other else one.calls
    assert len(happened) == 120
    assert sorted(args["at"] for _, args in happened)[0] == "2027-01-15T08:10:00"


def test_a_field_that_changes_from_and_to_a_value_starts_a_run(bench: Bench) -> None:
    change = {"type": "patient", "field": "status", "from": "admitted", "to": "discharged"}
    step = {"id": "note", "action": "note", "with": {"at": "{{ patient.id }}"}}
    document = {"name": "c", "trigger": {"change": change}, "steps": [step], "status": "active"}
    bench.upshot.automations.create("default", document)
    patients = bench.upshot.entities
    patients.create("default", "patient", id="a", fields={"status": "discharged"})
    patients.create("default", "patient", id="b", fields={"status": "admitted", "room": 1})
    patients.patch("default", "patient", "b", fields={"room": 2})
    patients.patch("default", "patient", "b", fields={"status": "discharged"})
    patients.patch("default", "patient", "b", fields={"room": 3})
    bench.settle()
    assert started(bench) == ["b"]


def test_one_that_is_run_by_hand_only_starts_by_nothing_else(bench: Bench) -> None:
    step = {"id": "note", "action": "note", "with": {"at": "{{ who }}"}}
    document = {"name": "m", "trigger": {"manual": True}, "steps": [step], "status": "active"}
    automation_id = bench.upshot.automations.create("default", document)["id"]
    with pytest.raises(Refused):
        bench.emit(f"system.manual.{automation_id}", {"who": "nobody"})
    started_by_hand = bench.upshot.runs.start_by_hand("default", automation_id, {"who": "me"})
    bench.settle()
    assert started(bench) == ["me"]
    run = bench.upshot.runs.get("default", started_by_hand["run_id"])
    assert (run["status"], run["event"]["name"]) == ("completed", f"system.manual.{automation_id}")
