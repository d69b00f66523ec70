"""The kit that hosts test with, used as a host would."""

from datetime import timedelta
from pathlib import Path

import pytest

from upshot import Upshot
from upshot.core.scenarios import read_scenario
from upshot.testing import Harness, VirtualClock
from upshot.testing.scenarios import play


def test_time_moves_only_when_told_and_never_backwards() -> None:
    clock = VirtualClock(1_000)
    clock.advance(1.5)
    clock.advance(timedelta(microseconds=7))
    assert clock.now() == 1_501_007
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)
    assert clock.now() == 1_501_007


def build(url: str, clock: VirtualClock) -> Upshot:
    upshot = Upshot(url, clock=clock)

    @upshot.action("shout")
    async def shout(args: dict, context) -> str:  # pyright: ignore[reportUnusedFunction] - the engine calls it
        return args["text"].upper()

    return upshot


def reminder(harness: Harness) -> None:
    harness.upshot.automations.create(
        "default",
        {
            "name": "Remind",
            "trigger": {"event": "shop/order.placed"},
            "steps": [
                {"id": "later", "delay": "24h"},
                {"id": "say", "action": "shout", "with": {"text": "{{ text }}"}},
                {"id": "do", "action": "create_task", "with": {"title": "{{ steps.say.output }}"}},
            ],
            "status": "active",
        },
    )


def test_a_day_passes_in_no_time_and_a_restart_in_between_loses_nothing() -> None:
    with Harness(build) as harness:
        reminder(harness)
        assert harness.emit("shop/order.placed", {"text": "hello"}, id="o1") == "o1"
        harness.advance(timedelta(hours=23))
        (run,) = harness.runs()
        assert run["status"] == "waiting"
        harness.restart()
        harness.advance(3600)
        (run,) = harness.runs(automation=run["automation"]["id"])
        assert run["status"] == "completed"
        assert [task["fields"]["title"] for task in harness.entities("task")] == ["HELLO"]
        assert [event["id"] for event in harness.events("shop/order.placed")] == ["o1"]
        folder = Path(str(harness.upshot.database.path)).parent
    assert not folder.exists()


def test_a_database_that_was_given_stays(tmp_path: Path) -> None:
    with Harness(url=f"sqlite:///{tmp_path}/kept.db") as harness:
        harness.emit("shop/order.placed", {})
    assert (tmp_path / "kept.db").is_file()


def test_settling_without_an_engine_says_so(tmp_path: Path) -> None:
    harness = Harness(url=f"sqlite:///{tmp_path}/kept.db")
    with pytest.raises(RuntimeError, match="context manager"):
        harness.settle()


def test_a_scenario_lets_each_occurrence_of_a_schedule_happen_when_it_is_due() -> None:
    ran = [{"automation": "Daily", "status": "completed", "count": 3}]
    told = read_scenario({"title": "a note each morning", "events": [], "then": [{"at": "3d", "runs": ran}]})
    with Harness(build) as harness:
        schedule = {"name": "Daily", "trigger": {"schedule": {"daily": "09:00"}}, "status": "active"}
        step = {"id": "say", "action": "shout", "with": {"text": "{{ schedule.local_time }}"}}
        harness.upshot.automations.create("default", {**schedule, "steps": [step]})
        assert play(told, harness) == []
        said = [run["steps"][0]["output"] for run in harness.runs()]
    assert said == ["2027-01-15T09:00:00", "2027-01-16T09:00:00", "2027-01-17T09:00:00"]
