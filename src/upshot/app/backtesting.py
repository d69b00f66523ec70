"""The backtest: what a draft, or any version, would have done with events of the past, beside what the live version would
have. It reads and decides; nothing is written and nothing happens."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from upshot.app.automation_exchange import Exchange
from upshot.core.automations import read as read_document
from upshot.core.backtests import Comparison, Counting, Listening, Tally
from upshot.core.conditions import compile_condition
from upshot.core.errors import Conflict, NotFound, Refused
from upshot.core.facts import Facts
from upshot.core.instants import DAY, to_text
from upshot.engine.live_run import facts_of
from upshot.store import automations as store
from upshot.store import entities, past_events
from upshot.store.past_events import PastEvent, Window

EVENTS_AT_ONCE: Final = 10_000
"""Events one call looks at, if nothing else is asked for: about a third of a second."""
EVENTS_AT_ONCE_MAX: Final = 50_000
WINDOW: Final = 7 * DAY
"""How far back it looks, if nothing else is asked for."""
_READ_AT_ONCE: Final = 1_000
_ENTITIES_MAX: Final = 50_000

DRAFT_CHANGED = "draft_changed"


class Place(msgspec.Struct, frozen=True):
    """Where a backtest stands: what it compares (a `version` of None is the draft, at `revision`), over which window, in
    which of its event names, before which event it goes on, and what it found so far."""

    since: int
    until: int
    version: int | None
    revision: int
    against: int | None
    tally: Tally
    name_index: int = 0
    before: str | None = None


class _Sides(msgspec.Struct, frozen=True):
    """The two versions that are compared; there may be no other one."""

    tried: Listening
    other: Listening | None

    @property
    def names(self) -> list[str]:
        """The names of the events that either starts on."""
        return list(dict.fromkeys(side.event for side in (self.tried, self.other) if side is not None))


class Backtesting(Exchange):
    """The side of `upshot.automations` that looks at the past."""

    def backtest(
        self,
        tenant_id: str,
        automation_id: str,
        *,
        since: int | None = None,
        until: int | None = None,
        version: int | None = None,
        against: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """What the draft, or this version, would have done with the events accepted from `since` (a week before `until` if left
        out) to `until` (now), and what `against` (the live version) would have. One answer each 10,000 events or so, each
        with the counts up to there; the last one is the whole.

        Raises:
            NotFound: there is no such automation, or no such version of it.
            Refused: the window is empty, or a document cannot be read any more.
            Conflict: somebody saved the draft meanwhile.
        """
        place: Place | None = None
        known: dict[entities.Key, Any] = {}
        while True:
            told, place = self.backtest_some(
                tenant_id,
                automation_id,
                since=since,
                until=until,
                version=version,
                against=against,
                place=place,
                known=known,
            )
            yield told
            if place is None:
                return

    def backtest_some(
        self,
        tenant_id: str,
        automation_id: str,
        *,
        since: int | None = None,
        until: int | None = None,
        version: int | None = None,
        against: int | None = None,
        events_max: int = EVENTS_AT_ONCE,
        place: Place | None = None,
        known: dict[entities.Key, Any] | None = None,
    ) -> tuple[dict[str, Any], Place | None]:
        """The first part of `backtest`, at most `events_max` events, and where it goes on; or, with that `place`, the next
        part, and what else is given does not count. The newest events come first. Entities are kept in `known` from part to
        part, as they were when they were first read."""
        zone = self._upshot.engine.process.definitions.of_now(tenant_id).zone
        if place is None:
            place, sides = self._begun(tenant_id, automation_id, since, until, version, against)
        else:
            with self._upshot.database.reading(tenant_id) as connection:
                sides = self._sides(connection, tenant_id, automation_id, place)
        counting, left = Counting(place.tally), events_max
        roots: dict[entities.Key, Any] = {} if known is None else known
        name_index, before, names = place.name_index, place.before, sides.names
        while left > 0 and name_index < len(names):
            window = Window(names[name_index], place.since, place.until)
            comparison = Comparison(window.name, sides.tried, sides.other)
            wanted = min(left, _READ_AT_ONCE)
            with self._upshot.database.reading(tenant_id) as connection:
                found = past_events.newest(connection, tenant_id, window, before, wanted)
                if comparison.reads_entity:
                    _read_roots(connection, found, roots)
            for past in found:
                counting.add(comparison.kind_of(_facts(past, zone, roots)), past.event.id)
            left -= len(found)
            is_over = len(found) < wanted
            name_index, before = (name_index + 1, None) if is_over else (name_index, found[-1].event.id)
        place = msgspec.structs.replace(place, tally=counting.tally(), name_index=name_index, before=before)
        with self._upshot.database.reading(tenant_id) as connection:
            told = _told(connection, tenant_id, place, sides, zone)
        return told, place if name_index < len(names) else None

    def _begun(
        self,
        tenant_id: str,
        automation_id: str,
        since: int | None,
        until: int | None,
        version: int | None,
        against: int | None,
    ) -> tuple[Place, _Sides]:
        now = self._upshot.clock.now()
        last = now if until is None else min(until, now)
        first = last - WINDOW if since is None else since
        if first >= last:
            raise Refused.at(
                "since", "is not before `until`, or lies in the future: no event can be there", "empty_window"
            )
        with self._upshot.database.reading(tenant_id) as connection:
            present = self._present(connection, tenant_id, automation_id)
            other = present.version if against is None else against
            place = Place(first, last, version, present.draft_revision, other, Tally(0))
            sides = self._sides(connection, tenant_id, automation_id, place)
            windows = (Window(name, first, last) for name in sides.names)
            of = sum(past_events.count(connection, tenant_id, window) for window in windows)
        return msgspec.structs.replace(place, tally=Tally(of)), sides

    def _sides(self, connection: Connection, tenant_id: str, automation_id: str, place: Place) -> _Sides:
        present = self._present(connection, tenant_id, automation_id)
        if place.version is None and present.draft_revision != place.revision:
            error = Conflict("Somebody saved the draft since this backtest began. Begin it again.")
            error.code = DRAFT_CHANGED
            raise error
        tried = present.draft
        if place.version is not None:
            tried = self._document(connection, tenant_id, automation_id, place.version)
        other = None
        if place.against is not None:
            other = self._listening(automation_id, self._document(connection, tenant_id, automation_id, place.against))
        return _Sides(self._listening(automation_id, tried), other)

    def _document(self, connection: Connection, tenant_id: str, automation_id: str, number: int) -> dict[str, Any]:
        """The document of one version."""
        found = store.version(connection, tenant_id, automation_id, number)
        if found is None:
            raise NotFound("version", str(number))
        return found.document

    def _listening(self, automation_id: str, document: dict[str, Any]) -> Listening:
        automation = read_document(document, actions=self._upshot.actions.shapes)
        condition = automation.starts_when
        return Listening(
            automation.listens_to(automation_id), compile_condition(condition) if condition is not None else None
        )


def _read_roots(connection: Connection, found: Sequence[PastEvent], roots: dict[entities.Key, Any]) -> None:
    """Add the entities of these events, as they are now, to those in memory; those that do not exist are None."""
    keys = {_entity_key(past) for past in found if past.event.entity is not None} - roots.keys()
    if len(roots) + len(keys) > _ENTITIES_MAX:
        roots.clear()
        keys = {_entity_key(past) for past in found if past.event.entity is not None}
    if keys:
        roots.update(dict.fromkeys(keys))
        roots.update(entities.read_roots(connection, sorted(keys)))


def _entity_key(past: PastEvent) -> entities.Key:
    entity = past.event.entity
    return (past.event.tenant_id, entity.type, entity.id) if entity is not None else ("", "", "")


def _facts(past: PastEvent, zone: str, roots: dict[entities.Key, Any]) -> Facts:
    entity = roots.get(_entity_key(past)) if past.event.entity is not None else None
    return facts_of(past.event, now=past.accepted_at, zone=zone, entity=entity)


def _told(connection: Connection, tenant_id: str, place: Place, sides: _Sides, zone: str) -> dict[str, Any]:
    """What is known up to this place."""
    tally = place.tally
    counts = tally.counts
    samples = {kind: _samples(connection, tenant_id, ids, sides, zone) for kind, ids in tally.samples.items()}
    return {
        "since": to_text(place.since),
        "until": to_text(place.until),
        "version": place.version,
        "draft_revision": place.revision if place.version is None else None,
        "against": place.against,
        "progress": {"events": tally.events, "of": max(tally.of, tally.events)},
        "would_start": counts["newly"] + counts["both"],
        "other_would_start": counts["no_longer"] + counts["both"],
        "counts": counts,
        "samples": samples,
    }


def _samples(
    connection: Connection, tenant_id: str, ids: Sequence[str], sides: _Sides, zone: str
) -> list[dict[str, Any]]:
    found = past_events.read(connection, tenant_id, ids)
    roots: dict[entities.Key, Any] = {}
    _read_roots(connection, found, roots)
    return [_sample(past, sides, _facts(past, zone, roots)) for past in found]


def _sample(past: PastEvent, sides: _Sides, facts: Facts) -> dict[str, Any]:
    event = past.event
    return {
        "event_id": event.public_id,
        "name": event.name,
        "at": to_text(past.accepted_at),
        "entity": {"type": event.entity.type, "id": event.entity.id} if event.entity is not None else None,
        "reason": _reason(sides.tried, facts),
        "other_reason": _reason(sides.other, facts),
    }


def _reason(side: Listening | None, facts: Facts) -> str:
    """Why this version starts on these facts, or does not, in a sentence."""
    if side is None:
        return "There is no other version."
    if side.event != facts.event["name"]:
        return f"It starts on {side.event}."
    if side.condition is None:
        return "It has no condition."
    return str(side.condition.explain(facts)["text"])
