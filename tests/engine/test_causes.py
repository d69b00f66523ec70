"""Every event and run tells what led to it: the root, how many events lie between, and the way from the root on."""

from typing import Any

import pytest

from tests.engine.conftest import Bench
from tests.engine.test_runs import step

pytestmark = pytest.mark.usefixtures("own_ids")

Told = dict[str, Any]


def tells(bench: Bench, listens_for: str, emits: str) -> str:
    """An automation that answers one event with another."""
    say = {"id": "say", "action": "emit_event", "with": {"name": emits, "data": {"n": "{{ n }}"}}}
    return bench.automation(say, name=emits, trigger={"event": listens_for})


def whole(bench: Bench, automation_id: str) -> list[Told]:
    """The runs of this automation, each with the whole and consistent way from its root on."""
    runs = bench.runs(automation=automation_id)
    for run in runs:
        event = bench.upshot.events.get("default", run["event"]["id"])
        assert (event["path"], event["root_id"], event["depth"]) == (run["path"], run["root_id"], run["depth"])
        assert len(run["path"]) == run["depth"]
        if run["path"]:
            root = bench.upshot.events.get("default", run["path"][0]["event"]["id"])
            assert (root["root_id"], root["depth"]) == (run["root_id"], 0)
    return runs


def names(run: Told) -> list[str]:
    return [hop["event"]["name"] for hop in run["path"]]


def test_a_batch_has_the_causes_of_the_deepest_of_its_events(bench: Bench) -> None:
    tells(bench, "test/happened", "second")
    tells(bench, "second", "third")
    batch = {"batch": {"size": 2, "within": "1h"}}
    gathers = bench.automation(step("end"), name="gathers", trigger={"event": "third"}, flow=batch)
    deep = bench.happen({"n": 1})
    bench.emit("third", {"n": 2})
    (run,) = whole(bench, gathers)
    assert (names(run), run["depth"]) == (["test/happened", "second"], 2)
    assert run["path"][0]["event"]["id"] == deep
    assert run["cause"] == {"run_id": run["path"][-1]["run_id"], "step_id": "say"}
    bench.emit("third", {"n": 3})
    bench.emit("third", {"n": 4})
    (alone,) = [run for run in whole(bench, gathers) if not run["depth"]]
    assert (alone["cause"], alone["path"]) == (None, [])


def test_a_debounced_run_has_the_causes_of_its_own_event(bench: Bench) -> None:
    tells(bench, "test/happened", "second")
    calm = bench.automation(step("end"), name="calm", trigger={"event": "second"}, flow={"debounce": {"for": "1m"}})
    bench.emit("second", {"n": 0})
    bench.happen({"n": 1})
    bench.advance(60)
    (run,) = whole(bench, calm)
    assert (names(run), run["cause"]["step_id"]) == (["test/happened"], "say")


def test_what_is_run_again_however_often_has_the_causes_of_the_first_and_names_what_it_was_made_of(
    bench: Bench,
) -> None:
    tells(bench, "test/happened", "second")
    last = bench.automation(step("end"), name="last", trigger={"event": "second"})
    bench.happen({"n": 1})
    (made,) = whole(bench, last)
    first = made
    for _ in range(3):
        of, made_id = made["id"], bench.upshot.runs.rerun("default", made["id"])["run_id"]
        bench.settle()
        made = next(run for run in whole(bench, last) if run["id"] == made_id)
        assert (made["path"], made["root_id"]) == (first["path"], first["root_id"])
        assert made["cause"] == {"run_id": of, "step_id": None}
    (root,) = bench.runs(automation=first["path"][0]["automation"]["id"])
    again_id = bench.upshot.runs.rerun("default", root["id"])["run_id"]
    bench.settle()
    again = bench.upshot.runs.get("default", again_id)
    assert (again["path"], again["depth"], again["root_id"]) == ([], 0, root["root_id"])
    follows = whole(bench, last)[-1]
    assert (names(follows), follows["path"][0]["run_id"]) == (["test/happened"], again_id)
