"""How a value is written where a placeholder stands: one function for each kind of place.

Each takes a JSON value (or MISSING) and gives text that is inert there, or raises `RenderFailure` with a sentence.
"""

import html
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

import msgspec

from upshot.core.facts import MISSING
from upshot.core.templates.errors import RenderFailure
from upshot.core.templates.values import is_blank, to_text

Escape = Callable[[Any], str]

LINK_SCHEMES: Final = ("http", "https", "mailto", "tel")
"""What a value that begins a link in HTML may begin with."""

_LINK: Final = re.compile(rf"(?:{'|'.join(LINK_SCHEMES)}):[^\s\x00-\x1f\x7f-\x9f]*", re.IGNORECASE)
_BIDI: Final = "\u202a-\u202e\u2066-\u2069"
"""Embeddings, overrides and isolates: they can make text read as what it is not. Marks (U+200E) cannot."""
NOT_ONE_LINE: Final = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028\u2029{_BIDI}\ud800-\udfff]")
NOT_IN_SMS: Final = re.compile(rf"[\x00-\x09\x0b-\x1f\x7f-\x9f{_BIDI}\ud800-\udfff]")


class HtmlText(str):
    """Text that a filter made safe in HTML, so that it is not escaped again."""

    __slots__ = ()


class UrlText(str):
    """Text that a filter percent-encoded."""

    __slots__ = ()


class JsonText(str):
    """Text that a filter wrote as JSON."""

    __slots__ = ()


def text(value: Any) -> str:
    """The value's text; a list or an object has none."""
    if isinstance(value, list | tuple | dict):
        kind = "an object" if isinstance(value, dict) else "a list"
        raise RenderFailure(f"it is {kind} where text belongs; name a part of it, or join it")
    return to_text(value)


def line(value: Any) -> str:
    """One line of a header, a subject or a recipient: with a line break or a control character it is refused."""
    written = text(value)
    if NOT_ONE_LINE.search(written):
        raise RenderFailure("it holds a line break or a control character where one line belongs")
    return written


def sms(value: Any) -> str:
    """Without control characters (line ends stay) and characters that turn the direction of reading."""
    return NOT_IN_SMS.sub("", text(value).replace("\t", " "))


def html_text(value: Any) -> str:
    """Inert in HTML text and in quoted attributes."""
    return value if isinstance(value, HtmlText) else html.escape(text(value))


def path_segment(value: Any) -> str:
    """One segment of a URL's path, or a part of one: never a separator, never a way up, never nothing."""
    written = _percent(value, "")
    if written in ("", ".", ".."):
        raise RenderFailure(f"it is {written!r}, which is no part of a URL's path")
    return written


def query_value(value: Any) -> str:
    """A name or a value in a URL's query or fragment."""
    return _percent(value, "")


def address_part(value: Any) -> str:
    """A part of a mailto or tel address."""
    return _percent(value, "@+")


def link(value: Any) -> str:
    """A whole link, or the beginning of one, in an HTML attribute: nothing, or http, https, mailto or tel."""
    written = _unescaped(value).strip()
    if written and not _LINK.fullmatch(written):
        raise RenderFailure(f"it begins a link and is no {', '.join(LINK_SCHEMES)} address")
    return html.escape(written)


def json_value(value: Any) -> str:
    """A value of a JSON document: null when there is none."""
    if isinstance(value, JsonText):
        return value
    return "null" if is_blank(value) else _encoded(value)


def json_part(value: Any) -> str:
    """Inside a string of a JSON document."""
    return _encoded(to_text(None if value is MISSING else value))[1:-1]


def _percent(value: Any, safe: str) -> str:
    return value if isinstance(value, UrlText) else quote(_unescaped(value), safe=safe, errors="replace")


def _unescaped(value: Any) -> str:
    written = text(value)
    return html.unescape(written) if isinstance(value, HtmlText) else written


def _encoded(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise RenderFailure(f"the value cannot be written as JSON ({error})") from error
