"""Why a run took its way, told of every step where ways part."""

from typing import Any

from tests.engine.conftest import Bench


def told(bench: Bench, event_id: str) -> dict[str, str | None]:
    """What is told of the steps of the run of this event."""
    (summary,) = bench.upshot.events.get("default", event_id)["runs"]
    steps: list[dict[str, Any]] = bench.upshot.runs.get("default", summary["id"])["steps"]
    return {step["id"]: (step["explanation"] or {}).get("text") for step in steps}


def test_every_way_is_explained(bench: Bench) -> None:
    bench.automation(
        {
            "id": "big",
            "branch": {"field": "total", "operator": "greater_than", "value": 100},
            "if_true": "draw",
            "if_false": "small",
        },
        {"id": "draw", "split": [{"weight": 3, "next": "both", "name": "most"}, {"weight": 0, "next": "rare"}]},
        {"id": "both", "parallel": ["left", "right"], "join": "any", "next": "end"},
        {"id": "left", "action": "note", "next": "end"},
        {"id": "right", "delay": "1d", "next": "end"},
        {"id": "end", "action": "note", "next": None},
        {"id": "rare", "action": "note", "next": "after"},
        {"id": "after", "action": "note", "next": None},
        {"id": "small", "action": "note", "next": None},
        {"id": "sorry", "action": "note", "next": None},
        on_failure="sorry",
    )
    of_large = told(bench, bench.happen({"total": 101}))
    assert "101" in (of_large["big"] or "")
    assert of_large["draw"] == "Took “most”, 3 of 3 by lot, drawn for this run: it leads to “both”."
    assert of_large["both"] == "Went on when 1 of 2 branches had ended: “left”."
    assert of_large["small"] == "Not done: “big” was true and did not lead here."
    assert of_large["rare"] == "Not done: “draw” took another path and did not lead here."
    assert of_large["after"] == "Not done: what leads to it was not done either (“rare”)."
    assert of_large["sorry"] == "Not done: it is where the run would have gone after a failure."
    assert of_large["end"] is None
    of_small = told(bench, bench.happen({"total": 1}))
    assert of_small["draw"] == "Not done: “big” was not true and did not lead here."
    assert of_small["small"] is None


def test_a_split_is_told_with_whom_it_was_drawn_for(bench: Bench) -> None:
    bench.automation({"id": "draw", "split": [{"weight": 1, "next": None}, {"weight": 0, "next": None}]})
    given = {"name": "test/happened", "entity": {"type": "order", "id": "o1"}}
    (accepted,) = bench.upshot.events.accept("default", [given])
    bench.settle()
    said = told(bench, accepted.event.public_id)["draw"]
    assert said == "Took path 1, 1 of 1 by lot, drawn for order:o1: the end."
