"""Flow control on both databases: what each control makes of events, exactly, under a clock that the test moves."""

from typing import Any

import pytest

from tests.engine.conftest import Bench

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
