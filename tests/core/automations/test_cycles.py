"""Circles of automations, found in their documents."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upshot.adapters.actions import built_in_actions
from upshot.core.action import ActionRegistry
from upshot.core.automations import ActionShape, read
from upshot.core.automations.cycles import Emitted, Part, cycles, endless_calls, part_of

SHAPES = {
    **ActionRegistry(built_in_actions()).shapes,
    "note_on": ActionShape(
        "note_on", over="update_entity", with_={"type": "{{ kind }}", "id": "x", "fields": {"a": 1}}
    ),
    "note_over": ActionShape("note_over", over="note_on", with_={"kind": "patient"}),
    "round": ActionShape("round", over="round", with_={}),
}


def part(event: str, *steps: dict[str, Any], name: str = "own") -> Part:
    document = {
        "name": name,
        "trigger": {"event": event},
        "steps": [{"id": f"s{at}", **s} for at, s in enumerate(steps)],
    }
    return part_of(read(document), name, SHAPES)


@pytest.mark.parametrize(
    ("step", "event"),
    [
        ({"action": "emit_event", "with": {"name": "a/b", "data": {}}}, "a/b"),
        ({"action": "emit_event", "with": {"name": "a/{{ x }}"}}, None),
        ({"action": "create_entity", "with": {"type": "order"}}, "order.created"),
        ({"action": "update_entity", "with": {"type": "order", "id": "1", "fields": {"a": 1}}}, "order.updated"),
        ({"action": "update_entity", "with": {"type": "{{ kind }}", "id": "1", "fields": {"a": 1}}}, None),
        ({"action": "add_tag", "with": {"type": "order", "id": "1", "tag": "x"}}, "order.updated"),
        ({"action": "remove_tag", "with": {"type": "order", "id": "1", "tag": "x"}}, "order.updated"),
        ({"action": "create_task", "with": {"title": "x"}}, "task.created"),
        ({"action": "draft_email", "with": {"to": "a@example.com"}}, "message_draft.created"),
        ({"action": "note_on", "with": {"kind": "patient"}}, "patient.updated"),
        ({"action": "note_over", "with": {}}, "patient.updated"),
        ({"for_each": [1], "action": "note_over", "with": {}}, "patient.updated"),
        ({"action": "round", "with": {}}, None),
        ({"action": "log", "with": {"text": "x"}}, None),
        ({"action": "nobody has it", "with": {}}, None),
    ],
)
def test_what_a_step_makes_happen(step: dict[str, Any], event: str | None) -> None:
    assert [emitted.event for emitted in part("x", step).emits] == ([] if event is None else [event])


def test_a_circle_through_others_names_them_and_their_steps() -> None:
    own = part("first", {"delay": "1h"}, {"action": "emit_event", "with": {"name": "second"}})
    other = part("second", {"action": "emit_event", "with": {"name": "third"}}, name="other")
    last = part("third", {"action": "emit_event", "with": {"name": "first"}}, name="last")
    idle = part("second", {"action": "emit_event", "with": {"name": "elsewhere"}}, name="idle")
    said = (
        "may go round in a circle: step “s1” makes second happen, which starts “other”, whose step “s0” makes third "
        "happen, which starts “last”, whose step “s0” makes first happen, which starts “own” again"
    )
    assert cycles(own, [last, idle, other]) == [("steps[1]", said)]
    assert cycles(own, [other, idle]) == []


def test_an_automation_that_starts_itself_is_told_once_for_each_event() -> None:
    steps = [{"action": "emit_event", "with": {"name": "self"}}] * 3
    ((place, said),) = cycles(part("self", *steps), [])
    assert place == "steps[0]"
    assert said.endswith("step “s0” makes self happen, which starts “own” again")


CALL_B: dict[str, Any] = {"call": "b"}


def test_a_call_starts_what_it_calls_whatever_that_listens_to() -> None:
    own = part("first", {"delay": "1h"}, CALL_B, name="a")
    other = part("second", {"action": "emit_event", "with": {"name": "first"}}, name="b")
    said = "may go round in a circle: step “s1” calls “b”, whose step “s0” makes first happen, which starts “a” again"
    assert cycles(own, [other]) == [("steps[1]", said)]
    assert cycles(other, [own])[0][1].endswith("which starts “a”, whose step “s1” calls “b” again")
    assert cycles(part("first", {"call": "c"}, name="a"), [other]) == []
    assert endless_calls(own, [other]) == []


@pytest.mark.parametrize(
    ("before", "call", "back", "is_endless"),
    [
        ([], {}, {"call": "a"}, True),
        ([{"action": "log", "with": {"text": "x"}}], {}, {"call": "a"}, True),
        ([{"delay": "1h"}], {}, {"call": "a"}, False),
        ([{"wait_for_event": "x"}], {}, {"call": "a"}, False),
        ([], {"await": False}, {"call": "a"}, False),
        ([], {}, {"call": "a", "await": False}, False),
        ([], {}, {"call": "c"}, False),
        ([{"branch": {"field": "x", "operator": "exists"}, "if_true": "s1", "if_false": "s2"}, {"delay": "1h"}], {},
         {"call": "a"}, True),
    ],
)  # fmt: skip
def test_who_waits_for_itself_without_a_delay_is_told(
    before: list[dict[str, Any]], call: dict[str, Any], back: dict[str, Any], is_endless: bool
) -> None:
    own = part("first", *before, {**CALL_B, **call}, name="a")
    other = part("second", back, name="b")
    at = len(before)
    said = f"waits for itself in a circle without a delay: step “s{at}” calls “b”, whose step “s0” calls “a” again"
    assert endless_calls(own, [other]) == ([(f"steps[{at}].call", said)] if is_endless else [])
    assert bool(cycles(own, [other])) is (back["call"] == "a")


def test_who_calls_itself_and_waits_is_told() -> None:
    own = part("x", {"call": "own"})
    assert endless_calls(own, [own]) == [
        ("steps[0].call", "waits for itself in a circle without a delay: step “s0” calls “own” again")
    ]


EACH_B: dict[str, Any] = {"for_each": [1, 2], "call": "b"}


HOLDS, MANY = "waits for itself in a circle without a delay", "multiplies itself, for each item of a list"


@pytest.mark.parametrize(
    ("own", "back", "said"),
    [
        ([EACH_B], [{"call": "a"}], (0, HOLDS)),
        ([{**EACH_B, "await": False}], [{"call": "a"}], (0, MANY)),
        ([{"delay": "1h"}, EACH_B], [{"delay": "1h"}, {"call": "a"}], (1, MANY)),
        ([{"call": "b", "await": False}], [{"for_each": [1], "call": "a"}], (0, MANY)),
        ([{"call": "b"}, {**EACH_B, "await": False}], [{"call": "a", "await": False}], (1, MANY)),
        ([{"call": "b", "await": False}, {**EACH_B, "call": "c"}], [{"call": "a"}], None),
        ([EACH_B], [{"action": "emit_event", "with": {"name": "first"}}], None),
        ([EACH_B], [{"call": "c"}], None),
    ],
)
def test_calls_for_each_item_never_come_back_whoever_waits(
    own: list[dict[str, Any]], back: list[dict[str, Any]], said: tuple[int, str] | None
) -> None:
    told = endless_calls(part("first", *own, name="a"), [part("second", *back, name="b")])
    assert [(place, sentence.partition(":")[0]) for place, sentence in told] == (
        [(f"steps[{said[0]}].call", said[1])] if said is not None else []
    )
    assert all(" for each item" in sentence for _, sentence in told)


NAMES = st.sampled_from("abcdef")
PARTS = st.lists(st.tuples(NAMES, st.lists(NAMES, unique=True, max_size=3)), min_size=1, max_size=8)


@settings(max_examples=100, deadline=None)
@given(PARTS)
def test_a_circle_is_found_exactly_when_there_is_one(graph: list[tuple[str, list[str]]]) -> None:
    parts = [
        Part(str(at), str(at), listens, tuple(Emitted(event, event, place) for place, event in enumerate(emits)))
        for at, (listens, emits) in enumerate(graph)
    ]
    reached: set[str] = set()
    frontier = set(graph[0][1])
    while frontier - reached:
        reached |= frontier
        frontier = {event for listens, emits in graph if listens in reached for event in emits}
    assert bool(cycles(parts[0], parts)) == (graph[0][0] in reached)
