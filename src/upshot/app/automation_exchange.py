"""Automations from outside and back: checking a document, exporting, and trying one without effects."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import Connection

from upshot.adapters.actions import save_problems
from upshot.adapters.clock import ticks
from upshot.app.called import Beside, calls_any, resolved, told_by_name
from upshot.app.event_names import lookalike_problems
from upshot.app.schedules import foretold
from upshot.app.segments import unknown_problems
from upshot.core.action import Action, ActionRegistry
from upshot.core.automations import cycles as circles
from upshot.core.automations import dry_run, gap_notes, inspect, normalise
from upshot.core.automations import read as read_document
from upshot.core.automations.dry_run import Trial
from upshot.core.automations.fields import Findings, as_list, as_object
from upshot.core.automations.gaps import wait_problems
from upshot.core.automations.never import events_of, never_problems, unknown_step_notes
from upshot.core.errors import Busy, Malformed, NotFound, Problem, Refused
from upshot.core.facts import Facts
from upshot.core.instants import SECOND, to_text
from upshot.core.schedules import problems_now
from upshot.core.strict_json import check, decode, encode
from upshot.core.watches import shapes_of
from upshot.store import automations as store
from upshot.store import entities, event_types, segments

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

EXPORT_MAX: Final = 10_000
TRIALS_SECONDS: Final = 10


class Exchange(ABC):
    """The side of `upshot.automations` that reads documents; `Automations` writes them."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot

    def validate(self, document: Any, *, tenant_id: str | None = None) -> dict[str, Any]:
        """Whether this document could be saved: `{valid, problems, document, notes, warnings, schedule}`. Nothing is kept.

        With a tenant, the notes also name the placeholders that its event type lets be missing, and the warnings the
        circles that it would make with the tenant's active automations. `schedule` says when it would be due next.
        """
        canonical, findings = inspect(document, actions=self._upshot.actions.shapes)
        found = findings.problems or (self._present_problems(canonical, tenant_id) if canonical is not None else [])
        if canonical is not None and not found and tenant_id is not None:
            canonical, found = self._called(tenant_id, canonical, "")
        problems = [msgspec.to_builtins(problem) for problem in found]
        is_valid = canonical is not None and not problems
        if canonical is not None and is_valid and tenant_id is not None:
            self._note_gaps(tenant_id, canonical, findings)
        return {
            "valid": is_valid,
            "problems": problems,
            "document": canonical if is_valid else None,
            "notes": findings.notes,
            "warnings": self._warnings(tenant_id, canonical, "") if canonical and is_valid and tenant_id else [],
            "schedule": foretold(document, self._zone(tenant_id), self._upshot.clock.now()),
        }

    def export(self, tenant_id: str, automation_id: str | None = None) -> dict[str, Any]:
        """One automation's draft as a document, or all of them as `{"automations": [...]}`; either can be imported. What they
        call is named in them, unless another automation has the same name: then it is its id.

        Raises:
            NotFound: there is no such automation.
        """
        with self._upshot.database.reading(tenant_id) as connection:
            if automation_id is None:
                found = store.page(connection, tenant_id, None, EXPORT_MAX).automations
                exported = [_exported(automation) for automation in found]
                return {"automations": told_by_name(connection, tenant_id, exported)}
            one = store.read(connection, tenant_id, automation_id)
            if one is None or one.deleted_at is not None:
                raise NotFound("automation", automation_id)
            return told_by_name(connection, tenant_id, [_exported(one)])[0]

    def try_out(
        self,
        tenant_id: str,
        document: Any,
        data: Any,
        *,
        event: str | None = None,
        entity: Mapping[str, str] | None = None,
        automation_id: str = "",
    ) -> dict[str, Any]:
        """What this document would do with an event of this data, without doing any of it.

        Raises:
            Refused: the document cannot be read; the problems name each place.
        """
        canonical, _ = normalise(document, actions=self._upshot.actions.shapes)
        with self._upshot.database.reading(tenant_id) as connection:
            (canonical,) = told_by_name(connection, tenant_id, [canonical])
        automation = read_document(canonical, actions=self._upshot.actions.shapes)
        given = as_object(data)
        if given is None:
            raise Refused.at("data", "is an object", "wrong_type")
        check(given, "data")
        facts = self._facts(tenant_id, event or automation.event or "sample", given, entity)
        return dry_run(
            automation,
            facts,
            actions=self._upshot.actions.shapes,
            automation_id=automation_id,
            trials=_trials(self._upshot.actions),
        )

    def draft(self, tenant_id: str, automation_id: str) -> dict[str, Any]:
        """The draft of one automation.

        Raises:
            NotFound: there is no such automation.
        """
        return self.export(tenant_id, automation_id)

    def _canonical(
        self, tenant_id: str, document: Mapping[str, Any], automation_id: str = ""
    ) -> tuple[dict[str, Any], bool]:
        """The canonical document of this automation, or of a new one, and whether it says that it is active."""
        try:
            canonical, _ = normalise(document, actions=self._upshot.actions.shapes)
        except Refused as refused:
            if any(_is_server_owned(problem) for problem in refused.problems):
                raise Malformed(refused.problems) from refused
            raise
        problems = self._present_problems(canonical, tenant_id)
        canonical, uncallable = self._called(tenant_id, canonical, automation_id)
        if problems or uncallable:
            raise Refused([*problems, *uncallable])
        return canonical, canonical.get("status") == "active"

    def _called(
        self,
        tenant_id: str,
        canonical: dict[str, Any],
        automation_id: str,
        beside: Mapping[str, Beside] | None = None,
        parts: Sequence[circles.Part] = (),
    ) -> tuple[dict[str, Any], list[Problem]]:
        """The document with the ids of what it calls, and what is wrong with that. What comes `beside` it in one import is
        looked for by name first, and is among the `parts`."""
        if not calls_any(canonical):
            return canonical, []
        with self._upshot.database.reading(tenant_id) as connection:
            document, problems = resolved(connection, tenant_id, canonical, automation_id, beside or {})
        if not problems:
            own = circles.part_of(read_document(document), automation_id, self._upshot.actions.shapes)
            endless = circles.endless_calls(own, parts or self._parts(tenant_id))
            problems = [Problem(path, message, "cycle") for path, message in endless]
        return document, problems

    def _present_problems(self, canonical: dict[str, Any], tenant_id: str | None) -> list[Problem]:
        """What is wrong with it here and now: a webhook to a private address, a schedule that is never due again."""
        upshot = self._upshot
        automation = read_document(canonical, actions=upshot.actions.shapes)
        problems = [
            *never_problems(automation),
            *(problem for at, name in events_of(automation) for problem in lookalike_problems(name, at)),
            *save_problems(automation, upshot.actions, upshot.settings.outbound_policy()),
        ]
        if tenant_id is not None and shapes_of(automation):
            with self._upshot.database.reading(tenant_id) as connection:
                problems += wait_problems(automation, lambda name: event_types.schema(connection, tenant_id, name))
        if tenant_id is not None and (automation.segment or automation.schedule is not None):
            with self._upshot.database.reading(tenant_id) as connection:
                problems += unknown_problems(connection, tenant_id, canonical)
        schedule = automation.schedule
        if schedule is not None:
            problems += problems_now(schedule, upshot.clock.now(), self._zone(tenant_id), "trigger.schedule")
        return problems

    def _zone(self, tenant_id: str | None) -> str:
        """The zone of this tenant's schedules that name none."""
        return self._upshot.engine.process.definitions.of_now(tenant_id).zone if tenant_id else "UTC"

    def _note_gaps(self, tenant_id: str, canonical: dict[str, Any], findings: Findings) -> None:
        shapes, event = self._upshot.actions.shapes, canonical["trigger"].get("event")
        automation = read_document(canonical, actions=shapes)
        for path, message in unknown_step_notes(automation, shapes):
            findings.note_translated(path, message)
        if event is None:
            return
        with self._upshot.database.reading(tenant_id) as connection:
            declared = event_types.read(connection, tenant_id, event)
        if declared is not None:
            for path, message in gap_notes(automation, shapes, declared.schema, declared.sample):
                findings.note_translated(path, message)

    def _warned(self, tenant_id: str, item: dict[str, Any]) -> dict[str, Any]:
        return {**item, "warnings": self._warnings(tenant_id, item, item["id"])}

    def _warnings(self, tenant_id: str, document: Mapping[str, Any], automation_id: str) -> list[dict[str, str]]:
        """The circles that this document makes with the tenant's active automations, each at one of its steps."""
        shapes = self._upshot.actions.shapes
        trigger, steps = document["trigger"], document["steps"]
        try:
            named = {
                "name": document["name"],
                "trigger": trigger,
                "steps": steps,
                "on_failure": document.get("on_failure"),
            }
            types = self._segment_types(tenant_id)
            own = circles.part_of(read_document(named), automation_id, shapes, types)
        except Refused:  # kept by a release that read it otherwise
            return []
        if not own.emits:
            return []
        found = circles.cycles(own, self._parts(tenant_id, types))
        return [{"path": path, "message": message} for path, message in found]

    def _segment_types(self, tenant_id: str) -> dict[str, str]:
        with self._upshot.database.reading(tenant_id) as connection:
            return segments.types(connection, tenant_id, is_dynamic=True)

    def _parts(self, tenant_id: str, types: Mapping[str, str] | None = None) -> Iterator[circles.Part]:
        """The tenant's active automations, as parts of the graph of what starts what; `types` are those of its segments."""
        known = self._upshot.engine.process.definitions.of_now(tenant_id)
        for listeners in known.listeners.values():
            for listener in listeners.by_id.values():
                automation = listener.program.automation
                yield circles.part_of(automation, listener.automation_id, self._upshot.actions.shapes, types or {})

    def _facts(self, tenant_id: str, event: str, data: dict[str, Any], entity: Mapping[str, str] | None) -> Facts:
        now = self._upshot.clock.now()
        known = self._upshot.engine.process.definitions.of_now(tenant_id)
        ref: tuple[str, str] | None = (entity["type"], entity["id"]) if entity is not None else None
        declared = known.event_types.get(event)
        if ref is None and declared is not None and declared.binding is not None:
            bound = declared.binding.entity_of(data)
            ref = (bound.type, bound.id) if bound is not None else None
        root: dict[str, Any] | None = None
        if ref is not None:
            key = (tenant_id, *ref)
            with self._upshot.database.reading(tenant_id) as connection:
                root = entities.read_roots(connection, [key]).get(key)
        about = {"type": ref[0], "id": ref[1]} if ref is not None else None
        return Facts(
            data=data,
            event={"id": "sample", "name": event, "ts": to_text(now), "data": data, "entity": about},
            now=now,
            zone=known.zone,
            entity=root,
            previous=as_object(data.get("previous")),
            changed=as_list(data.get("changed")),
            run={"id": "sample", "test": True},
            tenant={"id": tenant_id, "zone": known.zone},
        )

    @abstractmethod
    def _present(self, connection: Connection, tenant_id: str, automation_id: str) -> store.Automation: ...


def _is_server_owned(problem: Problem) -> bool:
    return problem.code == "unknown_field" and "." not in problem.path and "[" not in problem.path


def _exported(automation: store.Automation) -> dict[str, Any]:
    return {**automation.draft, **({"status": "active"} if automation.status == "active" else {})}


def _trials(actions: ActionRegistry) -> dict[str, Trial]:
    """The actions that may be performed by a dry run, for a while in all."""
    until = ticks() + TRIALS_SECONDS * SECOND

    def trial_of(action: Action, perform: Trial) -> Trial:
        def tried(arguments: dict[str, Any]) -> Any:
            if ticks() > until:
                raise Busy(f"the steps before took {TRIALS_SECONDS} s to try out")
            return perform(action.validate(decode(encode(arguments))))

        return tried

    return {action.name: trial_of(action, action.trial) for action in actions if action.trial is not None}
