"""The event types noun: which events there are, what their data must look like, and the entity they are about."""

from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import Connection

from upshot.app.announce import announce
from upshot.app.changing import change
from upshot.app.event_names import lookalike_problems
from upshot.app.listed import Listed, cut
from upshot.core.errors import Malformed, NotFound, Problem, Refused
from upshot.core.event_payloads import compile_schema, read_binding
from upshot.core.instants import to_text
from upshot.core.strict_json import check, encode
from upshot.engine.receive import form_problems
from upshot.store import event_types as store
from upshot.store import tenants

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

TITLE_MAX: Final = 200
DESCRIPTION_MAX: Final = 5_000
SAMPLE_MAX: Final = 65_536


class EventTypes:
    """`upshot.event_types`: declare, list, remove."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot

    def put(
        self,
        tenant_id: str,
        name: str,
        *,
        title: str = "",
        description: str = "",
        schema: dict[str, Any] | bool | None = None,
        entity: dict[str, str] | None = None,
        on_invalid: str = "refuse",
        sample: dict[str, Any] | None = None,
        actor: str = "host",
    ) -> dict[str, Any]:
        """Declare an event type in the place of what its name meant before.

        `schema` is a JSON Schema of the data (None: any data); data that does not meet it is refused, or accepted and
        marked where `on_invalid` is "warn". `entity` is `{"type": "patient", "id": "appointment.patientId"}`.

        Raises:
            Refused: naming everything that is not usable; Malformed when its name is among it.
        """
        problems = _text_problems(name, title, description, on_invalid)
        for part, read in ((schema, lambda: compile_schema(schema)), (entity, lambda: read_binding(entity))):
            if part is not None:
                problems += _problems_of(read)
        if sample is not None:
            problems += _problems_of(lambda: check(sample, "sample"))
        if not problems and sample is not None and len(encode(sample)) > SAMPLE_MAX:
            problems.append(Problem("sample", f"is over {SAMPLE_MAX} characters", "too_large"))
        if problems:
            raise (Malformed if problems[0].path == "name" else Refused)(problems)
        now = self._upshot.clock.now()
        wanted = store.EventType(
            name=name,
            title=title,
            description=description,
            schema=schema,
            entity=entity,
            on_invalid=on_invalid,
            sample=sample,
            created_at=now,
            updated_at=now,
        )

        def write(connection: Connection) -> store.EventType:
            before = store.read(connection, tenant_id, name)
            after = msgspec.structs.replace(wanted, created_at=before.created_at) if before is not None else wanted
            if before is not None and _declared(before) == _declared(after):
                return before
            store.put(connection, tenant_id, after)
            tenants.bump_definitions(connection, tenant_id)
            said = _declared(before) if before is not None else None
            self._upshot.audit.add(connection, tenant_id, actor, "put", "event_type", name, said, _declared(after))
            return after

        kept = change(self._upshot, tenant_id, write, is_alone=True)
        self._changed(tenant_id, name)
        return _shown(kept)

    def get(self, tenant_id: str, name: str) -> dict[str, Any]:
        """One event type.

        Raises:
            NotFound: none of that name is declared.
        """
        with self._upshot.database.reading(tenant_id) as connection:
            return _shown(_present(connection, tenant_id, name))

    def page(self, tenant_id: str, *, limit: int = 50, after: str | None = None) -> Listed:
        """The event types, in the order of their names."""
        with self._upshot.database.reading(tenant_id) as connection:
            found = store.page(connection, tenant_id, after, limit + 1)
        items, has_more = cut(found, limit)
        return Listed([_shown(declared) for declared in items], items[-1].name if has_more else None)

    def remove(self, tenant_id: str, name: str, *, actor: str = "host") -> None:
        """Events of this name are no longer checked; those that were accepted stay.

        Raises:
            NotFound: none of that name is declared.
        """

        def write(connection: Connection) -> None:
            before = _present(connection, tenant_id, name)
            store.remove(connection, tenant_id, name)
            tenants.bump_definitions(connection, tenant_id)
            self._upshot.audit.add(connection, tenant_id, actor, "remove", "event_type", name, _declared(before), None)

        change(self._upshot, tenant_id, write, is_alone=True)
        self._changed(tenant_id, name)

    def _changed(self, tenant_id: str, name: str) -> None:
        self._upshot.engine.definitions_changed(tenant_id)
        announce(self._upshot, tenant_id, "event_type", name=name)


def _present(connection: Connection, tenant_id: str, name: str) -> store.EventType:
    found = store.read(connection, tenant_id, name)
    if found is None:
        raise NotFound("event type", name)
    return found


def _declared(declared: store.EventType) -> dict[str, Any]:
    return {
        "name": declared.name,
        "title": declared.title,
        "description": declared.description,
        "schema": declared.schema,
        "entity": declared.entity,
        "on_invalid": declared.on_invalid,
        "sample": declared.sample,
    }


def _shown(declared: store.EventType) -> dict[str, Any]:
    instants = {"created_at": to_text(declared.created_at), "updated_at": to_text(declared.updated_at)}
    return {**_declared(declared), **instants}


def _text_problems(name: str, title: str, description: str, on_invalid: str) -> list[Problem]:
    problems = form_problems({"name": name}, "") or lookalike_problems(name, "name")
    if len(title) > TITLE_MAX:
        problems.append(Problem("title", f"has at most {TITLE_MAX} characters", "too_long"))
    if len(description) > DESCRIPTION_MAX:
        problems.append(Problem("description", f"has at most {DESCRIPTION_MAX} characters", "too_long"))
    if on_invalid not in {"refuse", "warn"}:
        problems.append(Problem("on_invalid", "is 'refuse' or 'warn'", "bad_value"))
    return problems


def _problems_of(read: Any) -> list[Problem]:
    try:
        read()
    except Refused as refused:
        return list(refused.problems)
    return []
