"""Bad conditions and bad facts, case by case: what is refused on save, and what evaluation answers instead of failing.

Three answers exist: yes, no, and none. None (`error` in the explanation) is for work and dates beyond the limits alone;
a missing field, a null or a wrong type is an ordinary no, with its own `state`.
"""

import json
import math
from typing import Any

import pytest

from upshot.core.conditions import MatchIndex, compile_condition
from upshot.core.errors import Refused
from upshot.core.facts import Facts
from upshot.core.work import COMPARISON_STEPS_MAX, EVENT_STEPS_MAX, Overloaded, Undecided

NOW = 1_795_251_600_000_000  # 2026-11-21T09:00:00Z, a Saturday


def facts(data: Any, **more: Any) -> Facts:
    return Facts(data, {"id": "e1", "name": "x", "ts": "2026-11-21T09:00:00Z", "data": data}, NOW, **more)


def leaf(field: str, operator: str, *value: Any, **options: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, **({"value": value[0]} if value else {}), **options}


def match(field: str, mode: str, *rules: Any) -> dict[str, Any]:
    return leaf(field, "match", {"combinator": "and", "rules": list(rules)}, match={"mode": mode})


def answer(document: Any, given: Facts) -> bool | str:
    """Yes, no, or the code of the error: `decide`, `fast`, `explain` and the index must all say the same."""
    condition = compile_condition(document)
    told = condition.explain(given)
    json.dumps(told)
    given.meter.restart()
    try:
        decided: bool | str = condition.decide(given)
    except Undecided as undecided:
        decided = undecided.code
    assert told.get("error", {}).get("code", told["result"]) == decided
    assert condition.fast(given) is told["result"] is (decided is True)
    found = MatchIndex([("k", 0, condition)]).find(given)
    assert (found.keys, list(found.undecided)) == (
        ["k"] if decided is True else [],
        ["k"] if decided != told["result"] else [],
    )
    return decided


def code_of(document: Any, path: str = "") -> str:
    with pytest.raises(Refused) as caught:
        compile_condition(document)
    problem = caught.value.problems[0]
    assert problem.path.startswith(path or "condition")
    return problem.code


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)+b$", "(.*a){20}$"])
def test_c1_a_hostile_pattern_takes_linear_time_and_few_steps(pattern: str) -> None:
    given = facts({"text": "a" * 9_000 + "!" * 41_000})
    assert answer(leaf("text", "regex", pattern), given) is False
    assert EVENT_STEPS_MAX - given.meter.left < 1_000


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("a" * 10_000_000, "too_long"),
        ("a" * 501, "too_long"),
        (r"(a)\1", "bad_pattern"),
        ("(?=a)", "bad_pattern"),
        ("(?<!a)b", "bad_pattern"),
        ("a{1,1001}", "bad_pattern"),
        ("(", "bad_pattern"),
    ],
    ids=["10 MB", "501", "backreference", "lookahead", "lookbehind", "repeat", "open"],
)
def test_c1_a_pattern_that_cannot_run_in_linear_time_is_refused(pattern: str, code: str) -> None:
    assert code_of(leaf("text", "regex", pattern), "condition.value") == code


ROWS_2000 = list(range(2_000))


@pytest.mark.parametrize("inner", ["all", "none"])
@pytest.mark.parametrize("outer", ["all", "none", "some"])
def test_c2_quantifiers_over_lists_of_lists_are_undecided(outer: str, inner: str) -> None:
    document = match("event.data.rows", outer, match("event.data.rows", inner, leaf(".", "greater_than_or_equal", 0)))
    if inner == "none":
        document = match("event.data.rows", outer, match("event.data.rows", inner, leaf(".", "less_than", 0)))
    given = facts({"rows": ROWS_2000})
    expected: bool | str = True if outer == "some" else "too_much_work"
    if outer == "none":
        expected = False  # the first row answers
    assert answer(document, given) == expected


def test_c2_undecided_is_no_match_also_turned_round_and_says_so() -> None:
    document = match("event.data.rows", "all", match("event.data.rows", "all", leaf(".", "exists")))
    given = facts({"rows": ROWS_2000})
    assert answer({"not": document}, given) == "too_much_work"
    told = compile_condition(document).explain(given)
    assert told["result"] is False
    assert told["error"] == {"code": "too_much_work", "message": "it needs more than 200,000 steps of work"}
    assert told["blame"] == [told["tree"]["children"][0]["id"]]
    assert told["tree"]["result"] is None
    assert told["tree"]["children"][0]["state"] == "error"
    assert told["text"] == (
        "Could not be decided: event.data.rows could not be compared, it needs more than 200,000 steps of work."
    )


