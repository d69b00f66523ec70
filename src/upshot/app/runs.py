"""The runs noun: list and show, beside cancelling and starting by hand."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from upshot.app.bulk_runs import Bulk
from upshot.app.event_shapes import cause_of, path_of, run_item
from upshot.app.explain import condition_explanation, facts_of_run
from upshot.app.listed import Listed
from upshot.app.run_steps import steps_shown
from upshot.core.automations import read as read_document
from upshot.core.automations.places import item_place
from upshot.core.errors import NotFound, Refused
from upshot.core.program import Program
from upshot.store import automations, calls, event_pages
from upshot.store import run_pages as store

if TYPE_CHECKING:
    from upshot.core.automations import Automation


class Runs(Bulk):
    """`upshot.runs`."""

    def page(
        self,
        tenant_id: str,
        *,
        limit: int = 50,
        after: str | None = None,
        event: str | None = None,
        automation: str | None = None,
        status: str | None = None,
        entity: tuple[str, str] | None = None,
        replay: str | None = None,
    ) -> Listed:
        """Runs, newest first. `event` is an event's id, the host's or the engine's, or an event's name; `replay` is the id of
        the replay that started them."""
        with self._upshot.database.reading(tenant_id) as connection:
            found = event_pages.read(connection, tenant_id, event) if event is not None else None
            wanted = store.Filter(
                event_id=found.id if found is not None else None,
                event_name=event if found is None else None,
                automation_id=automation,
                status=status,
                entity=entity,
                replay_id=replay,
            )
            page = store.page(connection, tenant_id, after, limit, wanted)
            waits = store.timers_of(connection, tenant_id, [run.id for run in page.runs])
        return Listed([run_item(run, waits.get(run.id, ())) for run in page.runs], page.next_before)

    def get(self, tenant_id: str, run_id: str) -> dict[str, Any]:
        """One run with its steps, attempts, the version it runs, and why it started.

        Raises:
            NotFound: there is no such run.
        """
        zone = self._upshot.engine.process.definitions.of_now(tenant_id).zone
        with self._upshot.database.reading(tenant_id) as connection:
            return self._shown(connection, tenant_id, run_id, zone)

    def called(
        self, tenant_id: str, run_id: str, step: str | None = None, *, limit: int = 50, after: int | None = None
    ) -> Listed:
        """The run that a step of this run called; of a `for_each` (`each`, in a second round `each:2`) those that it called for
        its items, in their order. An item that called none, or none yet, has no `called_run`. Without `step` it is the only
        step of the run that calls.

        Raises:
            NotFound: there is no such run.
            Refused: no step was named, and not exactly one calls.
        """
        begin = after or 0
        with self._upshot.database.reading(tenant_id) as connection:
            run = store.read(connection, tenant_id, run_id)
            if run is None:
                raise NotFound("run", run_id)
            if step is None:
                version = automations.version(connection, tenant_id, run.automation_id, run.version)
                step = _only_call(version.document if version is not None else None)
            number = calls.items_of(connection, tenant_id, run_id, step)
            indexes = [None] if number is None else range(begin, min(begin + limit, number))
            places = {step if index is None else item_place(step, index): index for index in indexes}
            keys = {calls.key_of(run_id, place): place for place in places}
            found = calls.children(connection, [(tenant_id, key) for key in keys])
        children = {keys[key]: child for (_, key), child in found.items() if child.run_id is not None}
        items = [
            {"id": place, "item": index, "called_run": _told(children[place]) if place in children else None}
            for place, index in places.items()
            if index is not None or place in children
        ]
        return Listed(items, begin + limit if number is not None and begin + limit < number else None)

    def _shown(self, connection: Connection, tenant_id: str, run_id: str, zone: str) -> dict[str, Any]:
        run = store.read(connection, tenant_id, run_id)
        if run is None:
            raise NotFound("run", run_id)
        timers = store.timers_of(connection, tenant_id, [run_id]).get(run_id, [])
        version = automations.version(connection, tenant_id, run.automation_id, run.version)
        document = version.document if version is not None else None
        event = event_pages.read(connection, tenant_id, run.event_id)
        explanation = None
        if document is not None and event is not None:
            explanation = condition_explanation(document, facts_of_run(run, event, zone))
        steps, current = steps_shown(
            run,
            self._program(document),
            store.steps_of(connection, tenant_id, run_id),
            store.attempts_of(connection, tenant_id, run_id),
            timers,
            is_held=store.is_held(connection, tenant_id, run_id),
        )
        calling = {calls.key_of(run_id, step["id"]): step for step in steps if step["kind"] == "call"}
        for (_, key), child in calls.children(connection, [(tenant_id, key) for key in calling]).items():
            calling[key]["called_run"] = _told(child) if child.run_id is not None else None
        return {
            **run_item(run, timers),
            "cause": cause_of(event) if event is not None else None,
            "current_step": current,
            "root_id": event.root_id if event is not None else None,
            "depth": event.depth if event is not None else None,
            "path": path_of(event_pages.causes(connection, tenant_id, event)) if event is not None else [],
            "explanation": explanation,
            "steps": steps,
            "document": document,
        }

    def _program(self, document: dict[str, Any] | None) -> Program | None:
        if document is None:
            return None
        try:
            automation: Automation = read_document(document, actions=self._upshot.actions.shapes)
            return Program(automation)
        except Refused:  # an action that this process does not have; its history is shown all the same
            return None


def _only_call(document: dict[str, Any] | None) -> str:
    calling = [step["id"] for step in document["steps"] if "call" in step] if document is not None else []
    if len(calling) == 1:
        return calling[0]
    told = f"is one of {', '.join(calling)}: several steps call" if calling else "no step of this run calls"
    raise Refused.at("step", told, "missing")


def _told(child: calls.Child) -> dict[str, Any]:
    return {"id": child.run_id, "status": child.status}
