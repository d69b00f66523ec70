"""Schedules that are for each entity of a type, or for those with a date so many days before or after: everybody once."""

import asyncio
import threading
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text

from tests.crash.processes import until
from tests.engine.conftest import Bench
from upshot import Conflict, Refused
from upshot.core.dates import days_of

NOTE = {"id": "note", "action": "note", "with": {"who": "{{ entity.id }}", "day": "{{ schedule.date }}"}}
HOUR, DAY = 3_600.0, 86_400.0


def scheduled(bench: Bench, condition: dict[str, Any] | None = None, action: str = "note", **schedule: Any) -> str:
    """An active automation with this schedule; its id. The bench begins at 2027-01-15T08:00 UTC."""
    trigger, steps = {"schedule": {"daily": "09:00", **schedule}}, [{**NOTE, "action": action}]
    document = {"name": "s", "trigger": trigger, "condition": condition, "steps": steps, "status": "active"}
    return bench.upshot.automations.create("default", document)["id"]


def member(bench: Bench, name: str, **fields: Any) -> None:
    bench.upshot.entities.replace("default", "member", name, fields=fields)


def pass_time(bench: Bench, seconds: float) -> None:
    """Let so much time pass, and sweeps take as long as they rest."""
    bench.advance(seconds)
    for _ in range(40):
        items = bench.upshot.schedules.page("default").items
        if not any(item["is_under_way"] for item in items):
            return
        bench.advance(0.2)
    raise AssertionError("a sweep did not end")


def met(bench: Bench) -> list[str]:
    return sorted(args["who"] for _, args in bench.calls)


def test_each_entity_for_whom_the_condition_holds_starts_once_an_occurrence(bench: Bench) -> None:
    for name, total in (("a", 50), ("b", 150), ("c", 250)):
        bench.upshot.entities.create("default", "cart", id=name, fields={"total": total})
    bench.upshot.entities.create("default", "order", id="b", fields={"total": 500})
    automation_id = scheduled(bench, {"field": "total", "operator": "greater_than", "value": 100}, each="cart")
    pass_time(bench, HOUR)
    assert met(bench) == ["b", "c"]
    run = bench.runs()[0]
    assert run["entity"] == {"type": "cart", "id": "b"}
    assert run["event"]["id"] == f"schedule:{automation_id}:2027-01-15T09:00:00.000000Z:cart:b"
    pass_time(bench, DAY)
    assert met(bench) == ["b", "b", "c", "c"]


def test_each_who_is_in_a_segment_and_of_those_each_whose_date_comes(bench: Bench) -> None:
    for name, points, day in (("a", 50, 22), ("b", 150, 22), ("c", 250, 23), ("d", 350, 22)):
        member(bench, name, points=points, renews_on=f"2027-01-{day}")
    with pytest.raises(Refused) as refused:
        scheduled(bench, each={"segment": "VIP"})
    assert [(one.path, one.code) for one in refused.value.problems] == [
        ("trigger.schedule.each.segment", "unknown_segment")
    ]
    condition = {"field": "points", "operator": "greater_than", "value": 100}
    segment = bench.upshot.segments.create("default", name="VIP", entity_type="member", condition=condition)
    bench.settle()
    scheduled(bench, {"field": "points", "operator": "less_than", "value": 300}, each={"segment": "VIP"})
    scheduled(bench, each={"segment": "VIP", "before": {"field": "renews_on", "days": 7}})
    words = {one["words"] for one in bench.upshot.schedules.page("default").items}
    assert "every day at 09:00, for each entity in the segment “VIP”" in words
    pass_time(bench, HOUR)
    assert met(bench) == ["b", "b", "c", "d"]
    with pytest.raises(Conflict, match="“s”"):
        bench.upshot.segments.delete("default", segment["id"])


def test_carts_older_than_a_day(bench: Bench) -> None:
    bench.upshot.entities.create("default", "cart", id="old")
    older = {"field": "entity.created_at", "operator": "more_than_ago", "value": {"n": 24, "unit": "hour"}}
    scheduled(bench, older, each={"type": "cart"})
    pass_time(bench, 1.5 * HOUR)
    assert met(bench) == []
    bench.upshot.entities.create("default", "cart", id="new")
    pass_time(bench, DAY - HOUR / 2)
    assert met(bench) == ["old"]


