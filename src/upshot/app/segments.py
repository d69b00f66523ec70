"""The segments noun: the entities of a type that meet a saved condition. Who joins and leaves is an event."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.app.announce import announce as tell_pages
from upshot.app.changing import change
from upshot.app.entities import events_of
from upshot.app.listed import Listed, cut
from upshot.core.automations import condition_words
from upshot.core.automations.fields import as_object
from upshot.core.entities import JoinSegment, LeaveSegment, check_key
from upshot.core.errors import Conflict, NotFound, Problem, Refused
from upshot.core.events import Event
from upshot.core.instants import to_text
from upshot.core.segments import DESCRIPTION_MAX, Wanted, name_problems, read_wanted
from upshot.core.strict_json import encode
from upshot.engine.membership import NOT_BY_HAND, make
from upshot.store import entities
from upshot.store import segments as store
from upshot.store.events import insert_events
from upshot.store.segments import Segment

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

NOUN: Final = "segment"
Kind = Literal["dynamic", "manual"]
SEGMENTS_MAX: Final = 200
STALE: Final = "stale_revision"
IS_USED: Final = "is_used"
USERS_SHOWN: Final = 5


class Segments:
    """`upshot.segments`. Every change is audited in its own transaction."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot

    def page(
        self,
        tenant_id: str,
        *,
        limit: int = 50,
        after: str | None = None,
        search: str | None = None,
        entity_type: str | None = None,
        entity: tuple[str, str] | None = None,
    ) -> Listed:
        """Segments by name: of a type, with a text in the name, or those that an entity is in."""
        of_type = entity[0] if entity is not None else entity_type
        with self._upshot.database.reading(tenant_id) as connection:
            found = store.page(
                connection,
                tenant_id,
                after,
                limit + 1,
                entity_type=of_type,
                search=search,
                entity_id=entity[1] if entity is not None else None,
            )
            kept, has_more = cut(found, limit)
            numbers = store.member_counts(connection, tenant_id, [segment.id for segment in kept])
        items = [_item(segment, numbers.get(segment.id, 0)) for segment in kept]
        return Listed(items, kept[-1].name if has_more else None)

    def get(self, tenant_id: str, segment_id: str) -> dict[str, Any]:
        """One segment, how many are in it, and whether they are being looked for.

        Raises:
            NotFound: there is none of this id.
        """
        with self._upshot.database.reading(tenant_id) as connection:
            return _counted(connection, tenant_id, _present(connection, tenant_id, segment_id))

    def members(self, tenant_id: str, segment_id: str, *, limit: int = 50, after: str | None = None) -> Listed:
        """Who is in it, with the instants they joined at, in the order of their ids.

        Raises:
            NotFound: there is none of this id.
        """
        with self._upshot.database.reading(tenant_id) as connection:
            segment = _present(connection, tenant_id, segment_id)
            found = store.members(connection, tenant_id, segment_id, after or "", limit + 1)
            kept, has_more = cut(found, limit)
            keys = [(tenant_id, segment.entity_type, entity_id) for entity_id, _ in kept]
            known = entities.read(connection, keys) if keys else {}
        items = [
            {
                "type": segment.entity_type,
                "id": entity_id,
                "joined_at": to_text(joined_at),
                "entity": entities.as_output(known[key]) if key in known else None,
            }
            for key, (entity_id, joined_at) in zip(keys, kept, strict=True)
        ]
        return Listed(items, kept[-1][0] if has_more else None)

    def create(
        self,
        tenant_id: str,
        *,
        name: str,
        entity_type: str,
        condition: Any = None,
        kind: Kind = "dynamic",
        description: str = "",
        announce: bool = False,
        actor: str = "host",
    ) -> dict[str, Any]:
        """A new segment. A running engine finds who is in it; nobody is told that they joined, unless `announce`. One that is
        `manual` has no condition: `add` and `remove` say who is in it.

        Raises:
            Refused: something in it will not do; the problems name each field.
            Conflict: there is one of this name, or there are too many.
        """
        wanted = _read(name, entity_type, description, condition, kind)
        now = self._upshot.clock.now()
        made = Segment(
            id=new_id(now),
            name=name,
            description=description,
            entity_type=entity_type,
            kind=kind,
            condition=encode(wanted.condition.document) if wanted is not None else None,
            follows_clock=wanted is not None and wanted.follows_clock,
            created_by=actor,
            created_at=now,
            updated_at=now,
        )
        made = _to_be_found(made, now, is_silent=not announce) if wanted is not None else made

        def write(connection: Connection) -> dict[str, Any]:
            if store.count(connection, tenant_id) >= SEGMENTS_MAX:
                raise Conflict(f"There are {SEGMENTS_MAX} segments already. Delete one first.")
            _raise_if_named(connection, tenant_id, name)
            store.create(connection, tenant_id, made)
            self._upshot.audit.add(connection, tenant_id, actor, "create", NOUN, made.id, None, _audited(made))
            return _counted(connection, tenant_id, made)

        return self._changed(tenant_id, write)

    def save(
        self,
        tenant_id: str,
        segment_id: str,
        *,
        name: str,
        condition: Any = None,
        entity_type: str | None = None,
        description: str = "",
        announce: bool = False,
        revision: int | None = None,
        actor: str = "host",
    ) -> dict[str, Any]:
        """Give it this name and condition. When the condition is another, a running engine finds anew who is in it; nobody is
        told that they joined or left by that, unless `announce`.

        Raises:
            NotFound: there is none of this id.
            Refused: something in it will not do; the problems name each field.
            Conflict: it is not at `revision` any more (code `stale_revision`), another has this name, or it has another name
                in automations (code `is_used`).
        """

        def write(connection: Connection) -> dict[str, Any]:
            before = _present(connection, tenant_id, segment_id, is_locked=True)
            _raise_unless_current(before, revision)
            if entity_type not in (None, before.entity_type):
                said = f"is {before.entity_type} and stays so: make another segment"
                raise Refused.at("entity_type", said, "cannot_change")
            wanted = _read(name, before.entity_type, description, condition, before.kind)
            if name != before.name:
                _raise_if_named(connection, tenant_id, name)
                _raise_if_used(connection, tenant_id, before.name, "renamed")
            now, text = self._upshot.clock.now(), encode(wanted.condition.document) if wanted is not None else None
            follows_clock = wanted is not None and wanted.follows_clock
            after = msgspec.structs.replace(
                before, name=name, description=description, condition=text, follows_clock=follows_clock
            )
            if after == before:
                return _counted(connection, tenant_id, before)
            if text != before.condition:
                after = _to_be_found(after, now, is_silent=not announce)
            after = msgspec.structs.replace(after, revision=before.revision + 1, updated_at=now)
            store.save(connection, tenant_id, after)
            said_before, said_after = _audited(before), _audited(after)
            self._upshot.audit.add(connection, tenant_id, actor, "save", NOUN, segment_id, said_before, said_after)
            return _counted(connection, tenant_id, after)

        return self._changed(tenant_id, write)

    def delete(self, tenant_id: str, segment_id: str, *, revision: int | None = None, actor: str = "host") -> None:
        """It is gone, and nobody is told that they left.

        Raises:
            NotFound: there is none of this id.
            Conflict: automations use it (code `is_used`); it names them. Or it is not at `revision` any more.
        """

        def write(connection: Connection) -> dict[str, Any]:
            before = _present(connection, tenant_id, segment_id, is_locked=True)
            _raise_unless_current(before, revision)
            _raise_if_used(connection, tenant_id, before.name, "deleted")
            now = self._upshot.clock.now()
            store.save(connection, tenant_id, msgspec.structs.replace(before, deleted_at=now, due_at=now))
            self._upshot.audit.add(connection, tenant_id, actor, "delete", NOUN, segment_id, _audited(before), None)
            return {"id": segment_id}

        self._changed(tenant_id, write)

    def add(self, tenant_id: str, segment_id: str, entity_id: str, *, actor: str = "host") -> None:
        """Put an entity into a segment that is kept by hand; that it is in it already is fine.

        Raises:
            NotFound: there is no such segment or entity.
            Conflict: the segment has a condition (code `not_by_hand`).
        """
        self._put(tenant_id, segment_id, entity_id, JoinSegment, "add", actor)

    def remove(self, tenant_id: str, segment_id: str, entity_id: str, *, actor: str = "host") -> None:
        """Take an entity out of a segment that is kept by hand; that it is not in it is fine.

        Raises:
            NotFound, Conflict: as `add`.
        """
        self._put(tenant_id, segment_id, entity_id, LeaveSegment, "remove", actor)

    def _put(
        self,
        tenant_id: str,
        segment_id: str,
        entity_id: str,
        operation: type[JoinSegment | LeaveSegment],
        action: str,
        actor: str,
    ) -> None:
        def write(connection: Connection) -> list[Event]:
            segment = _present(connection, tenant_id, segment_id)
            if segment.kind != "manual":
                error = Conflict(f"Who is in “{segment.name}” is said by its condition. Change the entity.")
                error.code = NOT_BY_HAND
                raise error
            now = self._upshot.clock.now()
            asked = operation(segment.entity_type, entity_id, segment.name)
            (made,) = make(connection, [entities.Wanted(0, tenant_id, asked)], now)[0]
            if isinstance(made, Refused):
                raise NotFound(segment.entity_type, entity_id)
            events = events_of(tenant_id, made, now)
            if events:
                insert_events(connection, events, now, self._upshot.engine.accept.worker_id)
                said = {"entity": {"type": segment.entity_type, "id": entity_id}}
                before, after = (None, said) if action == "add" else (said, None)
                self._upshot.audit.add(connection, tenant_id, actor, action, NOUN, segment_id, before, after)
            return events

        self._upshot.engine.hand(change(self._upshot, tenant_id, write, is_alone=True))

    def _changed(self, tenant_id: str, write: Callable[[Connection], dict[str, Any]]) -> dict[str, Any]:
        item = change(self._upshot, tenant_id, write, is_alone=True)
        self._upshot.engine.find_members_soon()
        tell_pages(self._upshot, tenant_id, NOUN, id=item["id"])
        return item


