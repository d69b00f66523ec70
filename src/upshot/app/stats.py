"""The stats noun: how many there are of what, by status."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from upshot.core.statuses import AUTOMATION, DEAD_LETTER, RUN
from upshot.store import automations, counts, dead_letters, outbox

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot


class Stats:
    """`upshot.stats`."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot

    def get(self, tenant_id: str) -> dict[str, Any]:
        """`{runs, events, outbox, dead_letters, automations}`, each with its count of every status, from one consistent view.

        A test run counts while it is under way; how it ended does not count.
        """
        with self._upshot.database.reading(tenant_id) as connection:
            kept = counts.by_status(connection, tenant_id)
            return {
                "runs": _of_each(RUN, kept.get("runs", {})),
                "events": _of_each(["accepted"], kept.get("events", {})),
                "outbox": outbox.by_status(connection, tenant_id),
                "dead_letters": _of_each([*DEAD_LETTER, dead_letters.OVER_CAP], kept.get(dead_letters.NOUN, {})),
                "automations": _of_each(AUTOMATION, automations.count_by_status(connection, tenant_id)),
            }


def _of_each(statuses: Iterable[str], found: dict[str, int]) -> dict[str, int]:
    return {status: found.get(status, 0) for status in statuses}