def test_c2_the_work_of_deciding_and_of_explaining_is_bounded() -> None:
    quantified = match("event.data.rows", "all", match("event.data.rows", "all", *[leaf(".", "exists")] * 4))
    condition = compile_condition([quantified] * 30)
    given = facts({"rows": ROWS_2000})
    with pytest.raises(Overloaded):
        MatchIndex([("k", 0, condition)]).find(given)
    assert -2_000 < given.meter.left <= 0
    told = condition.explain(given)
    assert told["error"]["code"] == "too_much_work"
    assert len(json.dumps(told)) < 3_000_000


def test_c2_deeper_nesting_is_refused_on_save() -> None:
    document = match("a", "all", match("b", "all", match("c", "all", leaf(".", "exists"))))
    assert code_of(document, "condition.value.rules[0].value.rules[0]") == "too_deep"


@pytest.mark.parametrize(
    "document",
    [
        leaf("left", "contains_any", {"ref": "right"}),
        leaf("left", "contains_all", {"ref": "left"}),
        leaf("left", "contains_none", {"ref": "right"}),
        match("left", "none", leaf(".", "in", {"ref": "event.data.right"})),
        match("left", "all", leaf(".", "not_in", {"ref": "event.data.right"})),
    ],
)
def test_c2_a_list_against_a_list_of_the_facts_is_undecided(document: Any) -> None:
    given = facts({"left": list(range(10_000)), "right": list(range(10_000, 20_000))})
    assert answer(document, given) == "too_much_work"


def test_c2_ordinary_lists_are_far_from_the_limit() -> None:
    orders = [{"items": [{"sku": f"s{item}", "price": item} for item in range(50)]} for _ in range(200)]
    item = [leaf("sku", "starts_with", "s"), leaf("price", "greater_than_or_equal", 0)]
    given = facts({"orders": orders})
    assert answer(match("orders", "all", match("items", "all", *item)), given) is True
    assert answer(leaf("skus", "contains_any", ["a", "b"]), facts({"skus": ["x"] * 10_000})) is False
    assert EVENT_STEPS_MAX - given.meter.left < COMPARISON_STEPS_MAX / 4


def test_c2_text_that_is_long_costs_by_its_length() -> None:
    given = facts({"text": "\u0130x" * 130_000})
    assert answer(leaf("text", "contains_any", [f"n{n}" for n in range(1_000)], ci=True), given) == "too_much_work"
    assert answer(leaf("text", "contains", "never"), given) is False
    assert answer(leaf("text", "equals", "\u0130x", ci=True), given) is False


def deep(depth: int) -> Any:
    document: Any = leaf("a", "exists")
    for _ in range(depth):
        document = {"all": [document]}
    return document


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ([leaf("a", "exists")] * 10_000, "too_many"),
        ({"all": [{"any": [leaf("a", "exists")] * 100}] * 100}, "too_many"),
        (deep(9), "too_deep"),
        (deep(1_000), "json_depth"),
        (deep(100_000), "json_depth"),
        (leaf("a", "in", list(range(1_000_000))), "too_many"),
        (leaf("a", "equals", "x" * 10_001), "too_long"),
    ],
    ids=["10k leaves", "100 by 100", "depth 9", "depth 1,000", "depth 100k", "1M values", "long text"],
)
def test_c3_what_is_too_large_is_refused_on_save(document: Any, code: str) -> None:
    assert code_of(document) == code


PROBES = ["__class__", "constructor", "__globals__", "prototype", "__init__.__globals__", "__proto__", "real", "items"]


@pytest.mark.parametrize("probe", PROBES)
def test_c4_only_own_keys_are_read(probe: str) -> None:
    given = facts({"a": {}, "list": [], "text": "x"}, entity={}, tenant={"id": "t"})
    for start in ("", "a.", "list.", "text.", "event.", "entity.", "event.data.a.", "previous.", "steps."):
        told = compile_condition(leaf(start + probe, "exists")).explain(given)
        assert told["result"] is False
        assert told["tree"]["children"][0]["state"] == "missing"


