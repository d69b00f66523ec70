"""Flow control on both databases: what each control makes of events, exactly, under a clock that the test moves."""

from typing import Any

import pytest

from tests.engine.conftest import Bench
from upshot.engine.decide import Decide
from upshot.engine.match import MatchWrite

pytestmark = pytest.mark.usefixtures("own_ids")

NOTE = {"id": "note", "action": "note", "with": {"n": "{{ n }}"}}
NAP = {"id": "nap", "delay": "10s"}
BY_WHO = "{{ who }}"


def outcomes(bench: Bench, *event_ids: str) -> list[str]:
    """What became of each of these events."""
    return [told(bench, event_id)["outcome"] for event_id in event_ids]


def told(bench: Bench, event_id: str) -> dict[str, Any]:
    """What is told of one event and its only automation."""
    (item,) = bench.upshot.events.explain("default", event_id)["automations"]
    return item


def noted(bench: Bench) -> list[Any]:
    return [args["n"] for _, args in bench.calls]


def statuses(bench: Bench) -> list[str]:
    return [run["status"] for run in bench.runs()]


def test_once_in_a_period_for_each_key(bench: Bench) -> None:
    bench.automation(NOTE, flow={"once": {"key": BY_WHO, "per": "1h"}})
    ids = [bench.happen({"who": who, "n": n}) for n, who in enumerate(["ann", "ann", "bob", None, None])]
    assert outcomes(bench, *ids) == ["started", "duplicate_key", "started", "started", "started"]
    assert told(bench, ids[1])["key"] == "ann"
    assert told(bench, ids[1])["at"] == "2027-01-15T08:00:00.000000Z"
    assert "from 2027-01-15T09:00:00.000000Z on" in told(bench, ids[1])["reason"]
    bench.advance(3599)
    assert outcomes(bench, bench.happen({"who": "ann", "n": 9})) == ["duplicate_key"]
    bench.advance(1)
    assert outcomes(bench, bench.happen({"who": "ann", "n": 10})) == ["started"]
    assert noted(bench) == [0, 2, 3, 4, 10]


def test_a_rate_limit_drops_what_is_too_much(bench: Bench) -> None:
    bench.automation(NOTE, flow={"rate_limit": {"key": BY_WHO, "limit": 2, "per": "1m"}})
    ids = [bench.happen({"who": "ann", "n": 0})]
    bench.advance(30)
    ids += [bench.happen({"who": who, "n": n}) for n, who in enumerate(["ann", "ann", "bob"], 1)]
    assert outcomes(bench, *ids) == ["started", "started", "rate_limited", "started"]
    bench.advance(30)
    ids = [bench.happen({"who": "ann", "n": n}) for n in (4, 5)]
    assert outcomes(bench, *ids) == ["started", "rate_limited"]
    assert "at most 2 runs in 1m for 'ann'" in told(bench, ids[1])["reason"]
    assert len(bench.runs()) == 4


def test_a_throttle_starts_the_rest_later_in_order(bench: Bench) -> None:
    bench.automation(NOTE, flow={"throttle": {"limit": 2, "per": "1m"}})
    ids = [bench.happen({"n": n}) for n in range(5)]
    assert outcomes(bench, *ids) == ["started", "started", "throttled", "throttled", "throttled"]
    assert told(bench, ids[4])["at"] == "2027-01-15T08:02:00.000000Z"
    assert statuses(bench) == ["completed", "completed", "pending", "pending", "pending"]
    bench.advance(59)
    assert noted(bench) == [0, 1]
    bench.advance(1)
    assert sorted(noted(bench)) == [0, 1, 2, 3]
    bench.restart()
    bench.advance(60)
    assert sorted(noted(bench)) == [0, 1, 2, 3, 4]
    assert told(bench, ids[4])["reason"].startswith("Started later")
    assert set(statuses(bench)) == {"completed"}


@pytest.mark.parametrize(("limit", "seconds", "at_once"), [(2, 10, 2), (1, 172_800, 1)])
def test_a_throttle_that_is_published_with_another_rule_tells_those_who_wait_anew(
    bench: Bench, limit: int, seconds: int, at_once: int
) -> None:
    automation_id = bench.automation(NOTE, flow={"throttle": {"limit": 1, "per": "1d"}})
    for n in range(5):
        bench.happen({"n": n})
    assert noted(bench) == [0]
    document = {"name": "test", "trigger": {"event": "test/happened"}, "steps": [NOTE], "status": "active"}
    rule = {"limit": limit, "per": f"{seconds}s"}
    bench.upshot.automations.save("default", automation_id, {**document, "flow": {"throttle": rule}})
    last = bench.happen({"n": 5})
    assert outcomes(bench, last) == ["throttled"]
    for periods in range(3):
        bench.advance(seconds if periods else 0)
        assert sorted(noted(bench)) == list(range(at_once + limit * periods))


