"""Insights into an automation: how long its runs take, at which steps, what its conditions cost, and what could be better.
Everything is read when it is asked for, and nothing is kept."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from upshot.app.backtesting import Backtesting
from upshot.core.advice import RUNS_MIN, advise
from upshot.core.automations import read as read_document
from upshot.core.conditions import Condition
from upshot.core.facts import Facts
from upshot.core.insights import condition_figures, conditions_of, durations, step_figures, steps_read
from upshot.core.instants import to_text
from upshot.core.program import Program
from upshot.engine.live_run import facts_of
from upshot.store import entities, past_events
from upshot.store import insights as store
from upshot.store.insights import FinishedRun

RUNS_MAX: Final = 500
EVENTS_MAX: Final = 20
"""On the events of so many runs conditions are measured."""


class Insights(Backtesting):
    """The side of `upshot.automations` that looks at how its runs did."""

    def insights(self, tenant_id: str, automation_id: str, *, since: int | None = None) -> dict[str, Any]:
        """How the newest 500 runs of the live version ended that completed or failed (fewer if they did very much) and how
        long they took, its steps, the slowest first, its conditions, the costliest first, and advice, unless there were fewer
        than 20. Only runs created at `since` (microseconds UTC) or later count, and no test runs. One that was never published
        is told as its draft stands, without runs.

        Raises:
            NotFound: there is no such automation.
            Refused: its document cannot be read any more (an action is gone, say).
        """
        zone = self._upshot.engine.process.definitions.of_now(tenant_id).zone
        with self._upshot.database.reading(tenant_id) as connection:
            present = self._present(connection, tenant_id, automation_id)
            version, document = present.version, present.draft
            runs: list[FinishedRun] = []
            if version is not None:
                document = self._document(connection, tenant_id, automation_id, version)
                runs = store.finished(connection, tenant_id, automation_id, version, since or 0, RUNS_MAX)
            shapes = self._upshot.actions.shapes
            program = Program(read_document(document, actions=shapes), shapes)
            conditions = conditions_of(program)
            runs, spans = store.spans(connection, tenant_id, runs)
            facts = _facts(connection, tenant_id, zone, runs[:EVENTS_MAX], conditions.values()) if conditions else []
        steps = step_figures(program, spans)
        asked = condition_figures(conditions, facts)
        whole = durations(program, {run.id: (run.created_at, run.finished_at) for run in runs}, spans)
        return {
            "version": version,
            "runs": len(runs),
            "runs_needed": RUNS_MIN,
            "since": to_text(runs[-1].created_at) if runs else None,
            "outcomes": {status: sum(run.status == status for run in runs) for status in store.ENDED},
            "durations": msgspec.to_builtins(whole),
            "steps": [_without(msgspec.to_builtins(step), "independent") for step in steps],
            "conditions": [_without(msgspec.to_builtins(condition), "document") for condition in asked],
            "advice": msgspec.to_builtins(advise(len(runs), steps, asked)),
        }


def _without(told: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key != name}


def _facts(
    connection: Connection, tenant_id: str, zone: str, runs: Sequence[FinishedRun], conditions: Collection[Condition]
) -> list[Facts]:
    """What conditions read at the end of these runs, as far as their events are still kept. Entities are as they are now."""
    events = {past.event.id: past for past in past_events.read(connection, tenant_id, [run.event_id for run in runs])}
    about = {
        event_id: (tenant_id, past.event.entity.type, past.event.entity.id)
        for event_id, past in events.items()
        if past.event.entity is not None
    }
    roots = entities.read_roots(connection, sorted(set(about.values())))
    given = store.outputs(connection, tenant_id, [run.id for run in runs], sorted(steps_read(conditions)))
    found: list[Facts] = []
    for run in runs:
        past = events.get(run.event_id)
        if past is not None:
            entity = roots.get(about[run.event_id]) if run.event_id in about else None
            steps = {step_id: {"output": output} for step_id, output in given.get(run.id, {}).items()}
            facts = facts_of(past.event, now=past.accepted_at, zone=zone, entity=entity)
            found.append(msgspec.structs.replace(facts, steps=steps, run={"id": run.id, "test": False}))
    return found
