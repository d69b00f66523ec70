"""What was given up on goes on: a failed run at the step that failed, an event back to matching, an outbox row to the relay.

What happened before is kept: the failed outcome becomes an attempt of its step, and the next attempt has the same
idempotency key. What the automation's own steps did about the failure stays in the journal.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, literal_column, null, select, true, update
from sqlalchemy.dialects.postgresql import insert

from upshot.core import continuing
from upshot.core.commands import StepError
from upshot.core.journal import Outcome
from upshot.store import counts, flow, journal
from upshot.store.queues import own_queue
from upshot.store.rows import BIGINT, INTEGER, TEXT, Prepared, Sent, key_in, rows
from upshot.store.schema import active, attempts, automation_versions, events, outbox, runs, steps, unmatched


class FailedRun(msgspec.Struct, frozen=True):
    """A run to go on: the step that failed (None when it could not be driven), and its last hold's epoch."""

    tenant_id: str
    id: str
    step_id: str | None
    epoch: int

    @property
    def key(self) -> tuple[str, str]:
        """Tenant and id."""
        return self.tenant_id, self.id


_keys = rows(("tenant_id", TEXT), ("id", TEXT))
_is_wanted = key_in([runs.c.tenant_id, runs.c.id], _keys, ["tenant_id", "id"])
_of_version = (
    (automation_versions.c.tenant_id == runs.c.tenant_id)
    & (automation_versions.c.automation_id == runs.c.automation_id)
    & (automation_versions.c.version == runs.c.version)
)
_read_states = Prepared(
    select(runs.c.id, runs.c.status, automation_versions.c.version)
    .select_from(runs.outerjoin(automation_versions, _of_version))
    .where(_is_wanted)
)


def run_states(connection: Connection, keys: Sequence[tuple[str, str]]) -> dict[str, tuple[str, bool]]:
    """The status of each of these runs, and whether the version it runs is still kept."""
    return {row[0]: (row[1], row[2] is not None) for row in _read_states(connection, keys)} if keys else {}


_reopen = Prepared(
    update(runs)
    .where(_is_wanted, runs.c.status == literal_column("'failed'"))
    .values(status=literal_column("'pending'"), finished_at=null(), error=null())
    .returning(runs.c.tenant_id, runs.c.id, runs.c.priority, runs.c.automation_id, runs.c.place)
)
_BORN = (("tenant_id", TEXT), ("run_id", TEXT), ("priority", INTEGER), ("epoch", INTEGER))
_born = rows(*_BORN)
_insert_active = Sent(
    insert(active).from_select(
        [*(name for name, _ in _BORN), "queue"],
        select(*_born.c, own_queue(_born.c.tenant_id, _born.c.run_id)).where(true()),
    )
)
_failed = rows(("tenant_id", TEXT), ("run_id", TEXT), ("step_id", TEXT))
_is_failed_step = key_in(
    [steps.c.tenant_id, steps.c.run_id, steps.c.step_id], _failed, ["tenant_id", "run_id", "step_id"]
)
_tried = (
    select(func.coalesce(func.max(attempts.c.attempt), 0))
    .where(
        attempts.c.tenant_id == steps.c.tenant_id,
        attempts.c.run_id == steps.c.run_id,
        attempts.c.step_id == steps.c.step_id,
    )
    .scalar_subquery()
)
_read_failed = Prepared(
    select(
        steps.c.tenant_id,
        steps.c.run_id,
        steps.c.step_id,
        steps.c.attempt,
        steps.c.started_at,
        steps.c.finished_at,
        steps.c.input,
        steps.c.error,
        steps.c.log,
        steps.c.seq,
        _tried,
    ).where(_is_failed_step, steps.c.status.in_([literal_column("'failed'"), literal_column("'unknown'")]))
)
_ended_at = rows(("tenant_id", TEXT), ("run_id", TEXT), ("seq", INTEGER))
_failed_at = (
    select(func.min(_ended_at.c.seq))
    .where(_ended_at.c.tenant_id == steps.c.tenant_id, _ended_at.c.run_id == steps.c.run_id)
    .scalar_subquery()
)
_is_the_end = key_in([steps.c.tenant_id, steps.c.run_id], _ended_at, ["tenant_id", "run_id"]), steps.c.seq >= _failed_at
_fields = journal.KeptStep.__struct_fields__
_read_the_end = Prepared(
    select(*(steps.c[name] for name in _fields))
    .where(*_is_the_end)
    .order_by(steps.c.tenant_id, steps.c.run_id, steps.c.seq)
)
_forget_the_end = Sent(delete(steps).where(*_is_the_end))


