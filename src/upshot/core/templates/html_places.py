"""Where a placeholder stands in HTML: read as browsers read it, as far as that decides what a value could do."""

import html
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Literal

import msgspec

from upshot.core.templates.escapes import Escape, html_text
from upshot.core.templates.places import Misplaced
from upshot.core.templates.url_places import UrlGrammar, UrlState

_BLANKS: Final = " \t\n\r\f"
_RAW: Final = frozenset({"script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"})
_PLAIN: Final = frozenset({"title", "textarea"})
_ATTRIBUTES: Final = frozenset(
    {
        "abbr", "align", "alt", "bgcolor", "border", "class", "color", "colspan", "datetime", "dir", "headers", "height",
        "id", "label", "lang", "name", "placeholder", "role", "rowspan", "scope", "size", "start", "summary", "title",
        "valign", "value", "width",
    }
)  # fmt: skip
"""Attributes whose value is nothing but text, beside `aria-...` and `data-...`."""
_LINKS: Final[Mapping[str, frozenset[str]]] = {
    "href": frozenset({"a", "area"}),
    "src": frozenset({"img", "audio", "video", "source", "track"}),
    "action": frozenset({"form"}),
    "formaction": frozenset({"button", "input"}),
    "background": frozenset({"body", "table", "tr", "td", "th"}),
    "poster": frozenset({"video"}),
    "cite": frozenset({"blockquote", "q", "del", "ins"}),
}
"""Attributes that are links, and the elements on which a value may stand in them."""
_URL: Final = UrlGrammar(is_link=True)

Where = Literal[
    "text", "less", "tag", "inside", "attribute", "after attribute", "equals", "double", "single", "unquoted", "marked",
    "comment", "raw",
]  # fmt: skip


class HtmlState(msgspec.Struct, frozen=True):
    """`element` is the tag being read, or the one whose raw text this is; `pending` the text that decides what is next."""

    where: Where = "text"
    element: str = ""
    attribute: str = ""
    pending: str = ""
    url: UrlState = UrlState()


class HtmlGrammar:
    """HTML: a value is text, or the text of a quoted attribute, or a part of a link."""

    start: ClassVar = HtmlState()

    def read(self, state: HtmlState, text: str) -> HtmlState:
        """After this literal text."""
        at = 0
        while at < len(text):
            if state.where in ("double", "single"):
                # An attribute is read whole, so that its entities are known.
                end = text.find('"' if state.where == "double" else "'", at)
                value = html.unescape(text[at : end if end >= 0 else len(text)])
                state = _inside(state) if end >= 0 else _in_attribute(state, value)
                at = end + 1 if end >= 0 else len(text)
            else:
                state = _READERS[state.where](state, text[at])
                at += 1
        return state

    def place(self, state: HtmlState) -> tuple[Escape, HtmlState]:
        """As text, or as a part of a link.

        Raises:
            Misplaced: where a value could become markup, a script or a style.
        """
        match state.where:
            case "text":
                return html_text, state
            case "raw" if state.element in _PLAIN:
                return html_text, msgspec.structs.replace(state, pending="")
            case "double" | "single":
                return _place_in_attribute(state)
            case "raw":
                raise Misplaced(f"inside <{state.element}>")
            case "comment" | "marked":
                raise Misplaced("inside a comment")
            case "equals" | "unquoted":
                raise Misplaced(f"in the attribute {state.attribute!r} without quotes around it")
            case "less":
                raise Misplaced("right after <")
            case _:
                raise Misplaced(f"inside the tag <{state.element}>: only in its attributes' values, in quotes")


def _place_in_attribute(state: HtmlState) -> tuple[Escape, HtmlState]:
    name = state.attribute
    if name in _ATTRIBUTES or name.startswith(("aria-", "data-")):
        return html_text, state
    if state.element in _LINKS.get(name, ()):
        write, url = _URL.place(state.url)
        return write, msgspec.structs.replace(state, url=url)
    raise Misplaced(f"in the attribute {name!r} of <{state.element}>")


