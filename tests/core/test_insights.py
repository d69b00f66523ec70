"""The figures of insights, and each rule of the advice at its edge."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upshot.core import advice
from upshot.core.advice import Advice, ConditionFigures, StepFigures, advise
from upshot.core.automations import read
from upshot.core.conditions import compile_condition
from upshot.core.facts import Facts
from upshot.core.insights import Span, condition_figures, covered, durations, spread, step_figures
from upshot.core.instants import SECOND
from upshot.core.program import Program
from upshot.core.work import EVENT_STEPS_MAX

SPANS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)).map(lambda pair: (pair[0], sum(pair))), max_size=12)


@given(SPANS)
def test_what_lies_in_several_spans_is_counted_once(spans: list[tuple[int, int]]) -> None:
    instants = {instant for since, until in spans for instant in range(since, until)}
    assert covered(spans) == len(instants)


@given(st.lists(st.integers(0, 1_000), min_size=1))
def test_a_spread_is_of_durations_that_were_there(taken: list[int]) -> None:
    found = spread([seconds * SECOND for seconds in taken])
    assert found.p50_seconds in taken
    assert found.p95_seconds in taken
    for figure, share in ((found.p50_seconds, 0.5), (found.p95_seconds, 0.95)):
        assert figure is not None
        assert sum(seconds <= figure for seconds in taken) >= share * len(taken)
        assert sum(seconds < figure for seconds in taken) < share * len(taken)


def program(*steps: dict[str, Any]) -> Program:
    return Program(read({"name": "x", "trigger": {"event": "e"}, "steps": list(steps)}))


def task(step_id: str, title: str = "x") -> dict[str, Any]:
    return {"id": step_id, "action": "create_task", "with": {"title": title}}


@given(SPANS, SPANS)
def test_time_at_work_and_asleep_are_apart_and_within_the_whole(
    work: list[tuple[int, int]], rest: list[tuple[int, int]]
) -> None:
    of = program({"id": "nap", "delay": "1h"}, task("do"))
    spans = [
        *(Span("r", "do", "completed", 1, since * SECOND, until * SECOND) for since, until in work),
        *(Span("r", "nap", "completed", 1, since * SECOND, until * SECOND) for since, until in rest),
    ]
    told = durations(of, {"r": (0, 70 * SECOND)}, spans)
    assert told.whole.p50_seconds == 70
    assert told.work.p50_seconds == covered(work)
    assert told.asleep.p50_seconds == covered([*work, *rest]) - covered(work)


def test_items_and_attempts_count_for_their_step_and_lists_do_not() -> None:
    each = {"id": "each", "for_each": ["a", "b"], "action": "create_task", "with": {"title": "{{ item }}"}}
    of = program(each, task("after", "{{ steps.each.output.count }}"), task("last"))
    spans = [
        Span("r", "each[0]", None, 1, 0, 4 * SECOND),
        Span("r", "each[0]", "completed", 2, 5 * SECOND, 6 * SECOND),
        Span("r", "each[1]", "failed", 1, 0, 2 * SECOND),
        Span("r", "each[]", "completed", 1, 0, 60 * SECOND),
        Span("r", "each", None, 1, 0, 60 * SECOND),
        Span("r", "gone", "completed", 1, 0, 60 * SECOND),
    ]
    slowest, *others = step_figures(of, spans)
    assert (slowest.id, slowest.path, slowest.runs, slowest.times) == ("each", "steps[0]", 1, 2)
    assert (slowest.failed, slowest.retried, slowest.work_seconds) == (1, 1, 7)
    assert (slowest.p50_seconds, slowest.p95_seconds) == (2, 4)
    assert slowest.independent is None, "the step after it reads what it gave"
    assert {step.id: (step.times, step.independent) for step in others} == {"after": (0, "last"), "last": (0, None)}


def test_measuring_conditions_costs_no_more_than_those_of_one_event() -> None:
    items = [{"n": n} for n in range(1_000)]
    inner = {"combinator": "and", "rules": [{"field": "n", "operator": "exists"}]}
    rule = {"field": "items", "operator": "match", "match": "all", "value": inner}
    conditions = {"condition": compile_condition({"combinator": "and", "rules": [rule] * 20})}
    facts = [Facts(data={"items": items}, event={"name": "e"}, now=0)] * 200
    (told,) = condition_figures(conditions, facts)
    assert told.max_steps is not None
    assert told.max_steps >= 20 * len(items)
    assert 1 < told.events < 200
    assert (told.mean_steps or 0) * told.events <= EVENT_STEPS_MAX + told.events * told.comparisons
    (unknown,) = condition_figures(conditions, [])
    assert (unknown.events, unknown.mean_steps, unknown.max_steps) == (0, None, None)


def step(**figures: Any) -> StepFigures:
    plain = {"id": "s", "path": "steps[0]", "action": "a", "timeout_seconds": 10.0, "times": 100}
    return StepFigures(**{**plain, **figures})


@pytest.mark.parametrize(
    ("rule", "below", "above"),
    [
        (advice.near_timeout, step(p95_seconds=7.9), step(p95_seconds=8.0)),
        (advice.near_timeout, step(), step(p95_seconds=10.0)),
        (advice.failing, step(failed=5), step(failed=6)),
        (advice.retried, step(retried=10), step(retried=11)),
    ],
)
def test_a_rule_speaks_above_its_edge_only(rule: Any, below: StepFigures, above: StepFigures) -> None:
    assert rule(below) is None
    told = rule(above)
    assert isinstance(told, Advice)
    assert told.path.startswith("steps[0]")
    assert told.text.endswith(".")
    assert told.figures


def test_what_takes_most_of_the_work_is_put_beside_what_does_not_read_it() -> None:
    heavy = step(work_seconds=51.0, p50_seconds=1.0, independent="other")
    told = advice.beside(heavy, 100.0)
    assert told is not None
    assert "other" in told.text
    assert advice.beside(heavy, 102.0) is None
    assert advice.beside(step(work_seconds=51.0, p50_seconds=1.0), 100.0) is None, "what follows reads it"
    assert advice.beside(step(work_seconds=51.0, p50_seconds=0.1, independent="other"), 100.0) is None, "it is quick"


def test_a_condition_that_costs_much_is_named() -> None:
    assert advice.costly(ConditionFigures(path="condition", comparisons=1, max_steps=20_000)) is None
    told = advice.costly(ConditionFigures(path="condition", comparisons=1, max_steps=20_001))
    assert told is not None
    assert told.figures == {"max_steps": 20_001}


PATTERN = {"field": "a", "operator": "regex", "value": "x+"}
EQUAL = {"field": "b", "operator": "equals", "value": 1}
LONG = {"field": "c", "operator": "contains_any", "value": [f"w{n}" for n in range(20)]}
SHORT = {"field": "c", "operator": "contains_any", "value": ["w"]}


@pytest.mark.parametrize(
    ("rules", "paths"),
    [
        ([PATTERN, EQUAL], ["condition.rules[0]"]),
        ([LONG, PATTERN, EQUAL], ["condition.rules[0]"]),
        ([EQUAL, PATTERN], []),
        ([SHORT, EQUAL], []),
        ([PATTERN, LONG], []),
        ([PATTERN], []),
        ([{**PATTERN, "muted": True}, SHORT, EQUAL], []),
        ([EQUAL, {"combinator": "or", "rules": [PATTERN, EQUAL]}], ["condition.rules[1].rules[0]"]),
    ],
)
def test_a_costly_rule_before_a_cheap_one_is_named(rules: list[Any], paths: list[str]) -> None:
    document = compile_condition({"combinator": "and", "rules": rules}).document
    figures = ConditionFigures(path="condition", comparisons=1, document=document)
    assert [told.path for told in advice.out_of_order(figures)] == paths


@given(st.integers(0, 40), st.integers(0, 40))
def test_few_runs_are_chance(runs: int, times: int) -> None:
    told = advise(runs, [step(times=times, failed=times)], [])
    assert bool(told) == (runs >= 20 and times >= 20)
