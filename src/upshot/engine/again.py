"""Again: a run goes on past a step where it stands, with an output that a person gave; or a new run begins where another one
was. Each is one transaction."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from upshot.core.errors import Conflict, NotFound
from upshot.core.events import Event
from upshot.engine import control
from upshot.store import journal, standing, waits
from upshot.store.journal import KeptStep
from upshot.store.runs import NewRun
from upshot.store.standing import Standing


class Anew(msgspec.Struct, frozen=True):
    """A run to begin where another one was: its event, that nothing else is started by, and the outcomes it has behind it
    already."""

    event: Event
    run: NewRun
    kept: list[KeptStep]


SKIPPABLE = frozenset({"failed", "waiting", "paused", "pending"})


def hold_still(connection: Connection, tenant_id: str, run_id: str) -> Standing:
    """How a run stands of which a step is to be skipped. It stays so until the transaction ends.

    Raises:
        NotFound: there is no such run.
        Conflict: a worker is at a step of it, or it is over and did not fail.
    """
    stand = standing.lock(connection, [(tenant_id, run_id)]).get(run_id)
    if stand is None:
        raise NotFound("run", run_id)
    if stand.is_driven or stand.status not in SKIPPABLE:
        first = "" if stand.status == "paused" else "pause it first, and "
        hint = f"; {first}wait until the steps in flight have ended" if stand.is_driven else ""
        raise Conflict(f"No step of run {run_id!r} can be skipped: it is {stand.status}{hint}.")
    return stand


def skip(connection: Connection, stand: Standing, kept: KeptStep, who: str, now: int) -> None:
    """Keep this outcome of a run that was held still. The run goes on after it: at once or, if it is paused, when it is
    resumed.

    Raises:
        Conflict: it failed and cannot go on.
    """
    tenant_id, run_id = kept.tenant_id, kept.run_id
    if stand.status == "failed":
        moved = control.act(connection, tenant_id, [run_id], "retry", who, now)
        if moved.refused:
            raise Conflict(f"No step of run {run_id!r} can be skipped: {moved.refused[run_id]}.")
        key = tenant_id, run_id
        kept = msgspec.structs.replace(kept, seq=journal.next_seqs(connection, [key])[key])
    journal.remove_timers(connection, [(tenant_id, run_id, kept.step_id)])
    waits.remove(connection, [(tenant_id, run_id, kept.step_id)])
    journal.keep(connection, [kept])
    if stand.status == "waiting":
        control.make_ready(connection, tenant_id, {run_id: stand}, now)


def start(connection: Connection, anew: Sequence[Anew], now: int) -> None:
    """Begin these runs."""
    control.start_by_hand(connection, [(one.event, one.run) for one in anew], now)
    own = [
        msgspec.structs.replace(step, run_id=one.run.id, seq=seq) for one in anew for seq, step in enumerate(one.kept)
    ]
    if own:
        journal.keep(connection, own)
