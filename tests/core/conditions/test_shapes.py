"""Every understood shape becomes one canonical tree; everything else is refused, all at once, by its path."""

from pathlib import Path
from typing import Any

import pytest

from upshot.core.automations import normalise as normalise_automation
from upshot.core.conditions import RUNS_ON_EVERY_EVENT, always_holds, compile_condition, normalise, operators
from upshot.core.conditions.catalogue import find
from upshot.core.errors import Refused
from upshot.core.facts import Facts

A = {"field": "a", "operator": "equals", "value": 1}
B = {"field": "b", "operator": "greater_than", "value": 2}
CANONICAL_A = {"id": "c1", **A}
CANONICAL_B = {"id": "c2", **B}


def group(combinator: str, *rules: Any, negated: bool = False, name: str = "g1") -> dict[str, Any]:
    return {"id": name, "combinator": combinator, **({"not": True} if negated else {}), "rules": list(rules)}


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ({"combinator": "and", "rules": [A, B]}, group("and", CANONICAL_A, CANONICAL_B)),
        ({"operator": "and", "conditions": [A, B]}, group("and", CANONICAL_A, CANONICAL_B)),
        ({"operator": "OR", "conditions": [A, B]}, group("or", CANONICAL_A, CANONICAL_B)),
        ({"conditions": [A, B]}, group("and", CANONICAL_A, CANONICAL_B)),
        ({"all": [A, B]}, group("and", CANONICAL_A, CANONICAL_B)),
        ({"any": [A, B]}, group("or", CANONICAL_A, CANONICAL_B)),
        ({"or": [A, B]}, group("or", CANONICAL_A, CANONICAL_B)),
        ({"none": [A, B]}, group("or", CANONICAL_A, CANONICAL_B, negated=True)),
        ({"not": {"any": [A, B]}}, group("or", CANONICAL_A, CANONICAL_B, negated=True)),
        ({"not": [A, B]}, group("and", CANONICAL_A, CANONICAL_B, negated=True)),
        ({"not": A}, group("and", CANONICAL_A, negated=True)),
        ({"operator": "not", "conditions": [A]}, group("and", CANONICAL_A, negated=True)),
        ({"combinator": "or", "not": True, "rules": [A]}, group("or", CANONICAL_A, negated=True)),
        ([A, B], group("and", CANONICAL_A, CANONICAL_B)),
        (A, group("and", CANONICAL_A)),
        ([], group("and")),
        ({}, group("and")),
        ({"any": []}, group("or")),
        ({"all": [A, {"any": [B]}]}, group("and", CANONICAL_A, group("or", CANONICAL_B, name="g2"))),
        ({"field": "a", "op": "==", "value": 1}, group("and", CANONICAL_A)),
        ({"path": "a", "operator": "eq", "value": 1}, group("and", CANONICAL_A)),
        ({"fact": "a", "operator": "equal", "value": 1}, group("and", CANONICAL_A)),
    ],
)  # fmt: skip
def test_shape(written: Any, canonical: dict[str, Any]) -> None:
    assert normalise(written) == {"v": 1, **canonical}


def test_all_and_any_side_by_side_are_both_needed() -> None:
    condition = compile_condition({"all": [A], "any": [B, {**B, "value": 100}]})
    assert condition.fast(Facts({"a": 1, "b": 3}, {}, 0))
    assert not condition.fast(Facts({"a": 1, "b": 1}, {}, 0))


def test_ids_are_kept_or_made_around_those_given() -> None:
    canonical = normalise({"id": "root", "combinator": "and", "rules": [A, {**B, "id": "c1"}, B]})
    assert (canonical["id"], [rule["id"] for rule in canonical["rules"]]) == ("root", ["c2", "c1", "c3"])


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("==", "equals"), ("!=", "not_equals"), (">", "greater_than"), (">=", "greater_than_or_equal"),
        ("<", "less_than"), ("<=", "less_than_or_equal"), ("greater_or_equal", "greater_than_or_equal"),
        ("less_or_equal", "less_than_or_equal"), ("notEquals", "not_equals"), ("greaterThan", "greater_than"),
        ("lessThanOrEqual", "less_than_or_equal"), ("GREATER THAN", "greater_than"), ("ne", "not_equals"),
        ("gt", "greater_than"), ("lte", "less_than_or_equal"), ("doesNotContain", "not_contains"),
        ("beginsWith", "starts_with"), ("notNull", "exists"), ("null", "not_exists"),
    ],
)  # fmt: skip
def test_spelling(spelling: str, name: str) -> None:
    leaf = {"field": "a", "operator": spelling} | ({} if name.endswith("exists") else {"value": "1"})
    assert normalise(leaf)["rules"][0]["operator"] == name


