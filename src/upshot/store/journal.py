"""The journal of kept outcomes, the earlier attempts of a step, and timers."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, case, delete, func, literal_column, null, select, true
from sqlalchemy.dialects.postgresql import insert

from upshot.core.commands import MISSING_ACTION, StepError
from upshot.core.events import Event
from upshot.core.journal import Outcome
from upshot.store import waits
from upshot.store.events import read_events
from upshot.store.rows import BIGINT, INTEGER, TEXT, Prepared, Sent, Take, key_in, rows
from upshot.store.schema import attempts, automation_versions, runs, steps, timers
from upshot.store.waits import Wait

Key = tuple[str, str]

_STEP = (
    ("tenant_id", TEXT),
    ("run_id", TEXT),
    ("seq", INTEGER),
    ("step_id", TEXT),
    ("kind", TEXT),
    ("status", TEXT),
    ("attempt", INTEGER),
    ("started_at", BIGINT),
    ("finished_at", BIGINT),
    ("input", TEXT),
    ("output", TEXT),
    ("error", TEXT),
    ("log", TEXT),
)
_new_steps = rows(*_STEP)
_insert_steps = Sent(insert(steps).from_select([name for name, _ in _STEP], select(*_new_steps.c).where(true())))


class KeptStep(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One line of the journal. JSON fields are canonical text."""

    tenant_id: str
    run_id: str
    seq: int
    step_id: str
    kind: str
    status: str
    attempt: int
    started_at: int
    finished_at: int
    input: str | None = None
    output: str | None = None
    error: str | None = None
    log: str | None = None


def keep(connection: Connection, kept: Sequence[KeptStep]) -> None:
    """Append these outcomes. The key `(tenant, run, seq)` refuses a second outcome in the same place."""
    _insert_steps(connection, kept)


_ATTEMPT = (
    ("tenant_id", TEXT),
    ("run_id", TEXT),
    ("step_id", TEXT),
    ("attempt", INTEGER),
    ("started_at", BIGINT),
    ("finished_at", BIGINT),
    ("input", TEXT),
    ("error", TEXT),
    ("log", TEXT),
)
_new_attempts = rows(*_ATTEMPT)
_insert_attempts = Sent(
    insert(attempts)
    .from_select([name for name, _ in _ATTEMPT], select(*_new_attempts.c).where(true()))
    .on_conflict_do_nothing()
)


def keep_attempts(connection: Connection, failed: Sequence[tuple[Any, ...]]) -> None:
    """Append attempts that failed and will be followed by another, in the order of the table's columns."""
    _insert_attempts(connection, failed)


_keys = rows(("tenant_id", TEXT), ("run_id", TEXT))

# --- timers -------------------------------------------------------------------------------------------------------------

_TIMER = (
    ("tenant_id", TEXT),
    ("run_id", TEXT),
    ("step_id", TEXT),
    ("kind", TEXT),
    ("seq", INTEGER),
    ("set_at", BIGINT),
    ("due_at", BIGINT),
)
_new_timers = rows(*_TIMER)
_insert_timers = Sent(insert(timers).from_select([name for name, _ in _TIMER], select(*_new_timers.c).where(true())))
_fired = rows(("tenant_id", TEXT), ("run_id", TEXT), ("step_id", TEXT))
_fire = Take(
    timers,
    key_in([timers.c.tenant_id, timers.c.run_id, timers.c.step_id], _fired, ["tenant_id", "run_id", "step_id"])
    & (timers.c.due_at <= bindparam("now")),
    [timers.c[name] for name in ("tenant_id", "run_id", "step_id", "kind", "seq", "set_at")],
)


SEQ_UNKNOWN = -1
"""The `seq` of a timer that is one of several: what fires first takes the next place in the journal."""


class Timer(msgspec.Struct, frozen=True, array_like=True):
    """A durable instant at which a run goes on. `seq` is the place in the journal its step will take."""

    tenant_id: str
    run_id: str
    step_id: str
    kind: str
    seq: int
    set_at: int
    due_at: int


def set_timers(connection: Connection, new: Sequence[Timer]) -> None:
    """Set these timers."""
    _insert_timers(connection, new)


def fire(
    connection: Connection, keys: Sequence[tuple[str, str, str]], now: int
) -> list[tuple[str, str, str, str, int, int]]:
    """Remove those of these timers that are due; what is returned has fired here, once, and nowhere else."""
    return _fire(connection, keys, now=now)


