"""Event schemas: what they refuse and how they say it, and that no schema is dangerous."""

from typing import Any

import pytest

from upshot.core.errors import Refused
from upshot.core.event_payloads import PROBLEMS_MAX, EntityBinding, compile_schema, read_binding
from upshot.core.events import EntityRef

APPOINTMENT = {
    "type": "object",
    "required": ["appointment"],
    "properties": {
        "appointment": {
            "type": "object",
            "required": ["patientId", "status"],
            "additionalProperties": False,
            "properties": {
                "patientId": {"type": "string", "minLength": 1},
                "status": {"enum": ["scheduled", "done"]},
                "at": {"type": "string", "format": "date-time"},
                "codes": {"type": "array", "items": {"type": "string", "pattern": "^[A-Z]\\d+$"}},
            },
        }
    },
}


def found(schema: dict[str, Any], data: Any) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in compile_schema(schema).problems(data)]


def refused(schema: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        compile_schema(schema)
    problem = caught.value.problems[0]
    return problem.path, problem.code


def test_good_data_has_no_problems() -> None:
    data = {"appointment": {"patientId": "p-1", "status": "done", "at": "2026-11-21T09:00:00Z", "codes": ["A1"]}}
    assert found(APPOINTMENT, data) == []


def test_every_fault_is_named_by_its_path() -> None:
    data = {"appointment": {"status": "lost", "at": "tomorrow", "codes": ["A1", "b"], "extra": 1, "e.f": 2}}
    assert sorted(found(APPOINTMENT, data)) == [
        ("appointment.at", "schema_format"),
        ("appointment.codes[1]", "schema_pattern"),
        ("appointment.extra", "schema_additionalProperties"),
        ("appointment.patientId", "schema_required"),
        ("appointment.status", "schema_enum"),
        ('appointment["e.f"]', "schema_additionalProperties"),
    ]


def test_messages_do_not_repeat_the_data() -> None:
    problems = compile_schema(APPOINTMENT).problems(
        {"appointment": {"patientId": 4711_0815, "status": "secret diagnosis"}}
    )
    text = " ".join(problem.message for problem in problems)
    assert "47110815" not in text
    assert "secret" not in text
    assert 'is not of type "string"' in text


def test_a_flood_of_faults_is_cut() -> None:
    schema = {"type": "array", "items": {"type": "string"}}
    assert len(compile_schema(schema).problems(list(range(10_000)))) == PROBLEMS_MAX


def test_whole_numbers_beyond_64_bits_are_compared_exactly() -> None:
    assert found({"type": "integer", "maximum": 2**63}, 2**63 + 1) == [("", "schema_maximum")]


def test_an_older_dialect_is_read_as_what_it_says() -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "items": [{"type": "string"}],
        "additionalItems": False,
    }
    assert found(schema, ["a"]) == []
    assert found(schema, ["a", 1]) == [("", "schema_additionalItems")]


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ([], "schema"),
        ("object", "schema"),
        ({"type": "objekt"}, "schema.type"),
        ({"properties": {"a": {"minLength": "3"}}}, "schema.properties.a.minLength"),
        ({"properties": {"a": {"pattern": "("}}}, "schema.properties.a.pattern"),
        ({"$schema": "https://example.org/mine"}, "schema.$schema"),
        ({"$schema": 7}, "schema.$schema"),
        ({"properties": {"a": {"$id": "https://example.org/"}}}, "schema.properties.a.$id"),
        ({"$dynamicRef": "#a"}, "schema.$dynamicRef"),
        ({"$ref": "#/$defs/missing"}, "schema.$ref"),
        ({"maximum": float("inf")}, "schema.maximum"),
    ],
)
def test_what_is_no_schema_is_refused_by_its_path(schema: Any, path: str) -> None:
    assert refused(schema)[0] == path


@pytest.mark.parametrize("pattern", [r"(a)\1", r"(?=a)b", r"(?<!a)b", r"\d{1000}{1000}{1000}"])
def test_a_pattern_that_is_not_linear_or_too_large_is_refused(pattern: str) -> None:
    assert refused({"properties": {"a": {"pattern": pattern}}}) == ("schema.properties.a.pattern", "bad_schema")


