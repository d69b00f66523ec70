"""Valid documents, broken at random places: each is refused with the path of every fault, or it is taken, and then it can be
described, tried and written, and its runs always come to an end or wait for something."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.properties.programs import outcome_of
from upshot.core import advance
from upshot.core.automations import ActionShape, describe, dry_run, gap_notes, inspect, read, to_document
from upshot.core.commands import Await, Finish, RunStep, Sleep
from upshot.core.errors import Problem
from upshot.core.facts import Facts
from upshot.core.invariants import Snapshot, violations
from upshot.core.program import Program
from upshot.core.statuses import RUN_OVER
from upshot.testing import Harness

ACTIONS = {"note": ActionShape("note")}
WITH = {"to": "{{ who }}", "n": 1}
DOCUMENT: dict[str, Any] = {
    "name": "whole",
    "trigger": {"event": "broken/asked"},
    "priority": 5,
    "condition": {"combinator": "and", "rules": [{"field": "n", "operator": "greater_than", "value": 0}]},
    "timeout": "30d",
    "on_failure": "sorry",
    "steps": [
        {
            "id": "go",
            "action": "note",
            "with": WITH,
            "on_error": "retry",
            "retries": {"count": 1, "backoff_seconds": 1},
        },
        {
            "id": "fork",
            "parallel": ["left", "right"],
            "join": "any",
            "timeout": "2d",
            "on_timeout": "pair",
            "next": "pair",
        },
        {"id": "left", "action": "note", "with": {}, "on_error": "continue", "next": None},
        {"id": "right", "delay": {"working": "2h", "within": {"from": "09:00", "to": "17:00"}}, "next": "pair"},
        {"id": "pair", "for_each": "{{ items }}", "action": "note", "with": {"i": "{{ item }}"}, "concurrency": 2},
        {"id": "lot", "split": [{"weight": 1, "next": "nap"}, {"weight": 2, "next": "hear"}]},
        {"id": "nap", "delay": {"days": 1, "at": "09:00"}},
        {
            "id": "hear",
            "wait_for_event": "broken/heard",
            "match": {"who": "{{ who }}"},
            "timeout": "1d",
            "on_timeout": None,
        },
        {
            "id": "again?",
            "branch": {"field": "steps.go.output.n", "operator": "equals", "value": 1},
            "if_true": "nap",
            "if_false": "end",
        },
        {"id": "end", "stop": "enough"},
        {"id": "sorry", "action": "note", "with": {}, "delivery": "at_most_once", "next": None},
    ],
}
TEXTS = (
    "",
    "go",
    "nap",
    "pair",
    "nap:2",
    "pair[0]",
    "{{ who }}",
    "{{ item",
    "0s",
    "1d",
    "all",
    "any",
    "note",
    "stop",
    "continue",
)
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 12),
    st.sampled_from([0.5, 1e300, -1.0, 10**40]),
    st.sampled_from(TEXTS),
    st.text(max_size=4),
    st.sampled_from([[], {}, [None], [[]], {"a": 1}, ["nap", "nap"], {"until": "2020-01-01"}, {"from": "09:00"}]),
)


def places(part: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document, the outer ones first."""
    if at:
        yield at
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in inner:
        yield from places(value, (*at, key))


def holder_of(document: Any, at: tuple[Any, ...]) -> Any:
    for key in at[:-1]:
        document = document[key]
    return document


@st.composite
def broken(draw: st.DrawFn) -> dict[str, Any]:
    """The document with up to four things changed in it."""
    document = copy.deepcopy(DOCUMENT)
    for _ in range(draw(st.integers(0, 4))):
        known = list(places(document))
        at, other = draw(st.sampled_from(known)), draw(st.sampled_from(known))
        holder, key = holder_of(document, at), at[-1]
        match draw(st.sampled_from(("replace", "remove", "copy", "rename", "twice"))):
            case "replace":
                holder[key] = copy.deepcopy(draw(JUNK))
            case "remove":
                del holder[key]
            case "copy":
                holder[key] = copy.deepcopy(holder_of(document, other)[other[-1]])
            case "rename" if isinstance(holder, dict):
                holder[draw(st.sampled_from(("next", "timeout", "on_failure", "delivery", "flow", "x")))] = holder.pop(
                    key
                )
            case _ if isinstance(holder, list):
                holder.insert(key, copy.deepcopy(holder[key]))
            case _:
                holder[key] = copy.deepcopy(draw(JUNK))
        if not list(places(document)):
            break
    return document


