"""Receive: what somebody sent is checked and read into events, before any of it is accepted. All faults are named at once."""

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from upshot.adapters.clock import new_id
from upshot.core.errors import Malformed, NotAllowed, Problem, Refused
from upshot.core.events import EntityRef, Event
from upshot.core.instants import from_text
from upshot.core.strict_json import encode
from upshot.engine.definitions import EventType, TenantDefinitions
from upshot.engine.stretch import Stretch

EVENTS_MAX = 1_000
NAME_MAX = 200
ID_MAX = 200
DATA_MAX = 262_144
FIELDS = frozenset({"id", "name", "data", "ts", "entity"})
RESERVED = "system."


def receive(
    tenant_id: str, envelopes: Sequence[Any], known: TenantDefinitions, now: int, *, test: bool = False
) -> list[Event]:
    """Read envelopes `{id?, name, data?, ts?, entity?}` whose JSON was strictly decoded.

    Raises:
        Malformed: an envelope is not of that form; `problems` name every fault of every envelope.
        Refused: the data does not meet its event type's schema and the type says `refuse`.
        NotAllowed: the tenant is suspended.
    """
    reading = _Reading(tenant_id, len(envelopes), known, now, test=test)
    for envelope in envelopes:
        reading.read(envelope)
    return reading.events()


async def receive_async(tenant_id: str, envelopes: Sequence[Any], known: TenantDefinitions, now: int) -> list[Event]:
    """`receive`, for an event loop: others have their turn meanwhile."""
    reading, stretch = _Reading(tenant_id, len(envelopes), known, now), Stretch()
    for envelope in envelopes:
        reading.read(envelope)
        await stretch.rest_after()
    return reading.events()


class _Reading:
    """What was read so far of what was sent together."""

    def __init__(self, tenant_id: str, count: int, known: TenantDefinitions, now: int, *, test: bool = False) -> None:
        if known.is_suspended:
            raise NotAllowed(f"Tenant {tenant_id!r} is suspended and takes no events until it is active again.")
        if count > EVENTS_MAX:
            raise Malformed.at("", f"{count} events at once; at most {EVENTS_MAX}", "too_many")
        self._tenant_id, self._known, self._now, self._test = tenant_id, known, now, test
        self._is_one, self._index = count == 1, 0
        self._faults: list[Problem] = []
        self._invalid: list[Problem] = []
        self._events: list[Event] = []

    def read(self, envelope: Any) -> None:
        """Read the next envelope."""
        at = "" if self._is_one else f"[{self._index}]"
        self._index += 1
        problems = form_problems(envelope, at)
        if problems:
            self._faults.extend(problems)
            return
        event_type = self._known.event_types.get(envelope["name"])
        event, refused = _read(self._tenant_id, envelope, at, event_type, self._now, test=self._test)
        self._invalid.extend(refused)
        self._events.append(event)

    def events(self) -> list[Event]:
        """All of them, when none has a fault."""
        if self._faults:
            raise Malformed(self._faults)
        if self._invalid:
            raise Refused(self._invalid)
        return self._events


def form_problems(envelope: Any, at: str) -> list[Problem]:
    """What is wrong with the form of one envelope."""
    if not isinstance(envelope, dict):
        return [Problem(at, "an event is an object with a name and data", "wrong_type")]
    envelope = cast("dict[str, Any]", envelope)
    problems = [
        Problem(_join(at, str(field)), "is not a field of an event (id, name, data, ts, entity)", "unknown_field")
        for field in envelope
        if field not in FIELDS
    ]
    problems += _name_problems(envelope.get("name"), _join(at, "name"))
    if not isinstance(envelope.get("data", {}), dict):
        problems.append(Problem(_join(at, "data"), "is an object", "wrong_type"))
    identity = envelope.get("id")
    if identity is not None and not _is_id(identity):
        problems.append(Problem(_join(at, "id"), f"is 1 to {ID_MAX} visible characters", "bad_id"))
    ts = envelope.get("ts")
    if ts is not None:
        problems += _ts_problems(ts, _join(at, "ts"))
    return problems + _entity_problems(envelope.get("entity"), _join(at, "entity"))


def _read(
    tenant_id: str, envelope: dict[str, Any], at: str, event_type: EventType | None, now: int, *, test: bool
) -> tuple[Event, list[Problem]]:
    data: dict[str, Any] = envelope.get("data", {})
    text = encode(data)
    refused, marks = judged(event_type, data, text, _join(at, "data"))
    event_id = new_id(now)
    event = Event(
        tenant_id=tenant_id,
        id=event_id,
        source_id=envelope.get("id"),
        name=envelope["name"],
        data=data,
        text=text,
        ts=from_text(envelope["ts"]) if envelope.get("ts") is not None else now,
        received_at=now,
        root_id=event_id,
        entity=_entity(envelope.get("entity"), event_type, data),
        marks=marks,
        test=test,
    )
    return event, refused


def judged(event_type: EventType | None, data: dict[str, Any], text: str, at: str) -> tuple[list[Problem], str | None]:
    """For which problems data of this type, with its JSON text, is refused, and what it is marked with (JSON text)."""
    refused: list[Problem] = []
    marks: str | None = None
    if len(text) > DATA_MAX:
        refused.append(Problem(at, f"is {len(text)} characters; at most {DATA_MAX}", "too_large"))
    if event_type is not None and event_type.schema is not None:
        found = event_type.schema.problems(data)
        if found and event_type.is_strict:
            refused += [msgspec.structs.replace(p, path=_join(at, p.path)) for p in found]
        elif found:
            marks = encode([msgspec.to_builtins(p) for p in found])
    return refused, marks


def _entity(given: dict[str, str] | None, event_type: EventType | None, data: dict[str, Any]) -> EntityRef | None:
    if given is not None:
        return EntityRef(given["type"], given["id"])
    if event_type is not None and event_type.binding is not None:
        return event_type.binding.entity_of(data)
    return None


def _name_problems(name: Any, at: str) -> list[Problem]:
    if not isinstance(name, str) or not name.strip():
        return [Problem(at, "an event needs a name, like shop/order.created", "missing")]
    if len(name) > NAME_MAX or not name.isprintable() or name != name.strip():
        return [Problem(at, f"is at most {NAME_MAX} printable characters without space around them", "bad_name")]
    if name.startswith(RESERVED):
        return [Problem(at, f"names that begin with {RESERVED!r} are kept for the engine", "reserved_name")]
    return []


def _ts_problems(ts: Any, at: str) -> list[Problem]:
    if not isinstance(ts, str):
        return [Problem(at, "is an RFC 3339 text like 2026-11-21T09:00:00Z", "wrong_type")]
    try:
        from_text(ts, at)
    except Malformed as error:
        return list(error.problems)
    return []


def _entity_problems(entity: Any, at: str) -> list[Problem]:
    if entity is None:
        return []
    given = cast("dict[str, Any]", entity) if isinstance(entity, dict) else {}
    if set(given) != {"type", "id"} or not all(map(_is_id, given.values())):
        return [Problem(at, 'is {"type": ..., "id": ...}, both 1 to 200 visible characters', "bad_entity")]
    return []


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= ID_MAX and value.isprintable() and value == value.strip()


def _join(at: str, field: str) -> str:
    return f"{at}.{field}" if at and field else at or field
