"""What a template gives: types, texts, missing values, filters."""

from typing import Any

import pytest

from upshot.core.facts import Facts
from upshot.core.templates import TemplateError, compile_template

FACTS = Facts(
    data={
        "appointment": {"id": "a1", "patientId": "p1", "minutes": 30, "paid": True, "room": None, "price": 12.5},
        "items": [{"sku": "x", "price": 2.5, "on": True}, {"sku": "y", "price": 0.1, "on": False}],
        "tags": ["new", "vip"],
        "said": "{{ tenant.secret }} {% if x %}",
        "html": "<b>&\"'",
        "name": {"first": "Ann", "last": "Lee"},
        "at": "2026-11-21T09:05:00Z",
        "day": "2026-12-01",
    },
    event={"id": "e1", "name": "crm/appointment.created", "ts": "2026-11-21T09:00:00Z"},
    now=1_795_000_000_000_000,
    zone="Europe/Paris",
    entity={"id": "p1", "type": "patient", "email": "a@example.org"},
    steps={"still on?": {"output": {"ok": True}}},
    tenant={"id": "t1", "secret": "s3cret"},
)


def rendered(value: Any, **options: Any) -> Any:
    return compile_template(value, "steps[0].with", **options).render(FACTS)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ appointment.patientId }}", "p1"),
        ("{{appointment.minutes}}", 30),
        ("  {{ appointment.paid }}\n", True),
        ("{{ appointment.price }}", 12.5),
        ("{{ appointment.room }}", None),
        ("{{ nothing.there }}", None),
        ("{{ tags }}", ["new", "vip"]),
        ("{{ items[0].sku }}", "x"),
        ("{{ items.1.sku }}", "y"),
        ("{{ tags.size }}", 2),
        ("{{ tags.last }}", "vip"),
        ("{{ name.first }}", "Ann"),
        ("{{ email }}", "a@example.org"),
        ("{{ entity.email }}", "a@example.org"),
        ('{{ steps["still on?"].output.ok }}', True),
        ("{{ event.name }}", "crm/appointment.created"),
        ("{{ appointment.minutes | times: 2 }}", 60),
        ("{{ tags | first }}", "new"),
        ("{{ true }}", True),
        ("{{ 'x' }}", "x"),
    ],
)
def test_a_lone_placeholder_keeps_its_type(template: str, value: Any) -> None:
    result = rendered(template)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Room: {{ appointment.room }}.", "Room: ."),
        ("Hello {{ nothing }}{{ nothing.there }}", "Hello "),
        ("{{ appointment.paid }} {{ appointment.minutes }} {{ appointment.price }}", "true 30 12.5"),
        ("{{ tags }} {{ name }}", '["new","vip"] {"first":"Ann","last":"Lee"}'),
        ("{% for tag in tags %}{{ forloop.index }}{{ tag }} {% endfor %}", "1new 2vip "),
        ("{% for item in items limit: 1 %}{{ item.sku }}{% endfor %}", "x"),
        ("{% for pair in name %}{{ pair[0] }}={{ pair[1] }};{% endfor %}", "first=Ann;last=Lee;"),
        ("{% for x in nothing %}a{% else %}none{% endfor %}", "none"),
        ("{% if appointment.minutes > 20 and appointment.paid %}long{% else %}short{% endif %}", "long"),
        ("{% if nothing > 20 %}a{% elsif tags contains 'vip' %}b{% endif %}", "b"),
        ("{% unless nothing %}x{% endunless %}", "x"),
        ("{% assign price = appointment.price | times: 2 %}{{ price }}!", "25.0!"),
        ("a {%- comment %} {{ broken {% endcomment -%} b", "ab"),
        ("a{% # a remark %}b", "ab"),
        ("{{- tags | join: ', ' -}} ", "new, vip"),
        ("say: {{ said }}", "say: {{ tenant.secret }} {% if x %}"),
        ("say: {{ said | append: '' }}", "say: {{ tenant.secret }} {% if x %}"),
        ("{{ '}}' }}!", "}}!"),
    ],
)
def test_a_text_is_filled_in(template: str, text: str) -> None:
    assert rendered(template) == text


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ nothing | default: 'there' }}", "there"),
        ("{{ appointment.room | default: 'any' }}", "any"),
        ("{{ false | default: true, allow_false: true }}", False),
        ("{{ 'aB' | upcase }}{{ 'aB' | downcase }}{{ 'aB' | capitalize }}", "ABabAB"),
        ("{{ ' a ' | strip }}|{{ ' a ' | lstrip }}|{{ ' a ' | rstrip }}", "a|a | a"),
        ("{{ 'a-b' | replace: '-', '+' }}{{ 'a-b' | remove: '-' }}", "a+bab"),
        ("{{ 'b' | prepend: 'a' | append: 'c' }}", "abc"),
        ("{{ 'abcdefgh' | truncate: 5 }} {{ 'a b c' | truncatewords: 2 }}", "ab... a b..."),
        ("{{ html | escape }}", "&lt;b&gt;&amp;&quot;&#x27;"),
        ("{{ 'a b/../?&#é' | url_encode }}", "a%20b%2F..%2F%3F%26%23%C3%A9"),
        ("{{ html | json }}", '"<b>&\\"\'"'),
        ("{{ 'a,b' | split: ',' }}", ["a", "b"]),
        ("{{ 0.1 | plus: 0.2 }}", 0.3),
        ("{{ 7 | minus: 2 }} {{ 7 | divided_by: 2 }} {{ 7 | divided_by: 2.0 }} {{ 7 | modulo: 4 }}", "5 3 3.5 3"),
        ("{{ 2.5 | round }} {{ 2.345 | round: 2 }} {{ 1.1 | ceil }} {{ 1.9 | floor }} {{ -3 | abs }}", "3 2.35 2 1 3"),
        ("{{ '12' | plus: '3' }}", 15),
        ("{{ 5 | at_most: 3 }} {{ 5 | at_least: 9 }}", "3 9"),
        ("{{ items | map: 'sku' | reverse | join: '' }}", "yx"),
        ("{{ items | where: 'on' | map: 'sku' }}", ["x"]),
        ("{{ items | sum: 'price' }}", 2.6),
        ("{{ items | sort: 'price' | map: 'sku' }}", ["y", "x"]),
        ("{{ 'a b a' | split: ' ' | uniq | join }}", "a b"),
        ("{{ at | date: '%d.%m.%Y %H:%M' }}", "21.11.2026 10:05"),
        ("{{ at | date: '%-I:%M %p', 'America/New_York' }}", "4:05 AM"),
        ("{{ day | date: '%A, %-d %B' }}", "Tuesday, 1 December"),
        ("{{ nothing | date: '%Y' }}", ""),
    ],
)
def test_filters(template: str, value: Any) -> None:
    assert rendered(template) == value


