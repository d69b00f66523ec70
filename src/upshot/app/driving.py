"""Runs that people start by hand."""

from typing import Any, cast

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.app.changing import change
from upshot.app.controlling import Controlling
from upshot.core.automations import read
from upshot.core.errors import Conflict, NotFound, Refused
from upshot.core.events import EntityRef, Event
from upshot.core.strict_json import check, encode
from upshot.engine import control
from upshot.engine.receive import judged
from upshot.store import audit, automations
from upshot.store.runs import NewRun


class Driving(Controlling):
    """The side of `upshot.runs` that starts runs."""

    def start_by_hand(
        self,
        tenant_id: str,
        automation_id: str,
        data: Any,
        *,
        test: bool = False,
        entity: dict[str, str] | None = None,
        actor: str = "host",
    ) -> dict[str, str]:
        """Start one run of the automation's live version (for a test without one: of its draft's last publishing) with
        this data, whatever its condition says. Its event starts nothing else.

        Raises:
            NotFound: there is no such automation.
            Conflict: it was never published.
            Refused: the data is not JSON, or is not as the schema of the automation's event type says; where that only marks
                its events, this one is marked.
        """
        if not isinstance(data, dict):
            raise Refused.at("data", "is an object", "wrong_type")
        data = cast("dict[str, Any]", data)
        check(data, "data")
        now = self._upshot.clock.now()
        known = self._upshot.engine.process.definitions.of_now(tenant_id)

        def write(connection: Connection) -> dict[str, str]:
            event, run = self.made_by_hand(connection, tenant_id, automation_id, data, entity, now, test=test)
            refused, marks = judged(known.event_types.get(event.name), data, event.text, "data")
            if refused:
                raise Refused(refused)
            control.start_by_hand(connection, [(msgspec.structs.replace(event, marks=marks), run)], now)
            after = {"run_id": run.id, "test": test}
            audit.add(connection, tenant_id, new_id(now), now, actor, "run", "automation", automation_id, None, after)
            return {"run_id": run.id, "event_id": event.id}

        started = change(self._upshot, tenant_id, write)
        self._upshot.engine.claim_soon()
        return started

    def made_by_hand(
        self,
        connection: Connection,
        tenant_id: str,
        automation_id: str,
        data: dict[str, Any],
        entity: dict[str, str] | None,
        now: int,
        *,
        test: bool,
    ) -> tuple[Event, NewRun]:
        """The event and run that somebody starts by hand, to be kept by `control.start_by_hand`.

        Raises:
            NotFound: there is no such automation.
            Conflict: it was never published.
        """
        live = automations.live_version(connection, tenant_id, automation_id)
        if live is None:
            raise NotFound("automation", automation_id)
        version, document = live
        if version is None or document is None:
            raise Conflict(f"Automation {automation_id!r} was never published, so there is nothing to run.")
        program = read(document, actions=self._upshot.actions.shapes)
        event_id = new_id(now)
        name = program.listens_to(automation_id)
        ref = EntityRef(entity["type"], entity["id"]) if entity else self._bound(tenant_id, name, data)
        event = Event(
            tenant_id=tenant_id,
            id=event_id,
            name=name,
            data=data,
            text=encode(data),
            ts=now,
            root_id=event_id,
            entity=ref,
            by_hand=True,
            test=test,
        )
        run = NewRun(
            tenant_id=tenant_id,
            id=new_id(now),
            automation_id=automation_id,
            version=version,
            event_id=event_id,
            entity_type=ref.type if ref else None,
            entity_id=ref.id if ref else None,
            priority=program.priority,
            test=test,
            facts=None,
            worker_id=None,
            queue=program.queue,
        )
        return event, run

    def _bound(self, tenant_id: str, event_name: str, data: dict[str, Any]) -> EntityRef | None:
        """The entity that the event type says such data is about."""
        known = self._upshot.engine.process.definitions.of_now(tenant_id).event_types.get(event_name)
        return known.binding.entity_of(data) if known is not None and known.binding is not None else None
