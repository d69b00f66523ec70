"""Events as Pydantic models."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pydantic
import pytest

from upshot.core.errors import Refused
from upshot.core.event_payloads import compile_schema
from upshot.sdk.events import Event


class Status(StrEnum):
    SCHEDULED = "scheduled"
    DONE = "done"


class Appointment(pydantic.BaseModel):
    patient_id: str = pydantic.Field(alias="patientId")
    status: Status
    at: datetime


class Clinic(Event):
    """The base of the clinic's events; has no name of its own."""

    practice: str = "main"


class AppointmentCreated(Clinic, name="crm/appointment.created", entity=("patient", "appointment.patientId")):
    """An appointment was booked.

    By whom does not matter.
    """

    appointment: Appointment


def created() -> AppointmentCreated:
    at = datetime(2026, 11, 21, 9, tzinfo=UTC)
    return AppointmentCreated(appointment=Appointment(patientId="p-1", status=Status.SCHEDULED, at=at))


DATA = {
    "practice": "main",
    "appointment": {"patientId": "p-1", "status": "scheduled", "at": "2026-11-21T09:00:00Z"},
}


def test_an_event_is_its_name_and_its_fields_as_json() -> None:
    assert created().data() == DATA
    assert created().envelope() == {"name": "crm/appointment.created", "data": DATA}


def test_a_declared_event_is_an_event_type_whose_schema_its_data_meets() -> None:
    declared = AppointmentCreated.declaration()
    assert declared["name"] == "crm/appointment.created"
    assert declared["title"] == "AppointmentCreated"
    assert declared["description"] == "An appointment was booked."
    assert declared["entity"] == {"type": "patient", "id": "appointment.patientId"}
    schema = compile_schema(declared["schema"])
    assert schema.problems(DATA) == []
    problems = schema.problems({"appointment": {"patientId": "p", "status": "lost"}})
    assert sorted(problem.path for problem in problems) == ["appointment.at", "appointment.status"]


def test_the_entity_is_found_in_the_data() -> None:
    assert AppointmentCreated.event_entity is not None
    ref = AppointmentCreated.event_entity.entity_of(DATA)
    assert ref is not None
    assert (ref.type, ref.id) == ("patient", "p-1")


def test_a_base_without_a_name_cannot_be_emitted() -> None:
    with pytest.raises(TypeError, match=r'Clinic\(Event, name="noun\.verb"\)'):
        Clinic().envelope()
    with pytest.raises(TypeError, match="no event name"):
        Clinic.declaration()


@pytest.mark.parametrize("name", ["system.started", " a", "a\nb", "x" * 201])
def test_a_bad_name_is_refused_where_the_class_is_written(name: str) -> None:
    with pytest.raises(TypeError, match="name"):
        type("Bad", (Event,), {}, name=name)


@pytest.mark.parametrize("entity", [("a b", "id"), ("patient", ""), ("patient", "a..b")])
def test_a_bad_entity_is_refused_where_the_class_is_written(entity: tuple[str, str]) -> None:
    with pytest.raises(Refused):
        type("Bad", (Event,), {}, name="a", entity=entity)


def test_a_field_may_not_hide_what_every_event_has() -> None:
    fields: dict[str, Any] = {"__annotations__": {"envelope": str}}
    with pytest.raises(TypeError, match='alias="envelope"'), pytest.warns(UserWarning, match="shadows"):
        type("Bad", (Event,), fields, name="a")