def test_every_name_and_alias_leads_to_its_operator() -> None:
    for operator in operators():
        for spelling in (operator["name"], *operator["symbols"], *operator["aliases"]):
            found = find(spelling)
            assert found is not None
            assert found.name == operator["name"], spelling


def test_matches_and_not_empty_and_within() -> None:
    assert normalise({"field": "a", "operator": "matches", "value": "^a"})["rules"][0]["operator"] == "regex"
    assert normalise({"field": "a", "operator": "isNotEmpty"})["rules"][0]["operator"] == "not_empty"
    within = normalise({"field": "a", "operator": "within", "value": "7 days"})
    assert within["combinator"] == "or"
    assert [rule["operator"] for rule in within["rules"]] == ["within_last", "within_next"]
    assert normalise({"field": "a", "operator": "within", "value": [1, 2]})["rules"][0]["operator"] == "between"


def test_day_of_week_is_the_tenants_and_sunday_is_zero() -> None:
    condition = compile_condition({"field": "dayOfWeek", "operator": "in", "value": [6, 0]})
    assert condition.document["rules"][0]["field"] == "now.day_of_week"
    saturday_late = 1_795_304_400_000_000  # 2026-11-21T23:40:00Z, Sunday in Berlin
    assert condition.fast(Facts({}, {}, saturday_late))
    sunday = compile_condition({"field": "dayOfWeek", "operator": "equals", "value": 0})
    assert not sunday.fast(Facts({}, {}, saturday_late))
    assert sunday.fast(Facts({}, {}, saturday_late, zone="Europe/Berlin"))


def test_camel_case_options_and_value_sources() -> None:
    leaf = {
        "field": "a",
        "operator": "notIn",
        "value": ["x"],
        "requirePresent": True,
        "ignoreCase": True,
        "weekStart": "Sunday",
    }
    read = normalise(leaf)["rules"][0]
    assert (read["require_present"], read["ci"], read["week_start"]) == (True, True, "sunday")
    assert normalise({"field": "a", "operator": "=", "value": "b", "valueSource": "field"})["rules"][0]["value"] == {
        "ref": "b"
    }
    assert normalise({"field": "a", "operator": "=", "value": "b", "caseSensitive": False})["rules"][0]["ci"] is True
    span = {"field": "a", "operator": "between", "value": {"from": 1, "to": 2}}
    assert normalise(span)["rules"][0]["value"] == [1, 2]


def test_muted_parts_are_kept_and_left_out() -> None:
    condition = compile_condition({"all": [{**A, "muted": True}, B]})
    assert condition.document["rules"][0]["muted"] is True
    assert condition.fast(Facts({"b": 3}, {}, 0))
    assert condition.paths == {"b"}


EMPTY: list[tuple[Any, bool]] = [
    ([], True),
    ({"any": []}, False),
    ({"not": {"any": []}}, True),
    ({"not": []}, False),
    ([{"all": []}, {"any": []}], False),
]


@pytest.mark.parametrize(("document", "holds"), EMPTY)
def test_empty_groups(document: Any, holds: bool) -> None:
    condition = compile_condition(document)
    told = condition.explain(Facts({}, {}, 0))
    assert condition.fast(Facts({}, {}, 0)) is holds is told["result"]
    assert bool(told["blame"]) is not holds


@pytest.mark.parametrize(
    ("document", "always"),
    [([], True), ({"all": []}, True), ({"any": []}, False), ({"not": {"all": []}}, False), ({"none": []}, False)],
)
def test_what_asks_nothing_always_holds(document: Any, always: bool) -> None:
    assert always_holds(normalise(document)) is always


@pytest.mark.parametrize(
    ("condition", "notes"),
    [(None, 0), ([], 1), ({"all": []}, 1), ({"any": []}, 0), ({"field": "a", "op": "exists"}, 0)],
)
def test_an_automation_without_comparisons_is_told_that_it_runs_on_every_event(condition: Any, notes: int) -> None:
    document = {"name": "x", "trigger": {"event": "a/b"}, "condition": condition, "steps": [{"id": "s", "stop": True}]}
    canonical, told = normalise_automation(document, actions={})
    assert [note["message"] for note in told] == [RUNS_ON_EVERY_EVENT] * notes
    assert normalise_automation(canonical, actions={}) == (canonical, [])
    assert (canonical["condition"] is None) is (condition in (None, [], {"all": []}))


