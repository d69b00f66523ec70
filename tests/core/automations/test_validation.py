"""A canonical document is read, or every reason why not is told at once."""

from typing import Any

import msgspec
import pytest

from tests.core.automations.catalogue import ACTIONS, NOTE, document
from upshot.core.automations import (
    ActionStep,
    Automation,
    BranchStep,
    DelayStep,
    Retries,
    StopStep,
    examine,
    read,
    to_document,
)
from upshot.core.errors import Refused

HOLDS = {"combinator": "and", "rules": [{"field": "entity.status", "operator": "equals", "value": "scheduled"}]}


def problems_of(given: Any) -> list[tuple[str, str]]:
    automation, problems = examine(given, actions=ACTIONS)
    assert (automation is None) == bool(problems)
    return [(problem.path, problem.code) for problem in problems]


def test_a_document_is_read_with_every_target_resolved() -> None:
    given = document(
        {"id": "note", **NOTE},
        {"id": "later", "delay": "24h"},
        {"id": "still on?", "branch": HOLDS, "if_false": None},
        {
            "id": "remind",
            "name": "Remind",
            "action": "anything",
            "with": {},
            "on_error": "retry",
            "retries": {"count": 3, "backoff_seconds": 2},
        },
        {"id": "end", "stop": "done"},
        condition=HOLDS,
        description="d",
        priority=7,
    )
    assert read(given, actions=ACTIONS) == Automation(
        name="Booked",
        event="crm/appointment.created",
        priority=7,
        condition=HOLDS,
        description="d",
        steps=(
            ActionStep("note", "create_note", NOTE["with"], "later"),
            DelayStep("later", "24h", "still on?"),
            BranchStep("still on?", HOLDS, "remind", None),
            ActionStep("remind", "anything", {}, "end", "retry", Retries(3, 2.0), name="Remind"),
            StopStep("end", "done"),
        ),
    )


def test_reading_what_was_written_gives_the_same_automation() -> None:
    given = document(
        {"id": "a", "branch": HOLDS, "if_true": "c", "if_false": "b"},
        {"id": "b", "delay": {"hours": 1}, "next": None, "note": "n"},
        {"id": "c", **NOTE, "timeout_seconds": 5, "on_error": "continue", "retries": 2},
        {"id": "d", "stop": True},
    )
    automation = read(given, actions=ACTIONS)
    written = to_document(automation)
    assert read(written, actions=ACTIONS) == automation
    assert written == given


def test_without_a_catalogue_actions_are_not_checked() -> None:
    assert read(document({"id": "a", "action": "gone", "with": {"x": 1}})).steps[0].id == "a"


