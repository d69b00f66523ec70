"""Moving: runs that are under way go on on another version of their automation, from where they stand. One transaction."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.core import advance, continuing
from upshot.core.automations.document import kind_of
from upshot.core.errors import Refused
from upshot.core.journal import WHOLE, Outcome
from upshot.core.program import Program
from upshot.core.statuses import RUN_OVER
from upshot.core.watches import Watching
from upshot.engine.live_run import facts_of
from upshot.store import entities, in_flight, journal, standing, waits
from upshot.store.journal import KeptRun

ProgramOf = Callable[[dict[str, Any]], Program]


class Moved(msgspec.Struct, frozen=True):
    """What became of the runs given: those that moved; those that a worker was at a step of; and why others cannot go on on
    that version, by run."""

    done: list[str]
    driven: list[str]
    refused: dict[str, str]


def move(
    connection: Connection,
    tenant_id: str,
    run_ids: Sequence[str],
    version: int,
    target: Program,
    program_of: ProgramOf,
    *,
    zone: str,
    now: int,
) -> Moved:
    """Let those of these runs that rest go on on `target`, the program of this version: each whose kept outcomes lead to the
    same open steps there. Their timers stay as they are, and what that version watches for is watched for. The others stay as
    they were."""
    stand = standing.lock(connection, [(tenant_id, run_id) for run_id in run_ids])
    left = [run_id for run_id in run_ids if run_id in stand and stand[run_id].status not in RUN_OVER]
    driven = [run_id for run_id in left if stand[run_id].is_driven]
    resting = [(tenant_id, run_id) for run_id in left if not stand[run_id].is_driven]
    programs: dict[int, Program | str] = {}
    refused: dict[str, str] = {}
    found = journal.load(connection, resting) if resting else []
    for kept in found:
        if kept.version not in programs:
            programs[kept.version] = _read(kept, program_of)
        why = _refusal(programs[kept.version], target, version, kept)
        if why is not None:
            refused[kept.run_id] = why
    done = [key for key in resting if key[1] not in refused]
    if done:
        in_flight.move(connection, done, version, has_limit=target.has_limit)
        waits.clear_watches(connection, done)
        if target.watching is not None:
            moved = [kept for kept in found if kept.run_id not in refused]
            waits.add(connection, _watched(connection, target.watching, moved, zone, now))
    return Moved([run_id for _, run_id in done], driven, refused)


def _watched(
    connection: Connection, watching: Watching, moved: Sequence[KeptRun], zone: str, now: int
) -> list[waits.Wait]:
    """What these runs watch for."""
    abouts = {kept.run_id: (kept.tenant_id, ref.type, ref.id) for kept in moved if (ref := kept.event.entity)}
    roots = entities.read_roots(connection, sorted({*abouts.values()})) if watching.reads_entity else {}
    watched: list[waits.Wait] = []
    for kept in moved:
        about = abouts.get(kept.run_id)
        entity = roots.get(about) if about is not None else None
        watches = watching.of(facts_of(kept.event, now=now, zone=zone, entity=entity))
        watched += waits.waits_of(kept.tenant_id, kept.run_id, watches, now, test=kept.test)
    return watched


def _read(kept: KeptRun, program_of: ProgramOf) -> Program | str:
    if kept.document is None:
        return f"version {kept.version}, which it is on, is gone"
    try:
        return program_of(msgspec.json.decode(kept.document))
    except Refused as refused:
        return f"version {kept.version}, which it is on, cannot be read: {refused}"


def _refusal(own: Program | str, target: Program, version: int, kept: KeptRun) -> str | None:
    """Why this run cannot go on there; None when it can."""
    if isinstance(own, str):
        return own
    try:
        state = advance.resume(own, kept.journal)[0]
    except advance.OutOfOrder as error:
        return f"what was kept of it cannot be read: {error}"
    there = continuing.state_after(target, [(outcome, _kind(own, outcome)) for outcome in kept.journal])
    if there is None:
        return f"version {version} does not come to where it stands by what was kept of it"
    if set(there.open) != set(state.open):
        return f"version {version} stands at {_listed(there)} after what was kept of it, and not at {_listed(state)}"
    for step_id in state.open:
        if kind_of(own.steps[step_id]) != kind_of(target.steps[step_id]):
            return f"step {step_id!r} is of another kind in version {version}"
    return None


def _kind(program: Program, outcome: Outcome) -> str:
    return "" if outcome.step_id == WHOLE else kind_of(program.steps[outcome.step_id])


def _listed(state: advance.State) -> str:
    return ", ".join(repr(step_id) for step_id in state.open[:5]) or "nothing"
