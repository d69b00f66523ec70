"""Automations that start one another in a circle: found in what each listens to and what its steps make happen.

Only what is written is looked at, an event's name or an entity's type that a template gives is not known, and whether the
conditions on the way hold is not asked: what is found may go round, and is told, not refused.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from upshot.core.automations.action_shape import ActionShape
from upshot.core.automations.document import ActionStep, Automation, ForEachStep

TOLD_MAX: Final = 5
_OVER_MAX: Final = 8
_LONE_ARGUMENT: Final = re.compile(r"\s*\{\{\s*([A-Za-z_]\w*)\s*\}\}\s*")
_GAP: Final = re.compile(r"\{(\w+)\}")


class Emitted(msgspec.Struct, frozen=True):
    """An event that a step makes happen: its name, the step, and the step's place in the document."""

    event: str
    step_id: str
    place: int


class Part(msgspec.Struct, frozen=True):
    """One automation in the graph: what starts it, and what it makes happen."""

    id: str
    name: str
    listens_to: str
    emits: tuple[Emitted, ...]


def part_of(automation: Automation, automation_id: str, actions: Mapping[str, ActionShape]) -> Part:
    """This automation as a part of the graph."""
    emits: dict[str, Emitted] = {}
    for place, step in enumerate(automation.steps):
        each = step.each if isinstance(step, ForEachStep) else step
        if isinstance(each, ActionStep):
            event = _event_of(actions.get(each.action), each.arguments, actions)
            if event is not None:
                emits.setdefault(event, Emitted(event, step.id, place))
    return Part(automation_id, automation.name, automation.listens_to(automation_id), tuple(emits.values()))


def cycles(own: Part, others: Iterable[Part]) -> list[tuple[str, str]]:
    """The place and the sentence of each way in which `own` may start itself again, by itself or through `others`: the
    shortest way for each event that it makes happen, at most five."""
    listening: dict[str, list[Part]] = {}
    for part in (own, *(other for other in others if other.id != own.id)):
        listening.setdefault(part.listens_to, []).append(part)
    told: list[tuple[str, str]] = []
    for first in own.emits:
        way = _way_back(own, first, listening)
        if way is not None and len(told) < TOLD_MAX:
            told.append((f"steps[{first.place}]", _sentence(own, first, way)))
    return told


Way = tuple[tuple[Part, Emitted], ...]


def _way_back(own: Part, first: Emitted, listening: Mapping[str, list[Part]]) -> Way | None:
    """Through which automations, and by which of their steps, this event comes back to `own`; None when it does not."""
    ways: deque[tuple[str, Way]] = deque([(first.event, ())])
    seen = {first.event}
    while ways:
        event, way = ways.popleft()
        for part in listening.get(event, ()):
            if part.id == own.id:
                return way
            for further in part.emits:
                if further.event not in seen:
                    seen.add(further.event)
                    ways.append((further.event, (*way, (part, further))))
    return None


def _sentence(own: Part, first: Emitted, way: Way) -> str:
    said = [f"step “{first.step_id}” makes {first.event} happen"]
    said += [
        f"which starts “{part.name}”, whose step “{further.step_id}” makes {further.event} happen"
        for part, further in way
    ]
    return f"may go round in a circle: {', '.join(said)}, which starts “{own.name}” again"


def _event_of(
    shape: ActionShape | None, arguments: Mapping[str, Any], actions: Mapping[str, ActionShape]
) -> str | None:
    """The event that an action with these arguments makes happen, None when there is none or it is not known."""
    given: Mapping[str, Any] = arguments
    for _ in range(_OVER_MAX):
        if shape is None or shape.emits:
            break
        given = {name: _handed_on(value, given) for name, value in (shape.with_ or {}).items()}
        shape = actions.get(shape.over or "")
    if shape is None or not shape.emits:
        return None
    wanted = {name: given.get(name) for name in _gaps(shape.emits)}
    if not all(isinstance(value, str) and "{" not in value for value in wanted.values()):
        return None
    return shape.emits.format(**wanted)


def _gaps(pattern: str) -> Iterator[str]:
    return (match.group(1) for match in _GAP.finditer(pattern))


def _handed_on(value: Any, given: Mapping[str, Any]) -> Any:
    match = _LONE_ARGUMENT.fullmatch(value) if isinstance(value, str) else None
    return given.get(match.group(1)) if match else value
