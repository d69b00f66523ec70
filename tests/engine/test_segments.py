"""Segments: who is in them, kept where entities are changed, told by events, found anew in pages."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest

from tests.engine.conftest import Bench
from upshot import Conflict, Upshot
from upshot.core.entities import CreateEntity
from upshot.core.instants import MINUTE, SECOND
from upshot.engine import segment as finding
from upshot.engine.segment import begin, keep_page, read_page
from upshot.store import entities, sweeps

NOTE = {"id": "note", "action": "note", "with": {"who": "{{ entity.id }}", "why": "{{ event.data.reason }}"}}
pytestmark = pytest.mark.usefixtures("own_ids")


def vip(bench: Bench, *, name: str = "VIP", at_least: int = 100, **more: Any) -> dict[str, Any]:
    """A segment of members with enough points."""
    condition = {"field": "points", "operator": "greater_than_or_equal", "value": at_least}
    made = bench.upshot.segments.create("default", name=name, entity_type="member", condition=condition, **more)
    bench.settle()
    return made


def member(bench: Bench, id_: str, points: int, **fields: Any) -> None:
    bench.upshot.entities.replace("default", "member", id_, fields={"points": points, **fields})
    bench.settle()


def inside(bench: Bench, segment: dict[str, Any]) -> list[str]:
    return [one["id"] for one in bench.upshot.segments.members("default", segment["id"], limit=1_000).items]


def told(bench: Bench) -> list[tuple[str, str, str]]:
    """What was told of joining and leaving: the side, who, and why; oldest first."""
    found = bench.upshot.events.page("default", limit=1_000).items
    return [
        (event["name"].removeprefix("segment."), event["entity"]["id"], event["data"]["reason"])
        for event in reversed(found)
        if event["name"].startswith("segment.")
    ]


def listening(bench: Bench, on: str, segment: str = "VIP", **more: Any) -> str:
    return bench.automation(NOTE, trigger={"type": "segment", "segment": segment, "on": on}, **more)


def test_a_change_lets_an_entity_join_and_leave_and_starts_runs(bench: Bench) -> None:
    segment = vip(bench)
    listening(bench, "joined", name="welcome")
    listening(bench, "left", name="farewell")
    listening(bench, "joined", name="not meant", condition={"field": "points", "operator": "less_than", "value": 0})
    vip(bench, name="Other", at_least=1)
    member(bench, "anna", 50)
    assert inside(bench, segment) == []
    member(bench, "anna", 150)
    member(bench, "anna", 150)  # nothing changed
    member(bench, "anna", 160)  # still in it
    assert inside(bench, segment) == ["anna"]
    bench.upshot.entities.patch("default", "member", "anna", fields={"points": 1})
    bench.settle()
    member(bench, "bo", 300)
    bench.upshot.entities.delete("default", "member", "bo")
    bench.settle()
    assert [args for _, args in bench.calls] == [
        {"who": "anna", "why": "updated"},
        {"who": "anna", "why": "updated"},
        {"who": "bo", "why": "created"},
        {"who": None, "why": "deleted"},
    ]
    of_vip = [one for one in told(bench) if one[1] == "anna"]
    assert of_vip == [("joined", "anna", "created"), ("joined", "anna", "updated"), ("left", "anna", "updated")]
    assert inside(bench, segment) == []


def made_before(upshot: Upshot, number: int, points: int = 200) -> None:
    """Members that nobody was told of."""
    wanted = [
        entities.Wanted(n, "default", CreateEntity("member", f"m-{n:05}", {"points": points})) for n in range(number)
    ]
    with upshot.database.writing() as connection:
        entities.apply(connection, wanted, upshot.clock.now(), {})


def shown(bench: Bench, segment: dict[str, Any]) -> dict[str, Any]:
    return bench.upshot.segments.get("default", segment["id"])


def changed(bench: Bench, segment: dict[str, Any], at_least: int, **more: Any) -> None:
    condition = {"field": "points", "operator": "greater_than_or_equal", "value": at_least}
    bench.upshot.segments.save("default", segment["id"], name=segment["name"], condition=condition, **more)
    bench.settle()


def test_those_who_are_there_already_join_silently_unless_it_is_to_be_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "PAGE", 3)
    for number in range(8):
        member(bench, f"m{number}", 50 * number)
    segment = vip(bench)
    assert inside(bench, segment) == ["m2", "m3", "m4", "m5", "m6", "m7"]
    assert told(bench) == []
    now = shown(bench, segment)
    assert (now["status"], now["members"]) == ("ready", 6)
    assert now["computed_at"] is not None
    changed(bench, segment, 300)
    assert (inside(bench, segment), told(bench)) == (["m6", "m7"], [])
    changed(bench, segment, 350, announce=True)
    assert told(bench) == [("left", "m6", "condition")]
    changed(bench, segment, 250, announce=True)
    assert told(bench)[1:] == [("joined", "m5", "condition"), ("joined", "m6", "condition")]
    loud = vip(bench, name="Loud", at_least=350, announce=True)
    assert told(bench)[3:] == [("joined", "m7", "condition")]
    bench.upshot.segments.delete("default", loud["id"])
    bench.settle()
    assert len(told(bench)) == 4
    assert bench.upshot.segments.page("default").items == [shown(bench, segment)]
    assert vip(bench, name="Loud")["members"] == 0  # the name is free, and nobody is left in what had it


def test_a_condition_that_is_changed_while_its_members_are_found_wins(bench: Bench) -> None:
    """Pages of two workers, of a condition that is not there any more, and of entities that were changed since."""
    upshot = bench.upshot
    made_before(upshot, 10)
    upshot.stop()
    upshot = bench.upshot = bench.open()
    condition = {"field": "points", "operator": "greater_than_or_equal", "value": 100}
    segment = upshot.segments.create("default", name="VIP", entity_type="member", condition=condition)
    now = upshot.clock.now()
    with upshot.database.writing() as connection:
        (due,) = begin(connection, now)
        assert begin(connection, now) == []
    with upshot.database.reading() as connection:
        page = read_page(connection, due, now)
    upshot.entities.patch(
        "default", "member", "m-00003", fields={"points": 1}
    )  # it has asked for itself, silently before
    upshot.entities.delete("default", "member", "m-00004")
    with upshot.database.writing() as connection:
        assert keep_page(connection, due, page, now, "one") == []
    with upshot.database.writing() as connection:
        assert keep_page(connection, due, page, now, "two") == []
    wanted = [f"m-{number:05}" for number in range(10) if number not in {3, 4}]
    assert inside(bench, segment) == wanted
    upshot.segments.save("default", segment["id"], name="VIP", condition={**condition, "value": 300})
    with upshot.database.writing() as connection:
        (due,) = begin(connection, now)
    with upshot.database.reading() as connection:
        page = read_page(connection, due, now)
    upshot.segments.save("default", segment["id"], name="VIP", condition={**condition, "value": 0})
    with upshot.database.writing() as connection:
        keep_page(connection, due, page, now, "one")
    assert shown(bench, segment)["status"] == "computing"
    bench.start()
    bench.settle()
    assert inside(bench, segment) == sorted([*wanted, "m-00003"])
    # What the two changes did by themselves was told: they left it by the condition of the time.
    assert told(bench) == [("left", "m-00003", "updated"), ("left", "m-00004", "deleted")]


def test_an_engine_that_died_in_the_middle_is_gone_on_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "PAGE", 4)
    made_before(bench.upshot, 10)
    bench.upshot.stop()
    upshot = bench.upshot = bench.open()
    condition = {"field": "points", "operator": "exists"}
    segment = upshot.segments.create("default", name="All", entity_type="member", condition=condition, announce=True)
    with upshot.database.writing() as connection:
        (due,) = begin(connection, upshot.clock.now())
    with upshot.database.reading() as connection:
        page = read_page(connection, due, upshot.clock.now())
    with upshot.database.writing() as connection:
        assert len(keep_page(connection, due, page, upshot.clock.now(), "gone")) == 4
    with upshot.database.writing() as connection:  # and it dies with the next page in its hands
        begin(connection, upshot.clock.now())
    assert (shown(bench, segment)["status"], shown(bench, segment)["members"]) == ("computing", 4)
    upshot.close()
    bench.upshot = bench.open()
    bench.start()
    bench.advance(finding.HELD / SECOND)
    assert (shown(bench, segment)["status"], shown(bench, segment)["members"]) == ("ready", 10)
    assert sorted(told(bench)) == [("joined", f"m-{number:05}", "condition") for number in range(10)]


def test_a_change_while_members_are_found_tells_what_it_does_itself(bench: Bench) -> None:
    made_before(bench.upshot, 3)
    bench.upshot.stop()
    upshot = bench.upshot = bench.open()
    condition = {"field": "points", "operator": "greater_than_or_equal", "value": 100}
    segment = upshot.segments.create("default", name="VIP", entity_type="member", condition=condition)
    upshot.entities.patch("default", "member", "m-00000", fields={"points": 500})  # it was meant already
    upshot.entities.patch("default", "member", "m-00001", fields={"points": 5})
    upshot.entities.patch("default", "member", "m-00002", fields={"points": 6})
    upshot.entities.patch("default", "member", "m-00002", fields={"points": 600})
    assert inside(bench, segment) == ["m-00000", "m-00002"]
    expected = [
        ("left", "m-00001", "updated"),
        ("left", "m-00002", "updated"),
        ("joined", "m-00002", "updated"),
    ]
    assert told(bench) == expected
    bench.start()
    bench.settle()
    assert (inside(bench, segment), told(bench)) == (["m-00000", "m-00002"], expected)


def test_what_a_step_changes_is_told_as_caused_by_it_and_a_circle_is_stopped(bench: Bench) -> None:
    segment = vip(bench, at_least=10)
    step = {"action": "update_entity", "with": {"type": "member", "id": "{{ entity.id }}"}}
    down = {**step, "id": "down", "with": {**step["with"], "fields": {"points": 0}}}
    up = {**step, "id": "up", "with": {**step["with"], "fields": {"points": 20}}}
    out = bench.automation(down, name="out", trigger={"segment": "VIP", "on": "joined"})
    back = bench.automation(up, name="back", trigger={"segment": "VIP", "on": "left"})
    warned = bench.upshot.automations.get("default", out)["warnings"]
    assert [warning["path"] for warning in warned] == ["steps[0]"]
    assert "makes member.updated happen" in warned[0]["message"]
    member(bench, "anna", 50)
    runs = bench.runs()
    assert {run["automation"]["id"] for run in runs} == {out, back}
    assert len(runs) == 16 + 1
    events = [event for event in bench.events() if event["name"].startswith("segment.")]
    assert len({event["root_id"] for event in events}) == 1
    first = bench.upshot.events.explain("default", events[0]["id"])["automations"]
    assert "loop_stopped" in {one["outcome"] for one in first}
    assert inside(bench, segment) in ([], ["anna"])


def test_two_changes_of_one_entity_at_once_leave_it_where_the_last_puts_it(bench: Bench) -> None:
    segment = vip(bench)
    member(bench, "anna", 0)

    def set_to(points: int) -> None:
        bench.upshot.entities.patch("default", "member", "anna", fields={"points": points})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(set_to, [number % 2 * 200 + number for number in range(40)]))
    bench.settle()
    points = bench.upshot.entities.get("default", "member", "anna")["fields"]["points"]
    assert inside(bench, segment) == (["anna"] if points >= 100 else [])
    sides = [side for side, _, _ in told(bench)]
    assert all(one != other for one, other in pairwise(sides))
    assert sides[:1] == ["joined"]
    assert (sides[-1] == "joined") is (points >= 100)


def test_time_alone_lets_members_join_and_leave(bench: Bench) -> None:
    condition = {"field": "seen_at", "operator": "within_last", "value": {"n": 1, "unit": "hour"}}
    made = bench.upshot.segments.create("default", name="Active", entity_type="member", condition=condition)
    assert made["follows_clock"]
    later = {"field": "trial_ends_at", "operator": "before", "value": "now"}
    ended = bench.upshot.segments.create("default", name="Ended", entity_type="member", condition=later)
    bench.settle()
    member(bench, "anna", 0, seen_at="2020-01-01T00:00:00Z", trial_ends_at="2099-01-01T00:00:00Z")
    at = bench.upshot.entities.get("default", "member", "anna")["updated_at"]
    member(bench, "anna", 0, seen_at=at)
    assert (inside(bench, made), inside(bench, ended)) == (["anna"], [])
    bench.advance(59 * 60)
    assert inside(bench, made) == ["anna"]
    bench.advance(finding.RECHECK / SECOND + 60)
    assert (inside(bench, made), told(bench)[1:]) == ([], [("left", "anna", "clock")])
    assert finding.RECHECK == 10 * MINUTE  # as docs/reference/segments.md says


def test_a_segment_that_is_used_is_neither_deleted_nor_renamed(bench: Bench) -> None:
    segment = vip(bench)
    automation_id = listening(bench, "joined", name="Welcome")
    for attempt in (
        lambda: bench.upshot.segments.delete("default", segment["id"]),
        lambda: bench.upshot.segments.save("default", segment["id"], name="Gold", condition=segment["condition"]),
    ):
        with pytest.raises(Conflict, match="“Welcome”") as refused:
            attempt()
        assert refused.value.code == "is_used"
    bench.upshot.automations.delete("default", automation_id)
    renamed = bench.upshot.segments.save("default", segment["id"], name="Gold", condition=segment["condition"])
    assert renamed["name"] == "Gold"
    bench.upshot.segments.delete("default", segment["id"])


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_ten_thousand_are_found_in_flat_memory(bench: Bench) -> None:
    """Pages are as large as they are, however many there are: the store makes no difference."""
    made_before(bench.upshot, 10_000)
    with bench.upshot.database.reading() as connection:  # what is made once
        sweeps.of_type(connection, "default", "member", "", finding.PAGE)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        segment = vip(bench)
        grown = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert shown(bench, segment)["members"] == 10_000
    assert grown < 6_000_000
    assert bench.events() == []