FACTS = Facts(
    data={"who": "ann", "n": 1, "items": [1, 2]}, event={"id": "e"}, now=1_800_000_000_000_000, zone="Europe/Paris"
)
STEPS_MAX = 120


def accepted(document: dict[str, Any]) -> dict[str, Any] | None:
    """The canonical document if it is taken; it is held to what every refusal says."""
    canonical, findings = inspect(document, actions=ACTIONS)
    for problem in findings.problems:
        assert isinstance(problem, Problem)
        assert problem.path, f"a fault without a path: {problem}"
        assert problem.message
        assert problem.code
    return None if findings.problems else canonical


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(broken(), st.data())
def test_a_broken_document_is_refused_by_path_or_is_whole(document: dict[str, Any], data: st.DataObject) -> None:
    canonical = accepted(document)
    if canonical is None:
        return
    automation = read(canonical, actions=ACTIONS)
    assert read(to_document(automation), actions=ACTIONS) == automation
    assert describe(automation)
    assert dry_run(automation, FACTS, actions=ACTIONS)["steps"]
    gap_notes(automation, ACTIONS, {"type": "object"}, None)
    program = Program(automation, ACTIONS)
    state, commands, _ = advance.settle(program, *advance.start(program))
    for _ in range(STEPS_MAX):
        if commands and isinstance(commands[0], Finish):
            return
        open_steps = advance.pending(program, state)
        wanted = sorted(c.step_id for c in open_steps if isinstance(c, RunStep | Sleep | Await))
        assert wanted, f"nothing is open and it is not over: {state}"
        outcome = outcome_of(program, data.draw(st.sampled_from(wanted)), works=data.draw(st.booleans()))
        state, commands, _ = advance.settle(program, *advance.apply(program, state, outcome))


@pytest.fixture(scope="module")
def harness() -> Iterator[Harness]:
    with Harness() as made:

        @made.upshot.action("note")
        async def note(args: dict, context) -> dict:  # type: ignore[type-arg] - an action may take plain arguments
            if context.attempt == 1 and args.get("n"):
                raise RuntimeError("the first attempt fails")
            return {"n": 2}

        yield made


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(broken())
def test_a_run_of_what_was_saved_ends_or_waits_for_something(harness: Harness, document: dict[str, Any]) -> None:
    document.pop("status", None)
    if accepted(document) is None or document.get("trigger") != {"event": "broken/asked"}:
        return
    made = harness.upshot.automations.create("default", {**document, "status": "active"})
    harness.emit("broken/asked", {"who": "ann", "n": 1, "items": [1, 2]})
    for _ in range(12):
        if all(run["status"] in RUN_OVER for run in harness.runs(automation=made["id"])):
            break
        harness.advance(3 * 86_400)
    for run in harness.runs(automation=made["id"]):
        assert run["status"] in {*RUN_OVER, "waiting"}, run
    assert violations(snapshot(harness)) == []
    harness.upshot.automations.delete("default", made["id"])
    for run in harness.runs(automation=made["id"]):
        if run["status"] not in RUN_OVER:
            harness.upshot.runs.cancel("default", run["id"])
    harness.settle()


def snapshot(harness: Harness) -> Snapshot:
    """The rows that the invariants speak of: a run that sleeps and that nothing can wake is one of their violations."""
    with harness.upshot.database.reading() as connection:
        rows = {
            table: [dict(row) for row in connection.exec_driver_sql(f"SELECT * FROM upshot_{table}").mappings()]
            for table in Snapshot.__struct_fields__
        }
    return Snapshot(**rows)