@pytest.mark.parametrize(
    ("step", "problems"),
    [
        ({"id": "", **NOTE}, [("steps[0].id", "required")]),
        ({"id": "x" * 101, **NOTE}, [("steps[0].id", "too_long")]),
        ({"id": "a\nb", **NOTE}, [("steps[0].id", "bad_text")]),
        ({"id": "a", "action": "nothing_known"}, [("steps[0].action", "unknown_action")]),
        ({"id": "a", "action": 5}, [("steps[0].action", "wrong_type")]),
        ({"id": "a", "action": "anything", "with": []}, [("steps[0].with", "wrong_type")]),
        (
            {"id": "a", "action": "create_note", "with": {}},
            [("steps[0].with.patientId", "required"), ("steps[0].with.content", "required")],
        ),
        ({"id": "a", "action": "draft_email", "with": {"to": 5}}, [("steps[0].with.to", "wrong_type")]),
        ({"id": "a", "action": "draft_email", "with": {"to": "x", "copies": "{{ n }}"}}, []),
        (
            {"id": "a", "action": "draft_email", "with": {"to": "x", "copies": "{{ n }} x"}},
            [("steps[0].with.copies", "wrong_type")],
        ),
        (
            {"id": "a", "action": "draft_email", "with": {"to": "x", "copies": 1.5}},
            [("steps[0].with.copies", "wrong_type")],
        ),
        (
            {"id": "a", "action": "draft_email", "with": {"to": "x", "cc": "y"}},
            [("steps[0].with.cc", "unknown_argument")],
        ),
        (
            {"id": "a", "action": "create_task", "with": {"title": "x", "priority": "huge"}},
            [("steps[0].with.priority", "bad_argument")],
        ),
        ({"id": "a", "action": "create_task", "with": {"title": "x", "priority": "{{ p }}", "tags": ["{{ t }}"]}}, []),
        ({"id": "a", "action": "anything", "with": {"to": "{{ x"}}, [("steps[0].with.to", "template_syntax")]),
        (
            {"id": "a", "action": "anything", "with": {"n": [1, {"x": "{% include 'y' %}"}]}},
            [("steps[0].with.n[1].x", "template_tag")],
        ),
        ({"id": "a", **NOTE, "on_error": "explode"}, [("steps[0].on_error", "bad_option")]),
        ({"id": "a", **NOTE, "retries": -1}, [("steps[0].retries", "out_of_range")]),
        ({"id": "a", **NOTE, "retries": True}, [("steps[0].retries", "out_of_range")]),
        ({"id": "a", **NOTE, "retries": {"count": 1, "colour": 2}}, [("steps[0].retries.colour", "unknown_field")]),
        ({"id": "a", **NOTE, "timeout_seconds": 0}, [("steps[0].timeout_seconds", "out_of_range")]),
        ({"id": "a", **NOTE, "timeout_seconds": "30s"}, [("steps[0].timeout_seconds", "wrong_type")]),
        ({"id": "a", **NOTE, "if_true": None}, [("steps[0].if_true", "unknown_field")]),
        ({"id": "a", **NOTE, "next": 5}, [("steps[0].next", "wrong_type")]),
        ({"id": "a", **NOTE, "next": "nowhere"}, [("steps[0].next", "unknown_step")]),
        ({"id": "a", **NOTE, "next": "a"}, [("steps[0].next", "cycle")]),
        ({"id": "a", "branch": {}}, [("steps[0].branch", "required")]),
        ({"id": "a", "branch": HOLDS, "if_true": "nowhere"}, [("steps[0].if_true", "unknown_step")]),
        ({"id": "a", "delay": "soon"}, [("steps[0].delay", "bad_duration")]),
        ({"id": "a", "delay": {"hours": "{{ n"}}, [("steps[0].delay.hours", "template_syntax")]),
        ({"id": "a", "delay": "11y"}, [("steps[0].delay", "bad_duration")]),
        ({"id": "a", "stop": False}, [("steps[0].stop", "wrong_type")]),
    ],
)
def test_each_fault_of_a_step_has_its_path_and_code(step: dict[str, Any], problems: list[tuple[str, str]]) -> None:
    assert problems_of(document(step)) == problems


def test_a_bad_condition_is_told_by_its_path() -> None:
    bad = {"combinator": "and", "rules": [{"field": "a", "operator": "resembles", "value": 1}]}
    assert problems_of(document(condition=bad)) == [("condition.rules[0].operator", "unknown_operator")]
    assert problems_of(document({"id": "a", "branch": bad})) == [
        ("steps[0].branch.rules[0].operator", "unknown_operator")
    ]


def test_ids_are_unique() -> None:
    assert problems_of(document({"id": "a", **NOTE}, {"id": "a", **NOTE})) == [("steps[1].id", "duplicate_id")]


def test_a_cycle_is_named() -> None:
    given = document(
        {"id": "a", **NOTE}, {"id": "b", "delay": "0h"}, {"id": "c", "branch": HOLDS, "if_true": "b", "if_false": "a"}
    )
    with pytest.raises(Refused) as refused:
        read(given, actions=ACTIONS)
    assert [(problem.path, problem.code) for problem in refused.value.problems] == [
        ("steps[2].if_true", "cycle"),
        ("steps[2].if_false", "cycle"),
    ]
    assert "b -> c -> b" in refused.value.problems[0].message
    assert "a -> b -> c -> a" in refused.value.problems[1].message


