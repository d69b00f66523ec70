"""`for_each` in a document: read, written, described, tried, and every fault told at its path."""

from typing import Any

import pytest

from tests.core.automations.catalogue import ACTIONS
from tests.core.automations.test_parallel import FACTS, act, document
from upshot.core.automations import describe, dry_run, examine, inspect, normalise, read, to_document
from upshot.core.automations.document import ForEachStep
from upshot.core.automations.places import Steps
from upshot.core.facts import Facts


def each(**more: Any) -> dict[str, Any]:
    return {"id": "each", "for_each": "{{ rows }}", "action": "anything", "with": {"n": "{{ item.n }}"}, **more}


def called(**more: Any) -> dict[str, Any]:
    return {"id": "each", "for_each": "{{ rows }}", "call": "other", "with": {"n": "{{ item.n }}"}, **more}


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (each(concurrency=5, limit=50, on_error="continue", retries=2), "anything"),
        (called(), "call “other” and wait until it is over"),
        (
            called(timeout="24h", concurrency=5, limit=1000, on_error="continue", on_failure="after"),
            "call “other” and wait until it is over, at most 24h",
        ),
        ({**called(), "await": False}, "call “other”"),
    ],
)
def test_it_is_read_and_written_and_read_again(step: dict[str, Any], said: str) -> None:
    canonical, notes = normalise(document(step, act("after")), actions=ACTIONS)
    assert notes == []
    assert canonical["steps"][0] == step
    assert to_document(read(canonical)) == canonical
    assert describe(read(canonical)) == f"When e: {said} for each of {{{{ rows }}}}, then anything"


def test_a_dry_run_says_how_many_and_renders_the_first() -> None:
    facts = Facts(data={"rows": [{"n": 7}, {"n": 8}]}, event={}, now=0)
    tried, after = dry_run(read(document(each(), act("after"))), facts)["steps"]
    assert (tried["would"], tried["text"]) == ("for_each", "would anything for each of 2 items")
    assert tried["arguments"] == {"n": 7}
    assert after["would"] == "perform"
    (tried,) = dry_run(read(document(each())), FACTS)["steps"]
    assert [problem["code"] for problem in tried["problems"]] == ["not_a_list"]
    tried, _ = dry_run(read(document(called(), act("after"))), facts)["steps"]
    assert (tried["would"], tried["action"], tried["arguments"]) == ("for_each", None, {"n": 7})
    assert tried["text"] == "would call “other” and wait until it is over for each of 2 items"


@pytest.mark.parametrize(
    ("step", "path", "code"),
    [
        (each(for_each="rows"), "steps[0].for_each", "wrong_type"),
        (each(for_each="all {{ rows }}"), "steps[0].for_each", "wrong_type"),
        (each(for_each={"a": 1}), "steps[0].for_each", "wrong_type"),
        (each(for_each="{{ rows"), "steps[0].for_each", "template_syntax"),
        (each(concurrency=0), "steps[0].concurrency", "out_of_range"),
        (each(concurrency=1_000), "steps[0].concurrency", "out_of_range"),
        (each(limit=100_000), "steps[0].limit", "out_of_range"),
        (each(action="nothing"), "steps[0].action", "unknown_action"),
        ({"id": "each", "for_each": ["a"]}, "steps[0].action", "required"),
        (each(delivery="at_most_once"), "steps[0].delivery", "unknown_field"),
        (each(call="other"), "steps[0].call", "bad_option"),
        (each(timeout="1h"), "steps[0].timeout", "bad_option"),
        ({**each(), "await": True}, "steps[0].await", "bad_option"),
        (called(retries=2), "steps[0].retries", "bad_option"),
        (called(timeout_seconds=2), "steps[0].timeout_seconds", "bad_option"),
        (called(on_error="retry"), "steps[0].on_error", "bad_option"),
        (called(on_timeout=None), "steps[0].on_timeout", "unknown_field"),
        (called(timeout="soon"), "steps[0].timeout", "bad_duration"),
        (called(timeout="1h", **{"await": False}), "steps[0].timeout", "bad_option"),
        (called(**{"await": "no"}), "steps[0].await", "wrong_type"),
        (called(**{"with": ["{{ item }}"]}), "steps[0].with", "wrong_type"),
        (called(**{"with": {"n": "{{ item"}}), "steps[0].with.n", "template_syntax"),
        (called(call="{{ item }}"), "steps[0].call", "bad_text"),
        (called(call=""), "steps[0].call", "required"),
        (called(concurrency=101), "steps[0].concurrency", "out_of_range"),
        (called(limit=10_001), "steps[0].limit", "out_of_range"),
        (called(for_each="rows"), "steps[0].for_each", "wrong_type"),
        (each(next="x"), "steps[0].next", "unknown_step"),
        (each(on_failure="x"), "steps[0].on_failure", "unknown_step"),
    ],
)
def test_each_fault_is_named_by_its_path(step: dict[str, Any], path: str, code: str) -> None:
    problems = examine(document(step), actions=ACTIONS)[1]
    assert (path, code) in [(problem.path, problem.code) for problem in problems], problems


@pytest.mark.parametrize(
    ("step", "field"), [(each(delivery="at_most_once"), "delivery"), (act("a", weight=3), "weight")]
)
def test_a_field_that_a_step_does_not_have_is_told_with_those_that_its_kind_has(
    step: dict[str, Any], field: str
) -> None:
    (problem,) = inspect(document(step), actions=ACTIONS)[1].problems
    known = problem.message.partition("known are: ")[2].split(", ")
    assert (problem.path, problem.code) == (f"steps[0].{field}", "unknown_field")
    assert "action" in known
    assert field not in known


def test_no_step_has_the_id_of_an_item() -> None:
    problems = examine(document(each(), act("each[3]")))[1]
    assert [(problem.path, problem.code) for problem in problems] == [("steps[1].id", "duplicate_id")]
    assert examine(document(act("each"), act("each[3]")))[1] == []


def test_the_places_of_a_loop_are_steps_that_are_not_kept() -> None:
    automation = read(document(each()))
    steps = Steps(automation.steps)
    assert steps["each[9999]"].id == "each[9999]"
    assert isinstance(steps["each[]"], ForEachStep)
    assert list(steps) == ["each"]
    for unknown in ("other[1]", "each[x]", "each[-1]", "[1]"):
        with pytest.raises(KeyError):
            steps[unknown]
