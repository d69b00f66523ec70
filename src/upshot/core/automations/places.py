"""The places of a `for_each`: one that reads its list, and one for each item.

They are steps to the engine, with an id, attempts and an outcome of their own, made from the step's id: `each[]` and `each[7]`.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from upshot.core.automations.document import ForEachStep, Step

_PLACE: Final = re.compile(r"(.+)\[([0-9]{0,6})\]", re.DOTALL)


class Place(msgspec.Struct, frozen=True):
    """A place of the `for_each` of this id; `index` is None for the one that reads the list."""

    step_id: str
    index: int | None


def list_place(step_id: str) -> str:
    """The id of the place that reads the list of this `for_each`."""
    return f"{step_id}[]"


def item_place(step_id: str, index: int) -> str:
    """The id of the place of one item."""
    return f"{step_id}[{index}]"


def place_of(step_id: str) -> Place | None:
    """The place that this id names, if it is written as one."""
    match = _PLACE.fullmatch(step_id)
    return Place(match[1], int(match[2]) if match[2] else None) if match else None


class Steps(dict[str, Step]):
    """Steps by id, and the places of each `for_each` among them as if they were steps. Those are made when they are asked for
    and not kept, so ten thousand items take no room."""

    def __missing__(self, step_id: str) -> Step:
        place = place_of(step_id)
        loop = self.get(place.step_id) if place is not None else None
        if place is None or not isinstance(loop, ForEachStep):
            raise KeyError(step_id)
        return msgspec.structs.replace(loop if place.index is None else loop.each, id=step_id)


def place_problems(steps: Mapping[str, Step]) -> list[tuple[str, str]]:
    """The steps whose ids are those of places of a `for_each`, each with that step."""
    return [
        (step_id, place.step_id)
        for step_id in steps
        if (place := place_of(step_id)) is not None and isinstance(steps.get(place.step_id), ForEachStep)
    ]
