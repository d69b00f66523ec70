"""What must hold of the stored state at every instant, whatever crashed. Checked by the tests after each fault.

The names are those of the reliability plan: I1 one event per id that a host gave, I3 one run per event and automation, I4
statuses along the table, I5 one kept outcome per place in a journal and no change of it, I9 a step is kept once, I11 nothing
is lost between accept and its end, I15 what a run waits for and has come is not waited for, I16 a step calls once, and the end
of what it called is known to whoever waits for it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from upshot.core.automations.document import CALLED
from upshot.core.journal import WHOLE
from upshot.core.statuses import RUN, RUN_OVER
from upshot.core.waits import RUN_ENDED

ASLEEP = 1
"""`active.parked` of a run that sleeps until a timer; of a paused run it is 2."""


class Snapshot(msgspec.Struct, frozen=True):
    """The rows of the tables that the invariants speak of, as mappings by column name."""

    events: Sequence[Mapping[str, Any]]
    unmatched: Sequence[Mapping[str, Any]]
    runs: Sequence[Mapping[str, Any]]
    active: Sequence[Mapping[str, Any]]
    steps: Sequence[Mapping[str, Any]]
    timers: Sequence[Mapping[str, Any]]
    waits: Sequence[Mapping[str, Any]] = ()


def violations(snapshot: Snapshot) -> list[str]:
    """Every invariant that does not hold, in words; empty when all is well."""
    found = list(_one_event_per_id(snapshot.events)) + list(_one_run_per_cause(snapshot.runs))
    found += _active_are_the_unfinished(snapshot)
    found += _journals_are_whole(snapshot.steps)
    found += _timers_belong_to_the_unfinished(snapshot)
    found += _calls_are_single_and_answered(snapshot)
    found += _finished_have_an_end(snapshot.runs)
    known = {(event["tenant_id"], event["id"]) for event in snapshot.events}
    found += [
        f"I11: unmatched event {e['event_id']} is not kept" for e in snapshot.unmatched if _event_key(e) not in known
    ]
    found += [f"I11: run {run['id']} has lost its event" for run in snapshot.runs if _event_key(run) not in known]
    return found


def moves(before: Snapshot, after: Snapshot) -> list[str]:
    """What changed from one snapshot to a later one and never may: the moves of runs, and what was kept (I4, I5). Rows that
    are gone were pruned."""
    statuses = {(run["tenant_id"], run["id"]): run["status"] for run in before.runs}
    found = [
        f"I4: run {run['id']} went from {was} to {run['status']}"
        for run in after.runs
        if (was := statuses.get((run["tenant_id"], run["id"]), run["status"])) != run["status"]
        and run["status"] not in _reachable(was)
    ]
    kept = {(step["tenant_id"], step["run_id"], step["seq"]): step for step in before.steps}
    found += [
        f"I5: kept step {was} became {step}"
        for step in after.steps
        if (was := kept.get((step["tenant_id"], step["run_id"], step["seq"]), step)) != step
    ]
    events = {_id_key(event): event for event in before.events}
    return found + [
        f"I5: event {was} became {event}"
        for event in after.events
        if (was := events.get(_id_key(event), event)) != event
    ]


@cache
def _reachable(status: str) -> frozenset[str]:
    """Every status that a run may come to from this one, in any number of moves."""
    found: set[str] = set()
    ahead = [status]
    while ahead:
        new = RUN[ahead.pop()] - found
        found |= new
        ahead.extend(new)
    return frozenset(found)


def _id_key(row: Mapping[str, Any]) -> tuple[Any, Any]:
    return row["tenant_id"], row["id"]


def _one_event_per_id(events: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    given = ((event["tenant_id"], event["source_id"]) for event in events if event["source_id"] is not None)
    return (f"I1: {number} events of id {key}" for key, number in Counter(given).items() if number > 1)


def _event_key(row: Mapping[str, Any]) -> tuple[Any, Any]:
    return row["tenant_id"], row["event_id"]


def _one_run_per_cause(runs: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    counted = Counter((run["tenant_id"], run["event_id"], run["automation_id"]) for run in runs)
    return (f"I3: {number} runs of {key}" for key, number in counted.items() if number > 1)


def _active_are_the_unfinished(snapshot: Snapshot) -> Iterable[str]:
    unfinished = {(run["tenant_id"], run["id"]) for run in snapshot.runs if run["status"] not in RUN_OVER}
    active = {(row["tenant_id"], row["run_id"]) for row in snapshot.active}
    yield from (f"I11: run {key} is unfinished and nobody will drive it" for key in sorted(unfinished - active))
    yield from (f"I4: run {key} is over and still active" for key in sorted(active - unfinished))


def _journals_are_whole(steps: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    journals: dict[tuple[Any, Any], list[tuple[int, str]]] = {}
    for step in steps:
        journals.setdefault((step["tenant_id"], step["run_id"]), []).append((step["seq"], step["step_id"]))
    for key, kept in journals.items():
        if [seq for seq, _ in sorted(kept)] != list(range(len(kept))):
            yield f"I5: the journal of run {key} has gaps or doubles: {sorted(kept)}"
        doubled = [step_id for step_id, number in Counter(step_id for _, step_id in kept).items() if number > 1]
        if doubled:
            yield f"I9: run {key} kept steps {doubled} more than once"


def _run_key(row: Mapping[str, Any]) -> tuple[Any, Any]:
    return row["tenant_id"], row["run_id"]


def _timers_belong_to_the_unfinished(snapshot: Snapshot) -> Iterable[str]:
    parked = {(row["tenant_id"], row["run_id"]): row["parked"] for row in snapshot.active if row["parked"]}
    active = {(row["tenant_id"], row["run_id"]) for row in snapshot.active}
    timed = {(row["tenant_id"], row["run_id"]) for row in snapshot.timers}
    asleep = {key for key, how in parked.items() if how == ASLEEP}
    woken = {(row["tenant_id"], row["run_id"]) for row in snapshot.timers if row["step_id"] != WHOLE}
    of_steps = [row for row in snapshot.waits if row["kind"] == "step"]
    # A run is woken a moment after the end of the one it called, in a transaction of its own.
    waiting = {_run_key(row) for row in of_steps if row["met_by"] is None or row["event_name"] == RUN_ENDED}
    events = [row for row in of_steps if row["event_name"] != RUN_ENDED]
    met = {_run_key(row) for row in events if row["met_by"] is not None}
    yield from (f"I12: run {key} sleeps and nothing can wake it" for key in sorted(asleep - woken - waiting))
    yield from (f"I15: run {key} sleeps though what it waits for has come" for key in sorted(asleep & met))
    waited = {_run_key(row) for row in snapshot.waits}
    yield from (f"I15: run {key} waits for an event though it is over" for key in sorted(waited - active))
    yield from (f"I8: a timer of run {key} is set though it is over" for key in sorted(timed - active))
    paused = {(run["tenant_id"], run["id"]) for run in snapshot.runs if run["status"] == "paused"}
    held_back = parked.keys() - asleep
    yield from (f"I4: run {key} is paused in one place and not in another" for key in sorted(paused ^ held_back))


def _calls_are_single_and_answered(snapshot: Snapshot) -> Iterable[str]:
    causes = Counter(
        (event["tenant_id"], event["cause_run_id"], event["cause_step_id"])
        for event in snapshot.events
        if event["name"].startswith(CALLED) and event["cause_step_id"] is not None
    )
    yield from (f"I16: step {cause} called {number} times" for cause, number in causes.items() if number > 1)
    statuses = {_id_key(run): run["status"] for run in snapshot.runs}
    for wait in snapshot.waits:
        if wait["event_name"] == RUN_ENDED:
            called = statuses.get((wait["tenant_id"], wait["match_key"]))
            if called is None or (called in RUN_OVER and wait["met_by"] is None):
                yield f"I16: the run that {wait} waits for is {called}"


def _finished_have_an_end(runs: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for run in runs:
        if (run["status"] in RUN_OVER) != (run["finished_at"] is not None):
            yield f"I4: run {run['id']} is {run['status']} with finished_at {run['finished_at']}"
