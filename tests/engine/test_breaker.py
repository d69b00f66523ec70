"""The breaker: runs that cause run after run of one automation for one entity are stopped, and only those."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from tests.engine.conftest import declare
from upshot import Upshot
from upshot.core.instants import SECOND
from upshot.core.retention import Retention
from upshot.engine.process import Limits
from upshot.store import flow, retention
from upshot.testing import Harness, VirtualClock

pytestmark = pytest.mark.usefixtures("own_ids")

MOST, WINDOW = 6, 60


@pytest.fixture
def bench(url: str) -> Iterator[Harness]:
    def build(address: str, clock: VirtualClock) -> Upshot:
        limits = Limits(loop_runs_max=MOST, loop_window_seconds=WINDOW)
        upshot = Upshot(address, clock=clock, limits=limits)
        declare(upshot, [])
        return upshot

    with Harness(build, url=url) as made:
        yield made


def twice(bench: Harness) -> str:
    """An automation that answers each event with two: after the fourth round it would be 31 runs."""
    about = {"data": {"order": "{{ order }}"}, "entity": {"type": "order", "id": "{{ order }}"}}
    tell = {"action": "emit_event", "with": {"name": "told", **about}}
    document = {
        "name": "twice",
        "trigger": {"event": "told"},
        "steps": [{"id": "a", **tell}, {"id": "b", **tell}],
        "status": "active",
    }
    return str(bench.upshot.automations.create("default", document)["id"])


def tell(bench: Harness, order: str) -> str:
    given = {"name": "told", "data": {"order": order}, "entity": {"type": "order", "id": order}}
    (accepted,) = bench.upshot.events.accept("default", [given])
    bench.settle()
    return accepted.event.public_id


def test_a_loop_that_branches_is_stopped_for_its_entity_and_begins_again_later(bench: Harness) -> None:
    twice(bench)
    tell(bench, "o1")
    assert len(bench.runs()) == 1 + MOST, "the first, which nothing caused, and those it may cause"
    caused = [event for event in bench.events("told") if event["depth"]]
    stopped = [event for event in caused if not event["run_count"]]
    assert len(caused) == 2 * (1 + MOST)
    assert len(stopped) == 2 + MOST
    for event in stopped:
        (told,) = bench.upshot.events.explain("default", event["id"])["automations"]
        assert (told["outcome"], told["key"], told["run_id"]) == ("loop_stopped", "order:o1", None)
        assert f"{MOST} runs of it for order:o1 within {WINDOW} s" in told["reason"]
    assert bench.upshot.engine.process.metrics.loops_stopped == len(stopped)
    tell(bench, "o2")
    assert len(bench.runs()) == 2 * (1 + MOST), "another entity has a count of its own"
    first = tell(bench, "o1")
    assert bench.upshot.events.get("default", first)["run_count"] == 1, "what nothing caused is no loop"
    assert len(bench.runs()) == 2 * (1 + MOST) + 1
    bench.advance(WINDOW + 1)
    tell(bench, "o1")
    assert len(bench.runs()) == 3 * (1 + MOST) + 1, "after the window it begins again"


def test_the_way_back_to_the_root_is_told_of_events_and_runs(bench: Harness) -> None:
    automation_id = twice(bench)
    first = tell(bench, "o1")
    runs = bench.runs()
    deepest = max((bench.upshot.runs.get("default", run["id"]) for run in runs), key=lambda run: run["depth"])
    assert deepest["depth"] == len(deepest["path"]) > 1
    assert deepest["root_id"] == bench.upshot.events.get("default", first)["root_id"]
    root, last = deepest["path"][0], deepest["path"][-1]
    assert root["event"] == {"id": first, "name": "told"}
    assert root["automation"] == {"id": automation_id, "name": "twice"}
    assert root["run_id"] == runs[0]["id"]
    event = bench.upshot.events.get("default", deepest["event"]["id"])
    assert event["path"] == deepest["path"]
    assert event["cause"] == {"run_id": last["run_id"], "step_id": last["step_id"]}
    assert (runs[0]["depth"], runs[0]["path"]) == (0, [])


def test_without_an_entity_only_the_depth_stops_it(bench: Harness) -> None:
    document = {
        "name": "chain",
        "trigger": {"event": "told"},
        "steps": [{"id": "a", "action": "emit_event", "with": {"name": "told"}}],
        "status": "active",
    }
    bench.upshot.automations.create("default", document)
    bench.emit("told", {})
    assert len(bench.runs()) == 17


def test_what_was_stopped_goes_with_its_event(bench: Harness) -> None:
    twice(bench)
    tell(bench, "o1")
    events, runs = [event["id"] for event in bench.events("told")], [run["id"] for run in bench.runs()]
    until = {**Retention().until(bench.clock.now() + 400 * 24 * 3600 * SECOND), "idempotency": 0}

    def give_up(connection: Connection) -> tuple[int, int]:
        kept = sum(len(flow.of_event(connection, "default", event_id)) for event_id in events)
        retention.RUNS.remove(connection, "default", until, runs)
        removed = retention.EVENTS.remove(connection, "default", until, events)
        return kept, removed["flow_outcomes"]

    kept, removed = bench.upshot.commit.run(give_up)
    assert kept == removed == 2 + MOST