def test_unreachable_steps_are_named() -> None:
    given = document(
        {"id": "a", **NOTE, "next": "c"}, {"id": "b", **NOTE}, {"id": "c", "stop": True}, {"id": "d", **NOTE}
    )
    assert problems_of(given) == [("steps[1]", "unreachable"), ("steps[3]", "unreachable")]


def test_all_problems_are_told_at_once() -> None:
    given = document(
        {"id": "a", "action": "create_note", "with": {"patientId": "{{ x", "content": 5}},
        {"id": "b", "delay": "soon", "next": "z"},
        {"id": "c", "stop": True},
        name=" ",
        priority=0,
        trigger={"event": ""},
        colour="red",
        condition={"combinator": "xor", "rules": []},
    )
    found = problems_of(given)
    assert {path for path, _ in found} >= {
        "name", "priority", "trigger.event", "colour", "steps[0].with.patientId", "steps[0].with.content",
        "steps[1].delay", "steps[1].next", "steps[2]",
    }  # fmt: skip
    assert any(path.startswith("condition") for path, _ in found)


def test_a_thousand_steps_are_fine_and_one_more_is_not() -> None:
    chain = [{"id": f"s{index}", "delay": "1s"} for index in range(1_001)]
    assert len(read(document(*chain[:1_000]), actions=ACTIONS).steps) == 1_000
    assert problems_of(document(*chain)) == [("steps", "too_many")]


@pytest.mark.parametrize("given", [None, [], 5, "x", {"steps": 5}, {"steps": None}, document(steps=[None])])
def test_junk_is_refused_not_raised_over(given: Any) -> None:
    assert problems_of(given)


def test_a_document_that_is_no_json_is_refused() -> None:
    assert problems_of(document({"id": "a", "action": "anything", "with": {"x": object()}})) == [("", "not_json")]
    loop: list[Any] = []
    loop.append(loop)
    assert problems_of(document(steps=loop)) == [("", "not_json")]


def test_an_automation_is_a_plain_value() -> None:
    automation = read(document(), actions=ACTIONS)
    assert msgspec.structs.replace(automation, name="x").name == "x"
    assert automation.step("note").id == "note"


@pytest.mark.parametrize(
    ("timeout", "code"),
    [("soon", "bad_duration"), ("{{ wait }}", "bad_duration"), ({"hours": -1}, "bad_duration"), (5, "bad_duration"),
     ({"fortnights": 1}, "unknown_field"), ("0s", "out_of_range"), ({"hours": 0}, "out_of_range")],
)  # fmt: skip
def test_a_time_limit_is_a_delay_without_placeholders(timeout: Any, code: str) -> None:
    document = {"name": "x", "trigger": {"event": "a/b"}, "steps": [{"id": "a", "delay": "1h"}], "timeout": timeout}
    automation, problems = examine(document)
    assert automation is None
    assert [problem.code for problem in problems] == [code]
    assert problems[0].path.startswith("timeout")


@pytest.mark.parametrize(
    ("queue", "code"),
    [("", "required"), ("Loud", "bad_text"), ("a b", "bad_text"), ("a,b", "bad_text"), ("*", "bad_text"), ("a\n", "bad_text"),
     ("x" * 65, "too_long"), (5, "wrong_type"), (None, "wrong_type"), (",held", "reserved_name"),
     (",throttled", "reserved_name")],
)  # fmt: skip
def test_a_queue_that_no_worker_could_serve_is_refused(queue: Any, code: str) -> None:
    assert problems_of(document(queue=queue)) == [("queue", code)]


@pytest.mark.parametrize("queue", ["automation", "night-batch", "0_x", "-", "x" * 64])
def test_a_queue_is_a_name_of_small_letters(queue: str) -> None:
    automation, problems = examine(document(queue=queue))
    assert automation is not None, problems
    assert automation.queue == queue
    assert read(to_document(automation)) == automation


def test_flow_control_beside_a_trigger_by_hand_is_refused() -> None:
    flow = {"once": {"per": "1h"}}
    assert problems_of(document(trigger={"manual": True}, flow=flow)) == [("flow", "bad_combination")]
    assert problems_of(document(trigger={"manual": True})) == problems_of(document(flow=flow)) == []
