"""The pure side of segments: what a condition may ask, which changes it can concern, and how a trigger is read."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upshot.core.automations import describe, normalise, read, to_document
from upshot.core.conditions import compile_condition
from upshot.core.entities import Change, Entity, PatchEntity, ReplaceEntity, change
from upshot.core.errors import Refused
from upshot.core.facts import Facts
from upshot.core.segments import STEPS_MAX, before_root, read_wanted, starting_condition, told

FIELDS = ("points", "city", "member", "tags")
VALUES = st.one_of(st.integers(-3, 3), st.sampled_from(["a", "b", None, ["a"], {"points": 1, "city": "a"}]))
LEAVES = st.builds(
    lambda field, operator, value: (
        {"field": field, "operator": operator, "value": value}
        if operator in {"equals", "not_equals"}
        else {"field": field, "operator": operator}
    ),
    st.sampled_from(
        ["points", "city", "entity.points", "member.points", "member.city", "member", "tags", "city.points"]
    ),
    st.sampled_from(["equals", "not_equals", "exists", "is_missing", "is_empty"]),
    st.one_of(st.integers(-3, 3), st.sampled_from(["a", "b", {"ref": "city"}, {"ref": "member.points"}])),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda combinator, turned, rules: {"combinator": combinator, "not": turned, "rules": rules},
        st.sampled_from(["and", "or"]),
        st.booleans(),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=5,
)
ENTITIES = st.dictionaries(st.sampled_from(FIELDS[:3]), VALUES, max_size=3)
TAGS = st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True).map(tuple)


def root(entity: Entity) -> dict[str, Any]:
    beside = {"id": entity.id, "type": entity.type, "tags": list(entity.tags)}
    return {**entity.fields, **beside, "created_at": "-", "updated_at": str(entity.revision)}


def of(type_: str, condition: Any) -> Any:
    return read_wanted(condition, type_)


@settings(max_examples=100, deadline=None)
@given(CONDITIONS, ENTITIES, ENTITIES, TAGS, TAGS)
def test_only_what_a_condition_reads_can_make_anybody_join_or_leave(
    condition: Any, fields: dict[str, Any], others: dict[str, Any], tags: tuple[str, ...], more: tuple[str, ...]
) -> None:
    """What is passed over would have changed nothing."""
    wanted = of("member", condition)
    before = Entity(type="member", id="m", fields=fields, tags=tags)
    made = change(before, ReplaceEntity("member", "m", others, more), 5)
    after = made.after
    if not wanted.concerns(made):
        assert wanted.holds(root(before), 1, "UTC") is wanted.holds(root(after), 1, "UTC")
    if made.kind == "unchanged":
        assert not wanted.concerns(made)
    assert wanted.holds(None, 1, "UTC") is False


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("points", {"points"}),
        ("entity.points.of.it", {"points"}),
        ("member.points", {"member", "points"}),
        ("order.points", {"order"}),
        ("member", {"member"}),
        ("tags", {"tags"}),
        ("id", None),
        ("member.updated_at", None),
        ("entity.revision", None),
        ("entity", None),
        ("now.hour", set()),
    ],
)
def test_the_fields_that_a_path_reads(field: str, names: set[str] | None) -> None:
    found = of("member", {"field": field, "operator": "exists"}).names
    assert found == (None if names is None else frozenset(names))


def test_items_of_a_list_are_no_fields() -> None:
    inner = {
        "combinator": "and",
        "rules": [{"field": "sku", "operator": "equals", "value": {"ref": "entity.favourite"}}],
    }
    wanted = of("order", {"field": "items", "operator": "match", "match": "some", "value": inner})
    assert wanted.names == {"items", "favourite"}
    assert wanted.holds({"items": [{"sku": 1}, {"sku": 2}], "favourite": 2, "type": "order"}, 1, "UTC")


@pytest.mark.parametrize(
    ("leaf", "follows"),
    [
        ({"field": "at", "operator": "within_last", "value": {"n": 1, "unit": "day"}}, True),
        ({"field": "at", "operator": "before", "value": "today"}, True),
        ({"field": "at", "operator": "between", "value": ["2027-01-01", "now"]}, True),
        ({"field": "now.hour", "operator": "greater_than", "value": 8}, True),
        ({"field": "at", "operator": "equals", "value": {"ref": "now.date"}}, True),
        ({"field": "at", "operator": "before", "value": "2027-01-01"}, False),
        ({"field": "at", "operator": "before", "value": {"base": {"ref": "until"}, "offset": 1, "unit": "day"}}, False),
    ],
)
def test_whether_time_alone_moves_anybody(leaf: dict[str, Any], follows: bool) -> None:
    wanted = of("member", {"none": [leaf]})
    assert wanted.follows_clock is follows
    untouched = change(Entity(type="member", id="m", fields={}), PatchEntity("member", "m", {"else": 1}), 5)
    assert wanted.concerns(untouched) is follows


def test_what_only_an_event_could_tell_is_refused_at_its_path() -> None:
    leaves = [{"field": "run.id", "operator": "exists"}, {"field": "points", "operator": "increased"}]
    inner = {"any": [{"field": "steps.x.output", "operator": "exists"}]}
    document = {"all": [*leaves, {"field": "items", "operator": "match", "match": "all", "value": inner}]}
    with pytest.raises(Refused) as refused:
        of("member", document)
    assert {problem.path for problem in refused.value.problems} == {
        "condition.rules[0].field",
        "condition.rules[1].field",
        "condition.rules[2].value.rules[0].field",
    }


def test_what_costs_too_much_does_not_hold() -> None:
    wanted = of(
        "member", {"field": "all", "operator": "match", "match": "all", "value": {"field": ".", "operator": "exists"}}
    )
    assert wanted.holds({"all": [1] * 100}, 1, "UTC")
    heavy = {
        "combinator": "and",
        "rules": [{"field": "all", "operator": "contains", "value": -n} for n in range(1, 50)],
    }
    assert not of("member", {"not": heavy}).holds({"all": list(range(STEPS_MAX))}, 1, "UTC")


@given(st.none() | CONDITIONS, st.sampled_from(["VIP", "Other"]), ENTITIES)
@settings(max_examples=100, deadline=None)
def test_an_automation_of_a_segment_starts_by_its_events_alone(
    condition: Any, name: str, fields: dict[str, Any]
) -> None:
    document = {
        "name": "x",
        "trigger": {"segment": "VIP"},
        "steps": [{"id": "s", "stop": True}],
        "condition": condition,
    }
    canonical, _ = normalise(document, actions={})
    automation = read(canonical)
    assert canonical["trigger"] == to_document(automation)["trigger"] == {"segment": "VIP", "on": "joined"}
    assert automation.listens_to("a") == "segment.joined"
    entity = Entity(type="member", id="m", fields=fields)
    data = told(("s1", name), entity, "updated", [])
    facts = Facts(data=data, event={"data": data}, now=1, entity=root(entity))
    starts = compile_condition(automation.starts_when).fast(facts)
    own = automation.condition is None or compile_condition(automation.condition).fast(facts)
    assert starts is (own and name == "VIP")


@pytest.mark.parametrize("on", ["joined", "left"])
def test_the_spellings_of_a_trigger(on: str) -> None:
    steps = [{"id": "s", "stop": True}]
    for trigger in (
        {"type": "segment", "segment": "VIP", "on": on},
        {"segment": "VIP", "on": on, "conditions": []},
        {"type": f"segment_{on}", "segment": "VIP"},
        {"type": f"member_{on}_segment", "config": {"segmentName": "VIP"}},
    ):
        canonical, _ = normalise({"name": "x", "trigger": trigger, "steps": steps}, actions={})
        assert canonical["trigger"] == {"segment": "VIP", "on": on}
    assert describe(read(canonical)).startswith(
        f"When an entity {'joins' if on == 'joined' else 'leaves'} the segment “VIP”"
    )
    with pytest.raises(Refused) as refused:
        normalise(
            {"name": "x", "trigger": {"type": "segment_joined", "segment": "", "on": "left"}, "steps": steps},
            actions={},
        )
    assert {problem.path for problem in refused.value.problems} == {"trigger.on", "trigger.segment"}


def test_what_was_there_before_a_change_and_a_condition_that_is_joined() -> None:
    before = Entity(type="member", id="m", fields={"points": 1})
    made: Change = change(before, PatchEntity("member", "m", {"points": 2}), 5)
    assert before_root(made) == {"points": 1, "id": "m", "tags": [], "type": "member"}
    assert before_root(change(None, ReplaceEntity("member", "m", {}), 5)) is None
    assert starting_condition({"event": "x"}, None) is None
