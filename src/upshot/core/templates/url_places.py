"""Where a placeholder stands in a URL."""

from typing import ClassVar, Final, Literal

import msgspec

from upshot.core.templates.escapes import Escape, address_part, link, path_segment, query_value
from upshot.core.templates.places import Misplaced

_BLANKS: Final = "\t\n\r"
_SLASHES: Final = "/\\"


class UrlState(msgspec.Struct, frozen=True):
    """The part of the URL that was reached; `scheme` is what may become one. `begun`: a placeholder began the URL."""

    part: Literal["start", "scheme", "slash", "authority", "host", "path", "query", "address", "begun", "other"] = (
        "start"
    )
    scheme: str = ""


_AFTER_COLON: Final = {
    "http": UrlState("authority"),
    "https": UrlState("authority"),
    "mailto": UrlState("address"),
    "tel": UrlState("address"),
}


class UrlGrammar:
    """A URL. Where it `is_link` in HTML, a placeholder may begin it; in a request's URL it may not."""

    start: ClassVar = UrlState()

    def __init__(self, *, is_link: bool) -> None:
        self._is_link = is_link

    def read(self, state: UrlState, text: str) -> UrlState:
        """After this literal text. Browsers and clients ignore tabs and line ends, and read a backslash as `/`."""
        for character in text:
            if character not in _BLANKS and not (state.part == "start" and character <= " "):
                state = _after(state, character)
        return state

    def place(self, state: UrlState) -> tuple[Escape, UrlState]:
        """One path segment, a query value, a part of an address, or (in a link) its beginning.

        Raises:
            Misplaced: in the scheme, the host, the port or beside them.
        """
        match state.part:
            case "path" | "slash":
                return path_segment, UrlState("path")
            case "query":
                return query_value, state
            case "address":
                return address_part, state
            case "start" if self._is_link:
                return link, UrlState("begun")
            case _:
                said = "in the scheme, user, host or port of a URL: only in its path or query, or"
                whole = "first in it, with a / or ? after it" if self._is_link else "as the whole URL"
                raise Misplaced(f"{said} {whole}")


def _after(state: UrlState, character: str) -> UrlState:
    match state.part:
        case "start" | "scheme":
            return _after_scheme(state, character)
        case "slash":
            return UrlState("authority") if character in _SLASHES else _after(UrlState("path"), character)
        case "authority" if character in _SLASHES:
            return state
        case "authority" | "host" | "begun":
            if character in _SLASHES:
                return UrlState("path")
            return UrlState("query" if character in "?#" else "host")
        case "path" | "address" if character in "?#":
            return UrlState("query")
        case _:
            return state


def _after_scheme(state: UrlState, character: str) -> UrlState:
    if character == ":":
        return _AFTER_COLON.get(state.scheme, UrlState("other"))
    if character in _SLASHES:
        return UrlState("path" if state.part == "scheme" else "slash")
    if character in "?#":
        return UrlState("query")
    return UrlState("scheme", (state.scheme + character.lower())[:10])
