"""Table T of the threats, row by row, as far as actions and their arguments decide it."""

import json
from typing import Annotated, Any

import pydantic
import pytest

from tests.adapters.step import perform
from upshot.adapters.actions import ActionCatalogue, alias, built_in_actions, form
from upshot.adapters.actions.sms_text import segments_of
from upshot.adapters.actions.typed import make_action
from upshot.core.automations import read
from upshot.core.automations.arguments import argument_template
from upshot.core.errors import Refused
from upshot.core.facts import Facts
from upshot.core.templates import TemplateError

ACTIONS = ActionCatalogue(built_in_actions())
EVENT = "shop/order.placed"


def given(action: str, arguments: dict[str, Any], actions: ActionCatalogue = ACTIONS, /, **data: Any) -> Any:
    """What an action gets: its arguments filled in and validated, as a run does it."""
    found = actions.get(action)
    assert found is not None
    template = argument_template(found.shape, arguments, "with")
    return found.validate(template.render(Facts(data=data, event={}, now=0)))


def failure(action: str, arguments: dict[str, Any], /, **data: Any) -> str:
    with pytest.raises((TemplateError, Refused)) as raised:
        given(action, arguments, **data)
    return str(raised.value)


def saved_problems(action: str, **arguments: Any) -> list[tuple[str, str]]:
    document = {"name": "a", "trigger": {"event": EVENT}, "steps": [{"id": "s", "action": action, "with": arguments}]}
    with pytest.raises(Refused) as caught:
        read(document, actions=ACTIONS.shapes)
    return [(problem.path, problem.code) for problem in caught.value.problems]


# --- T4: the built-in actions say what their texts are ------------------------------------------------------------------


def test_t4_the_html_of_a_draft_is_escaped_and_its_text_is_not() -> None:
    name = "<script>alert(1)</script>"
    made = given(
        "draft_email", {"subject": "Hi {{ name }}", "body": "Hi {{ name }}", "html": "<p>{{ name }}</p>"}, name=name
    )
    assert made["body"] == f"Hi {name}"
    assert made["html"] == "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"
    action = ACTIONS.get("draft_email")
    assert action is not None
    (operation,) = perform(action, {"subject": "x", "body": "y", "html": "<b>z</b>"}).operations
    assert operation.change.fields["html"] == "<b>z</b>"
    said = failure("draft_email", {"subject": "x", "body": "y", "html": '<a href="{{ u }}">'}, u="JaVaScRiPt:x")
    assert said.startswith("with.html: {{ u }} could not be rendered: it begins a link")


def test_t4_misplaced_placeholders_are_refused_when_saved_with_their_paths() -> None:
    misplaced = "misplaced_placeholder"
    page = "<script>{{ x }}</script>"
    assert saved_problems("draft_email", subject="a", body="b", html=page) == [("steps[0].with.html", misplaced)]
    assert saved_problems("call_webhook", url="https://{{ host }}/") == [("steps[0].with.url", misplaced)]
    body = '{"a": "\\{{ x }}"}'
    found = saved_problems("call_webhook", url="https://{{ host }}/", body=body)
    assert found == [("steps[0].with.url", misplaced), ("steps[0].with.body", misplaced)]


def test_t4_a_webhook_is_called_with_what_its_author_meant() -> None:
    arguments = {
        "url": "https://api.example/orders/{{ id }}?note={{ note }}",
        "headers": {"X-Note": "n {{ id }}"},
        "body": '{"note": "{{ note }}", "total": {{ total }}}',
    }
    call = given("call_webhook", arguments, id="/../?&#", note='","admin":"1&x=2', total=7)
    assert call["url"] == "https://api.example/orders/%2F..%2F%3F%26%23?note=%22%2C%22admin%22%3A%221%26x%3D2"
    assert call["headers"] == {"X-Note": "n /../?&#"}
    assert json.loads(call["body"]) == {"note": '","admin":"1&x=2', "total": 7}
    whole = given(
        "call_webhook", {"url": "{{ u }}", "body": {"note": "n {{ note }}"}}, u="https://x.example/", note='"'
    )
    assert (whole["url"], whole["body"]) == ("https://x.example/", {"note": 'n "'})


def test_t4_a_header_value_is_one_line() -> None:
    said = failure("call_webhook", {"url": "https://a.example/", "headers": {"X-A": "{{ a }}"}}, a="x\r\nHost: y")
    assert said.startswith("with.headers.X-A: {{ a }} could not be rendered: it holds a line break")


