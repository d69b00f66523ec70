"""The built-in actions that work on our own store: what they ask of it, and what they refuse."""

import uuid
from typing import Any

import pytest

from tests.adapters.step import RUN_ID, Step, perform
from upshot.adapters.actions import ActionCatalogue, built_in_actions
from upshot.adapters.actions.sms_text import segments_of
from upshot.core.action import ChangeEntity, EmitEvent, StoreEffect
from upshot.core.entities import AddTag, CreateEntity, Operation, PatchEntity, RemoveTag, change
from upshot.core.errors import PermanentError, Refused
from upshot.core.event_payloads import compile_schema
from upshot.core.events import EntityRef

ACTIONS = ActionCatalogue(built_in_actions())


def done(action_name: str, step: Step | None = None, /, **arguments: Any) -> Any:
    """The one change or event that an action asks for."""
    action = ACTIONS.get(action_name)
    assert action is not None
    effect = perform(action, arguments, step)
    assert isinstance(effect, StoreEffect)
    (operation,) = effect.operations
    return operation.change if isinstance(operation, ChangeEntity) else operation


def refused_paths(action_name: str, /, **arguments: Any) -> list[str]:
    action = ACTIONS.get(action_name)
    assert action is not None
    with pytest.raises(Refused) as caught:
        action.validate(arguments)
    return [problem.path for problem in caught.value.problems]


def test_every_built_in_action_has_a_form_that_is_a_schema() -> None:
    assert {action.name for action in ACTIONS} == {
        "add_tag",
        "add_to_segment",
        "call_webhook",
        "create_entity",
        "create_task",
        "draft_email",
        "draft_sms",
        "emit_event",
        "log",
        "remove_from_segment",
        "remove_tag",
        "run_code",
        "update_entity",
    }
    for action in ACTIONS:
        compile_schema(action.schema)
        assert action.title
        assert action.description
        places = [shape["x-order"] for shape in action.schema["properties"].values()]
        assert places == list(range(1, len(places) + 1))
        assert all(shape["title"] for shape in action.schema["properties"].values())


def test_create_entity_without_an_id_gets_one_that_belongs_to_the_step() -> None:
    first = done("create_entity", type="note", fields={"text": "Booked"}, tags=["new"])
    again = done("create_entity", Step(attempt=2), type="note", fields={"text": "Booked"}, tags=["new"])
    other = done("create_entity", Step(step_id="second"), type="note")
    assert first == again == CreateEntity("note", first.id, {"text": "Booked"}, ("new",))
    assert other.id != first.id
    assert first.id[:18] == RUN_ID[:18]
    assert uuid.UUID(first.id).variant == uuid.RFC_4122


def test_a_number_from_a_lone_placeholder_is_an_id() -> None:
    assert done("create_entity", type="patient", id=42) == CreateEntity("patient", "42", {})
    assert done("add_tag", type="patient", id=42, tag="vip") == AddTag("patient", "42", "vip")
    assert done("remove_tag", type="patient", id="p", tag="vip") == RemoveTag("patient", "p", "vip")


def test_a_null_for_an_optional_argument_is_one_left_out() -> None:
    made = done("create_entity", type="note", id=None, fields=None)
    assert made.fields == {}
    assert refused_paths("create_entity", type=None) == ["type"]


def test_arguments_that_are_missing_unknown_or_of_the_wrong_kind_are_named_together() -> None:
    assert sorted(refused_paths("update_entity", type=7.5, fields=[], color="red")) == ["color", "fields", "id", "type"]


def test_update_entity_is_held_to_the_types_allowed_fields() -> None:
    operation: Operation = done("update_entity", type="patient", id="p", fields={"phone": "1", "diagnosis": "x"})
    assert operation == PatchEntity("patient", "p", {"phone": "1", "diagnosis": "x"}, is_limited=True)
    before = change(None, CreateEntity("patient", "p", {}), 1).after
    with pytest.raises(Refused, match="diagnosis"):
        change(before, operation, 2, allowed_fields=frozenset({"phone"}))


def test_update_entity_refuses_a_field_outside_its_own_list_and_logs_it() -> None:
    step = Step()
    with pytest.raises(PermanentError, match="diagnosis"):
        done("update_entity", step, type="patient", id="p", fields={"diagnosis": "x"}, allowed_fields=["phone"])
    assert [line for line, _ in step.lines] == [
        "Refused fields.diagnosis: a step may not set this field of patient; allowed: phone"
    ]


def test_create_task_is_an_open_task() -> None:
    made = done(
        "create_task", title="Call Ada", fields={"patientId": "p", "status": "done"}, due_at="2026-11-21T09:00:00Z"
    )
    assert made.type == "task"
    assert made.fields == {
        "title": "Call Ada",
        "priority": "normal",
        "due_at": "2026-11-21T09:00:00Z",
        "patientId": "p",
        "status": "open",
    }
    assert refused_paths("create_task", title="x", priority="huge", due_at="tomorrow") == ["priority", "due_at"]


