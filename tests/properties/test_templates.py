"""Templates over arbitrary facts and arbitrary sources: total, bounded, and data is never read as a template."""

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from upshot.core.errors import Refused
from upshot.core.facts import Facts
from upshot.core.templates import ContextName, TemplateError, compile_template, import_braces

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


MARKUP = TEXTS | st.sampled_from(
    ["<script>", "\"'`>", "</p>", "javascript:x", "/../?&#", "..", "\\", "\u202e", "a\r\nb", "&amp;"]
)
PLACES: list[tuple[ContextName, str, Callable[[str, str], bool]]] = [
    ("html", '<p title="{{ a }}">{{ a }}</p>', lambda out, _: out.count("<") == 2 and out.count('"') == 2),
    ("url", "https://x.example/{{ a }}/y?q={{ a }}", lambda out, a: unquote(urlsplit(out).path) == f"/{a}/y"),
    ("url", "https://x.example/y?q={{ a }}&r=1", lambda out, a: dict(parse_qsl(urlsplit(out).query)).get("q", "") == a),
    ("json", '{"a": "{{ a }}", "b": {{ a }}}', lambda out, a: msgspec.json.decode(out) == {"a": a, "b": a}),
    ("header", "x {{ a }}", lambda out, _: len(out.splitlines()) == 1),
    ("sms", "x {{ a }}", lambda out, _: not set(out) & set("\x00\x1b\r\u202e")),
]


@given(MARKUP, st.sampled_from(PLACES))
def test_a_value_stays_where_it_was_put(text: str, place: tuple[ContextName, str, Callable[[str, str], bool]]) -> None:
    context, source, holds = place
    for written in (source, "{% assign b = a %}" + source.replace("{{ a", "{{ b")):
        try:
            out = compile_template(written, contexts=context).render(facts_of({"a": text}))
        except TemplateError:
            assert context in ("url", "header")
        else:
            assert holds(out, text)


@given(
    st.lists(
        st.sampled_from(["<", "a", " ", "=", '"', "'", ">", "/", "!--", "-->", "href", "script", "x"]), max_size=12
    ),
    MARKUP,
)
def test_a_value_never_changes_what_a_page_is_made_of(pieces: list[str], text: str) -> None:
    source = "".join(pieces) + "{{ a }}" + "".join(reversed(pieces))
    try:
        template = compile_template(source, contexts="html")
        shapes = [elements_of(template.render(facts_of({"a": value}))) for value in (text, "text")]
    except (Refused, TemplateError):
        return
    assert shapes[0] == shapes[1]


class Elements(HTMLParser):
    """The elements of a page, with the names of their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, [name for name, _ in attrs]))


def elements_of(page: str) -> list[tuple[str, list[str]]]:
    parser = Elements()
    parser.feed(page)
    parser.close()
    return parser.found
