"""What conditions and templates read: one event's facts, and compiled paths into them.

A bare path (`appointment.status`) looks in the event's data, then in the entity that the event type binds. A path may
also start at a root: `event`, `entity`, `previous`, `changed`, `steps`, `run`, `tenant`, `now`. Only own keys of JSON
objects and places of JSON lists are ever read, never attributes.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

import msgspec

from upshot.core.errors import Problem, Refused
from upshot.core.local_time import now_facts
from upshot.core.path_text import Segment, parse_segments, write_segments
from upshot.core.work import Meter

Source = Literal["event", "entity", "previous", "changed", "steps", "run", "tenant", "now", "item"]
Reader = Callable[["Facts"], Any]

ROOTS: Final = ("event", "entity", "previous", "changed", "steps", "run", "tenant", "now")
NOW_FIELDS: Final = ("iso", "date", "time", "year", "month", "day", "hour", "minute", "day_of_week", "weekday", "zone")
"""What `now.` offers, in the tenant's zone; `day_of_week` is 0 for Sunday."""
TENANT_FIELDS: Final = ("id", "zone")
_OFFERED: Final = {"now": NOW_FIELDS, "tenant": TENANT_FIELDS}
_NEVER_READ: Final = frozenset({"secrets", "tenants"})


class _Missing:
    """Nothing is there: neither a value nor null."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = _Missing()


class Facts(msgspec.Struct, frozen=True, gc=False):
    """Everything a condition or a template may read, for one event at one instant. `now` is microseconds UTC."""

    data: dict[str, Any]
    event: dict[str, Any]
    now: int
    zone: str = "UTC"
    entity: dict[str, Any] | None = None
    previous: dict[str, Any] | None = None
    changed: list[str] | None = None
    steps: dict[str, dict[str, Any]] = {}
    run: dict[str, Any] | None = None
    tenant: dict[str, Any] | None = None
    meter: Meter = msgspec.field(default_factory=Meter)


class Path:
    """One compiled path. `read(facts)` is the value or `MISSING`, and never raises.

    `text` is the canonical spelling, `root` one of `ROOTS`, or "" for a bare path, `segments` the parts after the root.
    """

    __slots__ = ("_container", "read", "reads_entity", "root", "segments", "text")

    def __init__(self, segments: tuple[Segment, ...], *, of_element: bool = False) -> None:
        self.text = write_segments(segments) if segments else "."
        self.root = str(segments[0]) if segments and segments[0] in ROOTS else ""
        self.segments = segments[1:] if self.root else segments
        self.reads_entity = self.root in ("entity", "changed") or (not self.root and not of_element)
        self._container = _container_of(self.root)
        self.read: Reader = _reader(self._container, self.root, self.segments, of_element=of_element)

    def explain(self, facts: Facts) -> tuple[Any, Source | None, str | None]:
        """The value, where it came from, and when nothing was there the first part of the path that was missing."""
        value = self.read(facts)
        if value is not MISSING:
            if self.root:
                return value, self.root, None  # type: ignore[return-value] # a root is one of the sources
            return value, "event" if _walk(facts.data, self.segments) is not MISSING else "entity", None
        return MISSING, None, self._missing_at(facts)

    def previous(self, facts: Facts) -> Any:
        """The value this path had before the change the event tells of; `MISSING` when that is not known.

        The previous values may be the entity's fields alone or, as in the event's data, under the name of its type.
        """
        before = previous_of(facts)
        if before is None:
            return MISSING
        segments = self.segments
        if self.root == "event" and segments and segments[0] == "data":
            segments = segments[1:]
        value = _walk(before, segments)
        if value is MISSING and len(segments) > 1 and segments[0] not in before:
            value = _walk(before, segments[1:])
        return value

    def _missing_at(self, facts: Facts) -> str:
        value = self._container(facts)
        if value is MISSING or value is None:
            return self.root
        for place in range(len(self.segments)):
            value = _child(value, self.segments[place])
            if value is MISSING:
                return write_segments(((self.root,) if self.root else ()) + self.segments[: place + 1])
        return self.text

    def __repr__(self) -> str:
        return f"Path({self.text!r})"


def compile_path(text: str, at: str = "") -> Path:
    """Compile `appointment.patientId`, `items[0].sku`, `steps["still on?"].output`.

    Raises:
        Refused: the text is not a path, or asks for what is never offered (see `path_of`).
    """
    try:
        return _compiled(text)
    except Refused as refused:
        raise Refused(Problem(at, problem.message, problem.code) for problem in refused.problems) from None


@lru_cache(maxsize=8192)
def _compiled(text: str) -> Path:
    """Paths are immutable, and thousands of conditions read the same few."""
    return path_of(parse_segments(text))


def path_of(segments: Sequence[Segment], at: str = "") -> Path:
    """The path of these parts, as compiled as `compile_path` would.

    Raises:
        Refused: there are none, they ask `now` or the tenant for something it does not have, or for secrets or tenants.
    """
    if not segments:
        raise Refused.at(at, "the path is empty", "bad_path")
    root = segments[0]
    if root in _NEVER_READ:
        message = f"{root} cannot be read here; a field of that name in the event's data is event.data.{root}"
        raise Refused.at(at, message, "not_readable")
    if root in _OFFERED and len(segments) > 1 and (len(segments) > 2 or segments[1] not in _OFFERED[str(root)]):
        offered = ", ".join(f"{root}.{name}" for name in _OFFERED[str(root)])
        raise Refused(
            [Problem(at, f"{write_segments(tuple(segments))!r} does not exist; there are {offered}", "bad_path")]
        )
    return Path(tuple(segments))


def compile_element_path(text: str, at: str = "") -> Path:
    """Compile a path inside `match`: bare paths start at the element, `.` is the element itself.

    Raises:
        Refused: the text is not a path.
    """
    if text in (".", ""):
        return Path((), of_element=True)
    segments = parse_segments(text, at)
    return Path(segments, of_element=True) if segments[0] not in ROOTS else path_of(segments, at)


def of_element(facts: Facts, element: Any) -> Facts:
    """The same facts with bare paths starting at one element of a list."""
    return Facts(
        element,
        facts.event,
        facts.now,
        facts.zone,
        facts.entity,
        facts.previous,
        facts.changed,
        facts.steps,
        facts.run,
        facts.tenant,
        facts.meter,
    )


def _child(value: Any, segment: Segment) -> Any:
    kind = value.__class__
    if kind is dict:
        return value.get(segment if segment.__class__ is str else str(segment), MISSING)
    if kind is list:
        try:
            return value[int(segment)] if segment.__class__ is int or segment.isdecimal() else MISSING  # type: ignore[union-attr] # str
        except (IndexError, ValueError):
            return MISSING
    if isinstance(value, dict):
        return value.get(str(segment), MISSING)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] # any JSON
    return MISSING


def _walk(value: Any, segments: tuple[Segment, ...]) -> Any:
    for segment in segments:
        value = _child(value, segment)
        if value is MISSING:
            return MISSING
    return value


def previous_of(facts: Facts) -> dict[str, Any] | None:
    """What was there before the change the event tells of: given with it, or its data's own `previous`."""
    before = facts.previous
    if before is None and facts.data.__class__ is dict:
        before = facts.data.get("previous")
    return before if before.__class__ is dict else None


