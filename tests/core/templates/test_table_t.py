"""Table T of the threats, row by row, as far as a template alone decides it; `tests/adapters/test_table_t.py` goes on."""

import html
import json
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from upshot.core.errors import Refused
from upshot.core.facts import Facts
from upshot.core.templates import ContextName, TemplateError, compile_template

EVIL = """</script><script>alert(1)</script>"'`><img src=x onerror=alert(1)>&amp;"""
UP = "/../?&#"


def rendered(value: Any, context: ContextName | None = None, /, **data: Any) -> Any:
    facts = Facts(data=data, event={}, now=0, tenant={"id": "t1", "secret": "s3cret"})
    return compile_template(value, "with.text", contexts=context).render(facts)


def failure(value: Any, context: ContextName, /, **data: Any) -> TemplateError:
    with pytest.raises(TemplateError) as raised:
        rendered(value, context, **data)
    assert raised.value.path == "with.text"
    return raised.value


def refused(value: Any, context: ContextName) -> tuple[str, str, str]:
    with pytest.raises(Refused) as caught:
        compile_template(value, "with.text", contexts=context)
    (problem,) = caught.value.problems
    return problem.path, problem.code, problem.message


# --- T1: code in a template ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ x | attr: 'format' }}",
        "{{ x|attr('format') }}",
        "{{ x.format('{0.__class__}') }}",
        "{{ x.format_map(y) }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{% set f = x.format %}",
        "{{ lipsum() }}",
    ],
)
def test_t1_calls_attributes_and_foreign_filters_are_refused(template: str) -> None:
    with pytest.raises(Refused) as caught:
        compile_template(template, "with.text")
    assert [problem.path for problem in caught.value.problems] == ["with.text"]


@pytest.mark.parametrize(
    "path", ["x.__class__", "x.__class__.__mro__", "x.format", "x.format_map", "self", "list.append", "x['__class__']"]
)
def test_t1_attributes_of_values_are_fields_that_are_not_there(path: str) -> None:
    assert rendered(f"{{{{ {path} }}}}", x="text", list=[1]) is None
    assert rendered(f"<{{{{ {path} }}}}>", x="text", list=[1]) == "<>"
    assert rendered(f"<{{{{ {path} | upcase }}}}>", x="text", list=[1]) == "<>"


def test_t1_a_stored_format_string_is_text() -> None:
    stored = "{0.__class__.__mro__} {x.__globals__} %(x)s ${x}"
    for template in ("{{ a }}!", "{{ a | append: '' }}!", "{{ a | replace: 'q', '{0}' }}!"):
        assert rendered(template, a=stored) == f"{stored}!"


# --- T2: what costs too much --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "template", ["{% for i in (1..1e9) %}{% endfor %}", "{{ (1..9) }}", "{% include 'self' %}", "{% render 'self' %}"]
)
def test_t2_ranges_and_inclusion_are_refused(template: str) -> None:
    with pytest.raises(Refused) as caught:
        compile_template(template, "with.text")
    assert [problem.path for problem in caught.value.problems] == ["with.text"]


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{% for i in list %}{% endfor %}", "1,000 turns"),
        ("{% for i in list %}{% comment %}nothing{% endcomment %}{% endfor %}", "1,000 turns"),
        ("{% for i in list limit: 40 %}{% for j in list limit: 40 %}{% endfor %}{% endfor %}", "1,000 turns"),
        ("{% assign a = 'xxxxxxxxxx' %}" + "{% assign a = a | append: a %}" * 30, "262,144 characters"),
        ("{% for i in list limit: 900 %}{{ text }}{% endfor %}", "262,144 characters"),
        ("{% for i in list limit: 900 %}{% if long == long2 %}{% endif %}{% endfor %}", "too much work"),
        ("{% for i in list limit: 900 %}{% assign a = long | upcase %}{% endfor %}", "too much work"),
    ],
)
def test_t2_every_limit_holds_in_every_turn(template: str, reason: str) -> None:
    said = failure(template, "text", list=list(range(5_000)), text="x" * 1_000, long="x" * 100_000, long2="y" * 100_000)
    assert reason in said.reason


