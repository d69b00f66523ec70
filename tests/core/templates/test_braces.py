"""Single-brace placeholders of imported rules."""

from typing import Any

import pytest

from upshot.core.templates import import_braces


@pytest.mark.parametrize(
    ("imported", "canonical"),
    [
        ("{appointment.patientId}", "{{ appointment.patientId }}"),
        (
            "Dear { patient.name }, see {a.b[0].c} and {items.0.sku}",
            "Dear {{ patient.name }}, see {{ a.b[0].c }} and {{ items[0].sku }}",
        ),
        ("{name}", "{{ name }}"),
        ("{{ a.b }} and {c}", "{{ a.b }} and {{ c }}"),
        ("{{ a | default: '{b}' }}", "{{ a | default: '{b}' }}"),
        ('{"a": 1, "b": "{c.d}"}', '{"a": 1, "b": "{{ c.d }}"}'),
        ("{} {1} {a b} {a:1} {'a'}", "{} {1} {a b} {a:1} {'a'}"),
        ("{{x}}", "{{x}}"),
        ("{unclosed", "{unclosed"),
        ("{{ broken {a}", "{{ broken {a}"),
        ({"to": ["{a.b}", 3, None]}, {"to": ["{{ a.b }}", 3, None]}),
    ],
)
def test_single_braces_are_doubled_and_everything_else_is_left_alone(imported: Any, canonical: Any) -> None:
    assert import_braces(imported) == canonical
    assert import_braces(canonical) == canonical
