"""Automations that start one another in a circle: found in what each listens to, what its steps make happen and what they call.

Only what is written is looked at, an event's name or an entity's type that a template gives is not known, and whether the
conditions on the way hold is not asked: what is found may go round, and is told, not refused. But for one kind: where each
waits for the end of the next and no delay lies between, nothing good can come of it.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec

from upshot.core.automations.action_shape import ActionShape
from upshot.core.automations.document import CALLED, ActionStep, Automation, CallStep, DelayStep, ForEachStep, WaitStep
from upshot.core.automations.import_change import KINDS
from upshot.core.automations.regions import edges_of
from upshot.core.segments import OF_SEGMENT, of_segment

TOLD_MAX: Final = 5
_OVER_MAX: Final = 8
_LONE_ARGUMENT: Final = re.compile(r"\s*\{\{\s*([A-Za-z_]\w*)\s*\}\}\s*")
_GAP: Final = re.compile(r"\{(\w+)\}")


class Emitted(msgspec.Struct, frozen=True):
    """An event that a step makes happen, that of a call too: its name, the step, and the step's place in the document. A call
    that is awaited and comes without a delay before it `holds` its run; one `for_items` is made for each item of a list."""

    event: str
    step_id: str
    place: int
    holds: bool = False
    for_items: bool = False


class Part(msgspec.Struct, frozen=True):
    """One automation in the graph: what starts it, beside a call of it, and what it makes happen. `follows` are changes of
    entities that may let one join or leave the segment whose events start it: that has a condition."""

    id: str
    name: str
    listens_to: str
    emits: tuple[Emitted, ...]
    follows: tuple[str, ...] = ()


def part_of(
    automation: Automation,
    automation_id: str,
    actions: Mapping[str, ActionShape],
    segments: Mapping[str, str] = MappingProxyType({}),
) -> Part:
    """This automation as a part of the graph; `segments` tell the type of entities of each that has a condition, by name."""
    emits: dict[str, Emitted] = {}
    performed = [step.each if isinstance(step, ForEachStep) else step for step in automation.steps]
    soon = _without_delay(automation) if any(isinstance(each, CallStep) for each in performed) else frozenset[str]()
    for place, (step, each) in enumerate(zip(automation.steps, performed, strict=True)):
        if isinstance(each, CallStep):
            holds, for_items = each.is_awaited and step.id in soon, isinstance(step, ForEachStep)
            call = Emitted(CALLED + each.automation, step.id, place, holds, for_items)
            known = emits.setdefault(call.event, call)
            if (for_items, holds) > (known.for_items, known.holds):
                emits[call.event] = call
        elif isinstance(each, ActionStep):
            event = _event_of(actions.get(each.action), each.arguments, actions)
            if event is not None:
                emits.setdefault(event, Emitted(event, step.id, place))
    type_ = segments.get(automation.segment)
    follows = tuple(f"{type_}.{kind}" for kind in KINDS) if type_ is not None else ()
    listens_to = automation.listens_to(automation_id)
    if automation.segment:
        listens_to = of_segment(listens_to, automation.segment)
    return Part(automation_id, automation.name, listens_to, tuple(emits.values()), follows)


def cycles(own: Part, others: Iterable[Part]) -> list[tuple[str, str]]:
    """The place and the sentence of each way in which `own` may start itself again, by itself or through `others`: the
    shortest way for each event that it makes happen, at most five."""
    listening = _listening(own, others)
    told: list[tuple[str, str]] = []
    for first in own.emits:
        way = _way_back(own, first, listening)
        if way is not None and len(told) < TOLD_MAX:
            told.append((f"steps[{first.place}]", f"may go round in a circle: {_sentence(own, first, way)}"))
    return told


def endless_calls(own: Part, others: Iterable[Part]) -> list[tuple[str, str]]:
    """The place and the sentence of each call of `own` that waits for a run of `own` again, by itself or through others that
    wait too, without a delay on the way: it would go on until the chain of causes is too long. And of each that comes back
    by calls one of which is made for each item of a list, whoever waits: the runs would be more with each round."""
    parts = (own, *others)
    held = [_calls_of(part, [emitted for emitted in part.emits if emitted.holds]) for part in parts]
    called = [_calls_of(part, [emitted for emitted in part.emits if _is_call(emitted)]) for part in parts]
    told: dict[int, str] = {}
    for first, way in _ways(held):
        told[first.place] = f"waits for itself in a circle without a delay: {_sentence(own, first, way)}"
    for first, way in _ways(called, for_items=True):
        told.setdefault(first.place, f"multiplies itself, for each item of a list: {_sentence(own, first, way)}")
    return [(f"steps[{place}].call", said) for place, said in sorted(told.items())]


def _ways(parts: Sequence[Part], *, for_items: bool = False) -> list[tuple[Emitted, "Way"]]:
    """What the first of these parts makes happen and comes back to it, and the way."""
    listening = _listening(parts[0], parts[1:])
    ways = ((first, _way_back(parts[0], first, listening, for_items=for_items)) for first in parts[0].emits)
    return [(first, way) for first, way in ways if way is not None]


def _is_call(emitted: Emitted) -> bool:
    return emitted.event.startswith(CALLED)


Way = tuple[tuple[Part, Emitted], ...]


def _listening(own: Part, others: Iterable[Part]) -> dict[str, list[Part]]:
    listening: dict[str, list[Part]] = {}
    for part in (own, *(other for other in others if other.id != own.id)):
        for event in (part.listens_to, CALLED + part.id, *part.follows):
            listening.setdefault(event, []).append(part)
    return listening


def _calls_of(part: Part, calls: Iterable[Emitted]) -> Part:
    """This automation with nothing but these calls."""
    return Part(part.id, part.name, "", tuple(calls))


def _without_delay(automation: Automation) -> frozenset[str]:
    """The steps that a run may come to without a delay before."""
    by_id = {step.id: step for step in automation.steps}
    waiting = [automation.steps[0].id, automation.on_failure or ""]
    found: set[str] = set()
    while waiting:
        step = by_id.get(waiting.pop())
        if step is None or step.id in found:
            continue
        found.add(step.id)
        if not isinstance(step, DelayStep | WaitStep):
            waiting += [target for _, target in edges_of(step)]
    return frozenset(found)


def _way_back(own: Part, first: Emitted, listening: Mapping[str, list[Part]], *, for_items: bool = False) -> Way | None:
    """Through which automations, and by which of their steps, this event comes back to `own`; None when it does not. Where it
    is asked `for_items`, one of the steps does so for each item of a list."""
    begun = (first.event, first.for_items or not for_items)
    ways: deque[tuple[tuple[str, bool], Way]] = deque([(begun, ())])
    seen = {begun}
    while ways:
        (event, counts), way = ways.popleft()
        for part in _started(event, listening):
            if part.id == own.id and counts:
                return way
            for further in part.emits:
                reached = (further.event, counts or further.for_items)
                if reached not in seen:
                    seen.add(reached)
                    ways.append((reached, (*way, (part, further))))
    return None


def _started(event: str, listening: Mapping[str, list[Part]]) -> Iterator[Part]:
    """Who listens to this event; that of a segment is one of those of all segments, too."""
    yield from listening.get(event, ())
    name, of, _ = event.partition(OF_SEGMENT)
    yield from listening.get(name, ()) if of else ()


def _sentence(own: Part, first: Emitted, way: Way) -> str:
    steps = (first, *(further for _, further in way))
    started = (*(part.name for part, _ in way), own.name)
    said = ""
    for step, name in zip(steps, started, strict=True):
        of = f", whose step “{step.step_id}”" if said else f"step “{step.step_id}”"
        each = " for each item of a list" if step.for_items else ""
        said += (
            f"{of} calls “{name}”{each}" if _is_call(step) else f"{of} makes {step.event} happen, which starts “{name}”"
        )
    return f"{said} again"


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
