"""Dead letters as every surface shows them."""

from typing import Any

from upshot.core.instants import to_text
from upshot.store.letter_pages import Group, LetterRow

NOUN_OF = {"event": "event", "run": "run", "delivery": "outbox"}


def letter_item(letter: LetterRow) -> dict[str, Any]:
    """One letter of a list."""
    return {
        "id": letter.id,
        "kind": letter.kind,
        "reference": {"noun": NOUN_OF[letter.kind], "id": letter.noun_id},
        "status": letter.status,
        **_cause(letter),
        "version": letter.version,
        "event": _event(letter),
        "attempts": letter.strikes,
        "first_at": to_text(letter.created_at),
        "last_at": to_text(letter.last_at),
        "updated_at": to_text(letter.updated_at),
        "actor": letter.who,
        "reason": letter.why,
        "replay_id": letter.replay_id,
    }


def group_item(group: Group) -> dict[str, Any]:
    """One group of letters."""
    return {
        **_cause(group.latest),
        "kind": group.latest.kind,
        "event_name": group.latest.event_name,
        "count": group.number,
        "first_at": to_text(group.first_at),
        "last_at": to_text(group.last_at),
        "latest_id": group.latest.id,
    }


def _cause(letter: LetterRow) -> dict[str, Any]:
    automation = None
    if letter.automation_id is not None:
        automation = {"id": letter.automation_id, "name": letter.automation_name or ""}
    return {
        "fingerprint": letter.fingerprint,
        "code": letter.code,
        "message": letter.error,
        "automation": automation,
        "step_id": letter.step_id,
    }


def _event(letter: LetterRow) -> dict[str, Any] | None:
    if letter.event_name is None:
        return None
    return {"id": letter.event_source_id or letter.event_id, "name": letter.event_name}
