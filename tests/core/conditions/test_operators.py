"""Every operator over present, missing, null and wrong values, as the reference says it."""

from typing import Any

import pytest

from upshot.core.conditions import compile_condition, operators
from upshot.core.facts import Facts

NOW = 1_795_251_600_000_000  # 2026-11-21T09:00:00Z, a Saturday
ABSENT = object()


def facts(value: Any = ABSENT, *, zone: str = "UTC", **more: Any) -> Facts:
    data = {} if value is ABSENT else {"x": value}
    return Facts(data | more, {"id": "e", "ts": "2026-11-20T10:00:00Z", "data": data}, NOW, zone=zone)


def holds(operator: str, operand: Any, value: Any, *, zone: str = "UTC", **options: Any) -> bool:
    leaf = {"field": "x", "operator": operator, **options}
    if operand is not ABSENT:
        leaf["value"] = operand
    return compile_condition(leaf).fast(facts(value, zone=zone))


#        operator, operand, values that meet it, values that do not, when missing, when null
TABLE: list[tuple[str, Any, list[Any], list[Any], bool, bool]] = [
    ("equals", "red", ["red"], ["Red", "", 1, True, ["red"], {"red": 1}], False, False),
    ("equals", 5, [5, 5.0, "5", "5.0", "5e0"], [True, "five", " 5", "0x5", "5" * 5000, [5]], False, False),
    ("equals", 1, [1, "1"], [True], False, False),
    ("equals", True, [True, "true"], [1, "True", "yes", False, "1"], False, False),
    ("equals", False, [False, "false"], [0, "", []], False, False),
    ("equals", None, [], [0, "", False, [], "null"], False, True),
    ("equals", "caf\u00e9", ["caf\u00e9", "cafe\u0301"], ["cafe"], False, False),
    ("equals", [1, "a"], [[1, "a"], [1.0, "a"]], [["a", 1], [1], [True, "a"], "[1]"], False, False),
    ("equals", {"a": {"b": 1}}, [{"a": {"b": 1}}], [{"a": {"b": "1"}}, {"a": {}}, []], False, False),
    ("equals", 2**53 + 1, [2**53 + 1, str(2**53 + 1)], [2**53, float(2**53)], False, False),
    ("not_equals", "red", ["Red", 1, None], ["red"], True, True),
    ("greater_than", 100, [101, 100.5, "101", 10**400], [100, "100", "abc", True, [101], -(10**400)], False, False),
    ("greater_than", "9", [10, "10"], [9, "abc"], False, False),
    ("greater_than_or_equal", 100, [100, "100", 101], [99.9, "", {}], False, False),
    ("less_than", 20, [19, "-1", -5.5], [20, "x", False], False, False),
    ("less_than_or_equal", 20, [20, "20.0"], [20.1, True], False, False),
    ("greater_than", "2026-11-01", ["2026-11-02", "2026-11-02T00:00:00Z"],
     ["2026-11-01", "2026-11-01T23:59:59Z", 5], False, False),
    ("between", [1, 10], [1, 10, "5", 1.5], [0, 11, "a", True], False, False),
    ("between", ["2026-11-01", "2026-11-20"],
     ["2026-11-20T23:59:59Z", "2026-11-01"], ["2026-11-21", "2026-10-31T23:59:59Z"], False, False),
    ("not_between", [1, 10], [0, 11, "a"], [1, 10], True, True),
    ("in", ["DE", "AT", 5, True], ["DE", "AT", 5, "5", True, "true"], ["de", "FR", 1, False, ["DE"]], False, False),
    ("in", [], [], ["", 0, []], False, False),
    ("in", [None, [1]], [[1]], [[2], 0], False, True),
    ("in", "DE", ["DE"], ["D"], False, False),
    ("not_in", ["DE"], ["FR", 5], ["DE"], True, True),
    ("contains", "an", ["banana", ["an", "b"]], ["AN", ["banana"], 5, {"an": 1}], False, False),
    ("contains", 5, [[1, 5], ["5"]], ["5", 5, [True]], False, False),
    ("not_contains", "an", ["x", 5, []], ["an"], True, True),
    ("contains_any", ["a", "b"], [["b"], "xbx"], [["c"], "c", 5, {}], False, False),
    ("contains_any", [], [], [["a"], "a"], False, False),
    ("contains_all", ["a", "b"], [["b", "a", "c"], "ab"], [["a"], "a", 5], False, False),
    ("contains_all", [], [[], "", "a"], [5, {}], False, False),
    ("contains_none", ["a"], [["c"], "c", 5], [["a"], "bar"], True, True),
    ("starts_with", "ab", ["abc"], ["Abc", "a", 5, ["ab"]], False, False),
    ("not_starts_with", "ab", ["x", 5], ["abc"], True, True),
    ("ends_with", "bc", ["abc"], ["abC", 5], False, False),
    ("not_ends_with", "bc", ["x", 5], ["abc"], True, True),
    ("regex", "b+c", ["abbc"], ["ac", 5, ["bc"], "x" * 10_000 + "bc"], False, False),
    ("not_regex", "b+c", ["ac", 5], ["abbc"], True, True),
    ("exists", ABSENT, [0, False, "", [], {}], [], False, False),
    ("not_exists", ABSENT, [], [0, False, "", []], True, True),
    ("is_null", ABSENT, [], [0, "", False], False, True),
    ("is_missing", ABSENT, [], [0, ""], True, False),
    ("is_empty", ABSENT, ["", [], {}], [0, False, " ", [0]], True, True),
    ("not_empty", ABSENT, [0, False, " "], ["", [], {}], False, False),
    ("is_true", ABSENT, [True], [1, "true", False], False, False),
    ("is_false", ABSENT, [False], [0, "false", True], False, False),
    ("length_equals", 2, ["ab", [1, 2]], ["a", 2, {"a": 1, "b": 2}], False, False),
    ("length_equals", 0, ["", []], ["a", 0], True, True),
    ("length_greater_than", 1, ["ab", [1, 2]], ["a", 5], False, False),
    ("length_less_than", 1, ["", []], ["a"], True, True),
    ("before", "2026-11-21T09:00:00Z", ["2026-11-21T09:59:00+01:00", "2026-11-20"],
     ["2026-11-21T09:00:00Z", "2026-11-21", 5, "x"], False, False),
    ("after", "2026-11-20", ["2026-11-21", "2026-11-21T00:00:00Z"],
     ["2026-11-20T23:59:59Z", "2026-11-20"], False, False),
    ("on_or_before", "2026-11-20", ["2026-11-20T23:59:59Z", "2026-11-20"], ["2026-11-21"], False, False),
    ("on_or_after", "2026-11-20", ["2026-11-20T00:00:00Z"], ["2026-11-19T23:59:59Z", "2026-13-45"], False, False),
    ("on_day", "2026-11-21", ["2026-11-21", "2026-11-21T23:59:00Z"], ["2026-11-22", "", 5], False, False),
    ("on_day", "today", ["2026-11-21T00:00:00Z"], ["2026-11-20"], False, False),
    ("same_day_of_year", "2026-11-21", ["1990-11-21", "1990-11-21T10:00:00Z"], ["1990-11-20"], False, False),
    ("same_day_of_year", "2027-02-28", ["1992-02-29", "1990-02-28"], ["1990-03-01"], False, False),
    ("same_day_of_year", "2028-02-28", ["1990-02-28"], ["1992-02-29"], False, False),
    ("within_last", {"n": 1, "unit": "day"}, ["2026-11-21", "2026-11-21T23:00:00Z"],
     ["2026-11-20T23:59:59Z", "2026-11-22"], False, False),
    ("within_last", "7 days", ["2026-11-15", "2026-11-15T00:00:00Z"],
     ["2026-11-14", "2026-11-14T23:59:59Z"], False, False),
    ("within_last", "2h", ["2026-11-21T07:00:00Z", "2026-11-21T09:00:00Z"],
     ["2026-11-21T06:59:59Z", "2026-11-21T09:00:01Z"], False, False),
    ("within_next", {"n": 2, "unit": "days"}, ["2026-11-21", "2026-11-22T23:59:59Z"],
     ["2026-11-23", "2026-11-20"], False, False),
    ("within_next", {"n": 30, "unit": "minute"}, ["2026-11-21T09:30:00Z"],
     ["2026-11-21T09:30:01Z", "2026-11-21T08:59:59Z"], False, False),
    ("more_than_ago", "7 days", ["2026-11-14"], ["2026-11-15", "2026-11-22"], False, False),
    ("more_than_ago", "1 month", ["2026-10-21"], ["2026-10-22"], False, False),
    ("more_than_ahead", "1 week", ["2026-11-28"], ["2026-11-27", "2026-11-01"], False, False),
    ("weekday_in", [0, "sat"], ["2026-11-21", "2026-11-22T10:00:00Z"], ["2026-11-20", 6], False, False),
    ("time_between", ["09:00", "17:00"],
     ["2026-11-21T09:00:00Z", "2026-11-21T16:59:59Z"], ["2026-11-21T17:00:00Z", "2026-11-21"], False, False),
    ("time_between", ["22:00", "06:00"],
     ["2026-11-21T23:00:00Z", "2026-11-21T05:59:00Z"], ["2026-11-21T12:00:00Z"], False, False),
]  # fmt: skip
CHANGES = {"changed", "changed_from", "changed_to", "increased", "decreased"}


