"""What happens to the runs under way when a version is published."""

import asyncio
import threading
from typing import Any

import pytest

from tests.engine.conftest import Bench

DAY = 86_400
NAP = {"id": "nap", "delay": "1d"}


def note(step_id: str, **more: Any) -> dict[str, Any]:
    return {"id": step_id, "action": "note", "with": {"version": 1}, **more}


def changed(bench: Bench, automation: str, *steps: dict[str, Any], **more: Any) -> None:
    """Save a draft with these steps."""
    document = {**bench.upshot.automations.draft("default", automation), "steps": list(steps), **more}
    document.pop("status", None)
    bench.upshot.automations.save("default", automation, document)


def published(bench: Bench, automation: str, runs: Any = "finish") -> dict[str, Any]:
    """What publishing the draft told of the runs in flight."""
    told = bench.upshot.automations.publish("default", automation, runs=runs, actor="ann")["runs_in_flight"]
    bench.settle()
    return told


@pytest.mark.parametrize("restarts", [False, True])
def test_runs_that_sleep_move_and_go_on_as_the_new_version_says(bench: Bench, restarts: bool) -> None:
    automation = bench.automation(note("first"), NAP, note("end"))
    for _ in range(2):
        bench.happen()
    changed(
        bench, automation, note("first"), {**NAP, "delay": "9d"}, note("new"), note("end", **{"with": {"version": 2}})
    )
    assert bench.upshot.automations.diff("default", automation)["runs_in_flight"] == 2
    told = published(bench, automation, "move")
    assert told == {"action": "move", "count": 2, "done": 2, "under_way": 0, "left": 0, "reasons": []}
    if restarts:
        bench.restart()
    assert [run["automation"]["version"] for run in bench.runs()] == [2, 2]
    bench.advance(DAY)
    assert [run["status"] for run in bench.runs()] == ["completed"] * 2, "the timer that was set stays"
    done = [(step, args["version"]) for step, args in bench.calls[2:]]
    assert sorted(done) == [("end", 2), ("end", 2), ("new", 1), ("new", 1)]
    entries = bench.upshot.audit.page("default", noun="automation", limit=10).items
    assert [entry["after"] for entry in entries if entry["action"] == "move_runs"] == [{"count": 2, "version": 2}]


def test_they_finish_where_they_are_unless_something_else_is_asked(bench: Bench) -> None:
    automation = bench.automation(NAP, note("end"))
    bench.happen()
    changed(bench, automation, NAP, note("other"))
    told = published(bench, automation)
    assert (told["count"], told["done"], told["left"]) == (1, 0, 1)
    bench.advance(DAY)
    assert (bench.run()["status"], bench.run()["automation"]["version"], bench.calls[-1][0]) == ("completed", 1, "end")


def test_they_are_cancelled_but_not_those_of_the_version_itself(bench: Bench) -> None:
    automation = bench.automation(NAP, note("end"))
    bench.happen()
    changed(bench, automation, NAP, note("other"))
    assert published(bench, automation, "cancel")["done"] == 1
    bench.happen()
    assert published(bench, automation, "cancel")["count"] == 0, "published again, it is the same version"
    bench.advance(DAY)
    assert [run["status"] for run in bench.runs()] == ["cancelled", "completed"]


FORK = {"id": "fork", "parallel": ["nap", "rest"], "next": "end"}
REST = {"id": "rest", "delay": "2d", "next": "end"}


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ([FORK, {**NAP, "next": "end"}, note("rest", next="end"), note("end")], "step 'rest' is of another kind"),
        ([{"id": "fork", "delay": "1d"}, note("end")], "stands at 'fork' after what was kept of it"),
        ([note("first"), FORK, {**NAP, "next": "end"}, REST, note("end")], "stands at 'first'"),
        (
            [
                {**FORK, "parallel": ["nap", "rest", "more"]},
                {**NAP, "next": "end"},
                REST,
                note("more", next="end"),
                note("end"),
            ],
            "stands at 'fork', 'nap', 'rest', 'more'",
        ),
    ],
)
def test_a_run_that_cannot_be_continued_finishes_on_its_version(bench: Bench, steps: list[Any], why: str) -> None:
    automation = bench.automation(FORK, {**NAP, "next": "end"}, REST, note("end"))
    bench.happen()
    changed(bench, automation, *steps)
    told = published(bench, automation, "move")
    assert (told["done"], told["left"], told["reasons"][0]["id"]) == (0, 1, bench.run()["id"])
    assert why in told["reasons"][0]["reason"]
    bench.advance(2 * DAY)
    assert (bench.run()["status"], bench.run()["automation"]["version"]) == ("completed", 1)


def test_a_run_at_several_places_moves_with_all_of_them(bench: Bench) -> None:
    automation = bench.automation(FORK, {**NAP, "next": "end"}, REST, note("end"), timeout="5d")
    bench.happen()
    after = note("after nap", next="end")
    changed(bench, automation, {**FORK, "join": "any"}, NAP, after, REST, note("end"), timeout=None)
    bench.upshot.runs.pause("default", bench.run()["id"])
    assert published(bench, automation, "move")["done"] == 1
    assert bench.run()["status"] == "paused", "paused runs move too, and stay paused"
    bench.upshot.runs.resume("default", bench.run()["id"])
    bench.advance(DAY)
    assert (bench.run()["status"], [step for step, _ in bench.calls]) == ("completed", ["after nap", "end"])
    bench.advance(9 * DAY)
    assert bench.run()["status"] == "completed"


def test_a_run_that_a_worker_is_at_is_told_of_and_moves_when_published_again(bench: Bench) -> None:
    entered, opened = threading.Event(), asyncio.Event()

    @bench.upshot.action("gate")
    async def gate(args: dict, context) -> None:  # type: ignore[type-arg] - an action may take plain arguments
        del args, context
        entered.set()
        await opened.wait()

    automation = bench.automation({"id": "gate", "action": "gate", "with": {}}, NAP, note("end"))
    bench.upshot.emit("test/happened", {})
    assert entered.wait(30)
    changed(bench, automation, {"id": "gate", "action": "gate", "with": {}}, NAP, note("other"))
    told = bench.upshot.automations.publish("default", automation, runs="move")["runs_in_flight"]
    assert (told["count"], told["done"], told["under_way"], told["left"]) == (1, 0, 1, 0)
    loop = bench.upshot.engine.loop
    assert loop is not None
    loop.call_soon_threadsafe(opened.set)
    bench.settle()
    told = published(bench, automation, "move")
    assert (told["done"], bench.run()["automation"]["version"]) == (1, 2)
    bench.advance(DAY)
    assert [step for step, _ in bench.calls] == ["other"]
