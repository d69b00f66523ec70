"""Strict JSON: what is refused, by which path and code, and that all else comes back as it was."""

import decimal
import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upshot.core.errors import Malformed, TooLarge
from upshot.core.strict_json import check, decode, encode, join_path

REFUSED: list[tuple[bytes, str, str]] = [
    (b'{"a": [1, NaN]}', "a[1]", "json_number"),
    (b'{"a": -Infinity}', "a", "json_number"),
    (b'{"a": {"b": 1e400}}', "a.b", "json_number"),
    (b'{"a": {"b": 1, "b": 2}}', "a.b", "json_duplicate_key"),
    (b'{"a":1,"a" :2,"b":":"}', "a", "json_duplicate_key"),
    (b'{"\\u0061":1,"a":2}', "a", "json_duplicate_key"),
    (b'{"x":"\\u0022\\u0022","a":1,"a":2}', "a", "json_duplicate_key"),
    (b'{"a":1,"a":2,"q":"\\""}', "a", "json_duplicate_key"),
    (b'[{"a": "\\ud800"}]', "[0].a", "json_surrogate"),
    (b'{"a": "x\\udc00y"}', "a", "json_surrogate"),
    (b'{"a": "x\\u0000y"}', "a", "json_nul"),
    (b'{"a\\u0000": 1}', '["a\\u0000"]', "json_nul"),
    (b'{"a.b": [18446744073709551616]}', '["a.b"][0]', "json_integer"),
    (b'{"a": -9223372036854775809}', "a", "json_integer"),
    (b'{"a": ' + b"1" * 5000 + b"}", "a", "json_integer"),
    (b"[" * 100_000, "", "json_depth"),
    (b"[" * 100_000 + b"]" * 100_000, "", "json_depth"),
    (b'{"a":' * 65 + b"1" + b"}" * 65, ".".join("a" * 64), "json_depth"),
    (b"", "", "json_syntax"),
    (b"{'a': 1}", "", "json_syntax"),
    (b'{"a": 01}', "", "json_syntax"),
    (b"[1,]", "", "json_syntax"),
    (b"[1] 2", "", "json_syntax"),
    (b"\xef\xbb\xbf{}", "", "json_syntax"),
    (b'"\xff"', "", "json_encoding"),
    (b'"\xed\xa0\x80"', "", "json_encoding"),
    (b'"a\x01b"', "", "json_syntax"),
]


@pytest.mark.parametrize(("raw", "path", "code"), REFUSED)
def test_refused_by_path(raw: bytes, path: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        decode(raw)
    assert [(problem.path, problem.code) for problem in refused.value.problems] == [(path, code)]


def test_paths_start_where_the_text_stands_and_all_problems_are_told() -> None:
    with pytest.raises(Malformed) as refused:
        decode('{"a": NaN, "b": [1e999]}', at="events[3]")
    assert [problem.path for problem in refused.value.problems] == ["events[3].a", "events[3].b[0]"]


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a":1,"b":{"a":2}}', {"a": 1, "b": {"a": 2}}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\\\u0000"', "\\u0000"),
        (b'{"a":"\\u0022","b":"\\""}', {"a": '"', "b": '"'}),
        (b"18446744073709551615", 2**64 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"9007199254740993", 2**53 + 1),
        (b'["12345678901234567890123"]', ["12345678901234567890123"]),
        (b"[" * 64 + b"]" * 64, json.loads("[" * 64 + "]" * 64)),
        (b'["' + b"[{" * 100 + b'", ["]"], "\\"[[["]' + b" " * 5, ["[{" * 100, ["]"], '"[[[']),
        (b"1.00000000000000000000001", 1.0),
    ],
)
def test_accepted_exactly(raw: bytes, value: Any) -> None:
    assert decode(raw) == value
    assert decode(raw.decode()) == value


def test_size_and_depth_are_limits_of_the_caller() -> None:
    with pytest.raises(TooLarge):
        decode(b"[1, 2, 3]", max_bytes=8)
    with pytest.raises(Malformed):
        decode(b"[[1]]", max_depth=1)
    assert decode(b"[[1]]", max_bytes=5, max_depth=2) == [[1]]


def test_a_text_with_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(Malformed) as refused:
        decode('{"a": "\ud800"}')
    assert refused.value.problems[0].code == "json_surrogate"


LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("value", "path", "code"),
    [
        ({"a": math.nan}, "out.a", "json_number"),
        ([math.inf], "out[0]", "json_number"),
        ({"a": datetime(2026, 1, 1, tzinfo=UTC)}, "out.a", "json_type"),
        ({"a": decimal.Decimal(1)}, "out.a", "json_type"),
        ({"a": {1, 2}}, "out.a", "json_type"),
        ({"a": b"x"}, "out.a", "json_type"),
        ((1, 2), "out", "json_type"),
        ({1: 2}, "out", "json_type"),
        ({"a": object()}, "out.a", "json_type"),
        ({"a": "\x00"}, "out.a", "json_nul"),
        ({"a": "\ud800"}, "out.a", "json_surrogate"),
        ([2**64], "out[0]", "json_integer"),
        (LOOP, "out" + "[0]" * 64, "json_depth"),
    ],
)
def test_what_is_not_json_is_not_encoded(value: Any, path: str, code: str) -> None:
    for refuse in (check, encode):
        with pytest.raises(Malformed) as refused:
            refuse(value, at="out")
        assert [(problem.path, problem.code) for problem in refused.value.problems] == [(path, code)]


def test_encode_is_compact_and_keeps_the_order_of_keys() -> None:
    assert encode({"b": 1, "a": [1.5, None, True, "\u00e9"]}) == '{"b":1,"a":[1.5,null,true,"\u00e9"]}'
    assert encode({"b": 1, "a": 2}, sort_keys=True) == '{"a":2,"b":1}'


def test_paths_are_written_as_they_are_read() -> None:
    assert join_path("", "a") == "a"
    assert join_path("steps[2]", "with") == "steps[2].with"
    assert join_path("a", "x.y") == 'a["x.y"]'
    assert join_path("a", 3) == "a[3]"


TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=10)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=100)
@given(JSON)
def test_json_comes_back_as_it_was(value: Any) -> None:
    check(value)
    assert decode(encode(value)) == value
    assert decode(json.dumps(value)) == value
    assert decode(json.dumps(value, ensure_ascii=False, indent=1)) == value


@settings(max_examples=100)
@given(st.text(alphabet='{}[]":,\\u0012aNb ', max_size=30) | st.binary(max_size=20))
def test_any_text_is_read_like_json_or_refused(raw: str | bytes) -> None:
    try:
        value = decode(raw)
    except Malformed as refused:
        problems = refused.problems
    else:
        assert json.loads(raw) == value
        return
    assert problems
