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
        ({"action": "add_to_segment", "with": {"type": "m", "id": "1", "segment": "VIP"}}, "segment.joined of “VIP”"),
        (
            {"action": "remove_from_segment", "with": {"type": "m", "id": "1", "segment": "A b"}},
            "segment.left of “A b”",
        ),
        ({"action": "add_to_segment", "with": {"type": "m", "id": "1", "segment": "{{ which }}"}}, None),
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


Side = tuple[str, str]
"""Joining or leaving, and which segment."""
_ACTIONS = {"joined": "add_to_segment", "left": "remove_from_segment"}


def of_segment(side: Side, *made: Side, name: str = "own", types: dict[str, str] | None = None) -> Part:
    """An automation that a segment starts, and that puts into segments and takes out of them."""
    steps = [
        {"id": f"s{at}", "action": _ACTIONS[on], "with": {"type": "member", "id": "1", "segment": segment}}
        for at, (on, segment) in enumerate(made)
    ]
    document = {"name": name, "trigger": {"segment": side[1], "on": side[0]}, "steps": steps}
    return part_of(read(document), name, SHAPES, types or {})


def test_a_circle_through_segments_that_are_kept_by_hand_names_them() -> None:
    joins, leaves = ("joined", "S"), ("left", "S")
    own = of_segment(joins, ("joined", "S2"))
    back = of_segment(("joined", "S2"), leaves, joins, name="back")
    said = (
        "may go round in a circle: step “s0” makes segment.joined of “S2” happen, which starts “back”, whose step “s1” "
        "makes segment.joined of “S” happen, which starts “own” again"
    )
    assert cycles(own, [back]) == [("steps[0]", said)]
    assert cycles(own, [of_segment(("joined", "S2"), leaves, name="back")]) == []
    assert cycles(own, [of_segment(("left", "S2"), joins, name="back")]) == []
    assert [place for place, _ in cycles(of_segment(joins, leaves, joins), [])] == ["steps[1]"]
    assert [place for place, _ in cycles(of_segment(joins, leaves), [of_segment(leaves, joins, name="b")])] == [
        "steps[0]"
    ]


def test_who_listens_to_all_segments_hears_of_each() -> None:
    any_ = part("segment.joined", {"action": "add_to_segment", "with": {"type": "m", "id": "1", "segment": "S"}})
    assert [place for place, _ in cycles(any_, [])] == ["steps[0]"]
    assert cycles(part("segment.left", {"action": "emit_event", "with": {"name": "segment.joined"}}), [any_]) == []


def test_a_change_of_an_entity_may_lead_into_a_segment_with_a_condition_and_into_no_other() -> None:
    own = part("member.updated", {"action": "add_to_segment", "with": {"type": "member", "id": "1", "segment": "S"}})
    change = {"action": "update_entity", "with": {"type": "member", "id": "1", "fields": {"a": 1}}}
    document = {"name": "b", "trigger": {"segment": "S", "on": "joined"}, "steps": [{"id": "s0", **change}]}
    by_hand = part_of(read(document), "b", SHAPES, {})
    assert cycles(by_hand, []) == []
    assert cycles(own, [by_hand])[0][1].endswith("which starts “b”, whose step “s0” makes member.updated happen, "
                                                 "which starts “own” again")  # fmt: skip
    assert len(cycles(part_of(read(document), "b", SHAPES, {"S": "member"}), [])) == 1


SIDES = st.tuples(st.sampled_from(["joined", "left"]), st.sampled_from("ST"))
OF_SEGMENTS = st.lists(st.tuples(SIDES, st.lists(SIDES, unique=True, min_size=1, max_size=2)), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(OF_SEGMENTS)
def test_a_circle_through_segments_is_found_exactly_when_there_is_one(graph: list[tuple[Side, list[Side]]]) -> None:
    parts = [of_segment(listens, *made, name=str(at)) for at, (listens, made) in enumerate(graph)]
    reached: set[Side] = set()
    frontier = set(graph[0][1])
    while frontier - reached:
        reached |= frontier
        frontier = {side for listens, made in graph if listens in reached for side in made}
    assert bool(cycles(parts[0], parts)) == (graph[0][0] in reached)


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