def test_a_debounce_starts_the_last_event_when_it_is_quiet(bench: Bench) -> None:
    bench.automation(NOTE, flow={"debounce": {"key": BY_WHO, "for": "10s", "max": "25s"}})
    first = bench.happen({"who": "ann", "n": 0})
    bench.advance(9)
    other, last = bench.happen({"who": "bob", "n": 1}), bench.happen({"who": "ann", "n": 2})
    assert outcomes(bench, first, other, last) == ["debounced"] * 3
    bench.advance(9)
    assert noted(bench) == []
    bench.advance(1)
    assert sorted(noted(bench)) == [1, 2]
    assert outcomes(bench, first, other, last) == ["debounced", "started", "started"]
    assert told(bench, first)["run_id"] == told(bench, last)["run_id"] is not None
    for n in range(3, 8):
        bench.happen({"who": "ann", "n": n})
        bench.advance(8)
    assert sorted(noted(bench)) == [1, 2, 6]  # at the latest 25 seconds after the first
    bench.advance(10)
    assert sorted(noted(bench)) == [1, 2, 6, 7]


def test_a_batch_is_one_run_of_many_events(bench: Bench) -> None:
    step = {**NOTE, "with": {"n": "{{ n }}", "all": "{{ events }}"}}
    bench.automation(step, flow={"batch": {"key": BY_WHO, "size": 3, "within": "1m"}})
    ids = [bench.happen({"who": "ann", "n": n}) for n in range(4)]
    assert noted(bench) == [2]
    assert [one["n"] for one in bench.calls[0][1]["all"]] == [0, 1, 2]
    assert outcomes(bench, *ids) == ["batched"] * 4
    assert [told(bench, one)["run_id"] for one in ids] == [bench.run()["id"]] * 3 + [None]
    bench.restart()
    bench.advance(60)
    assert noted(bench) == [2, 3]
    assert told(bench, ids[3])["run_id"] == bench.runs()[1]["id"]
    batch = bench.runs()[0]["event"]["id"]
    assert told(bench, batch)["reason"] == "Started: 3 events were gathered."


def test_places_are_held_until_the_run_is_over(bench: Bench) -> None:
    bench.automation(NAP, NOTE, flow={"concurrency": {"key": BY_WHO, "limit": 1}})
    ids = [bench.happen({"who": who, "n": n}) for n, who in enumerate(["ann", "ann", "ann", "bob"])]
    assert statuses(bench) == ["waiting", "pending", "pending", "waiting"]
    assert outcomes(bench, *ids) == ["started", "held_by_concurrency", "held_by_concurrency", "started"]
    assert told(bench, ids[1])["reason"] == "Waits for one of 1 places for 'ann'."
    bench.advance(10)
    assert sorted(noted(bench)) == [0, 3]
    assert statuses(bench) == ["completed", "waiting", "pending", "completed"]
    bench.upshot.runs.cancel("default", bench.runs()[1]["id"])  # what is cancelled frees its place
    bench.settle()
    bench.advance(1)
    assert statuses(bench) == ["completed", "cancelled", "waiting", "completed"]
    bench.restart()
    bench.advance(10)
    assert sorted(noted(bench)) == [0, 2, 3]
    assert told(bench, ids[2])["reason"].startswith("Started later")


def test_a_failed_run_that_is_retried_waits_for_its_place(bench: Bench) -> None:
    fails = {"id": "fail", "action": "raise_until", "with": {"attempt": "{{ attempt }}"}}
    bench.automation(fails, NAP, flow={"concurrency": {"limit": 1}})
    bench.happen({"attempt": 2})
    bench.happen({"attempt": 1})
    assert statuses(bench) == ["failed", "waiting"]
    (letter,) = bench.upshot.dead_letters.page("default", limit=10).items
    bench.upshot.dead_letters.retry("default", letter["id"])
    bench.advance(1)
    assert statuses(bench) == ["pending", "waiting"]
    bench.advance(9)
    bench.advance(1)
    assert statuses(bench) == ["waiting", "completed"]


def test_who_waits_for_a_place_is_served_by_priority_then_age_and_not_while_paused(bench: Bench) -> None:
    flow = {"concurrency": {"limit": 1}}
    automation = bench.automation(NAP, NOTE, flow=flow, priority=5)
    for n in range(3):
        bench.happen({"n": n})
    document = bench.upshot.automations.get("default", automation)
    changed = {name: document[name] for name in ("name", "trigger", "steps", "flow")}
    bench.upshot.automations.save("default", automation, {**changed, "priority": 10, "status": "active"})
    bench.happen({"n": 3})
    first_to_wait = bench.runs()[1]["id"]
    bench.upshot.runs.pause("default", first_to_wait)
    assert statuses(bench) == ["waiting", "paused", "pending", "pending"]
    for _ in range(3):
        bench.advance(10)
        bench.advance(1)
    assert noted(bench) == [0, 3, 2]
    bench.upshot.runs.resume("default", first_to_wait)
    bench.advance(1)
    assert statuses(bench) == ["completed", "waiting", "completed", "completed"]
    bench.upshot.runs.pause("default", first_to_wait)  # a run that is paused keeps its place
    bench.happen({"n": 4})
    bench.advance(20)
    assert statuses(bench)[-1] == "pending"


