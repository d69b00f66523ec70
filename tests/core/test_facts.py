"""Paths into facts: where they look, what they find missing, what is no path."""

from typing import Any

import pytest

from upshot.core.errors import Refused
from upshot.core.facts import MISSING, Facts, compile_path, path_of

FACTS = Facts(
    data={
        "appointment": {"patientId": "p1", "note": None, "items": [{"sku": "x"}, {"sku": "y"}]},
        "a.b": 1,
        "total": 5,
        "0": "zero",
    },
    event={
        "id": "e1",
        "name": "crm/appointment.created",
        "data": {"total": 5},
        "entity": {"type": "patient", "id": "p1"},
    },
    now=1_795_304_400_000_000,  # 2026-11-21T23:40:00Z, Sunday 00:40 in Berlin
    zone="Europe/Berlin",
    entity={"id": "p1", "type": "patient", "total": 7, "status": "new", "tags": ["vip"], "appointment": {"room": 4}},
    previous={"status": "lead"},
    changed=["status"],
    steps={"still on?": {"output": {"x": 1}}, "note": {"output": [1]}},
    run={"id": "r1"},
)


@pytest.mark.parametrize(
    ("text", "value", "source", "missing_at"),
    [
        ("appointment.patientId", "p1", "event", None),
        ("appointment.note", None, "event", None),
        ("appointment.items[1].sku", "y", "event", None),
        ("appointment.items.1.sku", "y", "event", None),
        ("appointment.items[2].sku", MISSING, None, "appointment.items[2]"),
        ("appointment.patientId.length", MISSING, None, "appointment.patientId.length"),
        ("total", 5, "event", None),
        ("entity.total", 7, "entity", None),
        ("event.data.total", 5, "event", None),
        ("event.entity.type", "patient", "event", None),
        ("status", "new", "entity", None),
        ("tags[0]", "vip", "entity", None),
        ("appointment.room", 4, "entity", None),
        ('["a.b"]', 1, "event", None),
        ("['a.b']", 1, "event", None),
        ("customer.country", MISSING, None, "customer"),
        ("previous.status", "lead", "previous", None),
        ("previous.name", MISSING, None, "previous.name"),
        ("changed", ["status"], "changed", None),
        ("changed[0]", "status", "changed", None),
        ('steps["still on?"].output.x', 1, "steps", None),
        ("steps.still on?.output.x", 1, "steps", None),
        ("steps.note.output[0]", 1, "steps", None),
        ("steps.later.output", MISSING, None, "steps.later"),
        ("run.id", "r1", "run", None),
        ("tenant.zone", MISSING, None, "tenant"),
        ("now", "2026-11-21T23:40:00.000000Z", "now", None),
        ("now.day_of_week", 0, "now", None),
        ("now.weekday", "sunday", "now", None),
        ("now.date", "2026-11-22", "now", None),
        ("now.hour", 0, "now", None),
        ("__class__", MISSING, None, "__class__"),
        ("appointment.__class__", MISSING, None, "appointment.__class__"),
    ],
)
def test_path(text: str, value: Any, source: str | None, missing_at: str | None) -> None:
    path = compile_path(text)
    assert path.read(FACTS) == value
    assert path.explain(FACTS) == (value, source, missing_at)


@pytest.mark.parametrize(
    "text", ["a", "a.b", "a[0]", 'a["x.y"].z', "steps.still on?.output", "entity.a.b", 'a["q\\"q"]']
)
def test_the_canonical_text_reads_back(text: str) -> None:
    assert compile_path(compile_path(text).text).text == compile_path(text).text
    assert path_of(["steps", "still on?", "output"]).text == "steps.still on?.output"


@pytest.mark.parametrize(
    "text",
    ["", ".", "a.", ".a", "a..b", "a[", "a]", "a[*]", "a[-1]", "a[1.5]", 'a["x]', "a[0]b", "a.[0]", "a b . c",
     "now.century", "now.hour.x", "a" * 501, ".".join("a" * 33), "a\x00b", "a\n"],
)  # fmt: skip
def test_what_is_no_path_is_refused_where_it_was_written(text: str) -> None:
    with pytest.raises(Refused) as refused:
        compile_path(text, "rules[0].field")
    assert refused.value.problems[0].path == "rules[0].field"
    assert refused.value.problems[0].code == "bad_path"


def test_which_paths_may_need_the_entity() -> None:
    assert all(compile_path(text).reads_entity for text in ("status", "entity.status"))
    assert not any(compile_path(text).reads_entity for text in ("event.id", "now", "steps.a.output", "previous.status"))


@pytest.mark.parametrize(
    ("data", "given", "path", "before"),
    [
        ({"patient": {"status": "new"}}, {"status": "lead"}, "patient.status", "lead"),
        ({}, {"status": "lead"}, "entity.status", "lead"),
        ({}, {"status": "lead"}, "status", "lead"),
        ({}, {"status": "lead"}, "event.data.patient.status", "lead"),
        ({"previous": {"patient": {"status": "lead"}}}, None, "patient.status", "lead"),
        ({}, {"name": "x"}, "status", MISSING),
        ({}, None, "status", MISSING),
        ({"previous": "x"}, None, "status", MISSING),
    ],
)
def test_what_a_path_was_before(data: dict[str, Any], given: dict[str, Any] | None, path: str, before: Any) -> None:
    assert compile_path(path).previous(Facts(data, {}, 0, previous=given)) == before


def test_an_unknown_zone_reads_as_utc_and_a_time_beyond_the_calendar_is_missing() -> None:
    assert compile_path("now.hour").read(Facts({}, {}, 0, zone="No/Where")) == 0
    assert compile_path("now.hour").read(Facts({}, {}, 10**20)) is MISSING
    assert compile_path("now").read(Facts({}, {}, 10**20)) is MISSING


def test_a_bare_path_may_name_the_entity_by_its_type() -> None:
    entity = {"id": "p-1", "type": "patient", "tags": [], "email": "ada@example.com"}
    facts = Facts(data={"appointment": {"patientId": "p-1"}}, event={}, now=0, entity=entity)
    assert compile_path("patient.email").explain(facts) == ("ada@example.com", "entity", None)
    assert compile_path("order.email").read(facts) is MISSING
    told = Facts(data={"patient": {"email": "new@example.com"}}, event={}, now=0, entity=entity)
    assert compile_path("patient.email").read(told) == "new@example.com"
