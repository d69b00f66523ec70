"""Templates over arbitrary facts and arbitrary sources: total, bounded, and data is never read as a template."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from upshot.core.errors import Refused
from upshot.core.facts import Facts
from upshot.core.templates import TemplateError, compile_template, import_braces

SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=30) | st.sampled_from(
    ["{{ a }}", "{% if a %}", "}}", "{{ tenant.secret }}", "{a.b}", "2026-11-21", "12"]
)
VALUES = st.recursive(
    SCALARS | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "size", "first", "x y"]), inner, max_size=4)
    ),
    max_leaves=12,
)
DATA = st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3)
PIECES = st.sampled_from(
    [
        "{{ a }}", "{{ a.b }}", "{{ b[0] }}", "{{ a | upcase }}", "{{ b | size }}", "{{ a | plus: c }}",
        "{{ a | json }}",
        "{{ c | sort | join: ', ' }}", "{{ a | default: b }}", "{{ a | date: '%F' }}", "{{ b | map: 'a' | compact }}",
        "{{ c | where: 'a', b | first }}", "{{ a | split: '' | uniq | reverse }}", "{% if a == b %}", "{% if a > 1 %}",
        "{% endif %}",
        "{% for x in b %}", "{{ x }}", "{{ forloop.index }}", "{% endfor %}", "{% assign c = a %}", "{{", "}}", "{%",
        "%}", "x",
        " ",
        "{{ steps.a.output }}", "{{ a.size }}{{ a.first.b }}", "{{ a | truncate: b }}", "{{ a | sum: 'b' }}",
        "{{ now }}",
    ]
)  # fmt: skip
SOURCES = st.lists(PIECES | TEXTS, max_size=6).map("".join)


def facts_of(data: dict[str, Any]) -> Facts:
    return Facts(
        data=data,
        event={"id": "e"},
        now=1_795_000_000_000_000,
        entity={"id": "1", "b": "entity"},
        tenant={"secret": "s3cret"},
    )


@given(SOURCES, DATA)
def test_a_template_is_refused_at_save_or_gives_json_or_a_named_error(source: str, data: dict[str, Any]) -> None:
    try:
        template = compile_template(source, "with.text")
    except Refused as refused:
        assert [problem.path for problem in refused.problems] == ["with.text"] * len(refused.problems)
        return
    try:
        value = template.render(facts_of(data))
    except TemplateError as error:
        assert error.path == "with.text"
        return
    assert msgspec.json.decode(msgspec.json.encode(value)) == value
    assert template.render(facts_of(data)) == value


@given(DATA)
def test_the_fast_way_and_liquid_give_the_same(data: dict[str, Any]) -> None:
    facts = facts_of(data)
    for path in ("a", "a.b", "b.a.b", "c[0]", "a.size", "b.first", "entity.b", "event.id", "now.hour"):
        fast = compile_template("{{ " + path + " }}")
        slow = compile_template("{% assign unused = 1 %}{{ " + path + " }}")
        text = compile_template("{{ " + path + " }}{{ nothing }}")
        assert text.render(facts) == slow.render(facts)
        assert fast.paths == slow.paths


@given(TEXTS, TEXTS)
def test_what_a_placeholder_gives_is_never_read_as_a_template(first: str, second: str) -> None:
    facts = facts_of({"a": first, "b": {"c": second}})
    assert compile_template("{{ a }}").render(facts) == first
    assert compile_template("<{{ a }}|{{ b.c }}>").render(facts) == f"<{first}|{second}>"
    assert compile_template("<{{ a }}|{% if true %}{{ b.c }}{% endif %}>").render(facts) == f"<{first}|{second}>"


@given(VALUES)
def test_doubling_braces_twice_changes_nothing_more(value: Any) -> None:
    once = import_braces(value)
    assert import_braces(once) == once