_next_seq = (
    select(func.coalesce(func.max(steps.c.seq) + 1, 0))
    .where(steps.c.tenant_id == _fired.c.tenant_id, steps.c.run_id == _fired.c.run_id)
    .scalar_subquery()
)
_read_next_seqs = Prepared(select(_fired.c.tenant_id, _fired.c.run_id, _next_seq))


def next_seqs(connection: Connection, keys: Sequence[Key]) -> dict[Key, int]:
    """The next place in the journal of each of these runs."""
    if not keys:
        return {}
    return {(row[0], row[1]): row[2] for row in _read_next_seqs(connection, [(*key, "") for key in keys])}


_since = rows(("tenant_id", TEXT), ("run_id", TEXT), ("step_id", TEXT), ("seq", INTEGER))
_read_kept_since = Prepared(
    select(_since.c.tenant_id, _since.c.run_id, _since.c.step_id).join(
        steps,
        (steps.c.tenant_id == _since.c.tenant_id)
        & (steps.c.run_id == _since.c.run_id)
        & (steps.c.seq >= _since.c.seq)
        & (steps.c.step_id == _since.c.step_id),
    )
)


def kept_since(connection: Connection, places: Sequence[tuple[str, str, str, int]]) -> set[tuple[str, str, str]]:
    """Those of these steps that were kept at that place in the journal of their run or behind it."""
    return {(row[0], row[1], row[2]) for row in _read_kept_since(connection, places)} if places else set()


_remove = Sent(
    delete(timers).where(
        key_in([timers.c.tenant_id, timers.c.run_id, timers.c.step_id], _fired, ["tenant_id", "run_id", "step_id"])
    )
)


def remove_timers(connection: Connection, keys: Sequence[tuple[str, str, str]]) -> None:
    """Remove these timers, whether they are due or not; their runs must be held."""
    if keys:
        _remove(connection, keys)


def due_timers(
    connection: Connection, after: tuple[int, str], until: int, limit: int
) -> list[tuple[int, str, str, str]]:
    """Timers due up to `until`, as `(due_at, run, tenant, step)` in that order, beginning after `(due_at, run)`."""
    query = (
        select(timers.c.due_at, timers.c.run_id, timers.c.tenant_id, timers.c.step_id)
        .where(timers.c.due_at >= after[0], timers.c.due_at <= until)
        .where((timers.c.due_at > after[0]) | (timers.c.run_id > after[1]))
        .order_by(timers.c.due_at, timers.c.run_id)
        .limit(limit)
    )
    return [tuple(row) for row in connection.execute(query)]  # pyright: ignore[reportReturnType] - four columns


_clear = Sent(delete(timers).where(key_in([timers.c.tenant_id, timers.c.run_id], _keys, ["tenant_id", "run_id"])))


def clear_timers(connection: Connection, keys: Sequence[Key]) -> None:
    """Remove every timer of these runs."""
    if keys:
        _clear(connection, keys)


# --- steps at most once --------------------------------------------------------------------------------------------------

_begun = rows(("tenant_id", TEXT), ("run_id", TEXT), ("step_id", TEXT))
_forget_begun = Sent(
    delete(attempts).where(
        key_in(
            [attempts.c.tenant_id, attempts.c.run_id, attempts.c.step_id], _begun, ["tenant_id", "run_id", "step_id"]
        ),
        attempts.c.error.is_(None),
    )
)


def begin(connection: Connection, begun: Sequence[tuple[str, str, str, int]], now: int) -> None:
    """Note that these attempts `(tenant, run, step, attempt)` begin: they have no error, since nobody knows how they end."""
    keep_attempts(connection, [(*key, now, now, None, None, None) for key in begun])


def forget_begun(connection: Connection, keys: Sequence[tuple[str, str, str]]) -> None:
    """The outcomes of these steps are kept: that they had begun need not be known any more."""
    if keys:
        _forget_begun(connection, keys)


# --- bringing runs back -------------------------------------------------------------------------------------------------


class KeptRun(msgspec.Struct, frozen=True):
    """All that is kept of one run, for a worker that does not have it in memory. `begun` are steps of
    which an attempt was begun."""

    tenant_id: str
    run_id: str
    automation_id: str
    version: int
    test: bool
    document: str | None
    event: Event
    journal: list[Outcome]
    attempts: dict[str, int]
    timers: list[Timer]
    begun: frozenset[str]
    waits: list[Wait]
    taken: list[str]
    """The events that met waits of it."""


