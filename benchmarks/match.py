"""Matching one event against 10,000 automations that listen to the same event type, about 10 of which start.

Two populations. "Equality and ranges": each automation names its clinic, a status and a range of minutes. "Mixed": one
in a hundred asks only what no index can answer (a text that contains another, a pattern), and so is looked at each time.
"""

import random
import time
from typing import Any

from figures import percentile, say, show
from options import read_options

from upshot.core.conditions import MatchIndex, compile_condition
from upshot.core.facts import Facts
from upshot.core.instants import to_text

AUTOMATIONS = 10_000
CLINICS = 1_000
EVENTS = 2_000
NOW = 1_800_000_000_000_000
STATUSES = ("scheduled", "confirmed", "cancelled", "completed")


def leaf(field: str, operator: str, value: Any) -> dict[str, Any]:
    """One comparison."""
    return {"field": f"appointment.{field}", "operator": operator, "value": value}


def indexed(number: int, chance: random.Random) -> dict[str, Any]:
    """A condition that equality and ranges decide: one clinic, two of the statuses or any, at least so many minutes."""
    rules = [leaf("clinicId", "equals", f"clinic-{number % CLINICS}"), leaf("minutes", "greater_than_or_equal", 10)]
    if chance.random() < 0.5:
        rules.append(leaf("status", "in", ["scheduled", "confirmed", "completed"]))
    if chance.random() < 0.3:
        rules.append(
            {"combinator": "or", "rules": [leaf("kind", "equals", "surgery"), leaf("minutes", "less_than", 110)]}
        )
    return {"combinator": "and", "rules": rules}


def unindexed(number: int) -> dict[str, Any]:
    """A condition that no index can answer."""
    if number % 2:
        return {"combinator": "and", "rules": [leaf("reason", "contains", f"code {number}")]}
    return {"combinator": "and", "rules": [leaf("reason", "regex", f"^visit .* code {number}$")]}


def facts(chance: random.Random) -> Facts:
    """What the conditions of one event's listeners read."""
    appointment = {
        "id": "a-1",
        "clinicId": f"clinic-{chance.randrange(CLINICS)}",
        "status": chance.choice(STATUSES),
        "kind": chance.choice(["visit", "surgery", "checkup"]),
        "minutes": chance.randrange(10, 120),
        "reason": f"visit for code {chance.randrange(AUTOMATIONS)}",
        "patientId": "p-1",
    }
    data = {"appointment": appointment}
    event = {"id": "e-1", "name": "clinic/appointment.created", "ts": to_text(NOW), "data": data, "entity": None}
    return Facts(data=data, event=event, now=NOW)


def measure(name: str, documents: list[dict[str, Any]]) -> None:
    """Build the index, match the events, compare some with a plain loop, print the figures."""
    began = time.perf_counter()
    conditions = [compile_condition(document) for document in documents]
    compiled = time.perf_counter()
    index = MatchIndex([(str(rank), rank, condition) for rank, condition in enumerate(conditions)])
    built = time.perf_counter()
    chance = random.Random(7)
    events = [facts(chance) for _ in range(EVENTS)]
    for event in events[:100]:
        expected = [str(rank) for rank, condition in enumerate(conditions) if condition.fast(event)]
        if index.match(event) != expected:
            raise SystemExit(f"the index and a plain loop over {name} disagree: the figure is worthless")
    spent: list[float] = []
    matched = 0
    for event in events:
        before = time.perf_counter_ns()
        matched += len(index.match(event))
        spent.append((time.perf_counter_ns() - before) / 1_000)
    say(f"{name}: {matched / EVENTS:.1f} of {AUTOMATIONS:,} match, p99 {percentile(spent, 0.99):.0f} microseconds")
    show(f"match 10,000 automations, {name} p50", percentile(spent, 0.5), "us", store="none")
    show(f"match 10,000 automations, {name} p99", percentile(spent, 0.99), "us", store="none")
    show(f"compile 10,000 conditions, {name}", 1_000 * (compiled - began), "ms", store="none")
    show(f"build the index of 10,000, {name}", 1_000 * (built - compiled), "ms", store="none")


def main() -> None:
    """Measure both populations."""
    read_options(__doc__, stores=())
    chance = random.Random(1)
    plain = [indexed(number, chance) for number in range(AUTOMATIONS)]
    measure("equality and ranges", plain)
    mixed = [unindexed(number) if number % 100 < 1 else plain[number] for number in range(AUTOMATIONS)]
    measure("mixed", mixed)


if __name__ == "__main__":
    main()