def test_days_before_and_after_a_date(bench: Bench) -> None:
    member(bench, "in a week", renews_on="2027-01-22", joined_at="2026-12-16T23:30:00+01:00")
    member(bench, "in eight days", renews_on="2027-01-23", joined_at="2026-12-16T23:30:00-01:00")
    member(bench, "never", renews_on="soon", joined_at=None)
    scheduled(bench, each={"type": "member", "before": {"field": "renews_on", "days": 7}})
    scheduled(bench, each={"type": "member", "after": {"field": "joined_at", "days": 30}})
    pass_time(bench, HOUR)
    assert Counter((args["who"], args["day"]) for _, args in bench.calls) == {
        ("in a week", "2027-01-22"): 1,
        ("in a week", "2026-12-16"): 1,
    }
    pass_time(bench, DAY)
    assert Counter(met(bench)) == {"in a week": 2, "in eight days": 2}


def test_the_local_day_counts(bench: Bench) -> None:
    member(bench, "evening", seen_at="2027-01-14T23:30:00Z")  # the 15th in Paris, the 14th in New York
    for zone in ("Europe/Paris", "America/New_York"):
        scheduled(bench, zone=zone, daily="09:30", each={"type": "member", "after": {"field": "seen_at", "days": 0}})
    pass_time(bench, 8 * HOUR)
    assert [args["day"] for _, args in bench.calls] == ["2027-01-15"]


def test_nobody_is_met_twice_by_one_date_and_again_when_it_is_moved(bench: Bench) -> None:
    member(bench, "m", renews_on="2027-01-22")
    automation_id = scheduled(bench, each={"type": "member", "before": {"field": "renews_on", "days": 7}})
    pass_time(bench, HOUR)
    document = bench.upshot.automations.draft("default", automation_id)
    document["trigger"]["schedule"]["daily"] = "11:00"  # another schedule, the same day, the same date
    bench.upshot.automations.save("default", automation_id, document)
    pass_time(bench, 3 * HOUR)
    assert met(bench) == ["m"]
    member(bench, "m", renews_on="2027-01-23")
    pass_time(bench, DAY)
    assert [args["day"] for _, args in bench.calls] == ["2027-01-22", "2027-01-23"]


def test_days_on_which_nothing_ran_are_caught_up(bench: Bench) -> None:
    for day in (22, 23, 24, 25):
        member(bench, f"m{day}", renews_on=f"2027-01-{day}")
    scheduled(bench, each={"type": "member", "before": {"field": "renews_on", "days": 7}})
    bench.upshot.stop()
    bench.clock.advance(3 * DAY)
    bench.restart()
    pass_time(bench, 1)
    pass_time(bench, 1)
    pass_time(bench, 1)
    assert met(bench) == ["m22", "m23", "m24"]


def test_thousands_are_gone_through_in_pages_across_a_restart_and_a_pause(bench: Bench) -> None:
    gate, engine = threading.Event(), bench.upshot.engine

    async def greet(args: dict, context) -> None:  # type: ignore[type-arg] - an action may take plain arguments
        bench.calls.append((context.step_id, args))
        await asyncio.to_thread(gate.wait)

    def waits() -> bool:
        """Whether no further page is begun, since as many as one are being greeted."""
        is_full = engine.run.driven("default") >= engine.process.limits.sweep_page
        with bench.upshot.database.reading() as connection:
            unmatched = connection.execute(text("SELECT count(*) FROM upshot_unmatched")).scalar_one()
        return is_full and engine.services["schedule"].is_resting and engine.match.is_idle() and not unmatched

    bench.upshot.action("greet")(greet)
    for number in range(600):
        member(bench, f"m{number:04}", renews_on="2027-01-22")
    automation_id = scheduled(
        bench, action="greet", each={"type": "member", "before": {"field": "renews_on", "days": 7}}
    )
    assert engine.loop is not None
    bench.clock.advance(HOUR)
    engine.loop.call_soon_threadsafe(engine.wake)
    until(waits, "a page is under way and the next waits")
    bench.upshot.automations.pause("default", automation_id)
    gate.set()
    bench.settle()
    paused = len(bench.calls)
    assert 0 < paused < 600
    bench.advance(60)
    assert len(bench.calls) == paused
    bench.upshot.automations.activate("default", automation_id)
    bench.restart()
    bench.upshot.action("greet")(greet)
    pass_time(bench, 11)
    pass_time(bench, 61)  # a step looks for an action that was not there a minute later
    assert met(bench) == [f"m{number:04}" for number in range(600)]