def test_an_email_draft_is_kept_with_its_recipients() -> None:
    made = done(
        "draft_email", to="ada@example.org, bob@example.org,", subject="Hi", body="Two\nlines", fields={"about": "p"}
    )
    assert (made.type, made.fields) == (
        "message_draft",
        {
            "about": "p",
            "channel": "email",
            "to": ["ada@example.org", "bob@example.org"],
            "subject": "Hi",
            "body": "Two\nlines",
            "status": "draft",
        },
    )
    assert done("draft_email", to=["a@example.org", "a@example.org"], subject="Hi", body="x").fields["to"] == [
        "a@example.org"
    ]


@pytest.mark.parametrize("arguments", [{}, {"to": None}])
def test_a_draft_may_leave_open_to_whom_it_goes(arguments: dict[str, Any]) -> None:
    assert done("draft_email", subject="Hi", body="x", **arguments).fields["to"] == []
    assert done("draft_sms", body="x", **arguments).fields["to"] == []


def test_arguments_of_other_names_are_kept_with_what_is_made() -> None:
    beside = {"patientId": "p", "fields": {"about": "a visit"}, "status": "sent", "channel": "fax"}
    draft = done("draft_email", subject="Hi", body="x", **beside).fields
    assert (draft["patientId"], draft["about"], draft["status"], draft["channel"]) == ("p", "a visit", "draft", "email")
    assert done("draft_sms", body="x", patientId="p").fields["patientId"] == "p"
    assert done("create_task", title="Call", patientId="p", dueInDays=2).fields["dueInDays"] == 2


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"to": ""}, "to"),
        ({"to": ","}, "to"),
        ({"to": []}, "to"),
        ({"to": "nobody"}, "to[0]"),
        ({"to": "a@example"}, "to[0]"),
        ({"to": "a@example.org\r\nBcc: b@example.org"}, "to[0]"),
        ({"to": ["a@example.org", "b@example.org\nX: y"]}, "to[1]"),
        ({"to": "Your Bank <a@example.org>"}, "to[0]"),
        ({"to": "a@еxample.org"}, "to[0]"),
        ({"to": "a@example.org\x00"}, "to[0]"),
        ({"to": "a" * 300 + "@example.org"}, "to[0]"),
        ({"to": [f"a{n}@example.org" for n in range(51)]}, "to"),
        ({"to": [7]}, "to[0]"),
        ({"subject": "Hi\r\nBcc: b@example.org"}, "subject"),
        ({"subject": "Hi\u2028there"}, "subject"),
        ({"subject": ""}, "subject"),
        ({"subject": None}, "subject"),
        ({"body": ""}, "body"),
    ],
)
def test_an_email_draft_refuses(arguments: dict[str, Any], path: str) -> None:
    assert refused_paths("draft_email", **{"to": "a@example.org", "subject": "Hi", "body": "x", **arguments}) == [path]


def test_an_sms_draft_says_what_it_costs() -> None:
    step = Step()
    made = done("draft_sms", step, to="+41 (44) 668-18.00", body="See you at 9")
    assert made.fields == {
        "channel": "sms",
        "to": ["+41446681800"],
        "body": "See you at 9",
        "segments": 1,
        "encoding": "GSM-7",
        "status": "draft",
    }
    assert step.lines == [("Drafts an SMS of 1 segment(s)", {"encoding": "GSM-7", "characters": 12})]


@pytest.mark.parametrize("to", ["", "call me", "+", "12", "+1234567890123456", "+41\n79"])
def test_an_sms_draft_refuses_what_is_no_number(to: str) -> None:
    assert refused_paths("draft_sms", to=to, body="x") == ["to"]


def test_an_sms_draft_refuses_too_many_segments() -> None:
    assert refused_paths("draft_sms", to="+41446681800", body="🙂" * 400) == ["body"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("GSM-7", 0, 1)),
        ("a" * 160, ("GSM-7", 160, 1)),
        ("a" * 161, ("GSM-7", 161, 2)),
        ("a" * 306, ("GSM-7", 306, 2)),
        ("a" * 307, ("GSM-7", 307, 3)),
        ("€" * 80, ("GSM-7", 160, 1)),
        ("€" * 81, ("GSM-7", 162, 2)),
        ("Grüezi à tous", ("GSM-7", 13, 1)),
        ("ç" * 70, ("UCS-2", 70, 1)),
        ("ç" * 71, ("UCS-2", 71, 2)),
        ("🙂" * 35, ("UCS-2", 70, 1)),
        ("\u202eabc", ("UCS-2", 4, 1)),
    ],
)
def test_segments_are_counted_as_they_are_billed(text: str, expected: tuple[str, int, int]) -> None:
    assert segments_of(text) == expected


def test_emit_event_emits() -> None:
    made = done("emit_event", name="crm/message.drafted", data={"n": 1}, entity={"type": "patient", "id": "p"})
    assert made == EmitEvent("crm/message.drafted", {"n": 1}, EntityRef("patient", "p"))
    assert done("emit_event", name="a").data == {}


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"name": "system.started"}, "name"),
        ({"name": " a"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a", "data": [1]}, "data"),
        ({"name": "a", "entity": {"type": "patient"}}, "entity.id"),
        ({"name": "a", "entity": {"type": "a b", "id": "x"}}, "entity.type"),
    ],
)
def test_emit_event_refuses(arguments: dict[str, Any], path: str) -> None:
    assert refused_paths("emit_event", **arguments) == [path]