def test_a_pattern_that_is_slow_elsewhere_is_not_here() -> None:
    schema = compile_schema({"pattern": "^(a+)+$"})
    assert [problem.code for problem in schema.problems("a" * 200_000 + "b")] == ["schema_pattern"]


@pytest.mark.parametrize(
    "reference",
    ["http://127.0.0.1:9/schema", "https://json-schema.org/draft-07/schema", "file:///etc/passwd", "other.json", "#a"],
)
def test_nothing_outside_is_ever_fetched(reference: str) -> None:
    assert refused({"properties": {"a": {"$ref": reference}}}) == ("schema.properties.a.$ref", "bad_schema")


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"$defs": {"n": {"properties": {"a": {"allOf": [{"$ref": "#/$defs/n"}]}}}}, "$ref": "#/$defs/n"},
    ],
)
def test_a_schema_that_refers_to_itself_is_refused(schema: dict[str, Any]) -> None:
    assert refused(schema)[1] == "bad_schema"


def test_references_that_unfold_without_bound_are_refused() -> None:
    doubling: dict[str, Any] = {
        f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}, {"$ref": f"#/$defs/a{n + 1}"}]} for n in range(14)
    }
    doubling["a14"] = {"type": "string"}
    assert refused({"$defs": doubling, "$ref": "#/$defs/a0"})[1] == "too_large"


def test_size_depth_and_patterns_are_bounded() -> None:
    deep: dict[str, Any] = {}
    for _ in range(40):
        deep = {"not": deep}
    assert refused(deep)[1] == "too_deep"
    deeper: dict[str, Any] = {}
    for _ in range(5_000):
        deeper = {"not": deeper}
    assert refused(deeper)[1].startswith("json_")
    assert refused({"description": "x" * 70_000})[1] == "too_large"
    assert refused({"anyOf": [{"pattern": f"a{n}"} for n in range(101)]})[1] == "too_large"


def test_a_property_may_be_called_like_a_keyword() -> None:
    schema = {"properties": {"default": {"type": "string"}, "$ref": {"type": "string"}, "enum": {"type": "integer"}}}
    assert found(schema, {"default": 1, "$ref": 2, "enum": "x"}) == [
        ("default", "schema_type"),
        ("$ref", "schema_type"),
        ("enum", "schema_type"),
    ]


@pytest.mark.parametrize(
    ("path", "data", "expected"),
    [
        ("appointment.patientId", {"appointment": {"patientId": "p-1"}}, "p-1"),
        ("id", {"id": 42}, "42"),
        ("items.1.id", {"items": [{"id": "a"}, {"id": "b"}]}, "b"),
        ("items.9.id", {"items": []}, None),
        ("a.b", {"a": "text"}, None),
        ("a.b", {}, None),
        ("a", {"a": True}, None),
        ("a", {"a": None}, None),
        ("a", {"a": ""}, None),
        ("a", {"a": "x\n"}, None),
        ("a", {"a": "x" * 201}, None),
        ("a", {"a": {"__class__": 1}}, None),
        ("__class__", {}, None),
    ],
)
def test_the_entity_is_found_by_its_path_or_not_at_all(path: str, data: Any, expected: str | None) -> None:
    ref = EntityBinding("patient", path).entity_of(data)
    assert ref == (None if expected is None else EntityRef("patient", expected))


def test_a_binding_is_read() -> None:
    assert read_binding({"type": "patient", "id": "a.b"}) == EntityBinding("patient", "a.b")


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ("patient", "entity"),
        ({"type": "patient"}, "entity"),
        ({"type": "patient", "id": 3}, "entity"),
        ({"type": "patient", "id": "a", "more": "b"}, "entity"),
        ({"type": "a patient", "id": "a"}, "entity.type"),
        ({"type": "patient", "id": "a..b"}, "entity.id"),
        ({"type": "patient", "id": ""}, "entity.id"),
        ({"type": "patient", "id": "{{ a }}"}, "entity.id"),
    ],
)
def test_a_bad_binding_is_refused_by_its_path(document: Any, path: str) -> None:
    with pytest.raises(Refused) as caught:
        read_binding(document)
    assert [problem.path for problem in caught.value.problems] == [path]