def test_an_event_that_is_in_memory_twice_is_decided_about_once(bench: Bench) -> None:
    bench.automation(NOTE, flow={"once": {"per": "1h"}})
    bench.upshot.stop()
    upshot = bench.open()
    engine = upshot.engine
    known = engine.process.definitions.of_now("default")
    (accepted,) = upshot.events.accept("default", [{"name": "test/happened", "data": {"n": 1}}])
    now, decide = bench.clock.now(), Decide(engine.process, engine.run)
    twice = [decide.of(accepted.event, known, {}, now) for _ in range(2)]
    with upshot.database.writing() as connection:
        made = MatchWrite().write(connection, twice, now)
    assert sorted(len(ids or ()) for ids in made) == [0, 1]
    upshot.close()
    bench.restart()
    assert outcomes(bench, accepted.event.id) == ["started"]
    assert noted(bench) == [1]


@pytest.mark.parametrize(
    ("reentry", "expected", "outcome"),
    [
        ("allow", ["waiting", "waiting"], "started"),
        ("skip", ["waiting"], "already_running"),
        ("restart", ["cancelled", "waiting"], "started"),
    ],
)
def test_what_a_second_event_of_an_entity_does(bench: Bench, reentry: str, expected: list[str], outcome: str) -> None:
    bench.upshot.event_types.put("default", "test/happened", entity={"type": "patient", "id": "who"})
    bench.automation(NAP, NOTE, flow={"reentry": reentry, "concurrency": {"key": BY_WHO, "limit": 2}})
    bench.happen({"who": "ann", "n": 1})
    second = bench.happen({"who": "ann", "n": 2})
    assert statuses(bench) == expected
    assert outcomes(bench, second) == [outcome]
    bench.advance(10)
    assert outcomes(bench, bench.happen({"who": "ann", "n": 3})) == ["started"]


def together(bench: Bench, *data: dict[str, Any], test: bool = False) -> list[str]:
    """Events that are accepted in one transaction; their ids."""
    envelopes = [{"name": "test/happened", "data": one} for one in data]
    accepted = bench.upshot.events.accept("default", envelopes, test=test)
    bench.settle()
    return [one.event.public_id for one in accepted]


def test_what_another_control_drops_neither_cancels_nor_stands_in_the_way(bench: Bench) -> None:
    bench.upshot.event_types.put("default", "test/happened", entity={"type": "patient", "id": "who"})
    once = {"key": "{{ order }}", "per": "1h"}
    restarts = bench.automation(NAP, NOTE, flow={"reentry": "restart", "once": once})
    bench.happen({"who": "ann", "order": "x", "n": 0})
    assert outcomes(bench, bench.happen({"who": "ann", "order": "x", "n": 1})) == ["duplicate_key"]
    assert statuses(bench) == ["waiting"], "nothing took its place, so it goes on"
    bench.upshot.automations.delete("default", restarts)
    bench.advance(10)
    bench.automation(NAP, NOTE, flow={"reentry": "skip", "once": once})
    bench.happen({"who": "ann", "order": "x", "n": 2})
    bench.advance(10)
    ids = together(bench, {"who": "ann", "order": "x", "n": 3}, {"who": "ann", "order": "y", "n": 4})
    assert outcomes(bench, *ids) == ["duplicate_key", "started"]


@pytest.mark.parametrize("flow", [{"debounce": {"for": "10s"}}, {"once": {"per": "1h"}}, {"concurrency": {"limit": 1}}])
def test_a_test_neither_takes_part_nor_is_in_the_way(bench: Bench, flow: dict[str, Any]) -> None:
    bench.automation(NOTE, NAP, flow=flow)
    together(bench, {"n": 0}, test=True)
    real = bench.happen({"n": 1})
    together(bench, {"n": 2}, test=True)
    bench.advance(10)
    assert noted(bench) in ([0, 1, 2], [0, 2, 1])
    assert sorted(run["test"] for run in bench.runs()) == [False, True, True]
    assert outcomes(bench, real) == ["started"]


@pytest.mark.parametrize("days", [1, 120])
def test_a_place_is_known_for_as_long_as_a_throttled_run_waits_for_its_instant(bench: Bench, days: int) -> None:
    bench.automation(NOTE, flow={"throttle": {"limit": 1, "per": f"{days}d"}, "concurrency": {"limit": 1}})
    bench.happen({"n": 0})
    bench.advance(89.5 * 86400)
    together(bench, {"n": 1}, {"n": 2})
    for _ in range(8):
        bench.advance(days * 86400 / 4)
    bench.advance(1)
    assert noted(bench) == [0, 1, 2]


def test_a_place_that_nobody_waits_for_any_more_is_given_at_once_again(bench: Bench) -> None:
    bench.automation(NAP, flow={"concurrency": {"limit": 1}})
    together(bench, {}, {})
    bench.upshot.runs.cancel("default", bench.runs()[1]["id"])
    bench.advance(10)
    bench.advance(1)
    assert outcomes(bench, bench.happen({})) == ["started"]