@pytest.mark.parametrize(("operator", "operand", "met", "unmet", "missing", "null"), TABLE)
def test_operator(operator: str, operand: Any, met: list[Any], unmet: list[Any], missing: bool, null: bool) -> None:
    for value in met:
        assert holds(operator, operand, value), value
    for value in unmet:
        assert not holds(operator, operand, value), value
    assert holds(operator, operand, ABSENT) is missing
    assert holds(operator, operand, None) is null


def test_the_table_has_every_operator() -> None:
    assert {row[0] for row in TABLE} | CHANGES | {"match"} == {operator["name"] for operator in operators()}


@pytest.mark.parametrize(
    ("operator", "operand"),
    [
        ("not_equals", 1),
        ("not_in", [1]),
        ("not_contains", "a"),
        ("contains_none", ["a"]),
        ("not_between", [1, 2]),
        ("not_regex", "a"),
    ],
)
def test_require_present_makes_a_negative_operator_false_without_a_value(operator: str, operand: Any) -> None:
    assert holds(operator, operand, ABSENT)
    assert not holds(operator, operand, ABSENT, require_present=True)
    assert not holds(operator, operand, None, require_present=True)
    assert holds(operator, operand, "zz", require_present=True)


@pytest.mark.parametrize(
    ("operator", "operand", "value"),
    [
        ("equals", "Stra\u00dfe", "STRASSE"),
        ("in", ["RED"], "red"),
        ("contains", "AN", "banana"),
        ("contains", "A", ["a"]),
        ("contains_any", ["AN"], "banana"),
        ("starts_with", "AB", "abc"),
        ("ends_with", "BC", "abc"),
        ("regex", "^RED$", "red"),
    ],
)
def test_ci_compares_without_case(operator: str, operand: Any, value: Any) -> None:
    assert holds(operator, operand, value, ci=True)
    assert not holds(operator, operand, value)


