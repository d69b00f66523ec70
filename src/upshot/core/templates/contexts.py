"""What an argument's text is: how the placeholders in it are written, and what a lone one may give."""

from collections.abc import Callable
from typing import Any, Final, Literal, cast, get_args

from upshot.core.templates import escapes
from upshot.core.templates.escapes import Escape
from upshot.core.templates.html_places import HtmlGrammar
from upshot.core.templates.json_places import JsonGrammar
from upshot.core.templates.places import places_of
from upshot.core.templates.scanner import Part
from upshot.core.templates.url_places import UrlGrammar

ContextName = Literal["text", "header", "sms", "html", "url", "json", "literal"]
"""`text`: lists and objects are refused. `header`: one line. `sms`: a short message. `html`, `url`, `json`: by place.
A text that does not begin with `{` or `[` is no JSON document, and is left alone in `json`. `literal`: no template at all, so
that nothing of what comes in can become part of it."""

CONTEXTS: Final[tuple[str, ...]] = get_args(ContextName)

_WRITERS: Final[dict[str, Escape]] = {
    "text": escapes.text,
    "header": escapes.line,
    "sms": escapes.sms,
    "html": escapes.html_text,
}


def writers_of(parts: list[Part], context: ContextName | None) -> dict[int, Escape]:
    """How to write each placeholder of a text in this context, by where it starts; none for what is written as it is.

    Raises:
        SourceFault: a placeholder stands where no value is safe.
    """
    match context:
        case "html":
            return places_of(parts, HtmlGrammar())
        case "url":
            return places_of(parts, UrlGrammar(is_link=False))
        case "json" if _is_json(parts):
            return places_of(parts, JsonGrammar())
        case "text" | "header" | "sms":
            return {part.start: _WRITERS[context] for part in parts if part.kind == "output"}
        case _:
            return {}


def _is_json(parts: list[Part]) -> bool:
    for part in parts:
        if part.kind == "output":
            return False
        if part.kind == "text" and part.text.strip():
            return part.text.lstrip().startswith(("{", "["))
    return False


def lone_writer(context: ContextName | None) -> Callable[[Any], Any] | None:
    """What becomes of the value of a lone placeholder: a text is written as anywhere, numbers and null stay themselves.

    A whole URL passes as it is: whoever calls it checks it. Recipients may be a list.
    """
    write = _WRITERS.get(context or "")
    if write is None:
        return None

    def written(value: Any) -> Any:
        if isinstance(value, list) and context == "header":
            return [written(item) for item in cast("list[Any]", value)]
        return write(value) if isinstance(value, str | list | dict) else value

    return written