class Page(pydantic.BaseModel):
    """An action of a host, with its own contexts."""

    html: str = pydantic.Field(json_schema_extra={"x-context": "html"})
    link: str | None = pydantic.Field(default=None, json_schema_extra={"x-context": "url"})
    lines: list[Annotated[str, pydantic.Field(json_schema_extra={"x-context": "header"})]] = []


def put_page(arguments: Page) -> dict[str, Any]:
    """Put a page up."""
    return arguments.model_dump()


def test_t4_an_action_of_a_host_says_what_its_texts_are() -> None:
    actions = ActionCatalogue([make_action(put_page, "put_page")])
    arguments = {"html": "<p>{{ a }}</p>", "link": "https://a.example/{{ a }}", "lines": ["x {{ b }}"]}
    page = given("put_page", arguments, actions, a="</p>", b="y")
    assert (page.html, page.link, page.lines) == ("<p>&lt;/p&gt;</p>", "https://a.example/%3C%2Fp%3E", ["x y"])
    with pytest.raises(TemplateError, match=r"with\.lines\[0\]"):
        given("put_page", arguments, actions, a="x", b="y\n")


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": "string", "x-context": "htm1"}}},
        {"type": "object", "properties": {"a": {"x-context": "html", "items": {"x-context": "url"}}}},
        {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/b"}},
            "$defs": {"b": {"properties": {"c": {"x-context": "html"}}}},
        },
    ],
)
def test_t4_a_context_that_would_not_be_heeded_is_refused_when_the_action_is_taken_up(schema: dict[str, Any]) -> None:
    def page(_: dict[str, Any]) -> None: ...

    with pytest.raises(ValueError, match="x-context"):
        ActionCatalogue([make_action(page, "page", schema=schema)])


def test_t4_an_alias_escapes_as_what_it_stands_over_does_and_only_once() -> None:
    over = ACTIONS.get("draft_email")
    assert over is not None
    text = {"type": "string"}
    schema = form({"page": text, "name": text}, required=[])
    actions = ActionCatalogue()
    actions.add(alias("page", over, {"subject": "x", "body": "y", "html": "{{ page }}"}, title="P", schema=schema))
    actions.add(
        alias("name", over, {"subject": "x", "body": "y", "html": "<i>{{ name }}</i>"}, title="N", schema=schema)
    )
    assert given("page", {"page": "<b>{{ a }}</b>"}, actions, a="<&>")["html"] == "<b>&lt;&amp;&gt;</b>"
    assert given("name", {"name": "{{ a }}"}, actions, a="<&>")["html"] == "<i>&lt;&amp;&gt;</i>"


# --- T5: recipients and subjects ----------------------------------------------------------------------------------------

MAIL = {"to": "{{ to }}", "subject": "Hi {{ name }}", "body": "Hi {{ name }}"}


@pytest.mark.parametrize(
    "to",
    [
        "ada@example.org\r\nBcc: eve@example.org",
        "ada@example.org\nBcc: eve@example.org",
        "ada@example.org\rX: y",
        "ada@example.org\x00",
        ["ada@example.org", "bob@example.org\nBcc: eve@example.org"],
        "Bcc: eve@example.org",
        "Your Bank <eve@example.org>",
        '"security@bank.example" <eve@example.org>',
        "ada@example.org <eve@example.org>",
        "ada@ex\u0430mple.org",
        "ada@\u0435xample.org",
        "ada@b\u00fccher.example",
        "\u0430da@example.org",
        "ada@example\u3002org",
        "ada\u202e@example.org",
        "ada@example.org%0ABcc:eve@example.org",
        "ada@example.org?bcc=eve@example.org",
    ],
)
def test_t5_a_recipient_is_one_plain_ascii_address(to: Any) -> None:
    said = failure("draft_email", MAIL, to=to, name="Ada")
    assert said.startswith(("with.to", "to["))
    assert "eve@example.org" not in said


def test_t5_a_domain_of_another_script_is_written_in_punycode_and_kept_so() -> None:
    assert given("draft_email", MAIL, to="ada@xn--bcher-kva.example", name="Ada")["to"] == ["ada@xn--bcher-kva.example"]