def test_an_empty_root_warns() -> None:
    assert "every event" in compile_condition([]).warnings[0]


BROKEN: list[tuple[Any, list[tuple[str, str]]]] = [
    (5, [("condition", "wrong_type")]),
    ("a == 1", [("condition", "wrong_type")]),
    (None, [("condition", "wrong_type")]),
    ({"combinator": "xor", "rules": []}, [("condition.combinator", "unknown_combinator")]),
    ({"combinator": "and", "rules": {}}, [("condition.rules", "wrong_type")]),
    ({"combinator": "and", "rules": [A, "and", B]}, [("condition.rules[1]", "wrong_type")]),
    ({"operator": "and", "conditions": [{"field": "a", "operator": "sounds_like", "value": 1}]},
     [("condition.conditions[0].operator", "unknown_operator")]),
    ({"all": [{"field": "a", "operator": "greter_than", "value": 1}]},
     [("condition.all[0].operator", "unknown_operator")]),
    ({"all": [{"operator": "in_segment", "value": "vip"}, {"operator": "performed", "value": {}}]},
     [("condition.all[0].operator", "not_available"), ("condition.all[1].operator", "not_available")]),
    ([{"operator": name, "value": "x"} for name in ("condition_ref", "expr", "not_in_segment")],
     [(f"condition[{n}].operator", "not_available") for n in range(3)]),
    ([{"field": "a"}], [("condition[0]", "missing_operator")]),
    ([{"operator": "equals", "value": 1}], [("condition[0]", "missing_field")]),
    ([{"field": "a", "operator": "equals"}], [("condition[0]", "missing_value")]),
    ([{"field": 5, "operator": "equals", "value": 1}], [("condition[0].field", "wrong_type")]),
    ([{"field": "a..b", "operator": "equals", "value": 1}], [("condition[0].field", "bad_path")]),
    ([{"field": "a[*].b", "operator": "equals", "value": 1}], [("condition[0].field", "bad_path")]),
    ([{"field": "now.century", "operator": "equals", "value": 1}], [("condition[0].field", "bad_path")]),
    ([{"field": "a", "operator": "equals", "value": 1, "colour": "red"}], [("condition[0].colour", "unknown_field")]),
    ([{"field": "a", "operator": "equals", "value": 1, "op": "gt"}], [("condition[0].op", "duplicate_field")]),
    ([{"field": "a", "operator": "greater_than", "value": "abc"}], [("condition[0].value", "bad_value")]),
    ([{"field": "a", "operator": "between", "value": [5, 1]}], [("condition[0].value", "bad_value")]),
    ([{"field": "a", "operator": "between", "value": [1]}], [("condition[0].value", "bad_value")]),
    ([{"field": "a", "operator": "in", "value": {"list": "vips"}}], [("condition[0].value.list", "not_available")]),
    ([{"field": "a", "operator": "in", "value": list(range(1001))}], [("condition[0].value", "too_many")]),
    ([{"field": "a", "operator": "equals", "value": "x" * 10_001}], [("condition[0].value", "too_long")]),
    ([{"field": "a", "operator": "starts_with", "value": 5}], [("condition[0].value", "bad_value")]),
    ([{"field": "a", "operator": "regex", "value": "(a)\\1"}], [("condition[0].value", "bad_pattern")]),
    ([{"field": "a", "operator": "regex", "value": "(?=a)"}], [("condition[0].value", "bad_pattern")]),
    ([{"field": "a", "operator": "regex", "value": "("}], [("condition[0].value", "bad_pattern")]),
    ([{"field": "a", "operator": "regex", "value": "((a{100}){100}){100}"}], [("condition[0].value", "bad_pattern")]),
    ([{"field": "a", "operator": "regex", "value": "a" * 501}], [("condition[0].value", "too_long")]),
    ([{"field": "a", "operator": "regex", "value": {"ref": "b"}}], [("condition[0].value", "bad_value")]),
    ([{"field": "a", "operator": "within_last", "value": {"n": 0, "unit": "day"}}],
     [("condition[0].value.n", "bad_value")]),
    ([{"field": "a", "operator": "within_last", "value": "soon"}], [("condition[0].value", "bad_value")]),
    ([{"field": "a", "operator": "weekday_in", "value": ["someday"]}], [("condition[0].value", "bad_value")]),
    ([{"field": "a", "operator": "time_between", "value": ["9", "17"]}], [("condition[0].value", "bad_value")]),
    ([{"field": "a", "operator": "equals", "value": 1, "tz": "Mars/Base"}], [("condition[0].tz", "unknown_zone")]),
    ([{"field": "a", "operator": "equals", "value": 1, "ci": "yes"}], [("condition[0].ci", "wrong_type")]),
    ([{"field": "a", "operator": "is_missing", "require_present": True}],
     [("condition[0].require_present", "bad_value")]),
    ([{"field": "a", "operator": "match", "value": A, "match": {"mode": "most"}}],
     [("condition[0].match.mode", "bad_value")]),
    ([{"field": "a", "operator": "match", "value": A, "match": {"mode": "at_least"}}],
     [("condition[0].match", "bad_value")]),
    ([{"id": "x", **A}, {"id": "x", **B}], [("condition[1].id", "duplicate_id")]),
    ({"v": 2, "rules": []}, [("condition.v", "bad_version")]),
    ({"operator": "not", "conditions": [A, B]}, [("condition.operator", "ambiguous")]),
    ([{"field": "a", "operator": "equals", "value": float("nan")}], [("condition[0].value", "json_number")]),
    ([{"field": "a", "operator": "equals", "value": 10**5000}], [("condition[0].value", "json_integer")]),
]  # fmt: skip


