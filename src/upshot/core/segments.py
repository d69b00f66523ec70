"""Segments: the entities of a type that meet a saved condition. What a condition may ask, which changes it can concern, and
what joining and leaving tell. Pure.

Who joins or leaves is an event, `segment.joined` or `segment.left`, about the entity: `{"segment": {"id", "name"}, "member":
{fields..., "id", "type"}, "tags", "reason", "changed": [names]}`.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, Literal, cast

import msgspec

from upshot.core.conditions import Condition, compile_condition
from upshot.core.conditions.compile import leaves_of, paths_of
from upshot.core.conditions.model import Leaf
from upshot.core.conditions.operands import Relative
from upshot.core.entities import RESERVED_FIELDS, Change, Entity
from upshot.core.errors import Problem, Refused
from upshot.core.facts import Facts, Path
from upshot.core.strict_json import encode
from upshot.core.work import Overloaded, Undecided

JOINED: Final = "segment.joined"
LEFT: Final = "segment.left"
EVENTS: Final = {"joined": JOINED, "left": LEFT}
"""The events of the sides that a trigger may listen to."""
OF_SEGMENT: Final = " of "
NAME_MAX: Final = 100
DESCRIPTION_MAX: Final = 2_000
STEPS_MAX: Final = 20_000
"""What it may cost to ask whether an entity is in a segment, about ten milliseconds: it is asked where entities are written."""

Side = Literal["joined", "left"]
Reason = Literal["created", "updated", "deleted", "clock", "condition", "by_hand"]
"""Why somebody joined or left: a change of the entity, time that passed, another condition, or because somebody said so."""

_OTHER_ROOTS: Final = frozenset({"event", "previous", "changed", "steps", "run", "tenant"})
_OF_CHANGES: Final = frozenset({"changed", "changed_from", "changed_to", "increased", "decreased"})
_OF_THE_CLOCK: Final = frozenset({"within_last", "within_next", "more_than_ago", "more_than_ahead"})
_NOT_NAMED: Final = RESERVED_FIELDS - {"tags"}
"""What an entity has beside its fields and tags: no change names these."""


class Wanted(msgspec.Struct, frozen=True):
    """A segment's condition, compiled. `names` are the fields (and `tags`) that it reads, None where that cannot be told; what
    `follows_clock` may hold at another time of the same entity."""

    condition: Condition
    names: frozenset[str] | None
    follows_clock: bool

    def concerns(self, change: Change) -> bool:
        """Whether this change may make the entity join or leave."""
        if change.kind != "updated" or self.names is None or self.follows_clock:
            return change.kind != "unchanged"
        return not self.names.isdisjoint(change.data["changed"])

    def holds(self, root: Mapping[str, Any] | None, now: int, zone: str) -> bool:
        """Whether this entity, as conditions read it, is meant; None is nobody. What cannot be decided does not hold."""
        if root is None:
            return False
        facts = Facts(data={}, event={}, now=now, zone=zone, entity=dict(root))
        facts.meter.left = STEPS_MAX
        try:
            return self.condition.decide(facts)
        except (Undecided, Overloaded):
            return False


def read_wanted(document: Any, type_: str, at: str = "condition") -> Wanted:
    """The condition of a segment of entities of this type.

    Raises:
        Refused: with every problem at its path; code `not_of_an_entity` for what only an event could tell.
    """
    condition = compile_condition(document, at)
    places = dict(_places(condition.document, at))
    problems = [
        Problem(places.get(leaf.id, at), why, "not_of_an_entity")
        for leaf in leaves_of(condition.root)
        if (why := _not_of_an_entity(leaf)) is not None
    ]
    if problems:
        raise Refused(problems)
    leaves = list(leaves_of(condition.root))
    names: frozenset[str] | None = frozenset()
    for path in (path for leaf in leaves for path in paths_of(leaf)):
        of_path = _names(path, type_)
        names = names | of_path if names is not None and of_path is not None else None
    return Wanted(condition, names, any(map(_follows_clock, leaves)))


@lru_cache(maxsize=4_096)
def wanted_of(condition: str, type_: str) -> Wanted:
    """The condition of a segment as it is kept (canonical JSON text)."""
    return read_wanted(msgspec.json.decode(condition), type_)


def told(segment: tuple[str, str], entity: Entity, reason: Reason, changed: list[str]) -> dict[str, Any]:
    """The data of the event that this entity joined or left a segment (its id and name)."""
    return {
        "segment": {"id": segment[0], "name": segment[1]},
        "member": {**entity.fields, "id": entity.id, "type": entity.type},
        "tags": list(entity.tags),
        "reason": reason,
        "changed": changed,
    }


def starting_condition(trigger: Mapping[str, Any], condition: dict[str, Any] | None) -> dict[str, Any] | None:
    """What must hold of an event for the automation of this trigger and condition to start on it: where that is a segment's,
    the event is of that segment, too."""
    if "segment" not in trigger:
        return condition
    own = {"id": "of_segment", "field": "event.data.segment.name", "operator": "equals", "value": trigger["segment"]}
    if condition is None:
        return {"combinator": "and", "rules": [own]}
    inner = {name: part for name, part in condition.items() if name != "v"}
    if inner.get("combinator") == "and" and not inner.get("not") and not inner.get("muted"):
        return {**inner, "rules": [own, *inner["rules"]]}
    return {"combinator": "and", "rules": [own, inner]}


def event_of(trigger: Mapping[str, Any]) -> str:
    """The name of the events that a canonical trigger listens to; empty where it names none."""
    return EVENTS[trigger["on"]] if "segment" in trigger else trigger.get("event", "")


def of_segment(event: str, name: str) -> str:
    """One segment's events of this name, as they are called where it is told what starts what."""
    return f"{event}{OF_SEGMENT}“{name}”"


