"""Table T of the threats: what a template may not hold, and what no template may cost."""

from typing import Any

import pytest

from upshot.core.errors import Refused
from upshot.core.facts import Facts
from upshot.core.templates import TemplateError, compile_template

LONG = "x" * 200_000
FACTS = Facts(
    data={
        "long": LONG,
        "list": list(range(5_000)),
        "deep": {"a": [{"b": "y" * 1_000}] * 200},
        "big": 2**62,
        "x": "text",
        "count": 3,
    },
    event={},
    now=0,
)


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("{{ ''.__class__.__mro__ }}", "template_syntax"),
        ("{{ x | attr: 'format' }}", "template_filter"),
        ("{{ x | safe }}", "template_filter"),
        ("{% for i in (1..1000000000) %}{% endfor %}", "template_range"),
        ("{{ (1..1000000) | join: ',' | size }}", "template_range"),
        ("{% assign a = (1..5) %}", "template_range"),
        ("{% include 'x' %}", "template_tag"),
        ("{% render 'x' %}", "template_tag"),
        ("{% capture a %}{% endcapture %}", "template_tag"),
        ("{% tablerow i in list %}{% endtablerow %}", "template_tag"),
        ("{% increment a %}", "template_tag"),
        ("{% raw %}{{ x }}{% endraw %}", "template_tag"),
        ("{% liquid assign a = 1 %}", "template_tag"),
        ("{% break %}", "template_tag"),
        ("{% %}", "template_tag"),
        ("{{ x", "template_syntax"),
        ("{{ }}", "template_syntax"),
        ("{% if x %}", "template_syntax"),
        ("{% endif %}", "template_syntax"),
        ("{% comment %}", "template_syntax"),
        ("{{ x y }}", "template_syntax"),
        ("{{ x | }}", "template_filter"),
        ("{{ now.nothing }}", "bad_path"),
        ("{{ " + "x" * 1_001 + " }}", "template_too_long"),
        ("{{" + " " * 20_000 + "}}", "template_too_long"),
        ("a" * 20_479 + "{{ x }}", "template_too_long"),
        ("{{ x" + " | upcase" * 21 + " }}", "template_too_long"),
        ("{% if " + " and ".join("x" * 32) + " %}{% endif %}", "template_too_long"),
        ("{% if x %}" * 11 + "{% endif %}" * 11, "template_syntax"),
        ("{{ a[b[c[d[e[f[g[h[i[j[k[l[m[n[o[p[q[r]]]]]]]]]]]]]]]]] }}", "template_too_long"),
    ],
)
def test_what_is_not_of_the_language_is_refused_with_its_path(template: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        compile_template({"to": ["a", template]}, "steps[2].with")
    assert [(problem.path, problem.code) for problem in refused.value.problems] == [("steps[2].with.to[1]", code)]


def test_all_problems_of_a_value_are_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        compile_template({"a": "{{ x", "b": {"c": "{% include 'y' %}"}, "d": "{{ fine }}"}, "with")
    assert [problem.path for problem in refused.value.problems] == ["with.a", "with.b.c"]


@pytest.mark.parametrize(
    "name", ["__class__", "__globals__", "constructor", "prototype", "x.__class__", "x.upper", "now.__class__"]
)
def test_attributes_are_out_of_reach(name: str) -> None:
    try:
        assert compile_template("{{ " + name + " }}").render(FACTS) is None
        assert compile_template("a{{ " + name + " | append: '' }}").render(FACTS) == "a"
    except Refused as refused:
        assert refused.problems[0].code == "bad_path"


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in list %}{% endfor %}",
        "{% for a in list limit: 40 %}{% for b in list limit: 40 %}{% endfor %}{% endfor %}",
        "{{ long }}{{ long }}",
        "{% assign a = long | append: long %}",
        "{% assign a = 'xxxxxxxxxx' %}" + "{% assign a = a | append: a %}" * 30,
        "{{ long | replace: '', long }}",
        "{{ long | replace: 'x', 'yyyyyyyyyy' | size }}",
        "{{ long | split: '' | size }}",
        "{{ list | join: long | size }}",
        "{% for a in list limit: 900 %}{% if long == deep %}{% endif %}{{ long | upcase | size }}{% endfor %}",
        "{% for a in list limit: 900 %}{% if deep == deep %}{% endif %}{% endfor %}",
        "{% for a in list limit: 900 %}{{ deep | json | size }}{% endfor %}",
        "{{ big | times: big }}",
        "{{ 99999999999999999999 }}",
        "{{ 1.5 | times: 99999999999999999999 }}",
        "{{ count | divided_by: 0 }}",
        "{{ x | plus: 1 }}",
        "{{ x | date: '%Y' }}",
        "{{ 0 | date: '%1000000d' }}",
        "{{ 0 | date: '%Y', '../../etc/passwd' }}",
        "{{ x | truncate: 'many' }}",
        "{{ x | upcase: 1, 2 }}",
        "{% if x > count %}{% endif %}",
        "{% for a in list limit: x %}{% endfor %}",
    ],
)
def test_what_costs_or_fails_too_much_ends_in_a_named_error(template: str) -> None:
    with pytest.raises(TemplateError) as raised:
        compile_template(template, "steps[0].with.text").render(FACTS)
    assert raised.value.path == "steps[0].with.text"
    assert raised.value.reason


def test_a_plain_text_is_bounded_too() -> None:
    with pytest.raises(TemplateError, match="262,144"):
        compile_template("{{ long }} {{ long }}").render(FACTS)


def test_a_value_nested_beyond_the_limit_is_refused_not_followed() -> None:
    value: Any = "{{ x }}"
    for _ in range(5_000):
        value = [value]
    with pytest.raises(Refused) as refused:
        compile_template(value, "with")
    assert refused.value.problems[0].code == "too_deep"
