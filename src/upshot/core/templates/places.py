"""Where each placeholder of a text stands, and so how its value is written there.

A grammar (HTML, a URL, JSON) reads the literal parts; branches of a tag must end where one another do, and a loop where
it began, so that what a placeholder means never depends on the facts.
"""

from typing import Any, ClassVar, Final, Protocol, TypeVar

from upshot.core.templates.escapes import Escape
from upshot.core.templates.scanner import Part, SourceFault

MISPLACED: Final = "misplaced_placeholder"

_OPENS: Final = frozenset({"if", "unless", "for"})
_TURNS: Final = frozenset({"else", "elsif"})

State = TypeVar("State")


class Grammar(Protocol[State]):
    """One language. States are compared: equal ones mean the same to whatever follows."""

    start: ClassVar[Any]
    """Before the first character."""

    def read(self, state: State, text: str) -> State:
        """After this literal text."""
        ...

    def place(self, state: State) -> tuple[Escape, State]:
        """How a placeholder here is written, and the state after it.

        Raises:
            Misplaced: no value can be made safe here.
        """
        ...


class Misplaced(Exception):
    """Why no placeholder may stand here: ends the sentence "a placeholder cannot stand ..."."""


class _Block:
    def __init__(self, name: str, entry: Any) -> None:
        self.name, self.entry, self.ends, self.is_whole = name, entry, list[Any](), False


def places_of(parts: list[Part], grammar: Grammar[Any]) -> dict[int, Escape]:
    """How to write each placeholder, by where it starts. The parts are balanced (they were parsed).

    Raises:
        SourceFault: a placeholder stands where no value is safe, or branches end at different places.
    """
    found: dict[int, Escape] = {}
    blocks: list[_Block] = []
    state = grammar.start
    for part in parts:
        match part.kind:
            case "text":
                state = grammar.read(state, part.text)
            case "output":
                try:
                    found[part.start], state = grammar.place(state)
                except Misplaced as misplaced:
                    said = f"the placeholder {{{{ {part.text} }}}} cannot stand {misplaced}"
                    raise SourceFault(said, MISPLACED) from None
            case "tag":
                state = _after_tag(part.name, state, blocks)
    return found


def _after_tag(name: str, state: Any, blocks: list[_Block]) -> Any:
    if name in _OPENS:
        blocks.append(_Block(name, state))
    elif name in _TURNS and blocks:
        blocks[-1].ends.append(state)
        blocks[-1].is_whole |= name == "else" and blocks[-1].name != "for"
        return blocks[-1].entry
    elif name.startswith("end") and blocks:
        block = blocks.pop()
        ends = [*block.ends, state] if block.is_whole else [*block.ends, state, block.entry]
        if any(end != state for end in ends):
            said = "end at different places, so that what follows would mean one thing or another"
            raise SourceFault(f"the ways through {{% {block.name} %}} {said}", MISPLACED)
    return state
