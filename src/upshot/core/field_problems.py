"""What is wrong with the value of a field: a text, a number, a template."""

import math
from typing import Any, Final

from upshot.core.errors import Problem, Refused
from upshot.core.templates import compile_template

_CONTROL: Final = frozenset(map(chr, [*range(32), 127])) - {"\n", "\t", "\r"}


def template_problems(value: Any, at: str) -> list[Problem]:
    """What is wrong with the placeholders of a value."""
    try:
        compile_template(value, at)
    except Refused as refused:
        return list(refused.problems)
    return []


def number_problems(value: Any, at: str, least: float, most: float) -> list[Problem]:
    """What is wrong with a number that must be from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return [Problem(at, f"must be a number, not {value!r:.40}", "wrong_type")]
    if not least <= value <= most:
        return [Problem(at, f"must be from {least:g} to {most:,}", "out_of_range")]
    return []


def text_problems(value: Any, at: str, longest: int, *, needed: str = "", lines: bool = False) -> list[Problem]:
    """What is wrong with a text: its type, its length, control characters, or that it is empty where it is `needed`."""
    if not isinstance(value, str):
        return [Problem(at, f"must be a text, not {value!r:.40}", "wrong_type")]
    if needed and not value.strip():
        return [Problem(at, needed, "required")]
    if len(value) > longest:
        return [
            Problem(
                at,
                f"is {len(value):,} characters long; at most {longest:,}",
                "too_long",
            )
        ]
    if not _CONTROL.isdisjoint(value) or (not lines and any(end in value for end in "\n\r\t")):
        return [Problem(at, "holds a control character", "bad_text")]
    return []