def unknown_problems(connection: Connection, tenant_id: str, document: dict[str, Any]) -> list[Problem]:
    """What is wrong with the segment that a canonical document names."""
    named, path = _segment_of(document)
    if named is None or store.named(connection, tenant_id, named) is not None:
        return []
    known = ", ".join(f"“{name}”" for name in list(store.types(connection, tenant_id))[:USERS_SHOWN])
    said = f"there is no segment {named!r}" + (f"; there are {known}" if known else "; make it first")
    return [Problem(path, said, "unknown_segment")]


def raise_if_unknown(connection: Connection, tenant_id: str, document: dict[str, Any]) -> None:
    """Hold a version that is about to be published to naming a segment that is there.

    Raises:
        Refused: it was deleted meanwhile.
    """
    problems = unknown_problems(connection, tenant_id, document)
    if problems:
        raise Refused(problems)


def _read(name: Any, entity_type: Any, description: str, condition: Any, kind: str) -> Wanted | None:
    problems = name_problems(name)
    if len(description) > DESCRIPTION_MAX:
        problems.append(Problem("description", f"at most {DESCRIPTION_MAX:,} characters", "too_long"))
    problems += [Problem("entity_type", found.message, found.code) for found in check_key(entity_type, "any")]
    if kind == "manual" and condition is not None:
        said = "does not go with a segment that is kept by hand"
        problems.append(Problem("condition", said, "bad_combination"))
    if condition is None and kind != "manual":
        problems.append(Problem("condition", "says who is in it, like an automation's condition", "required"))
    wanted = None
    try:
        wanted = read_wanted(condition, entity_type) if condition is not None else None
    except Refused as refused:
        problems += refused.problems
    if problems:
        raise Refused(problems)
    return wanted