def reopen_runs(connection: Connection, failed: Sequence[FailedRun], now: int) -> None:
    """Make those of these runs that are failed ready for any worker of their queue. The outcome that failed a run leaves the
    journal and becomes an attempt of its step; the next attempt is numbered after it. What was kept because of it (parallel
    steps that failed with it, branches that were cancelled) is forgotten: those go on too. What handled it was done, and moves
    up."""
    if not failed:
        return
    found = list(_reopen(connection, [run.key for run in failed]))
    reopened = {row[1] for row in found}
    epochs = {run.id: run.epoch + 1 for run in failed}
    kept = [(run.tenant_id, run.id, run.step_id) for run in failed if run.step_id is not None and run.id in reopened]
    if kept:
        ends = list(_read_failed(connection, kept))
        journal.keep_attempts(connection, [_attempt(row) for row in ends])
        ended_at = [(row[0], row[1], row[9]) for row in ends]
        following = [
            journal.KeptStep(**dict(zip(_fields, row, strict=True))) for row in _read_the_end(connection, ended_at)
        ]
        _forget_the_end(connection, ended_at)
        journal.keep(connection, _moved_up(following, {(row[0], row[1]): (row[2], row[9]) for row in ends}))
    changes: Counter[counts.Key] = Counter()
    for tenant_id, _, _, automation_id, _ in found:
        changes[tenant_id, "runs", "", "failed"] -= 1
        changes[tenant_id, "automation", automation_id, "failed"] -= 1
        changes[tenant_id, "runs", "", "pending"] += 1
    if found:
        _insert_active(connection, [(row[0], row[1], row[2], epochs[row[1]]) for row in found])
        flow.wait_again(connection, [(row[0], row[3], row[4], row[1]) for row in found if row[4] is not None], now)
    counts.add(connection, changes, now)


def _moved_up(
    following: Sequence[journal.KeptStep], ended: Mapping[tuple[str, str], tuple[str, int]]
) -> list[journal.KeptStep]:
    """What stays of what was kept from the failed step on, in order, from the failed one's place on."""
    moved: list[journal.KeptStep] = []
    places = {key: count(seq) for key, (_, seq) in ended.items()}
    for step in following:
        key = step.tenant_id, step.run_id
        error = msgspec.json.decode(step.error, type=StepError) if step.error is not None else None
        if continuing.outlasts(Outcome(step.step_id, step.status, error=error), ended[key][0]):
            moved.append(msgspec.structs.replace(step, seq=next(places[key])))
    return moved


def _attempt(row: Any) -> tuple[Any, ...]:
    tenant_id, run_id, step_id, attempt, *rest, _seq, tried = row
    return (tenant_id, run_id, step_id, max(attempt, tried + 1), *rest)


_read_events = Prepared(
    select(events.c.tenant_id, events.c.id).where(key_in([events.c.tenant_id, events.c.id], _keys, ["tenant_id", "id"]))
)
_put_back = Sent(
    insert(unmatched).from_select(["tenant_id", "event_id"], select(*_keys.c).where(true())).on_conflict_do_nothing()
)


def present_events(connection: Connection, keys: Sequence[tuple[str, str]]) -> set[str]:
    """Those of these events that are still kept."""
    return {row[1] for row in _read_events(connection, keys)} if keys else set()


def put_back_events(connection: Connection, keys: Sequence[tuple[str, str]]) -> None:
    """Let these events be matched, without a strike."""
    if keys:
        _put_back(connection, keys)


_seqs = rows(("tenant_id", TEXT), ("seq", BIGINT))
_send_again = Sent(
    update(outbox)
    .where(
        key_in([outbox.c.tenant_id, outbox.c.seq], _seqs, ["tenant_id", "seq"]),
        outbox.c.status == literal_column("'failed'"),
    )
    .values(
        status=literal_column("'pending'"),
        attempts=literal_column("0"),
        next_attempt_at=bindparam("now", type_=BIGINT),
        error=null(),
    )
)


_read_rows = Prepared(
    select(outbox.c.seq).where(
        key_in([outbox.c.tenant_id, outbox.c.seq], _seqs, ["tenant_id", "seq"]),
        outbox.c.status == literal_column("'failed'"),
    )
)


def failed_rows(connection: Connection, keys: Sequence[tuple[str, int]]) -> set[int]:
    """Those of these outbox rows that are failed."""
    return {row[0] for row in _read_rows(connection, keys)} if keys else set()


def relay_again(connection: Connection, keys: Sequence[tuple[str, int]], now: int) -> None:
    """Let those of these outbox rows that failed be relayed, with all their attempts before them."""
    if keys:
        _send_again(connection, keys, now=now)


def outbox_payload(connection: Connection, tenant_id: str, seq: int) -> str | None:
    """The payload of one outbox row as the host wrote it."""
    query = select(outbox.c.payload).where(outbox.c.tenant_id == tenant_id, outbox.c.seq == seq)
    return connection.execute(query).scalar()
