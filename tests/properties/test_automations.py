"""Automation documents: normalising is idempotent, reading and writing are inverse, junk is refused."""

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.core.automations.catalogue import ACTIONS
from upshot.core.automations import describe, dry_run, inspect, normalise, read, to_document
from upshot.core.automations.diff import diff
from upshot.core.automations.durations import due_at
from upshot.core.errors import Problem, Refused
from upshot.core.facts import Facts

RULES = st.lists(
    st.builds(
        lambda field, value: {"field": field, "operator": "equals", "value": value},
        st.sampled_from(["a", "b.c"]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=3,
)
CONDITIONS = (
    RULES | RULES.map(lambda rules: {"operator": "or", "conditions": rules}) | RULES.map(lambda rules: {"all": rules})
)
TARGETS = st.sampled_from(["s1", "s2", "s3", "s4", None])
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "onError": st.sampled_from(["stop", "continue", "retry", "skip"]),
        "retryCount": st.integers(0, 5),
        "timeout": st.sampled_from([5, "30s", "1m30s"]),
        "name": st.sampled_from(["A step", ""]),
        "nextSteps": st.lists(st.sampled_from(["s1", "s2", "s3", "s4"]), max_size=3),
        "delay": st.sampled_from([0, 60, "1h", {"value": 2, "unit": "days"}, None]),
        "condition": CONDITIONS | st.none(),
    },
)
IMPORTED = st.builds(
    lambda kind, options: (
        {"type": kind, "args": {"a": "{a.b}", "n": 1} if kind == "anything" else {"seconds": 3}} | options
    ),
    st.sampled_from(["anything", "delay_seconds"]),
    OPTIONS,
)
CANONICAL = (
    st.builds(lambda target: {"action": "anything", "with": {"x": "{{ a }}"}, "next": target}, TARGETS)
    | st.builds(lambda rules, yes, no: {"branch": rules, "if_true": yes, "if_false": no}, CONDITIONS, TARGETS, TARGETS)
    | st.builds(
        lambda data, options: {"call": "other", "with": data} | options,
        st.sampled_from([{}, {"x": "{{ a }}", "y": {"z": [1, "{{ b.c }}"]}}]),
        st.fixed_dictionaries(
            {},
            optional={
                "await": st.booleans(),
                "timeout": st.just("3d"),
                "on_timeout": TARGETS,
                "on_error": st.sampled_from(["stop", "continue"]),
                "on_failure": TARGETS,
                "next": TARGETS,
            },
        ),
    )
    | st.sampled_from(
        [{"delay": "2h"}, {"delay": {"days": 1}, "note": "n"}, {"stop": True}, {"stop": "why"}, {"action": "anything"}]
    )
)
STEPS = st.lists(IMPORTED | CANONICAL, min_size=1, max_size=4).map(
    lambda steps: [{"id": f"s{index}", **step} for index, step in enumerate(steps, start=1)]
)
DOCUMENTS = st.fixed_dictionaries(
    {
        "name": st.just("n"),
        "trigger": st.sampled_from(["e", {"event": "e"}, {"type": "event", "eventName": "e"}]),
        "steps": STEPS,
    },
    optional={
        "conditions": CONDITIONS,
        "goal": CONDITIONS,
        "exit": CONDITIONS,
        "triggerConditions": CONDITIONS,
        "priority": st.integers(1, 10),
        "enabled": st.booleans(),
        "status": st.sampled_from(["active", "draft", "paused"]),
        "description": st.sampled_from(["", "d"]),
    },
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["name", "trigger", "event", "type", "conditions", "condition", "steps", "actions", "id", "action",
            "with", "args",
             "branch", "if_true", "delay", "stop", "next", "nextSteps", "retries", "timeout", "status", "enabled",
             "priority",
             "rules", "config"]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=25,
)  # fmt: skip
FACTS = Facts(data={"a": {"b": 1}, "b": {"c": 2}}, event={"id": "e"}, now=1_795_000_000_000_000, zone="Europe/Paris")


@given(DOCUMENTS)
def test_normalising_twice_changes_nothing_more_and_what_was_read_can_be_written_and_read_again(
    document: dict[str, Any],
) -> None:
    try:
        canonical, _ = normalise(document, actions=ACTIONS)
    except Refused as refused:
        assert refused.problems
        return
    assert normalise(canonical, actions=ACTIONS) == (canonical, [])
    automation = read(canonical, actions=ACTIONS)
    assert read(to_document(automation), actions=ACTIONS) == automation
    assert describe(automation)
    tried = dry_run(automation, FACTS, actions=ACTIONS)
    rounds = {step["id"].partition(":")[0] for step in tried["steps"]}
    assert rounds == {step.id for step in automation.steps}


@given(DOCUMENTS, DOCUMENTS)
def test_a_diff_is_empty_for_the_same_document_and_for_no_other(one: dict[str, Any], other: dict[str, Any]) -> None:
    before, after = (inspect(document, actions=ACTIONS)[0] for document in (one, other))
    assume(before is not None and after is not None)
    assert before is not None
    assert after is not None
    changes = diff(before, after)
    assert (changes == []) is (before == after)
    assert all(change.text for change in changes)
    assert diff(after, after) == []


@given(JUNK)
def test_junk_is_refused_and_never_raised_over(junk: Any) -> None:
    canonical, findings = inspect(junk, actions=ACTIONS, imported=True)
    if findings.problems:
        assert all(isinstance(problem, Problem) and problem.message and problem.code for problem in findings.problems)
    else:
        read(canonical, actions=ACTIONS)


@given(JUNK, st.integers(0, 4_000_000_000_000_000))
def test_a_delay_is_due_at_or_after_now_or_refused(delay: Any, now: int) -> None:
    try:
        assert due_at(delay, FACTS, now) >= now
    except Refused as refused:
        assert refused.problems[0].path.startswith("delay")
