"""Where a placeholder stands in the text of a JSON document."""

from typing import ClassVar

import msgspec

from upshot.core.templates.escapes import Escape, json_part, json_value
from upshot.core.templates.places import Misplaced


class JsonState(msgspec.Struct, frozen=True):
    """Whether a string is open, and whether a backslash waits for what it escapes."""

    in_string: bool = False
    is_escaping: bool = False


class JsonGrammar:
    """JSON: inside a string a value is a part of it, elsewhere it is a value of its own, quotes and all."""

    start: ClassVar = JsonState()

    def read(self, state: JsonState, text: str) -> JsonState:
        """After this literal text."""
        in_string, is_escaping = state.in_string, state.is_escaping
        for character in text:
            if is_escaping:
                is_escaping = False
            elif character == '"':
                in_string = not in_string
            elif character == "\\" and in_string:
                is_escaping = True
        return JsonState(in_string, is_escaping)

    def place(self, state: JsonState) -> tuple[Escape, JsonState]:
        """A part of a string, or a value.

        Raises:
            Misplaced: a backslash stands before it.
        """
        if state.is_escaping:
            raise Misplaced("right after a backslash in a JSON string")
        return (json_part if state.in_string else json_value), state
