"""What must hold of every condition over any facts: total, complementary, explained as decided, indexed as asked."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from upshot.core.conditions import MatchIndex, compile_condition, normalise, operators
from upshot.core.errors import Refused
from upshot.core.facts import Facts

SLOW_IS_FINE = (HealthCheck.too_slow,)  # generation competes with the other tests for the processor
NOW = 1_795_251_600_000_000  # 2026-11-21T09:00:00Z, a Saturday

WORDS = st.sampled_from(
    ["red", "Red", "blue", "caf\u00e9", "cafe\u0301", "", "5", "5.0", "1e3", "true", "\u0130", "a+b"]
)
DATES = st.sampled_from(
    [
        "2026-11-21",
        "2026-11-20",
        "2026-11-21T08:30:00Z",
        "2026-11-21T23:30:00-05:00",
        "2026-11-22T00:10:00",
        "2024-02-29",
        "2027-02-28",
        "0001-01-01",
        "9999-12-31T23:59:59Z",
        "2026-13-01",
        "2026-03-29T02:30:00",
    ]
)
NUMBERS = st.one_of(
    st.integers(-5, 5), st.sampled_from([0.0, 0.5, 5.0, 2**53 + 1, 10**400, -(2**70), 1e308]), st.floats(allow_nan=True)
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, WORDS, DATES, st.text(max_size=4))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b", "x.y"]), inner, max_size=3)
    ),
    max_leaves=6,
)
JSON_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from([0.5, 5.0, 2**53 + 1]), WORDS)

FIELDS = st.sampled_from(
    ["a", "b", "a.b", 'a["x.y"]', "a[0]", "b.0.a", "entity.a", "previous.a", "event.ts", "now.hour", "now"]
)
UNITS = st.sampled_from(["minute", "hour", "day", "week", "month", "quarter", "year"])
SNAPS = st.sampled_from(
    ["start_of_day", "end_of_day", "start_of_week", "end_of_month", "start_of_quarter", "end_of_year"]
)


@st.composite
def relatives(draw: st.DrawFn) -> dict[str, Any]:
    relative: dict[str, Any] = {
        "mode": "relative",
        "base": draw(st.sampled_from(["now", "today", "event_time", {"ref": "b"}, "2026-01-31"])),
        "offset": draw(st.sampled_from([0, 1, -1, 7, -400, 999_999, -999_999])),
        "unit": draw(UNITS),
    }
    return relative | ({"snap": draw(SNAPS)} if draw(st.booleans()) else {})


REF = st.sampled_from([{"ref": "b"}, {"ref": "entity.a"}, {"ref": "a.b"}])
DATE_OPERANDS = st.one_of(st.sampled_from(["2026-11-21", "2026-11-21T09:00:00Z", "today", "now"]), relatives(), REF)
ORDERED = st.one_of(st.integers(-5, 5), st.sampled_from([0.5, 10**18, "5"]), DATE_OPERANDS)

OPERANDS: dict[str, st.SearchStrategy[Any]] = {
    "value": JSON_SCALARS | REF,
    "number": st.integers(0, 3),
    "text": WORDS | REF,
    "pattern": st.sampled_from(["^r", "e$", "(a+)+$", "[0-9]", ""]),
    "list": st.lists(JSON_SCALARS, max_size=3) | REF,
    "range": st.sampled_from(
        [[1, 3], [0, 5.5], ["2026-11-01", "2026-11-21"], [{"ref": "b"}, 4], ["today", "tomorrow"]]
    ),
    "date": DATE_OPERANDS,
    "duration": st.fixed_dictionaries({"n": st.sampled_from([1, 3, 1_000_000]), "unit": UNITS}),
    "weekdays": st.lists(st.integers(0, 6), min_size=1, max_size=3),
    "times": st.sampled_from([["09:00", "17:00"], ["22:00", "06:00"]]),
}
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "ci": st.booleans(),
        "tz": st.sampled_from(["Europe/Berlin", "America/New_York"]),
        "week_start": st.sampled_from(["monday", "sunday"]),
        "bounds": st.sampled_from(["[]", "[)", "(]", "()"]),
    },
)
PLAIN_OPERATORS = [operator for operator in operators() if operator["operand"] != "group"]
ORDERINGS = {"greater_than", "greater_than_or_equal", "less_than", "less_than_or_equal"}
ABSENT = {"is_null", "is_missing", "not_exists"}


@st.composite
def leaves(draw: st.DrawFn) -> dict[str, Any]:
    operator = draw(st.sampled_from(PLAIN_OPERATORS))
    leaf: dict[str, Any] = {"field": draw(FIELDS), "operator": operator["name"], **draw(OPTIONS)}
    if operator["operand"] != "none":
        leaf["value"] = draw(ORDERED if operator["name"] in ORDERINGS else OPERANDS[operator["operand"]])
    if operator["name"] not in ABSENT and draw(st.integers(0, 5)) == 0:
        leaf["require_present"] = True
    return leaf


@st.composite
def matches(draw: st.DrawFn) -> dict[str, Any]:
    mode = draw(st.sampled_from(["all", "some", "none", "at_least", "at_most", "exactly"]))
    return {
        "field": draw(st.sampled_from(["a[*]", "b", "a.b"])),
        "operator": "match",
        "match": {"mode": mode, "n": draw(st.integers(0, 2))},
        "value": [{**draw(leaves()), "field": draw(st.sampled_from([".", "a", "b"]))}],
    }


def grouped(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"combinator": st.sampled_from(["and", "or"]), "not": st.booleans(), "rules": st.lists(inner, max_size=3)}
    )


CONDITIONS = st.recursive(leaves() | matches(), grouped, max_leaves=6)
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "previous"]), VALUES, max_size=3)


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    data = draw(OBJECTS)
    return Facts(
        data,
        {"id": "e1", "name": "x", "ts": draw(DATES), "data": data},
        draw(st.sampled_from([NOW, 0, 253_402_300_799_999_999, -62_135_596_800_000_000])),
        zone=draw(st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Kiritimati", "No/Where"])),
        entity=draw(st.none() | OBJECTS),
        previous=draw(st.none() | OBJECTS),
    )


@settings(max_examples=100, suppress_health_check=SLOW_IS_FINE)
@given(CONDITIONS, facts())
def test_the_two_forms_agree_and_never_raise(document: Any, given_facts: Facts) -> None:
    condition = compile_condition(document)
    told = condition.explain(given_facts)
    assert condition.fast(given_facts) is told["result"]
    assert bool(told["blame"]) is not told["result"]
    assert told["text"].endswith(".")
    json.dumps(told)


@settings(max_examples=100, suppress_health_check=SLOW_IS_FINE)
@given(CONDITIONS, facts())
def test_not_is_a_true_complement(document: Any, given_facts: Facts) -> None:
    holds, turned = compile_condition(document), compile_condition({"not": document})
    if "error" in holds.explain(given_facts):
        assert "error" in turned.explain(given_facts)
        assert not holds.fast(given_facts)
        assert not turned.fast(given_facts)
    else:
        assert turned.fast(given_facts) is not holds.fast(given_facts)


@settings(max_examples=50, suppress_health_check=SLOW_IS_FINE)
@given(st.lists(CONDITIONS, min_size=1, max_size=3), facts())
def test_de_morgan(documents: list[Any], given_facts: Facts) -> None:
    none_holds = compile_condition({"not": {"any": documents}})
    all_fail = compile_condition({"all": [{"not": document} for document in documents]})
    assert none_holds.fast(given_facts) is all_fail.fast(given_facts)


@settings(max_examples=100, suppress_health_check=SLOW_IS_FINE)
@given(leaves(), facts())
def test_each_negative_operator_is_exactly_not_its_positive(leaf: dict[str, Any], given_facts: Facts) -> None:
    leaf = {key: value for key, value in leaf.items() if key != "require_present"}
    for operator in operators():
        if operator["negates"] == leaf["operator"]:
            negative, positive = compile_condition({**leaf, "operator": operator["name"]}), compile_condition(leaf)
            told = positive.explain(given_facts)
            assert negative.fast(given_facts) is (False if "error" in told else not told["result"])


@settings(max_examples=100, suppress_health_check=SLOW_IS_FINE)
@given(CONDITIONS)
def test_the_canonical_document_is_its_own_canonical_document(document: Any) -> None:
    once = normalise(document)
    assert normalise(once) == once
    assert normalise(json.loads(json.dumps(once))) == once


@settings(max_examples=100, suppress_health_check=SLOW_IS_FINE)
@given(st.lists(st.tuples(CONDITIONS, st.integers(0, 2)), max_size=14), st.lists(facts(), min_size=1, max_size=4))
def test_the_index_finds_what_asking_each_one_finds(entries: list[tuple[Any, int]], several: list[Facts]) -> None:
    compiled = [(f"k{place}", rank, compile_condition(document)) for place, (document, rank) in enumerate(entries)]
    always: list[tuple[str, int, Any]] = [("always", 1, None)]
    index = MatchIndex([*compiled, *always])
    for given_facts in several:
        undecided = {key for key, _, condition in compiled if "error" in condition.explain(given_facts)}
        assert index.find(given_facts).undecided.keys() == undecided
        in_order = sorted([*compiled, *always], key=lambda entry: entry[1])
        assert index.match(given_facts) == [
            key for key, _, condition in in_order if condition is None or condition.fast(given_facts)
        ]


INDEXABLE = st.fixed_dictionaries(
    {
        "field": st.sampled_from(["a", "b"]),
        "operator": st.sampled_from([*sorted(ORDERINGS), "equals", "not_equals"]),
        "value": st.integers(-3, 3) | st.sampled_from(["1", "2"]),
    }
)
LISTED = st.fixed_dictionaries(
    {
        "field": st.sampled_from(["a", "b"]),
        "operator": st.sampled_from(["in", "not_in"]),
        "value": st.lists(st.integers(-3, 3) | WORDS, max_size=3),
    }
)


@settings(max_examples=60, suppress_health_check=SLOW_IS_FINE)
@given(
    st.lists(st.recursive(INDEXABLE | LISTED, grouped, max_leaves=5), min_size=20, max_size=60),
    st.lists(st.fixed_dictionaries({}, optional={"a": SCALARS, "b": SCALARS}), min_size=1, max_size=6),
)
def test_the_index_of_many_numbers_finds_what_asking_each_one_finds(
    documents: list[Any], several: list[dict[str, Any]]
) -> None:
    compiled = [(str(place), 0, compile_condition(document)) for place, document in enumerate(documents)]
    index = MatchIndex(compiled)
    for data in several:
        given_facts = Facts(data, {"data": data}, NOW)
        assert index.match(given_facts) == [key for key, _, condition in compiled if condition.fast(given_facts)]


ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "field",
                    "operator",
                    "value",
                    "rules",
                    "conditions",
                    "combinator",
                    "all",
                    "any",
                    "not",
                    "match",
                    "id",
                    "v",
                ]
            )
            | st.text(max_size=3),
            inner
            | st.sampled_from([operator["name"] for operator in operators()])
            | st.sampled_from(["and", "or", "a.b"]),
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=100, suppress_health_check=SLOW_IS_FINE)
@given(ANYTHING, facts())
def test_any_document_is_read_or_refused_by_name(document: Any, given_facts: Facts) -> None:
    try:
        condition = compile_condition(document)
    except Refused as refused:
        problems = refused.problems
    else:
        assert condition.fast(given_facts) is condition.explain(given_facts)["result"]
        return
    assert problems
    assert all(problem.path.startswith("condition") and problem.message for problem in problems)
