"""Why each listening automation did or did not start: recomputed from the event, the versions that were live when it was
accepted, and the entity. What did start is told from its run, on the facts that the run kept."""

from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.core.automations.flow_control import outcome_words
from upshot.core.conditions import compile_condition
from upshot.core.errors import Refused
from upshot.core.events import DEPTH_MAX, EntityRef, Event
from upshot.core.facts import Facts
from upshot.core.flow import BATCHES
from upshot.core.flow.outcomes import CONTROL_OF
from upshot.core.instants import to_text
from upshot.core.segments import starting_condition
from upshot.engine.live_run import facts_of
from upshot.store import automations, entities, event_pages, flow, run_pages
from upshot.store.event_pages import EventRow
from upshot.store.run_pages import RunRow

LISTENERS_MAX = 500


class Known(msgspec.Struct, frozen=True):
    """What the store holds about an event and those who listened for it."""

    event: EventRow
    entity: dict[str, Any] | None
    standing: list[automations.StateAt]
    started: dict[str, RunRow]
    """By automation."""
    controlled: dict[str, flow.Outcome]
    """What flow control made of it, by automation."""
    documents: dict[str, dict[str, Any]]
    """Of runs that started otherwise than by listening, by run."""
    why_none: tuple[str, str] | None


def read(connection: Connection, tenant_id: str, event: EventRow) -> Known:
    """What `explain` needs. Conditions take their time, and are weighed when the transaction is over."""
    standing = automations.states_at(connection, tenant_id, event.name, event.accepted_at, LISTENERS_MAX)
    listening = {state.automation_id for state in standing}
    runs = run_pages.of_event(connection, tenant_id, event.id, LISTENERS_MAX)
    documents: dict[str, dict[str, Any]] = {}
    for run in runs:
        if run.automation_id not in listening or run.replay_id is not None:
            kept = automations.version(connection, tenant_id, run.automation_id, run.version)
            documents[run.id] = kept.document if kept is not None else {}
    return Known(
        event=event,
        entity=_entity(connection, tenant_id, event),
        standing=standing,
        started={run.automation_id: run for run in runs},
        controlled=flow.of_event(connection, tenant_id, event.id),
        documents=documents,
        why_none=_why_none(connection, tenant_id, event),
    )


def explain(known: Known, zone: str) -> dict[str, Any]:
    """`{event_id, automations: [...]}`, the highest priority first; at most 500 automations are told of."""
    event, started = known.event, dict(known.started)
    facts = facts_of(_as_event(event), now=event.accepted_at, zone=zone, entity=known.entity)
    told: list[dict[str, Any]] = []
    for state in known.standing:
        run, control = started.pop(state.automation_id, None), known.controlled.get(state.automation_id)
        if run is not None and run.replay_id is not None:
            item = _started_otherwise(run, known, facts)
        elif control is not None:
            item = _controlled(state, control, run, facts, event)
        else:
            item = _told(state, run, facts, event, known.why_none)
        told += [item] if item is not None else []
    told += [_started_otherwise(run, known, facts) for run in started.values()]
    return {"event_id": event.source_id or event.id, "automations": told}


def condition_explanation(document: dict[str, Any], facts: Facts) -> dict[str, Any] | None:
    """The explanation of a document's condition on these facts; None when it has none or it cannot be read any more."""
    condition = starting_condition(document["trigger"], document.get("condition"))
    if condition is None:
        return None
    try:
        return compile_condition(condition).explain(facts)
    except Refused:
        return None


def facts_of_run(run: RunRow, event: EventRow, zone: str) -> Facts:
    """What the condition of this run read when it started: for a run of a replay, the instant its event was accepted is now."""
    kept: dict[str, Any] = msgspec.json.decode(run.facts) if run.facts is not None else {}
    now = run.created_at if run.replay_id is None else event.accepted_at
    return facts_of(_as_event(event), now=now, zone=zone, entity=kept.get("entity"))


def _told(
    state: automations.StateAt, run: RunRow | None, facts: Facts, event: EventRow, why_none: tuple[str, str] | None
) -> dict[str, Any] | None:
    if run is not None:
        own = facts_of_run(run, event, facts.zone)
        explanation = condition_explanation(state.document, own) if state.document is not None else None
        return _item(state, "started", _because("Started", explanation), event, run.id, explanation)
    if state.status == "archived":
        return None
    if state.document is None:
        explanation = condition_explanation(state.draft, facts)
        reason = "Did not start: it was a draft that had never been published."
        return _item(state, "not_published", reason, event, None, explanation)
    explanation = condition_explanation(state.document, facts)
    if state.status == "paused":
        return _item(state, "paused", "Did not start: it was paused.", event, None, explanation)
    if why_none is not None:
        return _item(state, why_none[0], why_none[1], event, None, explanation)
    if explanation is not None and not explanation["result"]:
        outcome = "error" if explanation.get("error") else "condition_false"
        return _item(state, outcome, _because("Did not start", explanation), event, None, explanation)
    reason = (
        "Did not start, though the condition holds on what is known now: the entity or the automation changed between "
        "the event and its matching, or no worker can run this version."
    )
    return _item(state, "error", reason, event, None, explanation)


