"""Other names for actions, as packs give them."""

from typing import Any

import pytest

from tests.adapters.step import Step, perform
from upshot.adapters.actions import ActionCatalogue, alias, built_in_actions, delay_alias, form
from upshot.core.action import Action, ChangeEntity
from upshot.core.entities import CreateEntity, PatchEntity
from upshot.core.errors import PermanentError, Refused

ACTIONS = ActionCatalogue(built_in_actions())
TEXT = {"type": "string", "title": "Text"}


def builtin(name: str) -> Action:
    found = ACTIONS.get(name)
    assert found is not None
    return found


NOTE = alias(
    "create_note",
    builtin("create_entity"),
    {
        "type": "note",
        "fields": {
            "patientId": "{{ patientId }}",
            "content": "{{ content }}",
            "by": "{{ by }}",
            "kind": "note: {{ by }}",
        },
    },
    title="Create a note",
    schema=form({"patientId": TEXT, "content": TEXT, "by": TEXT}, required=["patientId", "content"]),
    module="clinic",
)
UPDATE = alias(
    "update_patient_fields",
    builtin("update_entity"),
    {"type": "patient", "id": "{{ patientId }}", "fields": "{{ fields }}", "allowed_fields": ["phone", "email"]},
    title="Update a patient",
    schema=form({"patientId": TEXT, "fields": {"type": "object", "title": "Fields"}}, required=["patientId", "fields"]),
)


def change_of(action: Action, **arguments: Any) -> Any:
    (operation,) = perform(action, arguments).operations
    assert isinstance(operation, ChangeEntity)
    return operation.change


def test_an_alias_fills_in_its_arguments_and_leaves_out_what_was_left_out() -> None:
    made = change_of(NOTE, patientId="p-1", content="Booked")
    assert made == CreateEntity("note", made.id, {"patientId": "p-1", "content": "Booked", "kind": "note: "})
    assert change_of(NOTE, patientId="p", content="x", by="Eve").fields["by"] == "Eve"


def test_what_an_argument_holds_is_never_read_as_a_template() -> None:
    assert change_of(NOTE, patientId="p", content="{{ patientId }}").fields["content"] == "{{ patientId }}"


def test_an_alias_keeps_the_nulls_inside_an_argument() -> None:
    made = change_of(UPDATE, patientId="p", fields={"phone": None})
    assert made == PatchEntity("patient", "p", {"phone": None}, is_limited=True)


def test_an_alias_is_held_to_the_fields_it_allows() -> None:
    step = Step()
    with pytest.raises(PermanentError, match=r"diagnosis.*allowed: email, phone"):
        perform(UPDATE, {"patientId": "p", "fields": {"diagnosis": "x"}}, step)
    assert "Refused fields.diagnosis" in step.lines[0][0]


def test_an_alias_takes_only_its_own_arguments() -> None:
    with pytest.raises(Refused) as caught:
        NOTE.validate({"patientId": "p", "type": "patient"})
    assert sorted(problem.path for problem in caught.value.problems) == ["content", "type"]


def test_an_alias_says_what_it_stands_over() -> None:
    assert (NOTE.over, NOTE.kind, NOTE.module, NOTE.icon) == ("create_entity", "store", "clinic", "square-plus")
    assert NOTE.shape.over == "create_entity"


def test_a_delay_alias_has_the_shape_of_a_delay_and_is_never_performed() -> None:
    wait = delay_alias(
        "delay_seconds",
        {"seconds": "{{ seconds }}"},
        title="Wait",
        schema=form({"seconds": {"type": "number", "title": "Seconds"}}, required=["seconds"]),
    )
    assert (wait.shape.over, wait.shape.with_) == ("delay", {"seconds": "{{ seconds }}"})
    with pytest.raises(PermanentError, match="is a delay"):
        perform(wait, {"seconds": 5})
