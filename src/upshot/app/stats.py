"""The stats noun: how many there are of what, by status."""

from typing import TYPE_CHECKING, Any

from upshot.store import automations, counts, outbox

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot


class Stats:
    """`upshot.stats`."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot

    def get(self, tenant_id: str) -> dict[str, Any]:
        """`{runs, events, outbox, automations}`, each with its counts by status, from one consistent view."""
        with self._upshot.database.reading() as connection:
            kept = counts.by_status(connection, tenant_id)
            return {
                "runs": _positive(kept.get("runs", {})),
                "events": _positive(kept.get("events", {})),
                "outbox": outbox.by_status(connection, tenant_id),
                "automations": automations.count_by_status(connection, tenant_id),
            }


def _positive(found: dict[str, int]) -> dict[str, int]:
    return {status: number for status, number in found.items() if number > 0}
