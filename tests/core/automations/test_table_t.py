"""Table T of the threats, row T7: what a template reads that events need not hold is told to the author."""

from typing import Any

import pytest

from tests.core.automations.catalogue import ACTIONS
from upshot.core.automations import gap_notes, read

SCHEMA = {
    "type": "object",
    "required": ["customer", "lines", "either", "both"],
    "properties": {
        "customer": {"$ref": "#/$defs/customer"},
        "lines": {"type": "array", "items": {"type": "object"}},
        "note": {"type": "string"},
        "either": {"anyOf": [{"required": ["a"], "properties": {"a": {}}}, {"properties": {"a": {}}}]},
        "both": {"allOf": [{"required": ["a"], "properties": {"a": {}}}]},
    },
    "$defs": {
        "customer": {
            "type": "object",
            "required": ["name", "nick"],
            "properties": {
                "name": {"type": "string"},
                "nick": {"type": ["string", "null"]},
                "email": {"type": "string"},
            },
        }
    },
}
SAMPLE = {"customer": {"name": "Ada", "nick": None}, "lines": [{"sku": "x"}], "both": {"a": 1}}


def noted(arguments: dict[str, Any], schema: Any, sample: Any = None, delay: Any = "1h") -> list[tuple[str, str]]:
    steps = [{"id": "w", "delay": delay}, {"id": "s", "action": "draft_email", "with": {"to": "a", **arguments}}]
    document = {"name": "a", "trigger": {"event": "shop/order.placed"}, "steps": steps}
    return gap_notes(read(document, actions=ACTIONS), ACTIONS, schema, sample)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ custmer.name }}", "does not know 'custmer'"),
        ("Hi {{ customer.surname }}", "does not know 'surname'"),
        ("Hi {{ customer.email }}", "does not require 'email'"),
        ("Hi {{ event.data.customer.email | upcase }}", "does not require 'email'"),
        ("Hi {{ customer.nick }}", "lets it be null"),
        ("Hi {{ note }}", "does not require 'note'"),
        ("Hi {{ either.a }}", "does not require 'a'"),
        ("{% if customer.name %}{{ note }}{% endif %}", "does not require 'note'"),
    ],
)
def test_t7_a_placeholder_that_may_be_missing_is_told_to_the_author(text: str, why: str) -> None:
    ((path, message),) = noted({"body": text}, SCHEMA)
    assert path == "steps[1].with.body"
    assert why in message
    assert message.startswith("{{ ")
    assert "the step then fails" in message


@pytest.mark.parametrize(
    "text",
    [
        "{{ customer.name }}",
        "{{ both.a }}",
        "{{ lines.size }} {{ lines[0].sku }}",
        "{{ note | default: 'none' }}",
        "{% if note %}{{ note }}{% endif %}",
        "{% for line in lines %}{{ line.sku }} {{ forloop.index }}{% endfor %}",
        "{% assign x = note %}{{ x }}",
        "{{ entity.email }} {{ now.date }} {{ steps.a.output }} {{ tenant.zone }} {{ event.id }}",
        "no template",
    ],
)
def test_t7_what_is_certain_or_cared_for_or_unknown_is_not_told(text: str) -> None:
    assert noted({"body": text}, SCHEMA) == []
    assert noted({"body": "{{ anything }}"}, None) == []


def test_t7_without_a_schema_the_sample_tells() -> None:
    assert noted({"body": "{{ customer.name }} {{ lines[0].sku }} {{ lines.size }}"}, None, SAMPLE) == []
    said = noted({"body": "{{ customer.nick }} {{ customer.email }} {{ lines[1].sku }}"}, None, SAMPLE)
    assert [message.split(": ", 1)[1].split(";", maxsplit=1)[0] for _, message in said] == [
        "it is null in the sample of the event type",
        "the sample of the event type has no 'email'",
        "the sample of the event type has no 1",
    ]


def test_t7_each_place_is_told_and_what_follows_there() -> None:
    said = noted(
        {"to": "{{ to }}", "subject": "Hi {{ to }}", "body": "Hi {{ name }}"}, {"type": "object"}, delay="{{ w }}"
    )
    assert [path for path, _ in said] == [
        "steps[0].delay",
        "steps[1].with.to",
        "steps[1].with.subject",
        "steps[1].with.body",
    ]
    assert [("fails" in message) for _, message in said] == [True, False, False, True]