@pytest.mark.parametrize("probe", ["__class__", "year.real", "__init__"])
def test_c4_now_and_tenant_offer_what_is_listed_alone(probe: str) -> None:
    assert code_of(leaf(f"now.{probe}", "exists"), "condition.field") == "bad_path"
    assert code_of(leaf(f"tenant.{probe}", "exists"), "condition.field") == "bad_path"


MISSING = object()
COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"
DOTTED, DOTLESS = "\u0130", "\u0131"


@pytest.mark.parametrize(
    ("operator", "operand", "value", "expected", "state"),
    [
        ("equals", 1, MISSING, False, "missing"),
        ("not_equals", 1, MISSING, True, "missing"),
        ("greater_than", 0, MISSING, False, "missing"),
        ("equals", None, MISSING, False, "missing"),
        ("equals", 1, None, False, "null"),
        ("not_equals", 1, None, True, "null"),
        ("less_than", 1, None, False, "null"),
        ("equals", None, None, True, "null"),
        ("greater_than", 1, "two", False, "type_mismatch"),
        ("greater_than", 1, [2], False, "type_mismatch"),
        ("starts_with", "1", 10, False, "type_mismatch"),
        ("before", "2026-11-21", 5, False, "type_mismatch"),
        ("equals", 1, True, False, "type_mismatch"),
        ("equals", True, 1, False, "type_mismatch"),
        ("equals", 0, False, False, "type_mismatch"),
        ("equals", True, "true", True, None),
        ("is_true", None, "true", False, None),
        ("equals", 1, math.nan, False, "type_mismatch"),
        ("not_equals", 1, math.nan, True, "type_mismatch"),
        ("greater_than", 1, math.nan, False, "type_mismatch"),
        ("less_than", 1, math.nan, False, "type_mismatch"),
        ("greater_than", 1, math.inf, False, "type_mismatch"),
        ("equals", 1, 1.0, True, None),
        ("equals", 1.0, 1, True, None),
        ("equals", 1, "1.0", True, None),
        ("equals", 0.3, 0.1 + 0.2, False, None),
        ("equals", 2**53, 2**53 + 1, False, None),
        ("equals", 2**53 + 1, "9007199254740993", True, None),
        ("less_than", 2**53 + 1, float(2**53), True, None),
        ("less_than", 9, "10", False, None),
        ("less_than", "9", "10", False, None),
        ("greater_than", "9", "10", True, None),
        ("equals", COMPOSED, DECOMPOSED, True, None),
        ("equals", DECOMPOSED, COMPOSED, True, None),
        ("contains", "\u00e9", DECOMPOSED, True, None),
        ("in", [COMPOSED], DECOMPOSED, True, None),
        ("equals", "i", DOTTED, False, None),
        ("equals", "I", "i", False, None),
        ("equals", "", " ", False, None),
    ],
)
def test_c5_the_answer_is_documented_and_its_state_is_visible(
    operator: str, operand: Any, value: Any, expected: bool, state: str | None
) -> None:
    given = facts({} if value is MISSING else {"a": value})
    document = leaf("a", operator) if operator == "is_true" else leaf("a", operator, operand)
    assert answer(document, given) is expected
    told = compile_condition(document).explain(given)
    assert told["tree"]["children"][0].get("state") == state
    assert "error" not in told


@pytest.mark.parametrize(
    ("operand", "value", "expected"),
    [
        ("I", "i", True),
        ("STRASSE", "stra\u00dfe", True),
        ("i\u0307", DOTTED, True),
        ("i", DOTTED, False),
        ("i", DOTLESS, False),
        ("I", DOTLESS, False),
        (COMPOSED, "CAFE\u0301", True),
    ],
)
def test_c5_without_case_is_unicode_folding_in_no_language(operand: str, value: str, expected: bool) -> None:
    assert answer(leaf("a", "equals", operand, ci=True), facts({"a": value})) is expected


def test_c5_text_is_in_order_by_code_point_when_asked() -> None:
    assert answer(leaf("a", "less_than", "9", collation="codepoint"), facts({"a": "10"})) is True


