"""Circles of automations, found in their documents."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upshot.adapters.actions import built_in_actions
from upshot.core.action import ActionRegistry
from upshot.core.automations import ActionShape, read
from upshot.core.automations.cycles import Emitted, Part, cycles, part_of

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
