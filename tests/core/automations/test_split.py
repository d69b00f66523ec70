"""Splits: a path by lot, the same for the same entity, spread by weight."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.automations.catalogue import ACTIONS
from tests.core.automations.test_parallel import act, document
from upshot.core.automations import SplitPath, SplitStep, describe, dry_run, examine, normalise, read, to_document
from upshot.core.automations.splitting import chosen_path, split_key
from upshot.core.facts import Facts

WHOLE = document(
    {"id": "test", "split": [{"name": "mail", "weight": 80, "next": "a"}, {"weight": 20, "next": None}]}, act("a")
)


def facts(entity_id: str) -> Facts:
    return Facts(data={}, event={"entity": {"type": "member", "id": entity_id}}, now=0)


def test_it_is_read_and_written_and_read_again() -> None:
    canonical, notes = normalise(WHOLE, actions=ACTIONS)
    assert notes == []
    assert to_document(read(canonical)) == canonical
    assert describe(read(canonical)) == "When e: split by lot: 80 % mail, 20 % the end, then anything"


@given(st.lists(st.floats(0, 100), min_size=2, max_size=6).filter(lambda weights: sum(weights) > 0.01))
def test_paths_are_taken_by_their_weights_and_never_without_one(weights: list[float]) -> None:
    step = SplitStep("s", tuple(SplitPath(weight, None) for weight in weights))
    taken = Counter(chosen_path(step, f"key {number}") for number in range(2_000))
    for place, weight in enumerate(weights):
        assert abs(taken[place] / 2_000 - weight / sum(weights)) < 0.06
        assert weight or not taken[place]


def test_an_entity_takes_the_same_path_each_time_and_each_split_draws_anew() -> None:
    step = SplitStep("s", (SplitPath(1, None), SplitPath(1, None)))
    splits = [("x", "s"), ("x", "s"), ("y", "s"), ("x", "t")]
    taken = [[chosen_path(step, split_key(*split, facts(str(n)))) for n in range(200)] for split in splits]
    assert taken[0] == taken[1]
    for others in taken[2:]:
        assert 60 < sum(one == other for one, other in zip(taken[0], others, strict=True)) < 140


def test_without_an_entity_it_is_drawn_for_the_run() -> None:
    one, other = (Facts(data={}, event={}, now=0, run={"id": run_id}) for run_id in ("1", "2"))
    assert split_key("a", "s", one) != split_key("a", "s", other)


def test_a_dry_run_takes_the_path_of_its_entity() -> None:
    automation = read(WHOLE)
    for number in range(20):
        place = chosen_path(automation.steps[0], split_key("id", "test", facts(str(number))))  # type: ignore[arg-type] - a split
        tried = dry_run(automation, facts(str(number)), automation_id="id")
        assert [step["would"] for step in tried["steps"]] == ["split", "skip" if place else "perform"]


@pytest.mark.parametrize(
    ("split", "path", "code"),
    [
        ([{"weight": 1, "next": None}], "steps[0].split", "wrong_type"),
        ({"a": 1}, "steps[0].split", "wrong_type"),
        ([{"weight": 1, "next": None}, {"weight": -1, "next": None}], "steps[0].split[1].weight", "out_of_range"),
        ([{"weight": 1, "next": None}, {"weight": 1}], "steps[0].split[1].next", "required"),
        ([{"weight": 1, "next": None}, {"weight": 1, "next": "x"}], "steps[0].split[1].next", "unknown_step"),
        ([{"weight": 1, "next": None}, {"weight": 1, "to": "x"}], "steps[0].split[1].to", "unknown_field"),
        ([{"weight": 0, "next": None}, {"weight": 0, "next": None}], "steps[0].split", "out_of_range"),
        (["a", "b"], "steps[0].split[0].weight", "wrong_type"),
    ],
)
def test_each_fault_is_named_by_its_path(split: Any, path: str, code: str) -> None:
    problems = examine(document({"id": "s", "split": split}))[1]
    assert (path, code) in [(problem.path, problem.code) for problem in problems], problems