def test_text_is_ordered_only_when_asked() -> None:
    assert holds("greater_than", "apple", "banana", collation="codepoint")
    assert not holds("greater_than", "9", "10", collation="codepoint")
    assert holds("less_than", "9", "10") is False


@pytest.mark.parametrize(
    ("bounds", "low", "high"), [("[]", True, True), ("[)", True, False), ("(]", False, True), ("()", False, False)]
)
def test_bounds_say_which_ends_belong(bounds: str, low: bool, high: bool) -> None:
    assert holds("between", [1, 10], 1, bounds=bounds) is low
    assert holds("between", [1, 10], 10, bounds=bounds) is high


def test_a_ref_operand_reads_another_path() -> None:
    condition = compile_condition({"field": "x", "operator": "less_than", "value": {"ref": "limit"}})
    assert condition.fast(facts(5, limit=6))
    assert condition.fast(facts(5, limit="6"))
    assert condition.paths == {"x", "limit"}
    for limit in (None, "abc", [6], True):
        assert not condition.fast(facts(5, limit=limit)), limit
    assert not condition.fast(facts(5))
    negative = compile_condition({"field": "x", "operator": "not_equals", "value": {"ref": "other"}})
    assert negative.fast(facts(5))
    assert not negative.fast(facts(5, other=5))


ITEMS = [{"category": "bike", "qty": 2}, {"category": "bike", "qty": 1}, {"category": "book", "qty": 2}]
BIKE = {"field": "category", "operator": "equals", "value": "bike"}
TWO = {"field": "qty", "operator": "equals", "value": 2}


@pytest.mark.parametrize(
    ("match", "value", "expected"),
    [
        ({"mode": "some"}, [BIKE, TWO], True),
        ({"mode": "some"}, [BIKE, {**TWO, "value": 3}], False),
        ({"mode": "all"}, BIKE, False),
        ({"mode": "all"}, {"field": "qty", "operator": "exists"}, True),
        ({"mode": "none"}, {**BIKE, "value": "car"}, True),
        ({"mode": "none"}, BIKE, False),
        ({"mode": "at_least", "n": 2}, BIKE, True),
        ({"mode": "atLeast", "threshold": 3}, BIKE, False),
        ({"mode": "at_most", "n": 1}, BIKE, False),
        ({"mode": "exactly", "n": 2}, BIKE, True),
        ("any", TWO, True),
    ],
)
def test_match_asks_the_same_item(match: Any, value: Any, expected: bool) -> None:
    condition = compile_condition({"field": "x[*]", "operator": "match", "match": match, "value": value})
    assert condition.fast(facts(ITEMS)) is expected


