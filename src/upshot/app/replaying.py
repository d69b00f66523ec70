"""Edit and replay: what a dead letter is about happens anew, as a new event with other data, and the letter is resolved.

The replay of an event or delivery is an event like any other. The replay of a run starts that one automation alone, on its
live version: what else its event started has long been done and must not be done again.
"""

from typing import TYPE_CHECKING, Any, cast

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.app.announce import announce
from upshot.app.changing import change
from upshot.app.letter_batches import NOUN
from upshot.core.errors import Conflict, NotFound, Refused, UpshotError
from upshot.core.events import Event
from upshot.core.statuses import DEAD_LETTER
from upshot.core.strict_json import check, decode
from upshot.engine import control
from upshot.engine.receive import receive
from upshot.store import audit, dead_letters, event_pages, reopening, run_pages
from upshot.store import letter_pages as pages
from upshot.store.events import insert_events
from upshot.store.letter_pages import LetterRow

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot


class Source(msgspec.Struct, frozen=True):
    """What a letter is about, as it came in. `text` is a payload that is no event."""

    name: str | None
    data: dict[str, Any] | None
    entity: dict[str, str] | None = None
    test: bool = False
    text: str | None = None


class Replaying:
    """The replaying side of `upshot.dead_letters`."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot

    def replay(
        self, tenant_id: str, letter_id: str, data: Any, *, name: str | None = None, actor: str = "host"
    ) -> dict[str, Any]:
        """Let it happen anew with this data, as an event with a new id; `{event_id, run_id}` of the replay (a run only for a
        run's letter). `name` is the event's if left out, and cannot be another for a run.

        Raises:
            NotFound: there is no such letter.
            Conflict: it is resolved or under way again; or its automation has no live version.
            Refused: the data or name is not acceptable; the problems name the fields, and the letter stays as it was.
        """
        if not isinstance(data, dict):
            raise Refused.at("data", "is an object", "wrong_type")
        check(data, "data")
        with self._upshot.database.reading(tenant_id) as connection:
            letter = present(connection, tenant_id, letter_id)
            source = source_of(connection, tenant_id, letter)
        now = self._upshot.clock.now()
        event = self._event(tenant_id, letter, source, cast("dict[str, Any]", data), name, now)
        replayed = change(self._upshot, tenant_id, lambda c: self._keep(c, tenant_id, letter, event, now, actor))
        if letter.kind == "run":
            self._upshot.engine.claim_soon()
        else:
            self._upshot.engine.hand([event])
        announce(self._upshot, tenant_id, NOUN, id=letter_id, status="resolved")
        return replayed

    def _event(
        self, tenant_id: str, letter: LetterRow, source: Source, data: dict[str, Any], name: str | None, now: int
    ) -> Event:
        if letter.kind == "run" and name not in {None, source.name}:
            raise Refused.at("name", "cannot be another for a run: only its automation is started again", "fixed_name")
        called = name or source.name
        if called is None:
            raise Refused.at("name", "is required: what the host wrote names no event", "missing")
        known = self._upshot.engine.process.definitions.of_now(tenant_id)
        envelope: dict[str, Any] = {"name": called, "data": data}
        (event,) = receive(tenant_id, [envelope], known, now, test=source.test)
        if event.entity is None and source.entity is not None:
            (event,) = receive(tenant_id, [{**envelope, "entity": source.entity}], known, now, test=source.test)
        return event

    def _keep(
        self, connection: Connection, tenant_id: str, letter: LetterRow, event: Event, now: int, actor: str
    ) -> dict[str, Any]:
        run_id = None
        if letter.kind == "run":
            entity = {"type": event.entity.type, "id": event.entity.id} if event.entity is not None else None
            automation_id = letter.automation_id or ""
            event, run = self._upshot.runs.made_by_hand(
                connection, tenant_id, automation_id, event.data, entity, now, test=event.test
            )
            run_id = run.id
            control.start_by_hand(connection, [(event, run)], now)
        else:
            insert_events(connection, [event], now, self._upshot.engine.accept.worker_id)
        moved = dead_letters.move(
            connection, tenant_id, [letter.id], "resolved", now, who=actor, why="replayed", replay_id=event.id
        )
        status = moved.get(letter.id, "resolved")
        if "retrying" not in DEAD_LETTER[status]:
            raise Conflict(f"Dead letter {letter.id!r} is {status} already; only an open one can be replayed.")
        after = {"status": "resolved", "replay_id": event.id, "name": event.name}
        before = {"status": status, "error": letter.error}
        audit.add(connection, tenant_id, new_id(now), now, actor, "replay", NOUN, letter.id, before, after)
        return {"event_id": event.id, "run_id": run_id}


def present(connection: Connection, tenant_id: str, letter_id: str, *, is_locked: bool = False) -> LetterRow:
    """The letter of this id; locked, nobody else moves it until the transaction ends.

    Raises:
        NotFound: there is none in this tenant.
    """
    letter = pages.read(connection, tenant_id, letter_id, is_locked=is_locked)
    if letter is None:
        raise NotFound("dead letter", letter_id)
    return letter


def source_of(connection: Connection, tenant_id: str, letter: LetterRow) -> Source:
    """What the letter is about, as far as it is still kept."""
    if letter.kind == "delivery":
        payload = reopening.outbox_payload(connection, tenant_id, int(letter.noun_id))
        return _of_payload(payload)
    event_id = letter.noun_id
    if letter.kind == "run":
        run = run_pages.read(connection, tenant_id, letter.noun_id)
        event_id = run.event_id if run is not None else letter.event_id or ""
    event = event_pages.read(connection, tenant_id, event_id)
    if event is None:
        return Source(letter.event_name, None)
    entity = None
    if event.entity_type is not None and event.entity_id is not None:
        entity = {"type": event.entity_type, "id": event.entity_id}
    return Source(event.name, msgspec.json.decode(event.data), entity, event.test)


def _of_payload(payload: str | None) -> Source:
    if payload is None:
        return Source(None, None)
    try:
        envelope = decode(payload)
    except UpshotError:
        return Source(None, None, text=payload)
    if not isinstance(envelope, dict):
        return Source(None, None, text=payload)
    given = cast("dict[str, Any]", envelope)
    name, data, entity = given.get("name"), given.get("data", {}), given.get("entity")
    return Source(
        name if isinstance(name, str) else None,
        cast("dict[str, Any]", data) if isinstance(data, dict) else None,
        cast("dict[str, str]", entity) if isinstance(entity, dict) else None,
        text=payload,
    )