@pytest.mark.parametrize(("document", "problems"), BROKEN)
def test_refused(document: Any, problems: list[tuple[str, str]]) -> None:
    with pytest.raises(Refused) as refused:
        compile_condition(document)
    assert [(problem.path, problem.code) for problem in refused.value.problems] == problems


def test_every_problem_is_reported_at_once() -> None:
    document = {"all": [{"field": "", "operator": "eq", "value": 1}, {"any": [{"field": "a", "operator": "zz"}, B, 7]}]}
    with pytest.raises(Refused) as refused:
        compile_condition(document, "steps[2].condition")
    assert [problem.path for problem in refused.value.problems] == [
        "steps[2].condition.all[0].field",
        "steps[2].condition.all[1].any[0].operator",
        "steps[2].condition.all[1].any[2]",
    ]


def nested(depth: int) -> Any:
    document: Any = A
    for _ in range(depth):
        document = {"all": [document]}
    return document


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (nested(9), "too_deep"),
        (nested(1000), "json_depth"),
        ([A] * 201, "too_many"),
        ([A] * 10_000, "too_many"),
        ([{"field": "a", "operator": "in", "value": list(range(10**6))}], "too_many"),
    ],
)
def test_bombs_are_refused(document: Any, code: str) -> None:
    with pytest.raises(Refused) as refused:
        compile_condition(document)
    assert {problem.code for problem in refused.value.problems} == {code}


def test_the_greatest_allowed_is_allowed() -> None:
    assert compile_condition(nested(8)).fast(Facts({"a": 1}, {}, 0))
    assert compile_condition([A] * 200).fast(Facts({"a": 1}, {}, 0))


@pytest.mark.parametrize(
    "path", ["__class__", "a.__class__", "a.__init__.__globals__", "constructor", "event.__dict__", "a.keys"]
)
def test_attributes_are_not_reachable(path: str) -> None:
    assert not compile_condition({"field": path, "operator": "exists"}).fast(Facts({"a": {"b": 1}}, {}, 0))


def test_a_hostile_pattern_takes_linear_time() -> None:
    condition = compile_condition({"field": "a", "operator": "regex", "value": "(a+)+$"})
    assert not condition.fast(Facts({"a": "a" * 9_000 + "!"}, {}, 0))
    assert condition.fast(Facts({"a": "a" * 50_000 + "!"}, {}, 0)), "only the first 10,000 characters are read"


def test_the_catalogue_is_enough_to_build_a_condition_from() -> None:
    for operator in operators():
        assert operator["title"]
        assert operator["types"]
        assert operator["operand"] == "none" or operator["name"] == "match" or "{value}" in operator["words"]


def test_every_operator_is_documented() -> None:
    reference = (Path(__file__).parents[3] / "docs" / "reference" / "conditions.md").read_text()
    assert [operator["name"] for operator in operators() if f"`{operator['name']}`" not in reference] == []