@pytest.mark.parametrize(
    ("mode", "empty", "wrong"),
    [
        ("all", True, False),
        ("some", False, False),
        ("none", True, True),
        ("at_most", True, False),
        ("exactly", True, False),
    ],
)
def test_match_on_nothing_and_on_what_is_no_list(mode: str, empty: bool, wrong: bool) -> None:
    condition = compile_condition({"field": "x", "operator": "match", "match": {"mode": mode, "n": 0}, "value": BIKE})
    nothing: list[Any] = [[], None, ABSENT]
    for value in nothing:
        assert condition.fast(facts(value)) is empty
    assert condition.fast(facts("text")) is wrong
    assert condition.explain(facts())["tree"]["children"][0]["vacuous"] is True


def test_match_sees_the_element_itself_and_the_event() -> None:
    element = compile_condition(
        {"field": "x", "operator": "match", "value": {"field": ".", "operator": "equals", "value": "b"}}
    )
    assert element.fast(facts(["a", "b"]))
    rooted = {"field": "qty", "operator": "greater_than", "value": {"ref": "now.hour"}}
    assert not compile_condition({"field": "x", "operator": "match", "value": rooted}).fast(facts(ITEMS))


def test_match_looks_at_a_thousand_items() -> None:
    condition = compile_condition(
        {"field": "x", "operator": "match", "value": {"field": ".", "operator": "equals", "value": 1}}
    )
    assert condition.fast(facts([0] * 999 + [1]))
    assert not condition.fast(facts([0] * 1000 + [1]))


BEFORE = {"x": 5, "status": "new"}


@pytest.mark.parametrize(
    ("operator", "operand", "now_is", "expected"),
    [
        ("changed", ABSENT, 6, True),
        ("changed", ABSENT, 5, False),
        ("changed", ABSENT, 5.0, False),
        ("changed", ABSENT, "5", True),
        ("changed", ABSENT, ABSENT, True),
        ("changed_from", 5, 6, True),
        ("changed_from", 5, 5, False),
        ("changed_from", 4, 6, False),
        ("changed_to", 6, 6, True),
        ("changed_to", 5, 5, False),
        ("increased", ABSENT, 6, True),
        ("increased", ABSENT, 5, False),
        ("increased", ABSENT, "abc", False),
        ("decreased", ABSENT, 4, True),
        ("decreased", ABSENT, ABSENT, False),
    ],
)
def test_changes_compare_with_what_was_before(operator: str, operand: Any, now_is: Any, expected: bool) -> None:
    leaf = {"operator": operator} | ({} if operand is ABSENT else {"value": operand})
    entity = {} if now_is is ABSENT else {"x": now_is}
    for field in ("x", "entity.x"):
        condition = compile_condition({"field": field, **leaf})
        assert condition.fast(Facts({}, {}, NOW, entity=entity, previous=BEFORE)) is expected
        assert not condition.fast(Facts({}, {}, NOW, entity=entity))
    wrapped = compile_condition({"field": "patient.x", **leaf})
    assert wrapped.fast(Facts({"patient": entity}, {}, NOW, previous=BEFORE)) is expected
    own = compile_condition({"field": "x", **leaf})
    assert own.fast(Facts({**entity, "previous": BEFORE}, {}, NOW)) is expected


def test_declared_types_decide_the_conversion() -> None:
    leaf = {"field": "x", "operator": "equals", "value": "5"}
    assert not compile_condition(leaf).fast(facts(5))
    assert compile_condition(leaf, types={"x": "number"}).fast(facts(5))
    stamp = compile_condition({"field": "x", "operator": "before", "value": "2026-01-01"}, types={"x": "datetime"})
    assert stamp.fast(facts(0))
    assert not compile_condition({"field": "x", "operator": "before", "value": "2026-01-01"}).fast(facts(0))
    same = compile_condition(
        {"field": "x", "operator": "equals", "value": "2026-11-21T09:00:00Z"}, types={"x": "datetime"}
    )
    assert same.fast(facts("2026-11-21T10:00:00+01:00"))
