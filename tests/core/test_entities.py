"""What an operation makes of an entity."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upshot.core.entities import (
    FIELDS_BYTES_MAX,
    TAGS_MAX,
    AddTag,
    CreateEntity,
    DeleteEntity,
    Entity,
    Operation,
    PatchEntity,
    RemoveTag,
    ReplaceEntity,
    change,
)
from upshot.core.errors import Refused

NOW = 1_800_000_000_000_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text("ab", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("xyz", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.text("xyz", min_size=1, max_size=2), JSON, max_size=4)


def patient(tags: tuple[str, ...] = (), **fields: Any) -> Entity:
    return Entity(type="patient", id="p-1", fields=fields, tags=tags, revision=3, created_at=5, updated_at=7)


def refusal(before: Entity | None, operation: Operation, **more: Any) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as caught:
        change(before, operation, NOW, **more)
    return [(problem.path, problem.code) for problem in caught.value.problems]


def test_creating_gives_a_first_revision_and_an_event() -> None:
    made = change(None, CreateEntity("patient", "p-1", {"name": "Ada"}, ("vip", "vip")), NOW)
    assert made.after == Entity(
        type="patient", id="p-1", fields={"name": "Ada"}, tags=("vip",), revision=1, created_at=NOW, updated_at=NOW
    )
    assert made.event_name == "patient.created"
    assert made.data == {
        "patient": {"name": "Ada", "id": "p-1"},
        "previous": None,
        "changed": ["name", "tags"],
        "tags": ["vip"],
    }


def test_creating_what_is_there_is_a_conflict() -> None:
    assert refusal(patient(), CreateEntity("patient", "p-1", {})) == [("id", "conflict")]


@pytest.mark.parametrize(
    "operation", [PatchEntity("patient", "x", {}), AddTag("patient", "x", "vip"), DeleteEntity("patient", "x")]
)
def test_changing_what_is_not_there_is_refused(operation: Operation) -> None:
    assert refusal(None, operation) == [("id", "not_found")]


def test_a_patch_merges_objects_and_null_removes() -> None:
    before = patient(name="Ada", phone="1", address={"city": "Bern", "street": "Gasse"})
    made = change(before, PatchEntity("patient", "p-1", {"phone": None, "address": {"city": "Basel"}, "age": 7}), NOW)
    assert made.after.fields == {"name": "Ada", "address": {"city": "Basel", "street": "Gasse"}, "age": 7}
    assert (made.after.revision, made.after.created_at, made.after.updated_at) == (4, 5, NOW)
    assert made.event_name == "patient.updated"
    assert made.data["changed"] == ["address", "age", "phone"]
    assert made.data["previous"] == {**before.fields, "id": "p-1", "tags": []}


def test_replacing_leaves_nothing_else_and_creates_what_is_not_there() -> None:
    replaced = change(patient(("vip",), a=1, b=2), ReplaceEntity("patient", "p-1", {"a": 1}), NOW)
    assert replaced.after.fields == {"a": 1}
    assert replaced.after.tags == ("vip",)
    assert replaced.data["changed"] == ["b"]
    assert change(None, ReplaceEntity("patient", "p-1", {"a": 1}), NOW).event_name == "patient.created"


@pytest.mark.parametrize(
    "operation",
    [
        PatchEntity("patient", "p-1", {"name": "Ada", "missing": None}),
        ReplaceEntity("patient", "p-1", {"name": "Ada", "age": 7.0}),
        AddTag("patient", "p-1", "vip"),
        RemoveTag("patient", "p-1", "never had"),
    ],
)
def test_a_write_that_changes_nothing_is_no_event(operation: Operation) -> None:
    before = patient(("vip",), name="Ada", age=7)
    made = change(before, operation, NOW)
    assert made.kind == "unchanged"
    assert made.event_name is None
    assert made.after is before


def test_true_is_not_one() -> None:
    assert change(patient(a=1), PatchEntity("patient", "p-1", {"a": True}), NOW).data["changed"] == ["a"]
    assert change(patient(a=[0]), PatchEntity("patient", "p-1", {"a": [False]}), NOW).data["changed"] == ["a"]


def test_tags_are_added_and_taken_away_once() -> None:
    tagged = change(patient(("a",)), AddTag("patient", "p-1", "b"), NOW)
    assert tagged.after.tags == ("a", "b")
    assert tagged.data["changed"] == ["tags"]
    assert change(tagged.after, RemoveTag("patient", "p-1", "a"), NOW).after.tags == ("b",)


def test_a_deletion_tells_what_was_there() -> None:
    made = change(patient(("vip",), name="Ada"), DeleteEntity("patient", "p-1"), NOW)
    assert made.is_deletion
    assert made.event_name == "patient.deleted"
    assert made.data["patient"] == {"name": "Ada", "id": "p-1"}
    assert made.data["previous"] == {"name": "Ada", "id": "p-1", "tags": ["vip"]}


def test_a_limited_patch_names_each_field_it_may_not_set_and_changes_nothing() -> None:
    operation = PatchEntity("patient", "p-1", {"phone": "2", "diagnosis": "x", "a.b": 1}, is_limited=True)
    allowed = frozenset({"phone"})
    assert refusal(patient(), operation, allowed_fields=allowed) == [
        ("fields.diagnosis", "field_not_allowed"),
        ('fields["a.b"]', "field_not_allowed"),
    ]
    free = PatchEntity("patient", "p-1", {"diagnosis": "x"})
    assert change(patient(), free, NOW, allowed_fields=allowed).after.fields == {"diagnosis": "x"}


@pytest.mark.parametrize("type_", ["", "1st", "a b", "Ä", "a" * 65, "previous", "changed", "tags", "a/b", "a\n"])
def test_bad_types_are_refused(type_: str) -> None:
    assert refusal(None, CreateEntity(type_, "x", {})) == [("type", "bad_type")]


@pytest.mark.parametrize("id_", ["", " x", "x\n", "x" * 201, "\u202ex", "\x00"])
def test_bad_ids_are_refused(id_: str) -> None:
    assert refusal(None, CreateEntity("patient", id_, {})) == [("id", "bad_id")]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"id": 1}, ("fields.id", "reserved_field")),
        ({"type": "x"}, ("fields.type", "reserved_field")),
        ({"": 1}, ("fields", "bad_field")),
        ({"a\n": 1}, ("fields", "bad_field")),
        ({"a": float("nan")}, ("fields.a", "json_number")),
        ({"a": {"b": "\x00"}}, ("fields.a.b", "json_nul")),
        ({"a": "x" * FIELDS_BYTES_MAX}, ("fields", "too_large")),
        ({f"f{n}": 1 for n in range(1_001)}, ("fields", "too_large")),
    ],
)
def test_bad_fields_are_refused_by_their_path(fields: dict[str, Any], expected: tuple[str, str]) -> None:
    (found,) = refusal(None, CreateEntity("patient", "x", fields))
    assert found[0] == expected[0]
    assert found[1].split("_")[0] == expected[1].split("_")[0]


def test_bad_and_too_many_tags_are_refused() -> None:
    assert refusal(patient(), AddTag("patient", "p-1", "a\nb")) == [("tag", "bad_tag")]
    many = tuple(f"t{n}" for n in range(TAGS_MAX + 1))
    assert refusal(None, CreateEntity("patient", "x", {}, many)) == [("tags", "too_large")]


def test_all_problems_are_named_at_once() -> None:
    found = refusal(None, CreateEntity("patient", "x", {"id": 1, "revision": 2}, ("",)))
    assert [path for path, _ in found] == ["fields.id", "fields.revision", "tags"]


@given(FIELDS, FIELDS)
def test_changed_names_exactly_the_fields_that_differ(before: dict[str, Any], after: dict[str, Any]) -> None:
    made = change(patient(**before), ReplaceEntity("patient", "p-1", after), NOW)
    unlike = {
        n
        for n in before.keys() | after.keys()
        if n not in before or n not in after or repr(before[n]) != repr(after[n])
    }
    same_but_for_order = {n for n in unlike if n in before and n in after and before[n] == after[n]}
    changed = set(made.data.get("changed", []))
    assert unlike - same_but_for_order <= changed <= unlike
    assert (made.kind == "unchanged") == (not changed)
