"""Single-brace placeholders of imported rules: `{appointment.patientId}` becomes `{{ appointment.patientId }}`."""

import re
from typing import Any, Final, cast

from upshot.core.templates.limits import SOURCE_CHARACTERS_MAX, VALUE_NESTING_MAX
from upshot.core.templates.scanner import SourceFault, scan
from upshot.core.templates.text import has_template

_BRACED_PATH: Final = re.compile(
    r"(?<!\{)\{[ \t]{0,10}([A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*|\.[0-9]{1,6}|\[[0-9]{1,6}\])*)[ \t]{0,10}\}(?!\})"
)
_DOTTED_INDEX: Final = re.compile(r"\.([0-9]{1,6})(?=[.\[]|$)")


def import_braces(value: Any) -> Any:
    """The value with every single-brace path in its texts in double braces.

    Text inside `{{ }}` and `{% %}`, empty braces and braces that look like JSON are left alone; doing it twice changes
    nothing more.
    """
    return _convert(value, 0)


def _convert(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _convert_text(value)
    if depth > VALUE_NESTING_MAX:
        return value
    if isinstance(value, dict):
        return {key: _convert(item, depth + 1) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_convert(item, depth + 1) for item in cast("list[Any]", value)]
    return value


def _convert_text(text: str) -> str:
    if "{" not in text or len(text) > SOURCE_CHARACTERS_MAX:
        return text
    if not has_template(text):
        return _BRACED_PATH.sub(_doubled, text)
    try:
        literals = [(part.start, part.start + len(part.text)) for part in scan(text) if part.kind == "text"]
    except SourceFault:
        return text

    def doubled_outside(match: re.Match[str]) -> str:
        is_literal = any(start <= match.start() and match.end() <= end for start, end in literals)
        return _doubled(match) if is_literal else match.group()

    return _BRACED_PATH.sub(doubled_outside, text)


def _doubled(match: re.Match[str]) -> str:
    return "{{ " + _DOTTED_INDEX.sub(r"[\1]", match.group(1)) + " }}"
