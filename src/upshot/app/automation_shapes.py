"""Automations as every surface shows them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from upshot.core.instants import to_text
from upshot.core.queues import QUEUE
from upshot.store import automations as store
from upshot.store import counts, run_pages


def automation_items(
    connection: Connection, tenant_id: str, automations: Sequence[store.Automation]
) -> list[dict[str, Any]]:
    """These automations with how they did: last run, how many runs ended, and the share of them that completed."""
    ids = [automation.id for automation in automations]
    ended = counts.by_subject(connection, tenant_id, "automation", ids)
    last = run_pages.last_of_automations(connection, tenant_id, ids)
    return [_item(automation, ended[automation.id], last.get(automation.id)) for automation in automations]


def audited(automation: store.Automation) -> dict[str, Any]:
    """An automation as the audit keeps it."""
    return {
        "status": automation.status,
        "version": automation.version,
        "draft_revision": automation.draft_revision,
        "document": automation.draft,
        "is_deleted": automation.deleted_at is not None,
    }


def version_item(version: store.Version) -> dict[str, Any]:
    """One published version."""
    return {
        "version": version.version,
        "document": version.document,
        "published_at": to_text(version.published_at),
        "published_by": version.published_by,
    }


def _item(automation: store.Automation, ended: dict[str, int], last: tuple[str, str, int] | None) -> dict[str, Any]:
    draft, run_count = automation.draft, sum(ended.values())
    return {
        "id": automation.id,
        "name": automation.name,
        "description": draft.get("description", ""),
        "status": automation.status,
        "priority": automation.priority,
        "trigger": draft["trigger"],
        "condition": draft.get("condition"),
        "steps": draft["steps"],
        "on_failure": draft.get("on_failure"),
        "flow": draft.get("flow"),
        "queue": draft.get("queue", QUEUE),
        "timeout": draft.get("timeout"),
        "cancel_on": draft.get("cancel_on", []),
        "goal": draft.get("goal"),
        "exit": draft.get("exit"),
        "folder": draft.get("folder"),
        "tags": draft.get("tags", []),
        "version": automation.version,
        "draft_revision": automation.draft_revision,
        "has_draft_changes": automation.draft_revision != automation.published_revision,
        "created_by": automation.created_by,
        "created_at": to_text(automation.created_at),
        "updated_at": to_text(automation.updated_at),
        "deleted_at": to_text(automation.deleted_at) if automation.deleted_at is not None else None,
        "last_run": {"id": last[0], "status": last[1], "at": to_text(last[2])} if last is not None else None,
        "run_count": run_count,
        "warnings": [],
        "success_rate": ended.get("completed", 0) / run_count if run_count else None,
    }
