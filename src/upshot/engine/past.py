"""Past: which events of the past a replay starts its automation on, a page at a time, oldest first. It reads and decides;
nothing is written.

An event is decided as it was: the instant it was accepted is now, as in a backtest. Its entity is as it is today, since past
revisions are not kept.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.core.events import Event
from upshot.core.facts import Facts
from upshot.core.flow import Ask
from upshot.core.program import Program
from upshot.core.replays import Choosing
from upshot.core.watches import Watch
from upshot.engine.live_run import facts_of
from upshot.store import entities, past_events, replays
from upshot.store.past_events import PastEvent, Window

PLACES = "concurrency"
"""The one control of flow that a replay heeds."""


class Asked(msgspec.Struct, frozen=True):
    """What a replay looks at, compiled. Events that were accepted from `unknown_from` on and before `unknown_until` may have
    started a run that is kept no longer."""

    tenant_id: str
    automation_id: str
    program: Program
    choosing: Choosing
    window: Window
    zone: str
    with_dropped: bool
    unknown_from: int
    unknown_until: int


class Start(msgspec.Struct, frozen=True):
    """An event that starts a run: its entity now, what flow control asks of it, and what its run watches for."""

    event: Event
    entity: dict[str, Any] | None
    asked: dict[str, Ask]
    watches: tuple[Watch, ...]


class Page(msgspec.Struct, frozen=True):
    """Some events: those that start, how many of the others there are of each kind, the place after them, whether there are no
    more, and whether the next one waits to be matched."""

    starts: list[Start]
    others: Counter[str]
    place: str
    is_last: bool
    is_waiting: bool


def read_page(
    connection: Connection, asked: Asked, place: str, events_max: int, starts_max: int, *, waits: bool = True
) -> Page:
    """The events after this place: up to `events_max` of them, until `starts_max` start, or up to one that waits to be matched,
    since nobody knows yet whether it starts by itself. Who does not wait takes that for granted."""
    found = past_events.oldest(connection, asked.tenant_id, asked.window, place or None, events_max)
    roots = _roots(connection, asked, found)
    facts = [_facts(past, asked.zone, roots) for past in found]
    kinds: dict[str, str] = {}
    for past, known in zip(found, facts, strict=True):
        kind = "gone" if _is_unknown(past, asked) else asked.choosing.refusal(known)
        if kind is not None:
            kinds[past.event.id] = kind
    open_ids = [past.event.id for past in found if past.event.id not in kinds]
    handled = replays.handled(connection, asked.tenant_id, asked.automation_id, open_ids)
    kinds |= {key: kind for key, kind in handled.items() if kind != "dropped" or not asked.with_dropped}
    starts: list[Start] = []
    others: Counter[str] = Counter()
    for past, known in zip(found, facts, strict=True):
        kind = kinds.get(past.event.id)
        is_waiting = waits and kind == "waiting"
        if is_waiting or len(starts) == starts_max:
            return Page(starts, others, place, is_last=False, is_waiting=is_waiting)
        place = past.event.id
        if kind is None:
            starts.append(_start(asked.program, past.event, known))
        else:
            others["already" if kind == "waiting" else kind] += 1
    return Page(starts, others, place, is_last=len(found) < events_max, is_waiting=False)


def _is_unknown(past: PastEvent, asked: Asked) -> bool:
    return asked.unknown_from <= past.accepted_at < asked.unknown_until


def _roots(connection: Connection, asked: Asked, found: Sequence[PastEvent]) -> dict[entities.Key, Any]:
    beside = (asked.program.asking, asked.program.watching)
    if not (asked.choosing.reads_entity or any(part is not None and part.reads_entity for part in beside)):
        return {}
    keys = {_key(past.event) for past in found if past.event.entity is not None}
    return dict(entities.read_roots(connection, sorted(keys))) if keys else {}


def _facts(past: PastEvent, zone: str, roots: dict[entities.Key, Any]) -> Facts:
    entity = roots.get(_key(past.event)) if past.event.entity is not None else None
    return facts_of(past.event, now=past.accepted_at, zone=zone, entity=entity)


def _key(event: Event) -> entities.Key:
    return (event.tenant_id, event.entity.type, event.entity.id) if event.entity is not None else ("", "", "")


def _start(program: Program, event: Event, facts: Facts) -> Start:
    """What is started by this event. Of flow control it asks for a place only: the other controls speak of when events came."""
    asked = program.asking.of(facts, event.entity) if program.asking is not None else {}
    places = {name: ask for name, ask in asked.items() if name == PLACES}
    watches = program.watching.of(facts) if program.watching is not None else ()
    return Start(event, facts.entity, places, watches)
