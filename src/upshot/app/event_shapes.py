"""Events and runs as every surface shows them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from upshot.core.commands import Reason
from upshot.core.events import DEPTH_MAX
from upshot.core.instants import SECOND, to_text
from upshot.store.event_pages import EventRow, Hop
from upshot.store.run_pages import RunRow, TimerRow


def event_item(event: EventRow, *, is_unmatched: bool, given_up: str | None, run_count: int) -> dict[str, Any]:
    """One event of a list."""
    return {
        "id": event.source_id or event.id,
        "name": event.name,
        "data": msgspec.json.decode(event.data),
        "ts": to_text(event.ts),
        "accepted_at": to_text(event.accepted_at),
        "entity": entity_ref(event.entity_type, event.entity_id),
        "status": _status(event, is_unmatched=is_unmatched, given_up=given_up),
        "marks": msgspec.json.decode(event.marks) if event.marks is not None else [],
        "cause": cause_of(event),
        "root_id": event.root_id,
        "depth": event.depth,
        "test": event.test,
        "run_count": run_count,
    }


def cause_of(event: EventRow) -> dict[str, str | None] | None:
    """The run, and the step of it, that caused this event."""
    return {"run_id": event.cause_run_id, "step_id": event.cause_step_id} if event.cause_run_id else None


def path_of(hops: Sequence[Hop]) -> list[dict[str, Any]]:
    """A chain of causes, from its root on."""
    return [
        {
            "event": {"id": hop.event_id, "name": hop.event_name},
            "run_id": hop.run_id,
            "automation": {"id": hop.automation_id, "name": hop.automation_name},
            "step_id": hop.step_id,
        }
        for hop in hops
    ]


def run_item(run: RunRow, timers: Sequence[TimerRow]) -> dict[str, Any]:
    """One run of a list; of its timers the first is the next."""
    timer = timers[0] if timers else None
    started_at = None if run.status == "pending" else run.created_at
    seconds = (run.finished_at - run.created_at) / SECOND if run.finished_at is not None else None
    event = {"id": run.event_source_id or run.event_id, "name": run.event_name} if run.event_name is not None else None
    return {
        "id": run.id,
        "automation": {"id": run.automation_id, "name": run.automation_name or "", "version": run.version},
        "status": run.status,
        "event": event,
        "entity": entity_ref(run.entity_type, run.entity_id),
        "test": run.test,
        "replay_id": run.replay_id,
        "created_at": to_text(run.created_at),
        "started_at": to_text(started_at) if started_at is not None else None,
        "finished_at": to_text(run.finished_at) if run.finished_at is not None else None,
        "duration_seconds": seconds,
        "error": error_of(run.error),
        "reason": reason_of(run.reason),
        "current_step": timer.step_id if timer is not None else None,
        "waiting_until": to_text(timer.due_at) if timer is not None else None,
    }


def entity_ref(type_: str | None, id_: str | None) -> dict[str, str] | None:
    """Which entity something is about."""
    return {"type": type_, "id": id_} if type_ is not None and id_ is not None else None


def error_of(text: str | None) -> dict[str, Any] | None:
    """A kept error: `{code, message, step_id}`."""
    if text is None:
        return None
    error: dict[str, Any] = msgspec.json.decode(text)
    return {"code": error["code"], "message": error["message"], "step_id": error.get("step_id")}


def reason_of(text: str | None) -> dict[str, Any] | None:
    """Why a run ended before its last step: `{code, message, event}`."""
    if text is None:
        return None
    reason = msgspec.json.decode(text, type=Reason)
    event = {"id": reason.event_id, "name": reason.event_name} if reason.event_id is not None else None
    return {"code": reason.code, "message": reason.message, "event": event}


def _status(event: EventRow, *, is_unmatched: bool, given_up: str | None) -> str:
    if given_up is not None:
        return "failed"
    if is_unmatched:
        return "pending"
    if event.depth > DEPTH_MAX:
        return "loop_stopped"
    return "invalid" if event.marks is not None else "matched"
