"""The audit noun: who changed what."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.app.listed import Listed, cut
from upshot.core.instants import to_text
from upshot.store import audit as store

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot


class Audit:
    """`upshot.audit`: reads the audit of a tenant."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot

    def add(
        self,
        connection: Connection,
        tenant_id: str,
        actor: str,
        action: str,
        noun: str,
        noun_id: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> None:
        """Keep one entry in the transaction of the change itself. `before` and `after` hold no secrets."""
        now = self._upshot.clock.now()
        store.add(connection, tenant_id, new_id(now), now, actor, action, noun, noun_id, before, after)

    def page(
        self,
        tenant_id: str,
        *,
        limit: int = 50,
        after: str | None = None,
        noun: str | None = None,
        noun_id: str | None = None,
    ) -> Listed:
        """The entries, newest first."""
        with self._upshot.database.reading(tenant_id) as connection:
            found = store.page(connection, tenant_id, after, limit + 1, noun=noun, noun_id=noun_id)
        entries, has_more = cut(found, limit)
        return Listed([_shown(entry) for entry in entries], entries[-1].id if has_more else None)


def _shown(entry: store.Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": to_text(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "noun": entry.noun,
        "noun_id": entry.noun_id,
        "before": entry.before,
        "after": entry.after,
    }
