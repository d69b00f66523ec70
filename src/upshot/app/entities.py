"""The entities noun: what events are about, in the built-in store. Every change is an event in the same transaction."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.app import changing
from upshot.app.listed import Listed, within_json
from upshot.core.entities import (
    Change,
    CreateEntity,
    DeleteEntity,
    Entity,
    Operation,
    PatchEntity,
    ReplaceEntity,
    check_key,
)
from upshot.core.errors import Conflict, NotFound, Refused
from upshot.core.events import EntityRef, Event
from upshot.core.strict_json import encode
from upshot.engine.membership import Made, make
from upshot.store import entities as store
from upshot.store import entity_pages
from upshot.store.events import insert_events

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

STALE = "stale_revision"


class Entities:
    """`upshot.entities`: create, change, delete, list."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot

    def types(self, tenant_id: str) -> list[dict[str, Any]]:
        """The types there are, with how many entities there are of each."""
        with self._upshot.database.reading(tenant_id) as connection:
            found = entity_pages.types(connection, tenant_id)
        return [{"type": type_, "count": number} for type_, number in found.items()]

    def page(
        self,
        tenant_id: str,
        type_: str,
        *,
        limit: int = 50,
        after: entity_pages.Place | None = None,
        search: str | None = None,
        tag: str | None = None,
    ) -> Listed:
        """Entities of one type, last changed first."""
        with self._upshot.database.reading(tenant_id) as connection:
            page = entity_pages.page(connection, tenant_id, type_, after, limit, search=within_json(search), tag=tag)
        return Listed([store.as_output(entity) for entity in page.entities], page.next_before)

    def get(self, tenant_id: str, type_: str, entity_id: str) -> dict[str, Any]:
        """One entity.

        Raises:
            NotFound: there is none of that type and id.
        """
        with self._upshot.database.reading(tenant_id) as connection:
            return store.as_output(_present(connection, tenant_id, type_, entity_id))

    def create(
        self,
        tenant_id: str,
        type_: str,
        *,
        id: str | None = None,  # noqa: A002 - the entity's own field name
        fields: dict[str, Any] | None = None,
        tags: list[str] | None = None,
        actor: str = "host",
    ) -> dict[str, Any]:
        """A new entity, with an id of the engine's making where none is given.

        Raises:
            Refused: something in it is not usable.
            Conflict: there is one of that type and id.
        """
        made = id if id is not None else new_id(self._upshot.clock.now())
        return self._change(
            tenant_id, CreateEntity(type_, made, fields or {}, tuple(tags or ())), "create", actor, None
        )

    def replace(
        self,
        tenant_id: str,
        type_: str,
        entity_id: str,
        *,
        fields: dict[str, Any],
        tags: list[str] | None = None,
        revision: int | None = None,
        actor: str = "host",
    ) -> dict[str, Any]:
        """These fields (and tags) and no others, whether or not the entity is there.

        Raises:
            Refused: something in it is not usable.
            Conflict: its revision is not `revision` (code `stale_revision`).
        """
        operation = ReplaceEntity(type_, entity_id, fields, tuple(tags) if tags is not None else None)
        return self._change(tenant_id, operation, "replace", actor, revision)

    def patch(
        self,
        tenant_id: str,
        type_: str,
        entity_id: str,
        *,
        fields: dict[str, Any] | None = None,
        tags: list[str] | None = None,
        revision: int | None = None,
        actor: str = "host",
    ) -> dict[str, Any]:
        """A JSON merge patch on the fields: objects merge, null removes, all else replaces.

        Raises:
            NotFound: there is no such entity.
            Refused, Conflict: as `replace`.
        """
        operation = PatchEntity(type_, entity_id, fields or {}, tuple(tags) if tags is not None else None)
        return self._change(tenant_id, operation, "patch", actor, revision)

    def delete(
        self, tenant_id: str, type_: str, entity_id: str, *, revision: int | None = None, actor: str = "host"
    ) -> None:
        """The entity is gone; the events and runs about it stay.

        Raises:
            NotFound: there is no such entity.
            Conflict: its revision is not `revision` (code `stale_revision`).
        """
        self._change(tenant_id, DeleteEntity(type_, entity_id), "delete", actor, revision)

    def _change(
        self, tenant_id: str, operation: Operation, action: str, actor: str, revision: int | None
    ) -> dict[str, Any]:
        now = self._upshot.clock.now()
        key = (tenant_id, operation.type, operation.id)
        if isinstance(operation, PatchEntity | DeleteEntity) and check_key(operation.type, operation.id):
            raise NotFound(operation.type, operation.id)

        def write(connection: Connection) -> tuple[Change, list[Event]]:
            before = store.read_to_change(connection, [key]).get(key)
            _raise_unless_current(before, revision)
            made = make(connection, [store.Wanted(0, tenant_id, operation)], now)[0][0]
            if isinstance(made, Refused):
                raise _named(made, operation)
            answer = made.change
            if not made.events:
                return answer, []
            emitted = events_of(tenant_id, made, now)
            insert_events(connection, emitted, now, self._upshot.engine.accept.worker_id)
            shown = store.as_output(before) if before is not None else None
            after = None if answer.is_deletion else store.as_output(answer.after)
            named = f"{operation.type}/{operation.id}"
            self._upshot.audit.add(connection, tenant_id, actor, action, "entity", named, shown, after)
            return answer, emitted

        made, emitted = changing.change(self._upshot, tenant_id, write)
        self._upshot.engine.hand(emitted)
        return store.as_output(made.after)


def events_of(tenant_id: str, made: Made, now: int) -> list[Event]:
    """The event of a change, and those of what follows from it: of one root."""
    about, root_id = EntityRef(made.change.after.type, made.change.after.id), ""
    events: list[Event] = []
    for name, data in made.events:
        event_id = new_id(now)
        root_id = root_id or event_id
        events.append(
            Event(
                tenant_id=tenant_id,
                id=event_id,
                name=name,
                data=data,
                text=encode(data),
                ts=now,
                root_id=root_id,
                entity=about,
            )
        )
    return events


def _present(connection: Connection, tenant_id: str, type_: str, entity_id: str) -> Entity:
    key = (tenant_id, type_, entity_id)
    found = store.read(connection, [key]).get(key)
    if found is None:
        raise NotFound(type_, entity_id)
    return found


def _raise_unless_current(before: Entity | None, revision: int | None) -> None:
    present = before.revision if before is not None else 0
    if revision is not None and revision != present:
        stale = Conflict(f"It is at revision {present} now, not {revision}. Read it again and make the change on that.")
        stale.code = STALE
        raise stale


def _named(refused: Refused, operation: Operation) -> Exception:
    codes = {problem.code for problem in refused.problems}
    if codes == {"not_found"}:
        return NotFound(operation.type, operation.id)
    if codes == {"conflict"}:
        return Conflict(str(refused))
    return refused
