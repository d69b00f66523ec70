"""What the simulated tenants have segments for: one that steps and people change whom it means, one whose condition people
change, one that is kept by hand; and what is automated over them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from upshot import Upshot
from upshot.core.instants import SECOND, from_text
from upshot.engine import segment as finding

OPEN, TURNED, PICKED = "open", "turned", "picked"
SEGMENTED_FROM = 10_000
"""The first seed whose world has segments: those before it live as they did before there were any."""
PAGE, RECHECK = 2, 4 * SECOND
"""A world has few entities and is soon over."""


class Definition(NamedTuple):
    """A condition, and in words of our own whom it means: by the fields of an entity, and the time."""

    condition: dict[str, Any]
    holds: Callable[[dict[str, Any], int], bool]
    follows_clock: bool = False


def _turns(fields: dict[str, Any]) -> int:
    return from_text(fields["until"])


DEFINITIONS = (
    Definition({"field": "state", "operator": "equals", "value": "open"}, lambda fields, _: fields["state"] == "open"),
    Definition({"field": "state", "operator": "equals", "value": "paid"}, lambda fields, _: fields["state"] == "paid"),
    Definition({"field": "state", "operator": "not_equals", "value": "gone"}, lambda fields, _: fields["state"] != "gone"),
    Definition(
        {"field": "until", "operator": "before", "value": "now"}, lambda fields, now: _turns(fields) < now, True
    ),
    Definition(
        {"field": "until", "operator": "after", "value": "now"}, lambda fields, now: _turns(fields) > now, True
    ),
)  # fmt: skip
"""A segment says in its description which of these it has."""


def automations(retried: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What is automated over segments: one is kept by who joins and leaves another."""
    call = {"id": "only", "action": "call", "with": {"mark": "{{ entity.mark }}"}, **retried}
    given = {"type": "thing", "id": "{{ entity.id }}", "segment": PICKED}
    return {
        "joins": {
            "trigger": {"segment": OPEN, "on": "joined"},
            "steps": [{"id": "pick", "action": "add_to_segment", "with": given, **retried}],
        },
        "leaves": {
            "trigger": {"segment": OPEN, "on": "left"},
            "steps": [{"id": "drop", "action": "remove_from_segment", "with": given, **retried}],
        },
        "picked": {"trigger": {"segment": PICKED, "on": "joined"}, "steps": [call]},
        "turned": {"trigger": {"segment": TURNED, "on": "joined"}, "steps": [call]},
        "swept": {
            "trigger": {"schedule": {"run_at": "2027-01-15T08:00:03Z", "each": {"segment": OPEN}}},
            "steps": [{"id": "only", "delay": "0s"}],
        },
    }


def build(upshot: Upshot, tenant_id: str) -> None:
    """Make a tenant's segments, and find who is in them."""
    create = upshot.segments.create
    for number, name in enumerate((OPEN, TURNED)):
        condition = DEFINITIONS[number].condition
        create(tenant_id, name=name, entity_type="thing", condition=condition, description=str(number))
    create(tenant_id, name=PICKED, entity_type="thing", kind="manual")
    now = upshot.clock.now()
    with upshot.database.writing() as connection:
        for due in finding.begin(connection, now):
            page = finding.read_page(connection, due, now)
            finding.keep_page(connection, due, page, now, upshot.engine.process.worker_id)


@contextmanager
def small_pages() -> Iterator[None]:
    """Inside, members are found a few at a time, and looked for again soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finding, "PAGE", PAGE)
        patch.setattr(finding, "RECHECK", RECHECK)
        yield