_read_runs = Prepared(
    select(runs.c.tenant_id, runs.c.id, runs.c.automation_id, runs.c.version, runs.c.test, runs.c.event_id).where(
        key_in([runs.c.tenant_id, runs.c.id], _keys, ["tenant_id", "run_id"])
    )
)
_is_met_wait = (steps.c.kind == literal_column("'wait_for_event'")) & (steps.c.status == literal_column("'completed'"))
_read_steps = Prepared(
    select(
        steps.c.tenant_id,
        steps.c.run_id,
        steps.c.step_id,
        steps.c.status,
        steps.c.output,
        steps.c.error,
        case((_is_met_wait, steps.c.input), else_=null()),
    )
    .where(key_in([steps.c.tenant_id, steps.c.run_id], _keys, ["tenant_id", "run_id"]))
    .order_by(steps.c.tenant_id, steps.c.run_id, steps.c.seq)
)
_code = func.substr(attempts.c.error, len('{"code":') + 1, len(MISSING_ACTION) + 2)
_missing = case((_code == literal_column(f"'\"{MISSING_ACTION}\"'"), 1))  # such a one was not begun
_read_attempts = Prepared(
    select(
        attempts.c.tenant_id,
        attempts.c.run_id,
        attempts.c.step_id,
        func.max(attempts.c.attempt),
        func.count() - func.count(_missing),
    )
    .where(key_in([attempts.c.tenant_id, attempts.c.run_id], _keys, ["tenant_id", "run_id"]))
    .group_by(attempts.c.tenant_id, attempts.c.run_id, attempts.c.step_id)
)
_read_timers = Prepared(
    select(*(timers.c[name] for name, _ in _TIMER)).where(
        key_in([timers.c.tenant_id, timers.c.run_id], _keys, ["tenant_id", "run_id"])
    )
)
_versions = rows(("tenant_id", TEXT), ("automation_id", TEXT), ("version", INTEGER))
_read_versions = Prepared(
    select(
        automation_versions.c.tenant_id,
        automation_versions.c.automation_id,
        automation_versions.c.version,
        automation_versions.c.document,
    ).where(
        key_in(
            [automation_versions.c.tenant_id, automation_versions.c.automation_id, automation_versions.c.version],
            _versions,
            ["tenant_id", "automation_id", "version"],
        )
    )
)


_WAITING = ('"wait_for_event"', '"call"', '"cancel_on"')


def load(connection: Connection, keys: Sequence[Key]) -> list[KeptRun]:
    """Everything kept of these runs, in a handful of statements however many they are."""
    found = _read_runs.all(connection, keys)
    events = {(e.tenant_id, e.id): e for e in read_events(connection, [(row[0], row[5]) for row in found])}
    wanted = sorted({(row[0], row[2], row[3]) for row in found})
    documents = {(row[0], row[1], row[2]): row[3] for row in _read_versions(connection, wanted)}
    journals: dict[Key, list[Outcome]] = {}
    taken: dict[Key, list[str]] = {}
    for tenant_id, run_id, step_id, status, output, error, met in _read_steps(connection, keys):
        if met is not None:
            taken.setdefault((tenant_id, run_id), []).append(msgspec.json.decode(met)["event_id"])
        outcome = Outcome(
            step_id,
            status,
            msgspec.json.decode(output) if output is not None else None,
            msgspec.json.decode(error, type=StepError) if error is not None else None,
        )
        journals.setdefault((tenant_id, run_id), []).append(outcome)
    tried: dict[Key, dict[str, int]] = {}
    begun: dict[Key, set[str]] = {}
    for tenant_id, run_id, step_id, number, begun_ones in _read_attempts(connection, keys):
        tried.setdefault((tenant_id, run_id), {})[step_id] = number
        if begun_ones:
            begun.setdefault((tenant_id, run_id), set()).add(step_id)
    waiting: dict[Key, list[Timer]] = {}
    for row in _read_timers(connection, keys):
        waiting.setdefault((row[0], row[1]), []).append(Timer(*row))
    waited: dict[Key, list[Wait]] = {}
    if any(word in document for document in documents.values() for word in _WAITING):
        for wait in waits.of_runs(connection, keys):
            waited.setdefault((wait.tenant_id, wait.run_id), []).append(wait)
    return [
        KeptRun(
            tenant_id,
            run_id,
            automation_id,
            version,
            bool(test),
            documents.get((tenant_id, automation_id, version)),
            events[tenant_id, event_id],
            journals.get((tenant_id, run_id), []),
            tried.get((tenant_id, run_id), {}),
            waiting.get((tenant_id, run_id), []),
            frozenset(begun.get((tenant_id, run_id), ())),
            waited.get((tenant_id, run_id), []),
            taken.get((tenant_id, run_id), []),
        )
        for tenant_id, run_id, automation_id, version, test, event_id in found
    ]