def test_t2_ten_megabytes_are_never_made() -> None:
    for template in ("{{ a }}{{ a }}", "{% if a %}{{ a }}{{ a }}{% endif %}", "{{ a | replace: 'x', 'xxxxxxxxxx' }}"):
        assert "262,144" in failure(template, "html", a="x" * 200_000).reason


# --- T3: data is never a template ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["{{ tenant.secret }}", "{{ secrets.x }}", "{% if true %}x{% endif %}", "{{ a }}", "{%"]
)
@pytest.mark.parametrize("template", ["{{ a }}", "({{ a }})", "{% assign b = a %}({{ b }})", "({{ a | append: '' }})"])
def test_t3_a_value_is_rendered_once(template: str, value: str) -> None:
    assert rendered(template, a=value).strip("()") == value
    assert "s3cret" not in rendered(template, "html", a=value)


# --- T4: every value is written for its place ---------------------------------------------------------------------------


class Parsed(HTMLParser):
    """What a browser would find in a page: its elements with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    ("page", "elements"),
    [
        ("<p>{{ a }}</p>", [("p", {})]),
        ("<p title=\"{{ a }}\" alt='{{ a }}'>{{ a }}</p>", [("p", {"title": EVIL, "alt": EVIL})]),
        ("{% if a %}<b>{{ a }}</b>{% else %}<i>{{ a }}</i>{% endif %}", [("b", {})]),
        ('{% for x in list %}<li data-x="{{ x }}">{{ x }}</li>{% endfor %}', [("li", {"data-x": EVIL})]),
        ("<title>{{ a }}</title>", [("title", {})]),
        ("1 < 2 <p>{{ a | upcase | downcase }}</p>", [("p", {})]),
        ("<!-- a > b --><p>{{ a }}</p>", [("p", {})]),
        ("<style>p > a { color: red }</style><p>{{ a }}</p>", [("style", {}), ("p", {})]),
        ("{{ a }}", []),
    ],
)
def test_t4_html_a_value_is_text_and_never_markup(page: str, elements: list[Any]) -> None:
    found = rendered(page, "html", a=EVIL.lower(), list=[EVIL.lower()])
    lowered = [(tag, {name: value.lower() for name, value in attributes.items()}) for tag, attributes in elements]
    assert Parsed(found).elements == lowered
    assert "<script" not in found.replace("<style", "")


def test_t4_html_what_a_filter_escaped_is_not_escaped_again() -> None:
    assert rendered("<p>{{ a | escape }}</p>", "html", a="<&>") == "<p>&lt;&amp;&gt;</p>"
    assert rendered("{{ a | escape }}", "html", a="<&>") == "&lt;&amp;&gt;"
    assert rendered("<p>{{ a | escape | append: b }}</p>", "html", a="<", b="<") == "<p>&amp;lt;&lt;</p>"
    assert rendered("<p>{{ a | newline_to_br }}</p>", "html", a="<i>\nb") == "<p>&lt;i&gt;<br />\nb</p>"
    marked = rendered(["{{ a | escape }}", "{{ a | escape | compact }}", "{{ a | json }}"], a="<")
    assert json.loads(json.dumps(marked)) == ["&lt;", ["&lt;"], '"<"']
    assert {type(marked[0]), type(marked[1][0]), type(marked[2])} == {str}


SCRIPTS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "  javascript:alert(1)",
    "\x01javascript:alert(1)",
    "\u00a0javascript:alert(1)",
    "java\nscript:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "//evil.example/",
    "/relative",
    "https://a.example/\r\nx",
    "https",
    "blob:https://a.example/x",
]


@pytest.mark.parametrize("value", SCRIPTS)
@pytest.mark.parametrize(
    "page",
    [
        '<a href="{{ a }}">x</a>',
        "<a href='  {{ a }}/more'>x</a>",
        '<img src="{{ a }}">',
        '<form action="{{ a }}"><button formaction="{{ a }}"></form>',
        '<a href="{{ a | escape }}">x</a>',
    ],
)
def test_t4_html_a_link_begins_with_http_mailto_or_tel_or_its_step_fails(page: str, value: str) -> None:
    said = failure(page, "html", a=value)
    assert "begins a link" in said.reason
    assert said.placeholder.startswith("{{ a")


@pytest.mark.parametrize(
    "value", ["https://a.example/?x=1&y=\"'><", "HTTP://a.example", " mailto:ada@example.org ", "tel:+41446681800", ""]
)
def test_t4_html_a_good_link_passes(value: str) -> None:
    ((_, attributes),) = Parsed(rendered('<a href="{{ a }}">', "html", a=value)).elements
    assert attributes == {"href": value.strip()}


def test_t4_html_inside_a_link_a_value_is_a_segment_or_a_query_value() -> None:
    page = '<a href="https://a.example/{{ a }}/x?q={{ a }}&amp;r={{ b }}#{{ a }}">'
    ((_, attributes),) = Parsed(rendered(page, "html", a=UP, b='"><')).elements
    url = urlsplit(str(attributes["href"]))
    assert (url.netloc, url.path) == ("a.example", "/%2F..%2F%3F%26%23/x")
    assert parse_qsl(url.query) == [("q", UP), ("r", '"><')]
    assert rendered('<a href="mailto:{{ a }}">', "html", a="ada@x.org?bcc=b@x.org") == (
        '<a href="mailto:ada@x.org%3Fbcc%3Db@x.org">'
    )


@pytest.mark.parametrize(
    "page",
    [
        "<script>var a = '{{ a }}'</script>",
        "<SCRIPT >x</SCRIPT x><script>{{ a }}",
        "<script><!-- </scripts> {{ a }} --></script>",
        "<style>p { color: {{ a }} }</style>",
        '<p onclick="f({{ a }})">',
        '<p ONCLICK="{{ a }}">',
        '<p style="color: {{ a }}">',
        "<p title={{ a }}>",
        "<p title=x{{ a }}>",
        "<p {{ a }}>",
        "<p {{ a }}='x'>",
        "<p x{{ a }}>",
        "<{{ a }}>",
        "</{{ a }}>",
        "<p{{ a }}>",
        "<!-- {{ a }} -->",
        "<!--> --> <!-- {{ a }}",
        "<!doctype {{ a }}>",
        "<? {{ a }} ?>",
        '<iframe srcdoc="{{ a }}">',
        '<iframe src="{{ a }}">',
        '<object data="{{ a }}">',
        '<base href="{{ a }}">',
        '<link href="{{ a }}">',
        '<meta http-equiv="refresh" content="0;url={{ a }}">',
        '<img srcset="{{ a }}">',
        '<svg><animate values="{{ a }}">',
        '<svg><a xlink:href="{{ a }}">',
        '<a href="https://{{ a }}/">',
        '<a href="https://a.example{{ a }}">',
        '<a href="https&#58;&#47;&#47;{{ a }}">',
        '<a href="javascript:f({{ a }})">',
        '<a href="//{{ a }}/">',
        '<a href="\\\\{{ a }}/">',
        '<a href="{{ a }}{{ b }}">',
        '<a href="{{ a }}.example/{{ b }}" title="{{ a }}"><a href="x{{ a }}">',
        '{% if a %}<a href="{% else %}<b>{% endif %}{{ a }}',
        '{% if a %}<a href="x">{% endif %}{{ a }}{% if a %}<!--{% endif %}{{ a }}',
        '{% for x in list %}<p title="{% endfor %}{{ a }}',
        '<a href="{% if a %}https://a.example/{% else %}https:{% endif %}{{ b }}">',
    ],
)
def test_t4_html_where_no_value_is_safe_the_placeholder_is_refused_when_saved(page: str) -> None:
    path, code, message = refused(page, "html")
    assert (path, code) == ("with.text", "misplaced_placeholder")
    assert "cannot stand" in message or "end at different places" in message


def test_t4_url_a_path_placeholder_is_one_segment() -> None:
    url = rendered("https://api.example/orders/{{ a }}/items", "url", a=UP)
    assert url == "https://api.example/orders/%2F..%2F%3F%26%23/items"
    assert rendered("https://a.example/{{ a }}", "url", a="é \r\n%2e") == "https://a.example/%C3%A9%20%0D%0A%252e"
    assert rendered("https://a.example/{{ a | url_encode }}", "url", a="a b") == "https://a.example/a%20b"


@pytest.mark.parametrize("value", [".", "..", "", None])
def test_t4_url_a_segment_is_never_a_way_up_or_nothing(value: str | None) -> None:
    assert "no part of a URL's path" in failure("https://a.example/x/{{ a }}/y", "url", a=value).reason
    assert "no part of a URL's path" in failure("https://a.example/x/{{ a | url_encode }}", "url", a=value).reason


def test_t4_url_a_query_placeholder_is_one_value() -> None:
    url = rendered("https://a.example/?q={{ a }}&{{ b }}=1#{{ a }}", "url", a="x&admin=1#/../", b="y&z")
    assert parse_qsl(urlsplit(url).query) == [("q", "x&admin=1#/../"), ("y&z", "1")]
    assert urlsplit(url).fragment == "x%26admin%3D1%23%2F..%2F"


@pytest.mark.parametrize(
    "url",
    [
        "{{ a }}://a.example/",
        "https:{{ a }}",
        "https://{{ a }}",
        "https://{{ a }}/x",
        "https://{{ a }}.example/",
        "https://a.example{{ a }}",
        "https://a.example{{ a }}/",
        "https://user:{{ a }}@a.example/",
        "https://a.example:{{ a }}/",
        "https://\t{{ a }}/",
        "{{ a }}/x",
        "{{ a }}{{ b }}",
        "{% if a %}{{ a }}{% else %}https://a.example/{% endif %}",
        "{% if a %}https://a.example/{% else %}https://a.{% endif %}{{ b }}",
    ],
)
def test_t4_url_scheme_host_and_port_are_the_authors(url: str) -> None:
    assert refused(url, "url")[:2] == ("with.text", "misplaced_placeholder")


def test_t4_url_a_placeholder_may_be_the_whole_url() -> None:
    assert rendered("{{ a }}", "url", a="https://a.example/x?y=1") == "https://a.example/x?y=1"
    url = "{% if a %}https://a.example/{% else %}https://b.example/{% endif %}{{ a }}"
    assert rendered(url, "url", a="x/y") == "https://a.example/x%2Fy"


@pytest.mark.parametrize("break_", ["\r\nBcc: b@example.org", "\n", "\r", "\x00", "\x7f", "\x85", "\u2028", "\u202e"])
@pytest.mark.parametrize("template", ["{{ a }}", "Hi {{ a }}", "Hi {{ a | append: '' }}", ["{{ a }}"]])
def test_t4_header_a_value_is_one_line(template: Any, break_: str) -> None:
    facts = Facts(data={"a": f"x{break_}"}, event={}, now=0)
    with pytest.raises(TemplateError, match=r"with\.subject.*one line"):
        compile_template({"subject": template}, "with", contexts={"subject": "header"}).render(facts)
    assert compile_template({"subject": template}, "with").render(facts)


def test_t4_header_other_writing_and_lists_pass() -> None:
    assert (
        rendered("Hi {{ a }}", "header", a="Zoë 👩\u200d👧 10\u00a0h علي\u200f")
        == "Hi Zoë 👩\u200d👧 10\u00a0h علي\u200f"
    )
    assert rendered("{{ a }}", "header", a=["x@example.org"]) == ["x@example.org"]
    assert "one line" in failure("{{ a }}", "header", a=["x@example.org", "y\nBcc: z"]).reason


@pytest.mark.parametrize(
    "value", ['"', "\\", '","admin":true,"x":"', "\n", "</script>", "\u2028", {"b": ['"']}, 7, None, True]
)
def test_t4_json_a_value_stays_inside_its_string(value: Any) -> None:
    read = json.loads(
        rendered('{"a": "x{{ a }}y", "{{ k }}": {{ a }}, "l": [{{ a }}, "\\"{{ k }}"]}', "json", a=value, k='"')
    )
    shown = (
        json.dumps(value, separators=(",", ":"))
        if isinstance(value, dict)
        else {None: "", True: "true"}.get(value, str(value))
    )
    assert read == {"a": f"x{shown}y", '"': value, "l": [value, '""']}


def test_t4_json_only_documents_are_json() -> None:
    assert json.loads(rendered('{"a": {{ a | json }}, "b": {{ b }}}', "json", a='"')) == {"a": '"', "b": None}
    assert json.loads(rendered('{% if a %} {"a": "{{ a }}"}{% else %}[]{% endif %}', "json", a='"')) == {"a": '"'}
    assert rendered("a={{ a }}", "json", a='"') == 'a="'
    assert rendered({"a": "{{ a }}", "b": "x{{ a }}"}, "json", a='"') == {"a": '"', "b": 'x"'}
    assert refused('{"a": "\\{{ a }}"}', "json")[:2] == ("with.text", "misplaced_placeholder")


def test_t4_sms_a_value_holds_no_control_characters() -> None:
    assert rendered("Hi {{ a }}!", "sms", a="A\x00\x1b[2J\tB\r\nC\u202eD") == "Hi A[2J B\nCD!"
    assert rendered("{{ a }}", "sms", a="\u2067x\u2069\x07") == "x"


# --- T7: what is missing, and what is no text ---------------------------------------------------------------------------

TEXTS: list[ContextName] = ["text", "header", "sms", "html"]


@pytest.mark.parametrize("context", TEXTS)
@pytest.mark.parametrize("data", [{}, {"name": None}])
@pytest.mark.parametrize(
    "template", ["Hello {{ name }}", "{{ name }}", "Hello {{ name | upcase }}", "{{ name | upcase }}"]
)
def test_t7_nobody_is_greeted_as_none(context: ContextName, data: dict[str, Any], template: str) -> None:
    facts = Facts(data=data, event={}, now=0)
    with pytest.raises(TemplateError, match=r"with\.text: \{\{ name.* could not be rendered: there is no value"):
        compile_template(template, "with.text", on_missing="fail", contexts=context).render(facts)
    for each in (None, context):
        blank = compile_template(template, "with.text", contexts=each).render(facts)
        assert blank in ("Hello ", "", None)


@pytest.mark.parametrize("context", TEXTS)
@pytest.mark.parametrize("value", [["a"], {"b": 1}, []])
@pytest.mark.parametrize("template", ["Hello {{ a }}", "Hello {{ a | default: b }}"])
def test_t7_a_list_or_an_object_is_no_text(context: ContextName, value: Any, template: str) -> None:
    assert "where text belongs" in failure(template, context, a=value, b=value).reason


def test_t7_a_list_is_said_by_joining_it() -> None:
    assert rendered("Hello {{ a | join: ', ' }}", "text", a=["x", "y"]) == "Hello x, y"
    assert "where text belongs" in failure("{{ a }}", "text", a=["x"]).reason
    assert html.unescape(rendered("{% for x in a %}{{ x }};{% endfor %}", "html", a=["<", ">"])) == "<;>;"