def _in_attribute(state: HtmlState, value: str) -> HtmlState:
    is_link = state.element in _LINKS.get(state.attribute, ())
    return msgspec.structs.replace(state, url=_URL.read(state.url, value)) if is_link else state


def _inside(state: HtmlState) -> HtmlState:
    return HtmlState("inside", state.element)


def _text(state: HtmlState, character: str) -> HtmlState:
    return HtmlState("less") if character == "<" else state


def _less(state: HtmlState, character: str) -> HtmlState:
    if character.isascii() and character.isalpha():
        return HtmlState("tag", state.element + character.lower())
    if character == "/" and not state.element:
        return HtmlState("less", "/")
    if character == "!" and not state.element:
        return HtmlState("marked", pending="!")
    if character == "?" or state.element:
        return HtmlState() if character == ">" else HtmlState("marked")
    return _text(HtmlState(), character)


def _tag(state: HtmlState, character: str) -> HtmlState:
    if character in _BLANKS or character in "/>":
        return _in_tag(_inside(state), character)
    return HtmlState("tag", state.element + character.lower())


def _in_tag(state: HtmlState, character: str) -> HtmlState:
    if character == ">":
        return HtmlState("raw", state.element) if state.element in _RAW | _PLAIN else HtmlState()
    if character in _BLANKS or character == "/":
        return _inside(state)
    return HtmlState("attribute", state.element, character.lower())


def _attribute(state: HtmlState, character: str) -> HtmlState:
    if character == "=":
        return HtmlState("equals", state.element, state.attribute)
    if character in _BLANKS:
        return HtmlState("after attribute", state.element, state.attribute)
    if character in "/>":
        return _in_tag(state, character)
    return HtmlState("attribute", state.element, state.attribute + character.lower())


def _after_attribute(state: HtmlState, character: str) -> HtmlState:
    if character == "=":
        return HtmlState("equals", state.element, state.attribute)
    return state if character in _BLANKS else _in_tag(state, character)


def _equals(state: HtmlState, character: str) -> HtmlState:
    if character in _BLANKS:
        return state
    if character == ">":
        return _in_tag(state, character)
    where: Where = "double" if character == '"' else "single" if character == "'" else "unquoted"
    return HtmlState(where, state.element, state.attribute)


def _unquoted(state: HtmlState, character: str) -> HtmlState:
    return _in_tag(state, character) if character in _BLANKS or character == ">" else state


def _marked(state: HtmlState, character: str) -> HtmlState:
    """After `<!`, `<?` or `</` and no name: a comment if two dashes follow, else all up to the next `>`."""
    pending = state.pending + character
    if pending == "!--":
        return HtmlState("comment", pending="--")
    if character == ">":
        return HtmlState()
    return HtmlState("marked", pending=pending if pending == "!-" else "")


def _comment(state: HtmlState, character: str) -> HtmlState:
    seen = state.pending + character
    return HtmlState() if seen.endswith(("-->", "--!>")) else HtmlState("comment", pending=seen[-3:])


def _raw(state: HtmlState, character: str) -> HtmlState:
    """Up to the end tag of the element itself."""
    end = f"</{state.element}"
    if state.pending == end and (character in _BLANKS or character in "/>"):
        return _in_tag(HtmlState("inside", f"/{state.element}"), character)
    seen = state.pending + character.lower()
    pending = seen if end.startswith(seen) else "<" if character == "<" else ""
    return msgspec.structs.replace(state, pending=pending)


_READERS: Final[Mapping[str, Callable[[HtmlState, str], Any]]] = {
    "text": _text,
    "less": _less,
    "tag": _tag,
    "inside": _in_tag,
    "attribute": _attribute,
    "after attribute": _after_attribute,
    "equals": _equals,
    "unquoted": _unquoted,
    "marked": _marked,
    "comment": _comment,
    "raw": _raw,
}
