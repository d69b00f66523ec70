"""The OpenAPI document knows of an automation what the core's parser knows: every field, kind of step, trigger and control."""

from typing import Any

import pytest

from upshot.core.automations import cancel_on, flow_control, normalise
from upshot.core.automations.steps import STEP_COMMON, STEP_FIELDS
from upshot.core.automations.validation import FIELDS, TRIGGERS
from upshot.http.openapi import schema

STEP = {"id": "end", "stop": "done"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """What a new automation is sent as."""
    body = schema()["paths"]["/api/v1/automations"]["post"]["requestBody"]
    return body["content"]["application/json"]["schema"]


@pytest.fixture(scope="module")
def answered() -> dict[str, Any]:
    """What an automation is told as, by field."""
    return schema()["components"]["schemas"]["AutomationItem"]["properties"]


def kinds(steps: dict[str, Any]) -> dict[str, set[str]]:
    """The fields of each kind of step."""
    listed = [one for one in steps["items"]["anyOf"] if "properties" in one]
    return {one["required"][0]: set(one["properties"]) for one in listed}


def test_it_has_every_field_of_a_document(document: dict[str, Any], answered: dict[str, Any]) -> None:
    assert set(document["properties"]) == set(FIELDS)
    assert set(answered) >= set(FIELDS)


def test_it_has_every_kind_of_step_and_its_fields(document: dict[str, Any], answered: dict[str, Any]) -> None:
    known = {kind: {*STEP_COMMON, *fields} for kind, fields in STEP_FIELDS.items()}
    assert kinds(document["properties"]["steps"]) == kinds(answered["steps"]) == known


def test_it_has_every_trigger_and_each_is_understood(document: dict[str, Any], answered: dict[str, Any]) -> None:
    (trigger,) = [one for one in document["properties"]["trigger"]["anyOf"] if one["type"] == "object"]
    given: dict[str, dict[str, Any]] = {
        "event": {"event": "a/b"},
        "segment": {"segment": "VIP", "on": "left"},
        "schedule": {"schedule": {"daily": "09:00"}},
        "manual": {"manual": True},
        "change": {"change": {"entity": "patient"}},
    }
    fields = {field for one in given.values() for field in one}
    assert set(trigger["properties"]) == set(answered["trigger"]["properties"]) == fields
    assert {kind: set(one) for kind, one in given.items() if kind != "change"} == {
        kind: set(said) for kind, said in TRIGGERS.items()
    }
    for one in given.values():
        canonical, _ = normalise({"name": "x", "trigger": one, "steps": [STEP]}, actions={})
        assert set(canonical["trigger"]) <= set(trigger["properties"])


def test_it_has_every_control_and_what_cancels(document: dict[str, Any]) -> None:
    flow, cancels = document["properties"]["flow"], document["properties"]["cancel_on"]["items"]
    assert set(flow["properties"]) == {*flow_control.FIELDS, "reentry"}
    for name, fields in flow_control.FIELDS.items():
        assert set(flow["properties"][name]["properties"]) == set(fields)
    assert set(cancels["properties"]) == set(cancel_on.FIELDS)