def give_at_once(bench: Bench, *tenants: str) -> None:
    """Let these tenants, whose definitions are known, give an event each that wait together for the writer, which is busy."""
    engine, events, gate = bench.upshot.engine, bench.upshot.events, threading.Event()
    assert engine.loop is not None
    busy = threading.Thread(target=bench.upshot.commit.run, args=(lambda _: gate.wait(),))
    busy.start()

    async def give() -> None:
        accepting = [asyncio.create_task(events.accept_async(tenant, [{"name": "test/given"}])) for tenant in tenants]
        asyncio.get_running_loop().call_soon(gate.set)
        await asyncio.gather(*accepting)

    asyncio.run_coroutine_threadsafe(give(), engine.loop).result()
    busy.join()


def test_pages_are_a_quarter_while_others_have_work(bench: Bench) -> None:
    gate, engine = threading.Event(), bench.upshot.engine

    async def greet(args: dict, context) -> None:  # type: ignore[type-arg] - an action may take plain arguments
        bench.calls.append((context.step_id, args))
        await asyncio.to_thread(gate.wait)

    bench.upshot.action("greet")(greet)
    bench.upshot.tenants.ensure("other")
    for number in range(30):
        member(bench, f"m{number:02}")
    scheduled(bench, action="greet", each={"type": "member"})
    bench.advance(HOUR - 0.5)
    for tenant in ("default", "other"):
        bench.upshot.emit("test/given", tenant=tenant)
    give_at_once(bench, "default", "other")
    assert engine.loop is not None
    bench.clock.advance(0.5)
    engine.loop.call_soon_threadsafe(engine.wake)
    size = engine.process.limits.sweep_page // 4
    try:
        until(lambda: len(bench.calls) >= size and engine.services["schedule"].is_resting, "the first page is greeted")
        assert len(bench.calls) == size
    finally:
        gate.set()
    pass_time(bench, 1)
    assert met(bench) == [f"m{number:02}" for number in range(30)]


def test_the_index_of_dates_follows_every_change(bench: Bench) -> None:
    entities = bench.upshot.entities
    member(bench, "a", on="2027-01-22", at="2027-01-22T23:30:00-05:00", note="2027", bad="2027-13-01")
    entities.patch("default", "member", "a", fields={"on": "2027-02-01", "born": "2000-02-29"})
    entities.patch("default", "member", "a", fields={"at": None})
    member(bench, "b", on="2027-01-22")
    entities.delete("default", "member", "b")
    with bench.upshot.database.reading() as connection:
        kept = connection.execute(text("SELECT field, on_day, entity_id FROM upshot_entity_dates ORDER BY 1")).all()
    assert [tuple(row) for row in kept] == [("born", "2000-02-29", "a"), ("on", "2027-02-01", "a")]


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2027-03-01", "2027-03-01"),
        ("2027-03-01T00:30:00+02:00", "2027-02-28"),
        ("2027-03-01T23:30:00Z", "2027-03-01"),
        ("2027-03-01 09:00", "2027-03-01"),
        ("2027-02-30", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("20270301", None),
        (20270301, None),
        ("2027-03-01 or so", None),
    ],
)
def test_what_counts_as_a_date(value: Any, day: str | None) -> None:
    assert days_of({"x": value}) == ({"x": day} if day is not None else {})


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ({"each": 5}, ("each", "bad_type")),
        ({"each": {"type": "no type"}}, ("each.type", "bad_type")),
        ({"each": {"type": "m", "segment": "VIP"}}, ("each.type", "unknown_field")),
        ({"each": {"segment": ""}}, ("each.segment", "bad_name")),
        ({"each": {"type": "m", "colour": 1}}, ("each.colour", "unknown_field")),
        ({"each": {"type": "m", "before": {"days": 7}}}, ("each.before.field", "required")),
        ({"each": {"type": "m", "after": {"field": "on", "days": -1}}}, ("each.after.days", "out_of_range")),
        ({"each": {"type": "m", "after": {"field": "on", "days": 1, "x": 1}}}, ("each.after.x", "unknown_field")),
        (
            {"each": {"type": "m", "before": {"field": "on", "days": 1}, "after": {"field": "on", "days": 1}}},
            ("each", "bad_schedule"),
        ),
        (
            {"daily": ["09:00", "10:00"], "each": {"type": "m", "after": {"field": "on", "days": 1}}},
            ("each", "bad_schedule"),
        ),
        ({"each": "m", "overlap": "skip"}, ("overlap", "bad_option")),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_path(
    bench: Bench, schedule: dict[str, Any], problem: tuple[str, str]
) -> None:
    with pytest.raises(Refused) as refused:
        scheduled(bench, **schedule)
    path, code = problem
    assert [(p.path, p.code) for p in refused.value.problems] == [(f"trigger.schedule.{path}", code)]
