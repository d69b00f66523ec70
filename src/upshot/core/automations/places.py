"""Places: where a run is at a step. Each is a step to the engine, with an id, attempts and an outcome of its own, made from the
step's id.

A step is itself a place. In the second round of its circle it is `remind:2`, in the third `remind:3`. A `for_each` has a place
that reads its list, `each[]`, and one for each item, `each[7]`; in a second round, `each:2[7]`.
"""

import re
from collections.abc import Collection, Container, Iterable, Mapping
from typing import Final

import msgspec

from upshot.core.automations.document import ForEachStep, Step

_MARK: Final = re.compile(r"(.+)(:(?:[2-9]|[1-9][0-9]{1,6})|\[(?:0|[1-9][0-9]{0,6})?\])", re.DOTALL)
_ROUND: Final = ":"


class Place(msgspec.Struct, frozen=True):
    """The place of an item of the `for_each` whose own place has this id; `index` is None for the one that reads the list."""

    step_id: str
    index: int | None


def list_place(step_id: str) -> str:
    """The id of the place that reads the list of this `for_each`."""
    return f"{step_id}[]"


def item_place(step_id: str, index: int) -> str:
    """The id of the place of one item."""
    return f"{step_id}[{index}]"


def round_place(step_id: str, number: int) -> str:
    """The id of the place of a step in this round, counted from 1."""
    return step_id if number == 1 else f"{step_id}{_ROUND}{number}"


def _cut(place: str) -> tuple[str, str] | None:
    """A place without its last mark, and that mark; None when it has none."""
    match = _MARK.fullmatch(place)
    return (match[1], match[2]) if match else None


def base_of(place: str, known: Container[str]) -> str | None:
    """The one of these known ids of steps that this is a place of."""
    while place not in known:
        cut = _cut(place)
        if cut is None:
            return None
        place = cut[0]
    return place


def name_of(place: str, known: Container[str]) -> str:
    """A place, of a step among these known ids, whatever its round."""
    if place in known or (cut := _cut(place)) is None:
        return place
    inner, mark = cut
    return inner if mark.startswith(_ROUND) else f"{name_of(inner, known)}{mark}"


class Steps(dict[str, Step]):
    """Steps by id, and their places as if they were steps. Places are made when they are asked for and not kept, so ten
    thousand items take no room. `repeated` are the steps that may have several rounds."""

    def __init__(self, steps: Iterable[Step], repeated: Collection[str] = ()) -> None:
        super().__init__((step.id, step) for step in steps)
        self.repeated = repeated

    def __missing__(self, place: str) -> Step:
        cut = _cut(place)
        if cut is None:
            raise KeyError(place)
        inner, mark = cut
        if mark.startswith(_ROUND):
            if inner not in self.repeated:
                raise KeyError(place)
            return msgspec.structs.replace(self[inner], id=place)
        each = self[inner] if self.base(inner) is not None else None
        if not isinstance(each, ForEachStep):
            raise KeyError(place)
        return msgspec.structs.replace(each if mark == "[]" else each.each, id=place)

    def find(self, place: str) -> Step | None:
        """The step of this place, None when there is none."""
        try:
            return self[place]
        except KeyError:
            return None

    def base(self, place: str) -> str | None:
        """The id of the step that this is a place of."""
        return base_of(place, self)

    def name_of(self, place: str) -> str:
        """A place whatever its round: under this name the latest is remembered."""
        return name_of(place, self)

    def round_of(self, place: str) -> int:
        """In which round of its circle this place is."""
        while place not in self and (cut := _cut(place)) is not None:
            if cut[1].startswith(_ROUND):
                return int(cut[1][1:])
            place = cut[0]
        return 1

    def item_of(self, place: str) -> Place | None:
        """The item, or the list, of a `for_each` that this is the place of."""
        if place in self or (cut := _cut(place)) is None or cut[1].startswith(_ROUND):
            return None
        return Place(cut[0], int(cut[1][1:-1]) if cut[1] != "[]" else None)


def place_problems(steps: Mapping[str, Step], repeated: Collection[str]) -> list[tuple[str, str]]:
    """The steps whose ids are those of places of another step, each with that step."""
    found: list[tuple[str, str]] = []
    known = Steps(steps.values(), repeated)
    for step_id in steps:
        step = known.pop(step_id)
        try:
            known[step_id]
        except KeyError:
            pass
        else:
            found.append((step_id, known.base(step_id) or ""))
        known[step_id] = step
    return found
