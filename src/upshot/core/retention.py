"""How long what is over is kept: the installation's days, a tenant's own, and the instants that follow from them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from upshot.core.automations.fields import as_object
from upshot.core.errors import Problem
from upshot.core.instants import DAY

DAYS_MAX: Final = 36_500
EVENT_KEYS_DAYS_MIN: Final = 7
"""Longer than any sender tries again: forgetting an id sooner would let a late repetition through."""
OF_TENANT: Final = ("runs_days", "events_days", "dead_letters_days", "audit_days", "event_keys_days")
"""What a tenant may have days of its own for."""
ON_REQUEST: Final = ("runs", "events", "dead_letters", "outbox")
"""What `prune --older-than` is about: neither the audit nor the memory of ids that were seen."""


@dataclass(frozen=True)
class Retention:
    """For how many days what is over is kept; 0 keeps it for ever."""

    runs_days: int = 90
    """Runs that are over, from their end, with their steps and attempts."""
    events_days: int = 90
    """Events, from their acceptance; one that a kept run stands on is kept with it."""
    dead_letters_days: int = 90
    """Dead letters that are resolved or discarded, from then on."""
    audit_days: int = 365
    """The audit."""
    event_keys_days: int = 180
    """The ids of events, by which a repetition is known; never forgotten before the event itself is gone."""
    outbox_days: int = 7
    """Outbox rows, from their publication."""

    def of_tenant(self, own: Mapping[str, Any]) -> "Retention":
        """The same for a tenant with these days of its own."""
        return Retention(**{known.name: own.get(known.name, getattr(self, known.name)) for known in fields(self)})

    def until(self, now: int) -> dict[str, int]:
        """For each kind the instant before which it may go; 0 when it is kept for ever."""
        days = {known.name.removesuffix("_days"): getattr(self, known.name) for known in fields(self)}
        return {kind: now - number * DAY if number else 0 for kind, number in days.items()}


def until_on_request(given: Retention, own: Mapping[str, Any], older_than: int, now: int) -> dict[str, int]:
    """As `Retention.until`, with what a request is about going at the age `older_than` (microseconds) instead of the
    installation's days. What a tenant has days of its own for is never given up before those."""
    until = given.of_tenant(own).until(now)
    for kind in ON_REQUEST:
        until[kind] = min(now - older_than, until[kind]) if f"{kind}_days" in own else now - older_than
    return until


def retention_problems(given: Any, at: str, known: tuple[str, ...] = OF_TENANT) -> list[Problem]:
    """What is wrong with days that somebody wrote; `at` names where they stand."""
    days = as_object(given)
    if days is None:
        return [Problem(at, "is an object", "wrong_type")]
    problems: list[Problem] = []
    for name, number in days.items():
        if name not in known:
            problems.append(
                Problem(f"{at}.{name}", f"is not kept for a time; there are {', '.join(known)}", "unknown_field")
            )
            continue
        low = EVENT_KEYS_DAYS_MIN if name == "event_keys_days" else 1
        if isinstance(number, bool) or not isinstance(number, int) or not (number == 0 or low <= number <= DAYS_MAX):
            problems.append(
                Problem(f"{at}.{name}", f"is from {low} to {DAYS_MAX} days, or 0: for ever", "out_of_range")
            )
    return problems
