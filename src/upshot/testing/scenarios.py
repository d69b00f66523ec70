"""Plays scenarios: on the real engine, with time moved from one instant at which something is due to the next."""

from typing import Any

from upshot.app.upshot import DEFAULT_TENANT
from upshot.core.instants import SECOND, from_text
from upshot.core.packs import with_instants
from upshot.core.scenarios import Check, GivenEntity, Observed, Scenario, ScenarioEvent, differences
from upshot.testing.harness import PAGE, Harness


def play(scenario: Scenario, harness: Harness, *, tenant: str = DEFAULT_TENANT) -> list[str]:
    """Play the scenario to its last check; what was not as it says, one sentence each.

    What the scenario needs (a pack, automations) is installed before. Up to 200 runs and events are looked at.

    Raises:
        Refused: an entity or event of the scenario is not acceptable.
    """
    start = harness.clock.now()
    for entity in scenario.given:
        _create(entity, harness, tenant, start)
    told: list[str] = []
    for one in scenario.timeline:
        _move_to(start + one.offset, harness, tenant)
        if isinstance(one, Check):
            told += differences(one, _observed(one, harness, tenant))
        else:
            _emit(one, harness, tenant, start)
    return told


def _create(entity: GivenEntity, harness: Harness, tenant: str, start: int) -> None:
    fields = with_instants(entity.fields, start)
    harness.upshot.entities.create(tenant, entity.type, id=entity.id, fields=fields, tags=entity.tags)
    harness.settle()


def _emit(event: ScenarioEvent, harness: Harness, tenant: str, start: int) -> None:
    harness.emit(event.name, with_instants(event.data, start), tenant=tenant, id=event.id)


def _move_to(instant: int, harness: Harness, tenant: str) -> None:
    """What is due on the way happens when it is due, so that what follows from it is due when it would be."""
    while (due := _next_due(harness, tenant)) is not None and due <= instant:
        harness.advance(max(due - harness.clock.now(), 0) / SECOND)
        if _next_due(harness, tenant) == due:
            raise AssertionError(f"what was due at {due} did not happen")
    harness.advance((instant - harness.clock.now()) / SECOND)


def _next_due(harness: Harness, tenant: str) -> int | None:
    waiting = harness.upshot.runs.page(tenant, limit=PAGE, status="waiting").items
    scheduled = harness.upshot.schedules.page(tenant, limit=PAGE).items
    due = [run["waiting_until"] for run in waiting] + [schedule["due_at"] for schedule in scheduled]
    return min((from_text(at, "") for at in due if at is not None), default=None)


def _observed(check: Check, harness: Harness, tenant: str) -> Observed:
    entities: list[dict[str, Any]] = []
    for type_ in sorted({expected.type for expected in check.entities}):
        entities += harness.entities(type_, tenant=tenant)
    return Observed(harness.runs(tenant=tenant), entities, harness.events(tenant=tenant))
