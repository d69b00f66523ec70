"""The engine as the benchmarks drive it: an automation of three trivial actions, and a clock on what happens.

It runs as the product's own processes do, on uvloop with a switch interval of 0.5 ms, through the same doors that a
host uses; nothing is left out and nothing is set that a host could not set.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy

from upshot.app.upshot import Upshot
from upshot.cli.server import settle_memory, tune
from upshot.core.instants import from_text

TENANT = "default"
EVENT = "clinic/appointment.created"
BESIDE = "beside-"
"""How the keys begin of events given beside what is measured: their runs are not counted in `ended`."""
FINISH_WITHIN_SECONDS = 300.0

CONDITION = {
    "combinator": "and",
    "rules": [{"field": "appointment.status", "operator": "equals", "value": "scheduled"}],
}
PATIENT = {"patientId": "{{ appointment.patientId }}"}

WOKEN = """
    SELECT steps.started_at, events.data FROM upshot_events events
    JOIN upshot_runs runs ON runs.tenant_id = events.tenant_id AND runs.event_id = events.id
    JOIN upshot_steps steps ON steps.tenant_id = runs.tenant_id AND steps.run_id = runs.id
    WHERE events.tenant_id = :tenant AND events.id > :after AND steps.step_id = 'remind'
"""
UNFINISHED = "SELECT (SELECT count(*) FROM upshot_unmatched) + (SELECT count(*) FROM upshot_active)"
KEPT_RUNS = "SELECT count(*) FROM upshot_runs WHERE status = 'completed'"
KEPT_STEPS = "SELECT count(*) FROM upshot_steps WHERE status = 'completed'"


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


def in_seconds(seconds: float) -> str:
    """The instant so many seconds from now, as JSON has it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def declare(upshot: Upshot, performed: Callable[[str, str], None]) -> None:
    """The three trivial actions; each calls `performed(step, key)` once, as its effect."""

    async def note(args: dict[str, Any], context: Any) -> dict[str, Any]:
        performed("1", args["patientId"])
        return {"noted": args["patientId"], "attempt": context.attempt}

    async def remind(args: dict[str, Any], context: Any) -> dict[str, Any]:
        performed("2", args["patientId"])
        return {"reminded": args["patientId"], "attempt": context.attempt}

    async def report(args: dict[str, Any], context: Any) -> dict[str, Any]:
        performed("3", args["patientId"])
        return {"reported": args["patientId"], "attempt": context.attempt}

    for name, perform in (("note", note), ("remind", remind), ("report", report)):
        upshot.action(f"bench_{name}")(perform)


class MeasuredEngine:
    """A running engine, and when the first and third actions of its runs were performed (by the monotonic clock)."""

    def __init__(self, upshot: Upshot) -> None:
        self.upshot = upshot
        self.first_began: dict[str, float] = {}
        self.ended = 0
        declare(upshot, self._performed)

    async def accept(self, events: Sequence[dict[str, Any]], tenant: str = TENANT) -> None:
        """Give these events; returns when they are committed."""
        await self.upshot.events.accept_async(tenant, events)

    async def until_ended(self, count: int) -> None:
        """Wait until so many runs in all have performed their third step and every completion is committed."""
        give_up_at = time.perf_counter() + FINISH_WITHIN_SECONDS
        while self.ended < count or not self.upshot.engine.run.is_idle():
            if time.perf_counter() > give_up_at:
                raise SystemExit(f"only {self.ended} of {count} runs ended in {FINISH_WITHIN_SECONDS:.0f} s")
            await asyncio.sleep(0.002)

    async def until_asleep(self, count: int, counted: str = "SELECT count(*) FROM upshot_timers") -> None:
        """Wait until so many runs sleep, as this query counts them."""
        give_up_at = time.perf_counter() + FINISH_WITHIN_SECONDS
        while (asleep := self.count(counted)) < count:
            if time.perf_counter() > give_up_at:
                raise SystemExit(f"only {asleep} of {count} runs fell asleep in {FINISH_WITHIN_SECONDS:.0f} s")
            await asyncio.sleep(0.2)

    def count(self, query: str) -> int:
        """A count from the database."""
        with self.upshot.database.reading() as connection:
            return connection.execute(sqlalchemy.text(query)).scalar_one()

    def kept(self) -> tuple[int, int]:
        """The completed runs and steps in the database."""
        return self.count(KEPT_RUNS), self.count(KEPT_STEPS)

    def latest_event(self, tenant: str = TENANT) -> str:
        """The id of the event of this tenant that was accepted last."""
        query = sqlalchemy.text("SELECT max(id) FROM upshot_events WHERE tenant_id = :tenant")
        with self.upshot.database.reading() as connection:
            return connection.execute(query, {"tenant": tenant}).scalar_one() or ""

    def wake_lateness(self, after: str = "", tenant: str = TENANT) -> list[float]:
        """Milliseconds from the instant each run slept until (`remindAt` in its event) to the start of the next step, of
        the events after this one."""
        with self.upshot.database.reading() as connection:
            found = connection.execute(sqlalchemy.text(WOKEN), {"after": after, "tenant": tenant}).all()
        until = [msgspec.json.decode(data)["appointment"]["remindAt"] for _, data in found]
        return [(row[0] - from_text(instant, "remindAt")) / 1_000 for row, instant in zip(found, until, strict=True)]

    def check_kept(self, *, runs: int, steps_each: int = 3, before: tuple[int, int] = (0, 0)) -> None:
        """End the process when not exactly so many more runs are completed than before, or a step of theirs is not kept."""
        have = self.kept()
        completed, steps = have[0] - before[0], have[1] - before[1]
        if (completed, steps) != (runs, runs * steps_each):
            raise SystemExit(f"{completed} of {runs} runs are completed, {steps} steps kept: the figure is worthless.")

    def _performed(self, step: str, key: str) -> None:
        if step == "1":
            self.first_began[key] = time.perf_counter()
        elif step == "3" and not key.startswith(BESIDE):
            self.ended += 1


def prepare(upshot: Upshot, document: dict[str, Any] | None = None, tenant: str = TENANT) -> None:
    """Bring the schema, the tenant and its one active automation (the three actions, if none is given)."""
    upshot.migrate()
    upshot.tenants.ensure(tenant)
    if not upshot.automations.page(tenant).items:
        upshot.automations.create(tenant, {**(document or automation()), "status": "active"})


@asynccontextmanager
async def run_engine(url: str, document: dict[str, Any] | None = None) -> AsyncGenerator[MeasuredEngine]:
    """A started engine on this database with one active automation (the three actions, if none is given)."""
    tune()
    upshot = Upshot(url)
    engine = MeasuredEngine(upshot)
    prepare(upshot, document)
    await upshot.start_async()
    settle_memory()
    try:
        yield engine
    finally:
        await upshot.stop_async()
        upshot.close()
