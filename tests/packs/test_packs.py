"""Packs: reading one, installing it, its actions, the sample rule and the sample data."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from upshot import NotFound, Refused, Upshot
from upshot.app.packs import built_in_packs
from upshot.core.packs import read_pack, with_instants
from upshot.testing import Harness
from upshot.testing.clock import START, VirtualClock

CLINIC = built_in_packs()["clinic"]
MANIFEST = 'name = "p"\ntitle = "P"\ndescription = "x"\n'
APPOINTMENT = {"id": "a-1", "patientId": "p-1", "status": "scheduled", "visitType": "Consultation"}
PATIENT = {"firstName": "Ada", "email": "ada@example.org", "phone": "+41446681800"}


def names(harness: Harness, **more: Any) -> list[str]:
    return sorted(item["name"] for item in harness.upshot.automations.page("default", limit=100, **more).items)


def test_the_clinic_has_what_a_practice_needs() -> None:
    assert {one.name for one in CLINIC.event_types} == {
        "crm/appointment.created",
        "crm/appointment.updated",
        "crm/patient.created",
        "crm/patient.updated",
        "crm/message.drafted",
    }
    assert all(one.title and one.description and one.sample and one.entity for one in CLINIC.event_types)
    assert {one.name for one in CLINIC.entity_types} == {"patient", "appointment", "note", "task", "message_draft"}
    assert {one.name for one in CLINIC.actions} == {"create_note", "update_patient_fields", "delay_seconds"}
    assert len(CLINIC.automations) >= 4


def test_the_action_and_the_entity_type_allow_the_same_fields() -> None:
    (action,) = [one for one in CLINIC.actions if one.name == "update_patient_fields"]
    (patient,) = [one for one in CLINIC.entity_types if one.name == "patient"]
    assert action.with_["allowed_fields"] == patient.allowed_fields


def test_every_automation_of_the_pack_is_played_in_a_scenario_or_by_the_sample_data(clinic: Harness) -> None:
    clinic.upshot.packs.demo("default")
    clinic.settle()
    played = {run.automation for scenario in CLINIC.scenarios.values() for check in scenario.then for run in check.runs}
    started = {run["automation"]["name"] for run in clinic.runs()}
    assert {document["name"] for document in CLINIC.automations.values()} <= played | started


def test_installing_makes_active_automations_and_declared_types(clinic: Harness) -> None:
    upshot = clinic.upshot
    assert names(clinic, status="active") == sorted(document["name"] for document in CLINIC.automations.values())
    declared = {item["name"]: item for item in upshot.event_types.page("default").items}
    assert declared["crm/appointment.created"]["entity"] == {"type": "patient", "id": "appointment.patientId"}
    with pytest.raises(Refused) as caught:
        upshot.emit("crm/appointment.created", {"appointment": {"id": "a-1", "patientId": "p-1", "status": "lost"}})
    assert caught.value.problems[0].path == "data.appointment.status"


def test_installing_again_changes_nothing(clinic: Harness) -> None:
    upshot = clinic.upshot
    (welcome,) = upshot.automations.page("default", search="New patient welcome").items
    upshot.automations.pause("default", welcome["id"])
    audited = len(upshot.audit.page("default", limit=200).items)
    answer = upshot.packs.install("default", "clinic")
    assert (answer["created"], len(answer["present"])) == ([], len(CLINIC.automations))
    assert upshot.automations.get("default", welcome["id"])["status"] == "paused"
    assert len(upshot.audit.page("default", limit=200).items) == audited


def test_a_pack_is_one_tenants_alone(clinic: Harness) -> None:
    clinic.upshot.tenants.create("other", name="Other")
    assert clinic.upshot.automations.page("other").items == []
    assert clinic.upshot.event_types.page("other").items == []


@pytest.mark.parametrize("call", [lambda u: u.packs.get("x"), lambda u: u.packs.install("default", "x")])
def test_a_pack_that_is_not_there(clinic: Harness, call: Callable[[Upshot], Any]) -> None:
    with pytest.raises(NotFound, match="no pack 'x'"):
        call(clinic.upshot)


def test_a_pack_is_not_installed_for_a_tenant_that_is_not_there(clinic: Harness) -> None:
    with pytest.raises(NotFound, match="no tenant 'nobody'"):
        clinic.upshot.packs.install("nobody", "clinic")


def test_the_list_says_what_is_in_each(clinic: Harness) -> None:
    (shown,) = clinic.upshot.packs.list()
    assert shown == clinic.upshot.packs.get("clinic")
    assert (shown["name"], shown["title"], shown["has_demo"]) == ("clinic", "Clinic", True)
    assert {"name": "create_note", "title": "Create a note", "over": "create_entity"} in shown["actions"]


def test_a_host_may_have_a_name_of_a_pack_for_its_own_action() -> None:
    def build(url: str, clock: VirtualClock) -> Upshot:
        upshot = Upshot(url, clock=clock)

        @upshot.action("create_note")
        async def create_note(args: dict, context: Any) -> str:  # type: ignore[type-arg] - plain arguments
            return f"mine: {args['content']}"

        return upshot

    with Harness(build) as harness:
        harness.upshot.packs.install("default", "clinic")
        harness.upshot.entities.create("default", "patient", id="p-1", fields=PATIENT)
        harness.emit("crm/appointment.created", {"appointment": APPOINTMENT})
        (run,) = [run for run in harness.runs() if run["automation"]["name"] == "Consultation booked"]
        assert run["steps"][0]["output"] == "mine: Consultation booked."


def test_the_rule_of_the_former_system_imports_and_runs() -> None:
    with Harness() as harness:
        upshot = harness.upshot
        (told,) = upshot.automations.import_documents("default", CLINIC.samples["consultation-rule"])["automations"]
        assert told["problems"] == []
        assert upshot.automations.get("default", told["id"])["status"] == "active"
        note = told["document"]["steps"][0]
        assert note["with"]["patientId"] == "{{ appointment.patientId }}"
        harness.emit("crm/appointment.created", {"appointment": APPOINTMENT})
        harness.emit("crm/appointment.created", {"appointment": {**APPOINTMENT, "visitType": "Check-up"}})
        (run,) = harness.runs()
        assert run["status"] == "completed"
        (kept,) = harness.entities("note")
        assert kept["fields"]["content"] == "Consultation booked: appointment a-1"
        (draft,) = harness.entities("message_draft")
        assert (draft["fields"]["patientId"], draft["fields"]["to"]) == ("p-1", [])


def test_delay_seconds_is_a_delay_step(clinic: Harness) -> None:
    document = {
        "name": "wait",
        "trigger": "x/happened",
        "actions": [{"type": "delay_seconds", "args": {"seconds": 60}}, {"type": "log", "args": {"message": "later"}}],
        "enabled": True,
    }
    clinic.upshot.automations.import_documents("default", document)
    clinic.emit("x/happened")
    clinic.advance(59)
    assert [run["status"] for run in clinic.runs()] == ["waiting"]
    clinic.restart()
    clinic.advance(1)
    assert [run["status"] for run in clinic.runs()] == ["completed"]


def test_the_sample_data_shows_every_kind_of_run_and_happens_once(clinic: Harness) -> None:
    assert clinic.upshot.packs.demo("default") == len(CLINIC.demo.events)
    clinic.settle()
    runs = clinic.runs()
    assert {run["status"] for run in runs} == {"completed", "failed", "waiting"}
    (failed,) = [run for run in runs if run["status"] == "failed"]
    assert "fields.insuranceNumber: a step may not set this field" in failed["error"]["message"]
    nothing = clinic.upshot.events.get("default", "demo-12")
    assert (nothing["status"], nothing["runs"]) == ("matched", [])
    (told,) = clinic.upshot.events.explain("default", "demo-02")["automations"]
    assert told["outcome"] == "condition_false"
    assert clinic.upshot.packs.demo("default") == 0
    clinic.settle()
    assert len(clinic.runs()) == len(runs)


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({}, "pack.toml"),
        ({"pack.toml": "name ="}, "pack.toml"),
        ({"pack.toml": 'name = "p"'}, "pack.toml"),
        ({"actions/a.json": "{"}, "actions/a.json: "),
        ({"actions/a.json": '{"name": "a", "other": 1}'}, "actions/a.json"),
        ({"automations/a.json": "{}"}, "automations/a.json: name"),
        (
            {"event_types/e.json": json.dumps({"name": "e", "title": "E", "schema": {"type": "nope"}})},
            "event_types/ e: schema",
        ),
        ({"automations/a.json": '{"name": "a"}', "automations/b.json": '{"name": "a"}'}, "automations/ a"),
        ({"scenarios/s.toml": 'title = "s"\nevents = []\nthen = []'}, "scenarios/s.toml: then"),
    ],
)
def test_what_is_wrong_in_a_pack_is_told_by_its_file(files: dict[str, str], path: str) -> None:
    with pytest.raises(Refused) as caught:
        read_pack({"pack.toml": MANIFEST, **files} if files else {})
    assert caught.value.problems[0].path.startswith(path)


def test_sample_data_is_about_now() -> None:
    given = {"a": ["@+2h", "@-1d", "@+30m", "@home", 5], "b": None}
    assert with_instants(given, START) == {
        "a": ["2027-01-15T10:00:00.000000Z", "2027-01-14T08:00:00.000000Z", "2027-01-15T08:30:00.000000Z", "@home", 5],
        "b": None,
    }
