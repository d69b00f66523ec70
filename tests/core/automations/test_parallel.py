"""Parallel steps in a document: read, written, described, tried, and every fault told at its path."""

from typing import Any

import pytest

from tests.core.automations.catalogue import ACTIONS
from upshot.core.automations import describe, dry_run, examine, normalise, read, to_document
from upshot.core.facts import Facts

FACTS = Facts(data={}, event={}, now=1_795_000_000_000_000)


def document(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"name": "n", "trigger": {"event": "e"}, "priority": 5, "condition": None, "steps": list(steps)}


def act(step_id: str, **more: Any) -> dict[str, Any]:
    return {"id": step_id, "action": "anything", "with": {}, **more}


WHOLE = document(
    {"id": "both", "parallel": ["a", "b"], "join": "any", "timeout": "2d", "on_timeout": "late", "next": "after"},
    act("a", next="after"),
    {"id": "b", "delay": "3h"},
    act("after", next=None),
    act("late"),
)


def test_it_is_read_and_written_and_read_again() -> None:
    canonical, notes = normalise(WHOLE, actions=ACTIONS)
    assert notes == []
    automation = read(canonical, actions=ACTIONS)
    assert to_document(automation) == canonical
    assert describe(automation) == (
        "When e: go along 2 branches at once until one of them ends, at most 2d, then anything, then wait 3h, "
        "then anything, then anything"
    )


def test_a_dry_run_goes_along_every_branch_and_joins_when_enough_have_ended() -> None:
    steps = [
        {"id": "all", "parallel": ["x", "y"], "next": "after"},
        {"id": "x", "delay": "1h", "next": "after"},
        {"id": "y", "delay": "3h"},
        {"id": "after", "delay": "1h"},
    ]
    tried = dry_run(read(document(*steps)), FACTS)
    assert [(step["id"], step["would"]) for step in tried["steps"]] == [
        ("all", "fork"), ("x", "sleep"), ("y", "sleep"), ("after", "sleep"),
    ]  # fmt: skip
    assert tried["steps"][3]["text"].startswith("would wait 1 hour")
    assert tried["steps"][3]["due_at"] > tried["steps"][2]["due_at"]


@pytest.mark.parametrize(
    ("steps", "path", "code"),
    [
        ([{"id": "p", "parallel": ["a"], "next": None}, act("a")], "steps[0].parallel", "out_of_range"),
        ([{"id": "p", "parallel": "a", "next": None}, act("a")], "steps[0].parallel", "wrong_type"),
        ([{"id": "p", "parallel": ["a", "a"], "next": None}, act("a")], "steps[0].parallel", "duplicate_id"),
        ([{"id": "p", "parallel": ["a", "b"]}, act("a", next=None), act("b")], "steps[0].next", "required"),
        ([{"id": "p", "parallel": ["a", "x"], "next": None}, act("a")], "steps[0].parallel[1]", "unknown_step"),
        ([{"id": "p", "parallel": ["a", "b"], "next": "b"}, act("a"), act("b")], "steps[0].next", "crosses_branches"),
        (
            [{"id": "p", "parallel": ["a", "b"], "join": 3, "next": None}, act("a", next=None), act("b")],
            "steps[0].join",
            "join_never_met",
        ),
        (
            [{"id": "p", "parallel": ["a", "b"], "join": "most", "next": None}, act("a", next=None), act("b")],
            "steps[0].join",
            "bad_option",
        ),
        (
            [
                {"id": "p", "parallel": ["a", "b"], "next": None},
                act("a", next="s"),
                {"id": "s", "stop": True},
                act("b"),
            ],
            "steps[0].join",
            "join_never_met",
        ),
        (
            [{"id": "p", "parallel": ["a", "b"], "next": None}, act("a"), act("b")],
            "steps[1].next",
            "crosses_branches",
        ),
        (
            [{"id": "p", "parallel": ["a", "b"], "timeout": "0m", "next": None}, act("a", next=None), act("b")],
            "steps[0].timeout",
            "out_of_range",
        ),
        (
            [{"id": "p", "parallel": ["a", "b"], "timeout": "soon", "next": None}, act("a", next=None), act("b")],
            "steps[0].timeout",
            "bad_duration",
        ),
        (
            [{"id": "p", "parallel": ["a", "b"], "on_timeout": "a", "next": None}, act("a", next=None), act("b")],
            "steps[0].timeout",
            "required",
        ),
        (
            [{"id": "p", "parallel": ["a", "b"], "next": None}, act("a", next="p"), act("b")],
            "steps[1].next",
            "cycle",
        ),
    ],
)
def test_each_fault_is_named_by_its_path(steps: list[dict[str, Any]], path: str, code: str) -> None:
    problems = examine(document(*steps))[1]
    assert (path, code) in [(problem.path, problem.code) for problem in problems], problems


def test_a_guard_before_a_branch_belongs_to_the_branch() -> None:
    condition = [{"field": "x", "operator": "equals", "value": 1}]
    guarded = {"id": "a", "type": "anything", "condition": condition, "next": "c"}
    canonical, _ = normalise(
        document({"id": "p", "parallel": ["a", "b"], "next": "c"}, guarded, act("b"), act("c")), actions=ACTIONS
    )
    assert canonical["steps"][0]["parallel"] == ["a-condition", "b"]


@pytest.mark.parametrize(
    ("steps", "more", "path", "code"),
    [
        ([act("a", on_failure="x")], {}, "steps[0].on_failure", "unknown_step"),
        ([act("a", on_failure=3)], {}, "steps[0].on_failure", "wrong_type"),
        ([act("a", on_failure="b", on_error="continue"), act("b")], {}, "steps[0].on_failure", "bad_option"),
        ([act("a"), act("b", on_failure="a")], {}, "steps[1].on_failure", "cycle"),
        ([act("a", delivery="never")], {}, "steps[0].delivery", "bad_option"),
        ([act("a", delivery="at_most_once", retries=2)], {}, "steps[0].delivery", "bad_option"),
        ([act("a", delivery="at_most_once", on_error="retry")], {}, "steps[0].delivery", "bad_option"),
        ([act("a")], {"on_failure": "x"}, "on_failure", "unknown_step"),
        ([act("a")], {"on_failure": ["a"]}, "on_failure", "wrong_type"),
        ([act("a"), act("b")], {"on_failure": "b"}, "on_failure", "crosses_branches"),
    ],
)
def test_each_fault_of_a_path_for_failures(
    steps: list[dict[str, Any]], more: dict[str, Any], path: str, code: str
) -> None:
    problems = examine(document(*steps) | more)[1]
    assert (path, code) in [(problem.path, problem.code) for problem in problems], problems


def test_paths_for_failures_are_read_and_written_and_read_again() -> None:
    whole = document(
        act("a", on_failure="b", next=None),
        act("b", delivery="at_most_once", next=None),
        act("c"),
    ) | {"on_failure": "c"}
    canonical, notes = normalise(whole, actions=ACTIONS)
    assert notes == []
    assert to_document(read(canonical)) == canonical == {name: canonical[name] for name in whole}
