"""Accepting events and taking those that no automation was matched with yet."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, select, true, update
from sqlalchemy.dialects.postgresql import insert

from upshot.core.events import EntityRef, Event
from upshot.store import counts
from upshot.store.fair import Share, Waiting
from upshot.store.rows import BIGINT, INTEGER, TEXT, Prepared, Sent, Take, key_in, rows
from upshot.store.schema import event_keys, events, unmatched

_keys = rows(("tenant_id", TEXT), ("source_id", TEXT), ("event_id", TEXT), ("accepted_at", BIGINT))
_claim_keys = Prepared(
    insert(event_keys)
    .from_select([c.name for c in _keys.c], select(*_keys.c).where(true()))
    .on_conflict_do_nothing()
    .returning(event_keys.c.event_id)
)
_COLUMNS = (
    ("tenant_id", TEXT),
    ("id", TEXT),
    ("source_id", TEXT),
    ("name", TEXT),
    ("data", TEXT),
    ("ts", BIGINT),
    ("accepted_at", BIGINT),
    ("entity_type", TEXT),
    ("entity_id", TEXT),
    ("marks", TEXT),
    ("root_id", TEXT),
    ("depth", INTEGER),
    ("cause_run_id", TEXT),
    ("cause_step_id", TEXT),
    ("test", INTEGER),
    ("traceparent", TEXT),
)
_new = rows(*_COLUMNS)
_insert_events = Sent(insert(events).from_select([name for name, _ in _COLUMNS], select(*_new.c).where(true())))
_waiting = rows(("tenant_id", TEXT), ("event_id", TEXT), ("worker_id", TEXT))
_insert_unmatched = Sent(
    insert(unmatched).from_select(["tenant_id", "event_id", "worker_id"], select(*_waiting.c).where(true()))
)
_done = rows(("tenant_id", TEXT), ("event_id", TEXT))
_is_done = key_in([unmatched.c.tenant_id, unmatched.c.event_id], _done, ["tenant_id", "event_id"])
_take_unmatched = Take(unmatched, _is_done, [unmatched.c.event_id])
_read_columns = [events.c[name] for name, _ in _COLUMNS]


def keep_keys(connection: Connection, keys: Sequence[tuple[str, str, str, int]]) -> set[str]:
    """Claim `(tenant, source id, event id, accepted at)`, in that order, as everybody does; the event ids whose key was new."""
    return {row[0] for row in _claim_keys(connection, keys)}


def insert_events(
    connection: Connection, accepted: Sequence[Event], now: int, worker_id: str | None, matched: Collection[str] = ()
) -> None:
    """Append these new events to the history and count them; the one way an event enters it. All but stopped loops, those
    made by hand, and those whose ids are in `matched` wait to be matched."""
    _insert_events(
        connection,
        [
            (
                event.tenant_id,
                event.id,
                event.source_id,
                event.name,
                event.text,
                event.ts,
                now,
                event.entity.type if event.entity else None,
                event.entity.id if event.entity else None,
                event.marks,
                event.root_id,
                event.depth,
                event.cause_run_id,
                event.cause_step_id,
                int(event.test),
                event.traceparent,
            )
            for event in accepted
        ],
    )
    to_match = [
        (event.tenant_id, event.id, worker_id) for event in accepted if event.is_matched and event.id not in matched
    ]
    if to_match:
        _insert_unmatched(connection, to_match)
    counts.add(connection, Counter((event.tenant_id, "events", "", "accepted") for event in accepted), now)


def take_unmatched(connection: Connection, keys: Sequence[tuple[str, str]]) -> set[str]:
    """Remove these from what has yet to be matched; the event ids that were still there. The winner matches them."""
    return {row[0] for row in _take_unmatched(connection, keys)}


class Unmatched(msgspec.Struct, frozen=True):
    """An event that this worker now holds to match. `strikes` counts the claims, this one too."""

    tenant_id: str
    event_id: str
    strikes: int


_free = Waiting(
    unmatched,
    ready=lambda own: own.worker_id.is_(None),
    order=lambda own: (own.event_id,),
    taken=("tenant_id", "event_id", "strikes"),
)


def claim_unmatched(connection: Connection, worker_id: str, limit: int, after: str = "") -> Share[Unmatched]:
    """Take events that nobody holds: a share of each tenant after `after`, oldest first. A claim is a strike, committed before
    anything of an event is decoded. The rows are `Unmatched`."""
    found = _free.claim(connection, limit, after)
    if found.rows:
        _hold(connection, [(row[0], row[1]) for row in found.rows], worker_id=worker_id)
    return found._replace(rows=[Unmatched(row[0], row[1], row[2] + 1) for row in found.rows])


_hand_back = Sent(
    update(unmatched)
    .where(
        key_in([unmatched.c.tenant_id, unmatched.c.event_id], _done, ["tenant_id", "event_id"]),
        unmatched.c.worker_id.is_not_distinct_from(bindparam("holder")),
    )
    .values(worker_id=None, strikes=unmatched.c.strikes - 1)
)


def hand_back(connection: Connection, keys: Sequence[tuple[str, str]], worker_id: str) -> None:
    """Let go of events that were claimed and not looked at: any worker may claim them, and the claim was no strike."""
    _hand_back(connection, keys, holder=worker_id)


_own_waiting = Prepared(
    select(unmatched.c.tenant_id, unmatched.c.event_id)
    .where(unmatched.c.worker_id == bindparam("worker_id"), unmatched.c.event_id < bindparam("before"))
    .order_by(unmatched.c.event_id)
    .limit(bindparam("number", type_=INTEGER))
)


def own_unmatched(connection: Connection, worker_id: str, before: str, limit: int) -> list[tuple[str, str]]:
    """`(tenant, event)` below the id `before` that this worker holds and that are not matched yet, oldest first."""
    found = _own_waiting(connection, worker_id=worker_id, before=before, number=limit)
    return [(row[0], row[1]) for row in found]


def strike(connection: Connection, tenant_id: str, event_id: str) -> int:
    """Count one more failed match of this event; how many there were."""
    one = (unmatched.c.tenant_id == tenant_id) & (unmatched.c.event_id == event_id)
    counted = update(unmatched).where(one).values(strikes=unmatched.c.strikes + 1).returning(unmatched.c.strikes)
    return connection.execute(counted).scalar() or 0


_hold = Sent(
    update(unmatched)
    .where(key_in([unmatched.c.tenant_id, unmatched.c.event_id], _done, ["tenant_id", "event_id"]))
    .values(worker_id=bindparam("worker_id"), strikes=unmatched.c.strikes + 1)
)
_read = Prepared(
    select(*_read_columns).where(key_in([events.c.tenant_id, events.c.id], _done, ["tenant_id", "event_id"]))
)


def read_events(connection: Connection, keys: Sequence[tuple[Any, ...]]) -> list[Event]:
    """These events, in the order of their ids."""
    found = [_event(row) for row in _read(connection, keys)]
    return sorted(found, key=lambda event: event.id)


def events_by_key(connection: Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Event]:
    """The same, each by its tenant and id."""
    return {(event.tenant_id, event.id): event for event in read_events(connection, keys)}


def _event(row: Any) -> Event:
    (
        tenant_id,
        event_id,
        source_id,
        name,
        text,
        ts,
        accepted_at,
        entity_type,
        entity_id,
        marks,
        root_id,
        depth,
        run_id,
        step_id,
        test,
        traceparent,
    ) = row
    return Event(
        tenant_id=tenant_id,
        id=event_id,
        source_id=source_id,
        name=name,
        data=msgspec.json.decode(text),
        text=text,
        ts=ts,
        received_at=accepted_at,
        entity=EntityRef(entity_type, entity_id) if entity_type is not None else None,
        marks=marks,
        root_id=root_id,
        depth=depth,
        cause_run_id=run_id,
        cause_step_id=step_id,
        test=bool(test),
        traceparent=traceparent,
    )
