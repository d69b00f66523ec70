"""What happens to the runs under way when a version is published: they finish where they are, move, or are cancelled."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.app.announce import announce
from upshot.app.changing import change
from upshot.core.automations import read
from upshot.core.program import Program
from upshot.engine import control, moving
from upshot.store import audit, automations, in_flight

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

InFlight = Literal["finish", "move", "cancel"]
BATCH_MAX: Final = 200
REASONS_SHOWN: Final = 20

Batch = Callable[[Connection, list[str]], tuple[list[str], list[str], dict[str, str]]]


def settle(upshot: "Upshot", tenant_id: str, item: dict[str, Any], action: InFlight, actor: str) -> dict[str, Any]:
    """Do this to the runs of this automation that are under way on other versions than its live one, 200 a transaction, and say
    what became of them. It may be done again: what is done is not done twice."""
    automation_id, version = item["id"], item["version"]
    with upshot.database.reading(tenant_id) as connection:
        count = in_flight.number(connection, tenant_id, automation_id, version)
        live = automations.version(connection, tenant_id, automation_id, version)
    told: dict[str, Any] = {"action": action, "count": count, "done": 0, "under_way": 0, "left": 0, "reasons": []}
    if action == "finish" or live is None:
        return {**told, "left": count}
    batch = (
        _cancel(upshot, tenant_id, actor) if action == "cancel" else _move(upshot, tenant_id, version, live.document)
    )
    after: str | None = ""
    while after is not None:
        after = _step(upshot, tenant_id, automation_id, version, after, batch, told, actor)
    if action == "cancel" or told["done"]:
        upshot.engine.claim_soon()
    return told


def _step(
    upshot: "Upshot",
    tenant_id: str,
    automation_id: str,
    version: int,
    after: str,
    batch: Batch,
    told: dict[str, Any],
    actor: str,
) -> str | None:
    """One transaction; the run it came to, None when there are no more."""
    now = upshot.clock.now()

    def write(connection: Connection) -> tuple[list[str], list[str], list[str], dict[str, str]]:
        chosen = in_flight.batch(connection, tenant_id, automation_id, version, after, BATCH_MAX)
        done, driven, refused = batch(connection, chosen) if chosen else ([], [], {})
        if done:
            counted = {"count": len(done), "version": version}
            action, before = f"{told['action']}_runs", {"runs": done}
            audit.add(
                connection, tenant_id, new_id(now), now, actor, action, "automation", automation_id, before, counted
            )
        return chosen, done, driven, refused

    chosen, done, driven, refused = change(upshot, tenant_id, write, is_alone=True)
    told["done"] += len(done)
    told["under_way"] += len(driven)
    told["left"] += len(refused)
    room = REASONS_SHOWN - len(told["reasons"])
    told["reasons"] += [{"id": run_id, "reason": why} for run_id, why in list(refused.items())[:room]]
    for run_id in done:
        upshot.engine.dropped(tenant_id, run_id)
        announce(upshot, tenant_id, "run", id=run_id)
    return chosen[-1] if len(chosen) == BATCH_MAX else None


def _cancel(upshot: "Upshot", tenant_id: str, actor: str) -> Batch:
    def batch(connection: Connection, chosen: list[str]) -> tuple[list[str], list[str], dict[str, str]]:
        moved = control.act(connection, tenant_id, chosen, "cancel", actor, upshot.clock.now())
        return list(moved.done), [], moved.refused

    return batch


def _move(upshot: "Upshot", tenant_id: str, version: int, document: dict[str, Any]) -> Batch:
    def program_of(given: dict[str, Any]) -> Program:
        return Program(read(given, actions=upshot.actions.shapes))

    target, zone = program_of(document), upshot.engine.process.definitions.of_now(tenant_id).zone

    def batch(connection: Connection, chosen: list[str]) -> tuple[list[str], list[str], dict[str, str]]:
        now = upshot.clock.now()
        moved = moving.move(connection, tenant_id, chosen, version, target, program_of, zone=zone, now=now)
        return moved.done, moved.driven, moved.refused

    return batch
