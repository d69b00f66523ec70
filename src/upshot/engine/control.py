"""Control: what people do to runs. Each is one transaction that wins or loses against the worker that drives the run."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec
from sqlalchemy import Connection

from upshot.core.commands import Reason, StepError
from upshot.core.events import Event
from upshot.core.instants import SECOND
from upshot.core.statuses import DEAD_LETTER, RUN, RUN_OVER
from upshot.engine import letters
from upshot.store import calls, counts, hints, journal, letter_pages, reopening, run_pages, runs, standing, waits
from upshot.store.events import insert_events
from upshot.store.runs import NewRun
from upshot.store.standing import Standing

Action = Literal["cancel", "pause", "resume", "retry"]

BECOMES: dict[Action, str] = {"cancel": "cancelled", "pause": "paused", "resume": "pending", "retry": "pending"}
"""What a run must be able to become for the action."""
MISSING = "there is no such run"


class Moved(msgspec.Struct, frozen=True):
    """What became of the runs given: those that moved with their status before, and why others did not."""

    done: dict[str, str]
    refused: dict[str, str]


def act(connection: Connection, tenant_id: str, run_ids: Sequence[str], action: Action, who: str, now: int) -> Moved:
    """Do this to those of these runs whose status allows it.

    Cancel: no further step starts, and the outcome of one in flight is dropped; the runs that it called and waits for are
    cancelled with it. Pause: a step in flight ends and is kept, no
    further one starts, and timers that come due meanwhile do nothing until it is resumed. Resume: it goes on where it stands.
    Retry: a failed run goes on at the step that failed, under the same idempotency key. What was committed first wins.
    """
    stand = standing.lock(connection, [(tenant_id, run_id) for run_id in run_ids])
    refused = {run_id: why for run_id in run_ids if (why := _refusal(stand.get(run_id), action)) is not None}
    wanted = {run_id: stand[run_id] for run_id in run_ids if run_id not in refused}
    if wanted:
        refused |= _DO[action](connection, tenant_id, wanted, who, now)
    return Moved({run_id: one.status for run_id, one in wanted.items() if run_id not in refused}, refused)


def _refusal(one: Standing | None, action: Action) -> str | None:
    """Why a run that stands so cannot be treated so; None when it can."""
    if one is None:
        return MISSING
    if action == "resume" and one.status != "paused":
        return f"it is {one.status}; only a paused run is resumed"
    if action == "retry" and one.status != "failed":
        return f"it is {one.status}; only a failed run is retried"
    if BECOMES[action] not in RUN[one.status]:
        return f"it is {one.status} already"
    return None


def cancel_by(connection: Connection, event: Event, run_ids: Sequence[str], now: int) -> list[str]:
    """Cancel those of these runs that are not over, since this event came; those that were."""
    stand = standing.lock(connection, [(event.tenant_id, run_id) for run_id in run_ids])
    wanted = {run_id: one for run_id, one in stand.items() if _refusal(one, "cancel") is None}
    if wanted:
        _end(connection, event.tenant_id, wanted, now, event)
    return sorted(wanted)


def end(connection: Connection, tenant_id: str, run_id: str, status: str, reason: Reason, now: int) -> None:
    """End this run, which is held by whoever calls, in order and before its last step."""
    _end(connection, tenant_id, standing.lock(connection, [(tenant_id, run_id)]), now, status=status, reason=reason)


def _cancel(connection: Connection, tenant_id: str, wanted: dict[str, Standing], _who: str, now: int) -> dict[str, str]:
    _end(connection, tenant_id, wanted, now)
    return {}


def _end(
    connection: Connection,
    tenant_id: str,
    wanted: dict[str, Standing],
    now: int,
    event: Event | None = None,
    *,
    status: str = "cancelled",
    reason: Reason | None = None,
) -> None:
    keys, ended_by = [(tenant_id, run_id) for run_id in wanted], None
    if event is not None:
        message = f"Cancelled by the event {event.name}."
        reason, ended_by = Reason("cancelled_by_event", message, event.public_id, event.name), event.id
    runs.finish(connection, keys, status, now, reason=reason, ended_by=ended_by)
    journal.clear_timers(connection, keys)
    calls.end(connection, keys, status)
    cancel_called(connection, calls.awaited(connection, keys), now)
    waits.clear(connection, keys)
    changes = Counter((tenant_id, "runs", "", status) for one in wanted.values() if not one.test)
    changes.subtract((tenant_id, "runs", "", one.status) for one in wanted.values())
    counts.add(connection, changes, now)


def cancel_called(connection: Connection, awaited: Mapping[tuple[str, str, str], str], now: int) -> None:
    """Cancel the runs whose end these `(tenant, run, step)` wait for, and those that they wait for in turn."""
    children: dict[str, set[str]] = {}
    for (tenant_id, _, _), run_id in awaited.items():
        children.setdefault(tenant_id, set()).add(run_id)
    for tenant_id, run_ids in children.items():
        act(connection, tenant_id, sorted(run_ids), "cancel", "call", now)


def _pause(connection: Connection, tenant_id: str, wanted: dict[str, Standing], _who: str, now: int) -> dict[str, str]:
    standing.hold_back(connection, [(tenant_id, run_id) for run_id in wanted])
    _count(connection, tenant_id, wanted, dict.fromkeys(wanted, "paused"), now)
    return {}


def _resume(connection: Connection, tenant_id: str, wanted: dict[str, Standing], _who: str, now: int) -> dict[str, str]:
    after = {run_id: "running" if one.is_driven else "pending" for run_id, one in wanted.items()}
    for status in sorted(set(after.values())):
        keys = [(tenant_id, run_id) for run_id, becomes in after.items() if becomes == status]
        standing.let_go_on(connection, keys, status)
    _count(connection, tenant_id, wanted, after, now)
    hints.send(connection, hints.RUNS)
    return {}


def make_ready(connection: Connection, tenant_id: str, asleep: dict[str, Standing], now: int) -> None:
    """Let these runs, which are locked, sleep no longer: any worker may drive them on."""
    standing.let_go_on(connection, [(tenant_id, run_id) for run_id in asleep], "pending")
    _count(connection, tenant_id, asleep, dict.fromkeys(asleep, "pending"), now)
    hints.send(connection, hints.RUNS)


def _retry(connection: Connection, tenant_id: str, wanted: dict[str, Standing], who: str, now: int) -> dict[str, str]:
    """A run's dead letter goes with it; a run without one (a test's, or one too many to be kept) goes on alone."""
    found = (letter_pages.read(connection, tenant_id, f"run:{run_id}", is_locked=True) for run_id in sorted(wanted))
    kept = {
        letter.noun_id: letter for letter in found if letter is not None and "retrying" in DEAD_LETTER[letter.status]
    }
    moved = letters.retry(connection, tenant_id, list(kept.values()), who, now)
    refused = {letter_id.removeprefix("run:"): why for letter_id, why in moved.refused.items()}
    alone = [run_id for run_id in wanted if run_id not in kept]
    states = reopening.run_states(connection, [(tenant_id, run_id) for run_id in alone])
    again: list[reopening.FailedRun] = []
    for run_id in alone:
        if not states[run_id][1]:
            refused[run_id] = "the version of the automation that it is on is gone; run it again on the present one"
            continue
        # No hold that any worker remembers has an epoch as high as this.
        again.append(reopening.FailedRun(tenant_id, run_id, _failed_step(connection, tenant_id, run_id), now // SECOND))
    reopening.reopen_runs(connection, again, now)
    hints.send(connection, hints.RUNS)
    return refused


_DO: dict[Action, Callable[[Connection, str, dict[str, Standing], str, int], dict[str, str]]] = {
    "cancel": _cancel,
    "pause": _pause,
    "resume": _resume,
    "retry": _retry,
}


def _failed_step(connection: Connection, tenant_id: str, run_id: str) -> str | None:
    run = run_pages.read(connection, tenant_id, run_id)
    if run is None or run.error is None:
        return None
    return msgspec.json.decode(run.error, type=StepError).step_id


def _count(
    connection: Connection, tenant_id: str, wanted: dict[str, Standing], after: dict[str, str], now: int
) -> None:
    changes = Counter((tenant_id, "runs", "", status) for status in after.values())
    changes.subtract((tenant_id, "runs", "", one.status) for one in wanted.values())
    counts.add(connection, changes, now)


def actionable(action: Action) -> list[str]:
    """The statuses of the runs that this may be done to."""
    if action == "resume":
        return ["paused"]
    if action == "retry":
        return ["failed"]
    return [status for status in RUN if status not in RUN_OVER and BECOMES[action] in RUN[status]]


def start_by_hand(connection: Connection, begun: Sequence[tuple[Event, NewRun]], now: int) -> None:
    """Keep events that nobody else is started by, each with one run of it that any worker may claim."""
    insert_events(connection, [event for event, _ in begun], now, None)
    runs.create(connection, [run for _, run in begun], now)
    counts.add(connection, Counter((run.tenant_id, "runs", "", "pending") for _, run in begun), now)