def test_values_inside_lists_and_objects_are_filled_in_and_keep_their_place() -> None:
    template = {
        "to": "{{ email }}",
        "list": ["{{ tags }}", "n {{ appointment.minutes }}", 1, None],
        "deep": {"a": {"b": "c"}},
    }
    assert rendered(template) == {
        "to": "a@example.org",
        "list": [["new", "vip"], "n 30", 1, None],
        "deep": {"a": {"b": "c"}},
    }


def test_changing_what_a_template_gave_changes_neither_the_facts_nor_the_template() -> None:
    template = compile_template({"tags": "{{ tags }}", "fixed": {"a": []}}, "with")
    first = template.render(FACTS)
    first["tags"].append("x")
    first["fixed"]["a"].append("x")
    assert FACTS.data["tags"] == ["new", "vip"]
    assert template.render(FACTS) == {"tags": ["new", "vip"], "fixed": {"a": []}}


@pytest.mark.parametrize(
    "template",
    [
        "Hi {{ nothing }}",
        "{{ nothing }}",
        "{{ appointment.room }}",
        "Hi {{ nothing | upcase }}",
        "{{ nothing | upcase }}",
    ],
)
def test_where_the_policy_is_fail_a_missing_value_names_the_path_and_the_placeholder(template: str) -> None:
    with pytest.raises(TemplateError) as raised:
        rendered({"body": template}, on_missing={"body": "fail"})
    assert raised.value.path == "steps[0].with.body"
    assert raised.value.placeholder.startswith("{{ ")
    assert "there is no value" in str(raised.value)


def test_where_the_policy_is_fail_a_default_helps() -> None:
    assert rendered("Hi {{ nothing | default: 'you' }}", on_missing="fail") == "Hi you"
    assert rendered({"body": "x", "note": "{{ nothing }}"}, on_missing={"body": "fail"}) == {"body": "x", "note": None}


def test_it_says_what_it_reads() -> None:
    template = compile_template(
        {"a": "{{ x.y }} {{ steps.one.output }}", "b": "{% for i in items %}{{ i.sku }}{{ z }}{% endfor %}"}
    )
    assert template.paths == {"x.y", "steps.one.output", "items", "z"}
    assert template.reads_entity
    assert not template.is_constant
    assert not compile_template("{{ event.id }} {{ now.date }}").reads_entity
    assert compile_template({"a": 1, "b": ["x"]}).is_constant
    assert not compile_template("{{ 'x' | upcase }}").is_constant