def _to_be_found(segment: Segment, now: int, *, is_silent: bool) -> Segment:
    return msgspec.structs.replace(segment, place="", is_silent=is_silent, begun_at=now, due_at=now, computed_at=None)


def _present(connection: Connection, tenant_id: str, segment_id: str, *, is_locked: bool = False) -> Segment:
    found = store.read(connection, tenant_id, segment_id, is_locked=is_locked)
    if found is None or found.deleted_at is not None:
        raise NotFound(NOUN, segment_id)
    return found


def _raise_unless_current(segment: Segment, revision: int | None) -> None:
    if revision is not None and revision != segment.revision:
        stale = Conflict(
            f"It is at revision {segment.revision} now, not {revision}. Read it again and make the change on that."
        )
        stale.code = STALE
        raise stale


def _raise_if_named(connection: Connection, tenant_id: str, name: str) -> None:
    if store.named(connection, tenant_id, name) is not None:
        raise Conflict(f"There is a segment “{name}” already. Choose another name, or change that one.")


def _raise_if_used(connection: Connection, tenant_id: str, name: str, verb: str) -> None:
    users = [
        f"“{automation}”"
        for automation, draft, live in store.used_in(connection, tenant_id, name)
        if _uses(draft, name) or (live is not None and _uses(live, name))
    ]
    if users:
        listed = ", ".join(users[:USERS_SHOWN]) + (" and others" if len(users) > USERS_SHOWN else "")
        error = Conflict(
            f"The segment cannot be {verb}: {listed} would wait for it in vain. Change or delete those first."
        )
        error.code = IS_USED
        raise error


