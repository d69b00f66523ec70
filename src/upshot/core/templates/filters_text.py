"""Filters over text. Anything on the left becomes text first, as it would in the output."""

import html
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from upshot.core.templates.errors import RenderFailure
from upshot.core.templates.escapes import HtmlText, JsonText, UrlText
from upshot.core.templates.filters_numbers import to_whole
from upshot.core.templates.limits import LIST_ITEMS_MAX, OUTPUT_CHARACTERS_MAX
from upshot.core.templates.values import to_text

_LINE_END: Final = re.compile(r"\r\n?|\n")


def upcase(value: Any) -> str:
    """In capital letters."""
    return to_text(value).upper()


def downcase(value: Any) -> str:
    """In small letters."""
    return to_text(value).lower()


def capitalize(value: Any) -> str:
    """The first letter a capital, the others as they are."""
    text = to_text(value)
    return text[:1].upper() + text[1:]


def strip(value: Any) -> str:
    """Without blanks at either end."""
    return to_text(value).strip()


def lstrip(value: Any) -> str:
    """Without blanks at the start."""
    return to_text(value).lstrip()


def rstrip(value: Any) -> str:
    """Without blanks at the end."""
    return to_text(value).rstrip()


def append(value: Any, end: Any) -> str:
    """Followed by `end`."""
    return to_text(value) + to_text(end)


def prepend(value: Any, start: Any) -> str:
    """Preceded by `start`."""
    return to_text(start) + to_text(value)


def replace(value: Any, old: Any, new: Any = "") -> str:
    """With every `old` replaced by `new`."""
    text, old, new = to_text(value), to_text(old), to_text(new)
    # The size is known before the text is made: "aaaa" | replace: "", <long> would otherwise fill the memory first.
    if len(text) + text.count(old) * (len(new) - len(old)) > OUTPUT_CHARACTERS_MAX:
        raise RenderFailure(f"'replace' would make more than {OUTPUT_CHARACTERS_MAX:,} characters")
    return text.replace(old, new)


def remove(value: Any, old: Any) -> str:
    """Without any `old`."""
    return replace(value, old)


def truncate(value: Any, length: Any = 50, ending: Any = "...") -> str:
    """Cut to `length` characters, the ending included."""
    text, length, ending = to_text(value), to_whole(length, "truncate"), to_text(ending)
    return text if len(text) <= length else text[: max(length - len(ending), 0)] + ending


def truncatewords(value: Any, count: Any = 15, ending: Any = "...") -> str:
    """Cut to `count` words."""
    text, count = to_text(value), max(to_whole(count, "truncatewords"), 1)
    words = text.split(None, count)
    return text if len(words) <= count else " ".join(words[:count]) + to_text(ending)


def split(value: Any, separator: Any = " ") -> list[str]:
    """The pieces between the separators; with an empty separator, the characters."""
    text, separator = to_text(value), to_text(separator)
    if not text:
        return []
    pieces = text.split(separator, LIST_ITEMS_MAX) if separator else list(text[: LIST_ITEMS_MAX + 1])
    if len(pieces) > LIST_ITEMS_MAX:
        raise RenderFailure(f"'split' would make more than {LIST_ITEMS_MAX:,} items")
    return pieces


def escape(value: Any) -> str:
    """Safe inside HTML text and attributes."""
    return HtmlText(html.escape(to_text(value)))


def url_encode(value: Any) -> str:
    """Safe as one part of a URL's path or query: everything but letters, digits and `-_.~` is percent-encoded."""
    return UrlText(quote(to_text(value), safe="", errors="replace"))


def json_text(value: Any) -> str:
    """As JSON; safe inside a JSON document, quotes included."""
    try:
        return JsonText(msgspec.json.encode(value).decode())
    except (TypeError, ValueError, RecursionError) as error:
        raise RenderFailure(f"the value cannot be written as JSON ({error})") from error


def strip_newlines(value: Any) -> str:
    """On one line: the line ends are taken out."""
    return _LINE_END.sub("", to_text(value))


def newline_to_br(value: Any) -> str:
    """With `<br />` before each line end."""
    return _LINE_END.sub("<br />\n", to_text(value))


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "upcase": upcase,
    "downcase": downcase,
    "capitalize": capitalize,
    "strip": strip,
    "lstrip": lstrip,
    "rstrip": rstrip,
    "append": append,
    "prepend": prepend,
    "replace": replace,
    "remove": remove,
    "truncate": truncate,
    "truncatewords": truncatewords,
    "split": split,
    "escape": escape,
    "url_encode": url_encode,
    "json": json_text,
    "strip_newlines": strip_newlines,
    "newline_to_br": newline_to_br,
}
