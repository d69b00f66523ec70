"""The breaker: when runs cause run after run of one automation for one entity, further ones are not started.

What it counts are the runs themselves, so that nothing is to be reset: it opens by itself when enough of them lie further back
than its window. An event that nobody's run caused is never asked about.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection

from upshot.core.instants import SECOND
from upshot.store import flow, loops
from upshot.store.flow import Outcome
from upshot.store.loops import Pair
from upshot.store.runs import NewRun

if TYPE_CHECKING:
    from upshot.engine.decide import Matched


class Breaker(msgspec.Struct, frozen=True):
    """How many runs of one automation other runs may cause for one entity within so many seconds."""

    runs_max: int
    window_seconds: int


def without_loops(connection: Connection, matched: "Sequence[Matched]", now: int) -> list[NewRun]:
    """The runs of these matches that may start. Those that may not are kept as `loop_stopped`."""
    watched = {m.event.id: m.breaker for m in matched if m.breaker is not None}
    new = [run for m in matched for _, run in m.started]
    asked = sorted({_pair(run) for run in new if run.event_id in watched})
    if not asked:
        return new
    window = max(breaker.window_seconds for breaker in watched.values())
    counted = loops.count_caused(connection, asked, now - window * SECOND)
    kept: list[NewRun] = []
    stopped: list[Outcome] = []
    for run in new:
        breaker = watched.get(run.event_id)
        if breaker is None:
            kept.append(run)
            continue
        pair = _pair(run)
        if counted[pair] >= breaker.runs_max:
            stopped.append(_stopped(run, breaker, now))
        else:
            counted[pair] += 1
            kept.append(run)
    if stopped:
        flow.keep(connection, stopped)
    return kept


def _pair(run: NewRun) -> Pair:
    return run.tenant_id, run.entity_type or "", run.entity_id or "", run.automation_id


def _stopped(run: NewRun, breaker: Breaker, now: int) -> Outcome:
    about = f"{run.entity_type}:{run.entity_id}"
    reason = (
        f"Did not start: other runs caused {breaker.runs_max} runs of it for {about} within {breaker.window_seconds} s, "
        "which is taken for a loop. It starts again when fewer of them lie so short a time back."
    )
    return Outcome(run.tenant_id, run.event_id, run.automation_id, "loop_stopped", about, now, reason=reason)