def _controlled(
    state: automations.StateAt, done: flow.Outcome, run: RunRow | None, facts: Facts, event: EventRow
) -> dict[str, Any]:
    """What flow control made of an event that matched."""
    document = state.document or {}
    explanation = condition_explanation(document, facts_of_run(run, event, facts.zone) if run is not None else facts)
    if done.reason is not None:
        item = _item(state, done.outcome, done.reason, event, None, explanation)
        return {**item, "key": done.key, "at": to_text(done.at)}
    rules: dict[str, Any] = document.get("flow") or {}
    run_id = done.run_id if done.run_id is not None or run is None else run.id
    reason = outcome_words(
        done.outcome,
        done.key,
        done.until,
        rules.get(CONTROL_OF[done.outcome]),
        has_run=run_id is not None,
        has_begun=run is not None and run.status != "pending",
    )
    outcome = "started" if done.outcome == "restarted" else done.outcome
    at = done.until if done.outcome == "throttled" and done.until is not None else done.at
    return {
        **_item(state, outcome, reason, event, run_id, explanation),
        "key": done.key or None,
        "at": to_text(at),
    }


def _started_otherwise(run: RunRow, known: Known, facts: Facts) -> dict[str, Any]:
    """A run of an automation that did not listen when the event was accepted, or did not start then: by hand, of a batch, of a
    replay, or published a moment later."""
    event, control, document = known.event, known.controlled.get(run.automation_id), known.documents[run.id]
    state = automations.StateAt(run.automation_id, run.automation_name or "", "active", run.version, document, document)
    if control is not None and run.status == "pending":
        return {**_controlled(state, control, run, facts, event), "replay_id": run.replay_id}
    own = facts if run.replay_id is None else facts_of_run(run, event, facts.zone)
    explanation = condition_explanation(document, own)
    reason = "Started by hand." if run.test else "Started."
    if run.replay_id is not None:
        reason = _because("Started by a replay", explanation)
    elif event.name.startswith(BATCHES):
        reason = f"Started: {len(facts.data.get('events') or ())} events were gathered."
    return {
        **_item(state, "started", reason, None, run.id, explanation),
        "at": to_text(run.created_at),
        "replay_id": run.replay_id,
    }


def _item(
    state: automations.StateAt,
    outcome: str,
    reason: str,
    event: EventRow | None,
    run_id: str | None,
    explanation: dict[str, Any] | None,
) -> dict[str, Any]:
    return {
        "automation_id": state.automation_id,
        "name": state.name,
        "version": state.version,
        "outcome": outcome,
        "reason": reason,
        "key": None,
        "at": to_text(event.accepted_at) if event is not None else None,
        "run_id": run_id,
        "replay_id": None,
        "explanation": explanation,
    }


def _because(said: str, explanation: dict[str, Any] | None) -> str:
    if explanation is None:
        return f"{said}: it has no condition."
    text = str(explanation.get("text") or "").strip().removeprefix("Did not match: ").removeprefix("Matched: ")
    return f"{said}: {text}" if text else f"{said}."


def _why_none(connection: Connection, tenant_id: str, event: EventRow) -> tuple[str, str] | None:
    """Why this event started nothing at all, if there is such a reason."""
    given_up = event_pages.given_up_of(connection, tenant_id, [event.id])
    if given_up:
        return "error", f"Did not start: the event could not be matched. {given_up[event.id]}"
    if event_pages.unmatched_of(connection, tenant_id, [event.id]):
        return "pending", "Not decided yet: the event waits to be matched."
    if event.depth > DEPTH_MAX:
        return (
            "loop_stopped",
            f"Did not start: {event.depth} events caused one another before it, which is taken for a loop.",
        )
    if event.test:
        return "test", "Did not start: the event belongs to a test run and starts nothing else."
    return None


def _entity(connection: Connection, tenant_id: str, event: EventRow) -> dict[str, Any] | None:
    if event.entity_type is None or event.entity_id is None:
        return None
    key = (tenant_id, event.entity_type, event.entity_id)
    return entities.read_roots(connection, [key]).get(key)


def _as_event(event: EventRow) -> Event:
    is_about = event.entity_type is not None and event.entity_id is not None
    return Event(
        tenant_id="",
        id=event.id,
        source_id=event.source_id,
        name=event.name,
        data=msgspec.json.decode(event.data),
        text=event.data,
        ts=event.ts,
        root_id=event.root_id,
        entity=EntityRef(event.entity_type or "", event.entity_id or "") if is_about else None,
        depth=event.depth,
        test=event.test,
    )
