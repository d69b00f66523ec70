"""The engine as the benchmarks drive it: an automation of three trivial actions, and a clock on what happens.

It runs as the product's own processes do, on uvloop with a switch interval of 0.5 ms, through the same doors that a
host uses; nothing is left out and nothing is set that a host could not set.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy

from upshot.app.upshot import Upshot
from upshot.cli.server import settle_memory, tune
from upshot.core.instants import from_text

TENANT = "default"
EVENT = "clinic/appointment.created"
FINISH_WITHIN_SECONDS = 600.0

CONDITION = {
    "combinator": "and",
    "rules": [{"field": "appointment.status", "operator": "equals", "value": "scheduled"}],
}
PATIENT = {"patientId": "{{ appointment.patientId }}"}

WOKEN = """
    SELECT steps.started_at, json_extract(events.data, '$.appointment.remindAt') FROM upshot_steps steps
    JOIN upshot_runs runs ON runs.tenant_id = steps.tenant_id AND runs.id = steps.run_id
    JOIN upshot_events events ON events.tenant_id = runs.tenant_id AND events.id = runs.event_id
    WHERE steps.step_id = 'remind'
"""


def automation(*, delay: str | dict[str, Any] | None = None) -> dict[str, Any]:
    """Three trivial actions, each with one argument that is one placeholder; with `delay`, a sleep after the first."""
    steps: list[dict[str, Any]] = [
        {"id": name, "action": f"bench_{name}", "with": PATIENT} for name in ("note", "remind", "report")
    ]
    if delay is not None:
        steps.insert(1, {"id": "later", "delay": delay})
    return {"name": "Booked", "trigger": {"event": EVENT}, "condition": CONDITION, "steps": steps}


def event(key: str, **more: Any) -> dict[str, Any]:
    """One event, as a host would emit it; `key` comes back in the actions."""
    appointment = {"id": f"a-{key}", "patientId": key, "status": "scheduled", "slot": "2026-11-21T09:00:00Z", **more}
    return {"name": EVENT, "data": {"appointment": appointment}}


class MeasuredEngine:
    """A running engine, and when the first and third actions of its runs were performed (by the monotonic clock)."""

    def __init__(self, upshot: Upshot) -> None:
        self.upshot = upshot
        self.first_began: dict[str, float] = {}
        self.ended = 0
        self._declare()

    async def accept(self, events: Sequence[dict[str, Any]]) -> None:
        """Give these events; returns when they are committed."""
        await self.upshot.events.accept_async(TENANT, events)

    async def until_ended(self, count: int) -> None:
        """Wait until so many runs in all have performed their third step and every completion is committed."""
        give_up_at = time.perf_counter() + FINISH_WITHIN_SECONDS
        while self.ended < count or not self.upshot.engine.run.is_idle():
            if time.perf_counter() > give_up_at:
                raise SystemExit(f"only {self.ended} of {count} runs ended in {FINISH_WITHIN_SECONDS:.0f} s")
            await asyncio.sleep(0.002)

    def count(self, query: str) -> int:
        """A count from the database."""
        with self.upshot.database.reading() as connection:
            return connection.execute(sqlalchemy.text(query)).scalar_one()

    def wake_lateness(self) -> list[float]:
        """Milliseconds from the instant each run slept until (`remindAt` in its event) to the start of the next step."""
        with self.upshot.database.reading() as connection:
            found = connection.execute(sqlalchemy.text(WOKEN)).all()
        return [(began_at - from_text(until, "remindAt")) / 1_000 for began_at, until in found]

    def check_kept(self, *, runs: int, steps_each: int = 3) -> None:
        """End the process when not exactly so many runs are completed, or a step of theirs is not kept."""
        completed = self.count("SELECT count(*) FROM upshot_runs WHERE status = 'completed'")
        steps = self.count("SELECT count(*) FROM upshot_steps WHERE status = 'completed'")
        if (completed, steps) != (runs, runs * steps_each):
            raise SystemExit(f"{completed} of {runs} runs are completed, {steps} steps kept: the figure is worthless.")

    def _declare(self) -> None:
        async def note(args: dict[str, Any], context: Any) -> dict[str, Any]:
            self.first_began[args["patientId"]] = time.perf_counter()
            return {"noted": args["patientId"], "attempt": context.attempt}

        async def remind(args: dict[str, Any], context: Any) -> dict[str, Any]:
            return {"reminded": args["patientId"], "attempt": context.attempt}

        async def report(args: dict[str, Any], context: Any) -> dict[str, Any]:
            self.ended += 1
            return {"reported": args["patientId"], "attempt": context.attempt}

        for name, perform in (("note", note), ("remind", remind), ("report", report)):
            self.upshot.action(f"bench_{name}")(perform)


@asynccontextmanager
async def run_engine(url: str, document: dict[str, Any] | None = None) -> AsyncGenerator[MeasuredEngine]:
    """A started engine on this database with one active automation (the three actions, if none is given)."""
    tune()
    upshot = Upshot(url)
    upshot.migrate()
    engine = MeasuredEngine(upshot)
    if engine.count("SELECT count(*) FROM upshot_automations") == 0:
        upshot.automations.create(TENANT, {**(document or automation()), "status": "active"})
    await upshot.start_async()
    settle_memory()
    try:
        yield engine
    finally:
        await upshot.stop_async()
        upshot.close()