def _uses(document: dict[str, Any], name: str) -> bool:
    """Whether a canonical document names this segment, in its trigger or in what a step is given."""
    given = (step.get("with") for step in document["steps"])
    is_given = any(isinstance(one, dict) and cast("dict[str, Any]", one).get("segment") == name for one in given)
    return is_given or _segment_of(document)[0] == name


def _segment_of(document: dict[str, Any]) -> tuple[str | None, str]:
    """The segment that a canonical document names, and where."""
    trigger = document["trigger"]
    if "segment" in trigger:
        return trigger["segment"], "trigger.segment"
    schedule = as_object(trigger.get("schedule")) or {}
    named = (as_object(schedule.get("each")) or {}).get("segment")
    return named, "trigger.schedule.each.segment"


def _counted(connection: Connection, tenant_id: str, segment: Segment) -> dict[str, Any]:
    return _item(segment, store.member_counts(connection, tenant_id, [segment.id]).get(segment.id, 0))


def _item(segment: Segment, number: int) -> dict[str, Any]:
    condition = msgspec.json.decode(segment.condition) if segment.condition is not None else None
    return {
        "id": segment.id,
        "name": segment.name,
        "description": segment.description,
        "entity_type": segment.entity_type,
        "kind": segment.kind,
        "condition": condition,
        "words": condition_words(condition),
        "follows_clock": segment.follows_clock,
        "members": number,
        "status": "computing" if segment.place is not None and segment.computed_at is None else "ready",
        "computed_at": to_text(segment.computed_at) if segment.computed_at is not None else None,
        "revision": segment.revision,
        "created_by": segment.created_by,
        "created_at": to_text(segment.created_at),
        "updated_at": to_text(segment.updated_at),
    }


def _audited(segment: Segment) -> dict[str, Any]:
    names = ("name", "description", "entity_type", "kind")
    condition = msgspec.json.decode(segment.condition) if segment.condition is not None else None
    return {**{name: getattr(segment, name) for name in names}, "condition": condition}
