"""The events noun: emit, list, show, explain."""

from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.app import explain
from upshot.app.emitting import Emitting
from upshot.app.event_shapes import event_item, path_of, run_item
from upshot.app.listed import Listed, within_json
from upshot.core.errors import NotFound
from upshot.store import event_pages as store
from upshot.store import letter_pages, run_pages

RUNS_MAX = 200


class Events(Emitting):
    """`upshot.events`."""

    def page(
        self, tenant_id: str, *, limit: int = 50, after: str | None = None, wanted: store.Filter | None = None
    ) -> Listed:
        """Events, newest first."""
        asked = wanted or store.Filter()
        asked = msgspec.structs.replace(asked, search=within_json(asked.search))
        with self._upshot.database.reading(tenant_id) as connection:
            page = store.page(connection, tenant_id, after, limit, asked)
            items = _items(connection, tenant_id, page.events)
        return Listed(items, page.next_before)

    def get(self, tenant_id: str, event_id: str) -> dict[str, Any]:
        """One event with the runs it started and those it cancelled, 200 of each at most.

        Raises:
            NotFound: there is none of that id, the host's or the engine's.
        """
        with self._upshot.database.reading(tenant_id) as connection:
            event = _present(connection, tenant_id, event_id)
            item = _items(connection, tenant_id, [event])[0]
            found = run_pages.of_event(connection, tenant_id, event.id, RUNS_MAX)
            waits = run_pages.timers_of(connection, tenant_id, [run.id for run in found])
            cancelled = run_pages.ended_by(connection, tenant_id, event.id, RUNS_MAX)
            replay_of = letter_pages.replayed_as(connection, tenant_id, event.id)
            path = path_of(store.causes(connection, tenant_id, event))
        return {
            **item,
            "path": path,
            "replay_of": replay_of,
            "runs": [run_item(run, waits.get(run.id, ())) for run in found],
            "cancelled_runs": [run_item(run, ()) for run in cancelled],
        }

    def explain(self, tenant_id: str, event_id: str) -> dict[str, Any]:
        """Why each automation that listened for this event did or did not start.

        Raises:
            NotFound: there is no such event.
        """
        zone = self._upshot.engine.process.definitions.of_now(tenant_id).zone
        with self._upshot.database.reading(tenant_id) as connection:
            known = explain.read(connection, tenant_id, _present(connection, tenant_id, event_id))
        return explain.explain(known, zone)


def _present(connection: Connection, tenant_id: str, event_id: str) -> store.EventRow:
    found = store.read(connection, tenant_id, event_id)
    if found is None:
        raise NotFound("event", event_id)
    return found


def _items(connection: Connection, tenant_id: str, events: list[store.EventRow]) -> list[dict[str, Any]]:
    ids = [event.id for event in events]
    unmatched = store.unmatched_of(connection, tenant_id, ids)
    given_up = store.given_up_of(connection, tenant_id, ids)
    counts = run_pages.count_by_event(connection, tenant_id, ids)
    return [
        event_item(
            event,
            is_unmatched=event.id in unmatched,
            given_up=given_up.get(event.id),
            run_count=counts.get(event.id, 0),
        )
        for event in events
    ]