def _changed(facts: Facts) -> Any:
    if facts.changed is not None or facts.data.__class__ is not dict:
        return facts.changed
    return facts.data.get("changed")


_CONTAINERS: Final[dict[str, Reader]] = {
    "": lambda facts: facts.data,
    "event": lambda facts: facts.event,
    "entity": lambda facts: facts.entity,
    "previous": previous_of,
    "changed": _changed,
    "steps": lambda facts: facts.steps,
    "run": lambda facts: facts.run,
    "tenant": lambda facts: facts.tenant,
}


def _container_of(root: str) -> Reader:
    if root == "now":
        return lambda facts: now_facts(facts.now, facts.zone)
    return _CONTAINERS[root]


def _reader(container: Reader, root: str, segments: tuple[Segment, ...], *, of_element: bool) -> Reader:
    if root == "now" and not segments:
        return lambda facts: now_facts(facts.now, facts.zone).get("iso", MISSING)
    if root or of_element:
        return _rooted_reader(container, segments)
    return _bare_reader(segments)


def _rooted_reader(container: Reader, segments: tuple[Segment, ...]) -> Reader:
    def read(facts: Facts) -> Any:
        value = container(facts)
        for segment in segments:
            value = _child(value, segment)
            if value is MISSING:
                return MISSING
        return value

    def read_root(facts: Facts) -> Any:
        value = container(facts)
        return MISSING if value is None else value

    return read if segments else read_root


def _bare_reader(segments: tuple[Segment, ...]) -> Reader:
    """Event data first, then the entity. The plain cases, one to three names, are the hot path."""
    if not 1 <= len(segments) <= 3 or any(s.__class__ is int or str(s).isdecimal() for s in segments):

        def read_any(facts: Facts) -> Any:
            value = _walk(facts.data, segments)
            return value if value is not MISSING else _walk_entity(facts, segments)

        return read_any
    if len(segments) == 1:
        return _bare_reader_of_one(str(segments[0]))
    first, *rest = segments

    def read(facts: Facts) -> Any:
        value: Any = facts.data
        if value.__class__ is dict:
            value = value.get(first, MISSING)
            for segment in rest:
                if value.__class__ is not dict:
                    break
                value = value.get(segment, MISSING)
            else:
                if value is not MISSING:
                    return value
        return _walk_entity(facts, segments)

    return read


def _walk_entity(facts: Facts, segments: tuple[Segment, ...]) -> Any:
    """What a bare path means in the entity: `status`, or `patient.status` when the entity is a patient."""
    entity = facts.entity
    if entity is None:
        return MISSING
    value = _walk(entity, segments)
    if value is MISSING and len(segments) > 1 and segments[0] == entity.get("type"):
        return _walk(entity, segments[1:])
    return value


def _bare_reader_of_one(name: str) -> Reader:
    def read(facts: Facts) -> Any:
        data = facts.data
        if data.__class__ is dict and name in data:
            return data[name]
        entity = facts.entity
        return MISSING if entity is None else entity.get(name, MISSING)

    return read