@pytest.mark.parametrize(
    ("others", "combinator", "expected"),
    [
        ([leaf("a", "equals", 1)], "and", "out_of_range"),
        ([leaf("a", "equals", 2)], "and", False),
        ([leaf("a", "equals", 1)], "or", True),
        ([leaf("a", "equals", 2)], "or", "out_of_range"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_c5_no_answer_is_neither_yes_nor_no_and_others_may_decide(
    others: list[Any], combinator: str, expected: bool | str, first: bool
) -> None:
    unknown = leaf("at", "before", {"mode": "relative", "offset": 999_999, "unit": "year"})
    rules = [unknown, *others] if first else [*others, unknown]
    given = facts({"a": 1, "at": "2026-11-21"})
    assert answer({"combinator": combinator, "rules": rules}, given) == expected
    turned = expected if isinstance(expected, str) else not expected
    assert answer({"combinator": combinator, "not": True, "rules": rules}, given) == turned


@pytest.mark.parametrize(
    ("data", "previous", "text"),
    [
        ({}, {"a": 1}, "Did not match: a went from 1 to nothing, needs a change to 2."),
        ({"a": None}, {"a": 1}, "Did not match: a was null, needs a change to 2."),
        ({}, {}, "Did not match: a has no value, needs a change to 2."),
        ({}, None, "Did not match: a has no value, and no earlier one is known, needs a change to 2."),
        ({"a": 2}, None, "Did not match: a was 2 with no earlier value known, needs a change to 2."),
        ({"a": 3}, {}, "Did not match: a went from nothing to 3, needs a change to 2."),
        ({"a": 3}, {"a": None}, "Did not match: a went from null to 3, needs a change to 2."),
    ],
)
def test_c5_a_change_tells_missing_from_null(data: Any, previous: Any, text: str) -> None:
    told = compile_condition(leaf("a", "changed_to", 2)).explain(facts(data, previous=previous))
    assert told["text"] == text
    assert told["tree"]["children"][0].get("state") != ("null" if "a" not in data else "missing")


HUGE = [9**9**5, -(9**9**5), 10**400, 1e308, -1e308, "1e308", "9" * 399]


@pytest.mark.parametrize("value", HUGE, ids=range(len(HUGE)))
@pytest.mark.parametrize("operator", ["equals", "greater_than", "less_than", "in", "contains", "length_equals"])
def test_c6_huge_numbers_compare_exactly_or_not_at_all(operator: str, value: Any) -> None:
    operand = {"in": [1e308], "length_equals": 2}.get(operator, 1e308)
    expected = {
        "equals": value in (1e308, "1e308"),
        "in": value in (1e308, "1e308"),
        "greater_than": (not isinstance(value, float | str) and value > 0) or value == "9" * 399,
        "less_than": not isinstance(value, str) and value < 0,
    }.get(operator, False)
    assert answer(leaf("a", operator, operand), facts({"a": value})) is expected


@pytest.mark.parametrize(
    "text", ["1e400", "-1e999", "9" * 5_000, "1e999999999999", "9**9**9", "1<<64", "0x10", "Infinity"]
)
def test_c6_text_that_is_no_finite_number_is_of_another_type(text: str) -> None:
    given = facts({"a": text})
    assert answer(leaf("a", "greater_than", 0), given) is False
    assert (
        compile_condition(leaf("a", "greater_than", 0)).explain(given)["tree"]["children"][0]["state"]
        == "type_mismatch"
    )


@pytest.mark.parametrize("value", [10**18, 1e308, 10**6 + 1])
def test_c6_a_count_beyond_the_limit_is_refused_on_save(value: Any) -> None:
    for document in (
        leaf("a", "within_last", {"n": value, "unit": "day"}),
        leaf("a", "before", {"base": "now", "offset": value}),
    ):
        assert code_of(document, "condition.value") == "bad_value"
    assert code_of(leaf("a", "within_last", f"{10**400} days")) == "bad_value"


@pytest.mark.parametrize("unit", ["month", "quarter", "year", "week"])
@pytest.mark.parametrize("sign", [1, -1])
def test_c6_arithmetic_beyond_the_calendar_has_no_answer(unit: str, sign: int) -> None:
    relative = {"mode": "relative", "base": "now", "offset": sign * 1_000_000, "unit": unit}
    for operator in ("before", "after", "on_day", "equals", "greater_than"):
        document = leaf("a", operator, relative)
        assert answer(document, facts({"a": "2026-11-21"})) == "out_of_range"
        assert answer({"not": document}, facts({"a": "2026-11-21"})) == "out_of_range"
        assert answer(document, facts({})) is False


@pytest.mark.parametrize("operator", ["within_last", "within_next", "more_than_ago", "more_than_ahead"])
def test_c6_a_window_beyond_the_calendar_has_no_answer(operator: str) -> None:
    assert answer(leaf("a", operator, {"n": 1_000_000, "unit": "year"}), facts({"a": "2026-11-21"})) == "out_of_range"


@pytest.mark.parametrize(
    ("base", "more"),
    [
        ("9999-12-31", {"offset": 1, "unit": "day"}),
        ("9999-12-31T23:59:59Z", {"offset": 1, "unit": "minute"}),
        ("0001-01-01", {"offset": -1, "unit": "day"}),
        ("9999-12-31T10:00:00Z", {"snap": "end_of_year"}),
    ],
)
def test_c6_a_date_of_the_facts_may_lead_beyond_the_calendar(base: str, more: dict[str, Any]) -> None:
    document = leaf("a", "after", {"mode": "relative", "base": {"ref": "b"}, **more})
    assert answer(document, facts({"a": "2026-11-21", "b": base})) == "out_of_range"
    told = compile_condition(document).explain(facts({"a": "2026-11-21", "b": base}))
    assert told["text"] == (
        "Could not be decided: a could not be compared, the date it compares with is beyond the years 1 to 9999."
    )


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("secrets.api_key", "not_readable"),
        ("secrets", "not_readable"),
        ('secrets["x"]', "not_readable"),
        ("tenants.other.name", "not_readable"),
        ("tenant.secrets", "bad_path"),
        ("tenant.secrets.api_key", "bad_path"),
        ("tenant.id.other", "bad_path"),
        ("now.secrets", "bad_path"),
    ],
)
def test_c7_what_is_never_offered_is_refused_on_save_by_its_path(path: str, code: str) -> None:
    assert code_of({"all": [leaf("a", "exists"), leaf(path, "exists")]}, "condition.all[1].field") == code
    assert code_of(leaf("a", "equals", {"ref": path}), "condition.value.ref") == code
    assert code_of(leaf("a", "before", {"base": {"ref": path}}), "condition.value.base.ref") == code
    assert code_of(match("a", "some", leaf("x", "equals", {"ref": f"tenant.{path}"}))) == "bad_path"


def never_indexed(number: int) -> dict[str, Any]:
    return {"all": [leaf("text", "contains", f"code {number};"), leaf("rows", "contains", -1)]}


def test_c8_of_five_thousand_on_one_event_the_index_asks_few() -> None:
    conditions = [
        (str(n), 0, compile_condition([leaf("kind", "equals", f"k{n}"), leaf("text", "contains", "x")]))
        for n in range(5_000)
    ]
    given = facts({"kind": "k7", "text": "xyz"})
    assert MatchIndex(conditions).match(given) == ["7"]
    assert EVENT_STEPS_MAX - given.meter.left < 20


def test_c8_five_thousand_that_no_index_answers_stay_within_the_budget_on_ordinary_events() -> None:
    index = MatchIndex([(str(n), 0, compile_condition(never_indexed(n))) for n in range(5_000)])
    given = facts({"text": "visit code 42;", "rows": [-1]})
    assert index.match(given) == ["42"]
    assert EVENT_STEPS_MAX - given.meter.left < EVENT_STEPS_MAX / 50


def test_c8_beyond_the_budget_of_an_event_the_overload_is_reported() -> None:
    index = MatchIndex([(str(n), 0, compile_condition(leaf("rows", "contains", -1))) for n in range(5_000)])
    given = facts({"rows": list(range(20_000))})
    with pytest.raises(Overloaded, match="its comparisons need more than 2,000,000 steps of work together"):
        index.match(given)
    assert given.meter.left > -COMPARISON_STEPS_MAX


def test_c8_one_that_cannot_be_decided_leaves_the_others_alone() -> None:
    heavy = match("event.data.rows", "all", match("event.data.rows", "all", leaf(".", "exists")))
    entries = [
        ("heavy", 0, heavy),
        ("plain", 1, leaf("a", "equals", 1)),
        ("either", 2, {"any": [heavy, leaf("a", "equals", 1)]}),
    ]
    index = MatchIndex([(key, rank, compile_condition(document)) for key, rank, document in entries])
    found = index.find(facts({"rows": ROWS_2000, "a": 1}))
    assert found.keys == ["plain", "either"]
    assert found.undecided == {"heavy": "it needs more than 200,000 steps of work"}
    assert index.find(facts({"rows": [], "a": 2})) == (["heavy", "either"], {})