def test_t5_recipients_are_capped() -> None:
    many = [f"a{number}@example.org" for number in range(10_000)]
    assert "10000 recipients; at most 50" in failure("draft_email", MAIL, to=many, name="Ada")
    assert "recipients; at most 50" in failure("draft_email", MAIL, to=",".join(many[:51]), name="Ada")
    assert len(given("draft_email", MAIL, to=many[:50], name="Ada")["to"]) == 50


@pytest.mark.parametrize(
    "name", ["Ada\r\nBcc: eve@example.org", "Ada\nTo: x", "Ada\x00", "Ada\x1b[2J", "\u202egro.elpmaxe"]
)
def test_t5_a_subject_is_one_line(name: str) -> None:
    assert failure("draft_email", MAIL, to="ada@example.org", name=name).startswith("with.subject: {{ name }}")
    action = ACTIONS.get("draft_email")
    assert action is not None
    with pytest.raises(Refused) as caught:
        action.validate({"subject": f"Hi {name}", "body": "x"})
    assert [problem.path for problem in caught.value.problems] == ["subject"]


def test_t5_a_subject_in_any_script_passes() -> None:
    name = "Zoë 👩\u200d👧 10\u00a0h"
    assert given("draft_email", MAIL, to="ada@example.org", name=name)["subject"] == f"Hi {name}"


# --- T7: what is missing ------------------------------------------------------------------------------------------------

ARGUMENTS: list[tuple[str, str, dict[str, Any]]] = [
    ("draft_email", "subject", {"subject": "Hello {{ name }}", "body": "x"}),
    ("draft_email", "body", {"subject": "x", "body": "Hello {{ name }}"}),
    ("draft_email", "html", {"subject": "x", "body": "x", "html": "<p>Hello {{ name }}</p>"}),
    ("draft_sms", "body", {"body": "Hello {{ name }}"}),
    ("create_task", "title", {"title": "Call {{ name }}"}),
    ("call_webhook", "url", {"url": "https://a.example/{{ name }}"}),
    ("call_webhook", "url", {"url": "https://a.example/?q={{ name }}"}),
]


@pytest.mark.parametrize(("action", "argument", "arguments"), ARGUMENTS)
@pytest.mark.parametrize("data", [{}, {"name": None}, {"name": ["Ada"]}, {"name": {"first": "Ada"}}])
def test_t7_a_missing_value_null_or_a_list_fails_the_step(
    action: str, argument: str, arguments: dict[str, Any], data: dict[str, Any]
) -> None:
    said = failure(action, arguments, **data)
    assert said.startswith(f"with.{argument}: {{{{ name }}}} could not be rendered: ")
    assert ("where text belongs" if data.get("name") else "there is no value") in said


# --- T8: short messages -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "encoding", "segments"),
    [
        ("x" * 160, "GSM-7", 1),
        ("x" * 161, "GSM-7", 2),
        ("€" * 80, "GSM-7", 1),
        ("ж" * 70, "UCS-2", 1),
        ("ж" * 71, "UCS-2", 2),
        ("🙂" * 35, "UCS-2", 1),
        ("🙂" * 36, "UCS-2", 2),
        ("x" * 1_530, "GSM-7", 10),
        ("🙂" * 335, "UCS-2", 10),
    ],
)
def test_t8_segments_are_counted_and_kept(name: str, encoding: str, segments: int) -> None:
    action = ACTIONS.get("draft_sms")
    assert action is not None
    (operation,) = perform(action, given("draft_sms", {"body": "{{ name }}"}, name=name) | {"to": None}).operations
    assert (operation.change.fields["encoding"], operation.change.fields["segments"]) == (encoding, segments)
    assert segments_of(name).segments == segments


@pytest.mark.parametrize("name", ["x" * 1_531, "🙂" * 336, "ж" * 671, "x" * 100_000])
def test_t8_segments_are_capped(name: str) -> None:
    assert failure("draft_sms", {"body": "{{ name }}"}, name=name).startswith("body: ")


def test_t8_what_turns_the_direction_of_reading_is_taken_out_of_values_and_refused_in_texts() -> None:
    body = given("draft_sms", {"body": "Pay {{ name }}"}, name="\u202e001 FHC\u202c to me\x07")["body"]
    assert body == "Pay 001 FHC to me"
    assert segments_of(body).encoding == "GSM-7"
    action = ACTIONS.get("draft_sms")
    assert action is not None
    with pytest.raises(Refused) as caught:
        action.validate({"body": "Pay \u202e001"})
    assert [(problem.path, problem.code) for problem in caught.value.problems] == [("body", "bad_text")]