def segment_problems(trigger: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the trigger `{"segment", "on"}`."""
    problems = name_problems(trigger["segment"], "trigger.segment")
    if trigger.get("on") not in EVENTS:
        problems.append(Problem("trigger.on", 'is "joined" or "left"', "bad_option"))
    others = (name for name in trigger if name not in ("segment", "on"))
    return problems + [
        Problem(f"trigger.{name}", "does not stand beside `segment`", "unknown_field") for name in others
    ]


def name_problems(name: Any, at: str = "name") -> list[Problem]:
    """What is wrong with the name of a segment."""
    if isinstance(name, str) and 0 < len(name) <= NAME_MAX and name.isprintable() and name == name.strip():
        return []
    return [Problem(at, f"is 1 to {NAME_MAX} visible characters without space around them", "bad_name")]


def before_root(change: Change) -> dict[str, Any] | None:
    """The entity before this change, as conditions read it, as far as the change tells; None when there was none."""
    previous = change.data.get("previous")
    return {**previous, "type": change.after.type} if isinstance(previous, dict) else None


def _places(document: Any, at: str) -> Iterator[tuple[str, str]]:
    """The id and the path of each comparison and group of a canonical condition."""
    if not isinstance(document, dict):
        return
    part = cast("dict[str, Any]", document)
    if isinstance(part.get("id"), str):
        yield part["id"], at if "rules" in part else f"{at}.field"
    for index, rule in enumerate(cast("list[Any]", part.get("rules") or [])):
        yield from _places(rule, f"{at}.rules[{index}]")
    if "match" in part:
        yield from _places(part.get("value"), f"{at}.value")


def _not_of_an_entity(leaf: Leaf) -> str | None:
    if leaf.operator.base in _OF_CHANGES:
        return f"“{leaf.operator.title}” is told by an event; a segment asks how the entity is, not what became of it"
    for path in paths_of(leaf):
        if path.root in _OTHER_ROOTS:
            return f"{path.text} is not of the entity; a segment reads its fields, its tags and `now`"
    if any(isinstance(one, Relative) and one.base == "event_time" for one in _operands(leaf)):
        return "there is no event whose time could be meant; count from now, today or a field"
    return None


def _follows_clock(leaf: Leaf) -> bool:
    if leaf.operator.base in _OF_THE_CLOCK or any(path.root == "now" for path in paths_of(leaf)):
        return True
    return any(isinstance(one, Relative) and one.base in {"now", "today"} for one in _operands(leaf))


def _operands(leaf: Leaf) -> tuple[Any, ...]:
    operand: Any = leaf.operand
    return cast("tuple[Any, ...]", operand) if isinstance(operand, tuple) else (operand,)


def _names(path: Path, type_: str) -> frozenset[str] | None:
    """The fields that a path may read of an entity; None where that cannot be told, or no change names it."""
    if not path.reads_entity:
        return frozenset()
    parts = [str(part) for part in path.segments[:2]]
    if not parts or parts[0] in _NOT_NAMED:
        return None
    if path.root or parts[0] != type_ or len(parts) == 1:
        return frozenset(parts[:1])
    return frozenset(parts) if parts[1] not in _NOT_NAMED else None  # a field may have the name of the type


def canonical_text(wanted: Wanted) -> str:
    """The condition as it is kept."""
    return encode(wanted.condition.document)
