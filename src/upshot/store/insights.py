"""The latest finished runs of one version, and when they were at which steps: what insights are made of."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, literal_column, select

from upshot.core.insights import Span
from upshot.store.listing import SCAN_MAX, rarely
from upshot.store.rows import BIGINT, INTEGER, TEXT, Prepared, key_in, rows
from upshot.store.schema import attempts, runs, steps

SPANS_MAX: Final = 50_000
"""When so many spans were read, no further runs are looked at."""
ENDED: Final = ("completed", "partial", "failed")
"""How a run ended that is looked at."""
_RUNS_AT_ONCE: Final = 25


class FinishedRun(msgspec.Struct, frozen=True):
    """One run that is over."""

    id: str
    event_id: str
    created_at: int
    finished_at: int
    status: str


def _listed(*names: str) -> list[Any]:
    return [literal_column(f"'{name}'") for name in names]


_newest = (
    select(
        runs.c.id,
        runs.c.event_id,
        runs.c.created_at,
        runs.c.finished_at,
        runs.c.version,
        runs.c.test,
        runs.c.status,
    )
    .where(
        runs.c.tenant_id == bindparam("tenant_id", type_=TEXT),
        rarely(runs.c.automation_id == bindparam("automation_id", type_=TEXT)),
    )
    .order_by(runs.c.id.desc())
    .limit(literal_column(str(SCAN_MAX)))
    .subquery("newest")
)
_finished = Prepared(
    select(_newest.c.id, _newest.c.event_id, _newest.c.created_at, _newest.c.finished_at, _newest.c.status)
    .where(
        _newest.c.version == bindparam("version", type_=INTEGER),
        _newest.c.created_at >= bindparam("since", type_=BIGINT),
        _newest.c.test == literal_column("0"),
        _newest.c.status.in_(_listed(*ENDED)),
        _newest.c.finished_at.is_not(None),
    )
    .order_by(_newest.c.id.desc())
    .limit(bindparam("number", type_=INTEGER))
)
_keys = rows(("tenant_id", TEXT), ("run_id", TEXT))
_places = rows(("tenant_id", TEXT), ("run_id", TEXT), ("step_id", TEXT))
_outcomes = Prepared(
    select(
        steps.c.run_id, steps.c.step_id, steps.c.status, steps.c.attempt, steps.c.started_at, steps.c.finished_at
    ).where(
        key_in([steps.c.tenant_id, steps.c.run_id], _keys, ["tenant_id", "run_id"]),
        steps.c.kind.in_(_listed("action", "delay", "wait_for_event", "call")),
        steps.c.status != literal_column("'skipped'"),
    )
)
_earlier = Prepared(
    select(
        attempts.c.run_id, attempts.c.step_id, attempts.c.attempt, attempts.c.started_at, attempts.c.finished_at
    ).where(
        key_in([attempts.c.tenant_id, attempts.c.run_id], _keys, ["tenant_id", "run_id"]),
        attempts.c.error.is_not(None),
    )
)
_outputs = Prepared(
    select(steps.c.run_id, steps.c.step_id, steps.c.output).where(
        key_in([steps.c.tenant_id, steps.c.run_id, steps.c.step_id], _places, ["tenant_id", "run_id", "step_id"]),
        steps.c.output.is_not(None),
    )
)


def finished(
    connection: Connection, tenant_id: str, automation_id: str, version: int, since: int, limit: int
) -> list[FinishedRun]:
    """The newest runs of this version that completed or failed and were created at `since` or later, without test runs, newest
    first. They are looked for among the newest 20,000 runs of the automation."""
    asked = {"automation_id": automation_id, "version": version, "since": since, "number": limit}
    return [FinishedRun(*row) for row in _finished(connection, tenant_id=tenant_id, **asked).fetchall()]


def spans(connection: Connection, tenant_id: str, found: Sequence[FinishedRun]) -> tuple[list[FinishedRun], list[Span]]:
    """When these runs were at their actions, delays, waits and calls. Only so many of the runs, the first, as have about 50,000
    spans together; which ones."""
    looked: list[FinishedRun] = []
    read: list[Span] = []
    while len(looked) < len(found) and len(read) < SPANS_MAX:
        some = found[len(looked) : len(looked) + _RUNS_AT_ONCE]
        keys = [(tenant_id, run.id) for run in some]
        read += [Span(*row) for row in _outcomes(connection, keys).fetchall()]
        read += [
            Span(run_id, step_id, None, attempt, started_at, finished_at)
            for run_id, step_id, attempt, started_at, finished_at in _earlier(connection, keys).fetchall()
        ]
        looked += some
    return looked, read


def outputs(
    connection: Connection, tenant_id: str, run_ids: Sequence[str], step_ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """What these steps gave in these runs, by run and step."""
    keys = [(tenant_id, run_id, step_id) for run_id in run_ids for step_id in step_ids]
    found: dict[str, dict[str, Any]] = {}
    for run_id, step_id, text in _outputs(connection, keys).fetchall() if keys else ():
        found.setdefault(run_id, {})[step_id] = msgspec.json.decode(text)
    return found
