"""Flow control in the store: the keys of controls, the places that runs hold, and what was done to each event.

Whoever decides about a key locks its row first (`lock`); what it then counts are the rows of the runs themselves, so nothing
that ends a run needs to know of flow control. A run that waits stands in a queue that no worker serves, and goes back to its
own, that of its version.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, and_, bindparam, delete, exists, func, literal_column, null, select, true, update
from sqlalchemy.dialects.postgresql import insert

from upshot.core.queues import HELD
from upshot.store.listing import rarely
from upshot.store.queues import own_queue
from upshot.store.rows import BIGINT, INTEGER, TEXT, Prepared, Sent, key_in, rows
from upshot.store.schema import active, flow_keys, flow_outcomes, runs

PLACE_KEPT: Final = 90 * 86_400_000_000
"""How long the limit of a place nobody asks for is remembered (microseconds)."""


class Key(NamedTuple):
    """What belongs together under one control of one automation."""

    tenant_id: str
    automation_id: str
    control: str
    key: str


class KeyState(msgspec.Struct):
    """What is kept for a key: JSON of the control's own; for `concurrency` how many `places` there are, and whether anybody
    waits for one; when something is due."""

    key: Key
    state: str | None = None
    places: int = 0
    waits: int = 0
    due_at: int | None = None
    expires_at: int = 0


class Outcome(msgspec.Struct, frozen=True, array_like=True):
    """What a control did to an event. `until` is when it began or may begin again; `window_id` what it was gathered into. A
    run that waits for its instant has it in `due_at`. `reason` is kept where the automation does not say it."""

    tenant_id: str
    event_id: str
    automation_id: str
    outcome: str
    key: str
    at: int
    until: int | None = None
    run_id: str | None = None
    window_id: str | None = None
    due_at: int | None = None
    reason: str | None = None


# --- keys ---------------------------------------------------------------------------------------------------------------

_KEY = ("tenant_id", "automation_id", "control", "key")
_KEY_COLUMNS = [flow_keys.c[name] for name in _KEY]
_STATE = ("state", "places", "waits", "due_at", "expires_at")
_wanted = rows(*((name, TEXT) for name in _KEY), ("expires_at", BIGINT))
_insert_key = insert(flow_keys).from_select([*_KEY, "expires_at"], select(*_wanted.c).where(true()))
_lock = Prepared(
    _insert_key.on_conflict_do_update(
        index_elements=list(_KEY), set_={"control": _insert_key.excluded.control}
    ).returning(*_KEY_COLUMNS, *(flow_keys.c[name] for name in _STATE))
)
_WHOLE = (
    *((name, TEXT) for name in (*_KEY, "state")),
    *(("places", INTEGER), ("waits", INTEGER), ("due_at", BIGINT), ("expires_at", BIGINT)),
)
_whole = rows(*_WHOLE)
_insert_whole = insert(flow_keys).from_select([name for name, _ in _WHOLE], select(*_whole.c).where(true()))
_put = Sent(
    _insert_whole.on_conflict_do_update(
        index_elements=list(_KEY), set_={name: _insert_whole.excluded[name] for name in _STATE}
    )
)


def take_turn(connection: Connection) -> None:
    """Wait until no other transaction decides about keys: which ones, it finds out on its way, so no order would do."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('upshot flow control'))")


def lock(connection: Connection, keys: Collection[Key], now: int) -> dict[Key, KeyState]:
    """Lock these keys until the transaction ends, in an order that is the same for everybody; what is kept for each."""
    if not keys:
        return {}
    found = _lock(connection, [(*key, now) for key in sorted(keys)])
    return {(key := Key(*row[:4])): KeyState(key, *row[4:]) for row in found}


def put(connection: Connection, states: Sequence[KeyState]) -> None:
    """Keep that these locked keys stand so."""
    if states:
        listed = [
            (*one.key, one.state, one.places, one.waits, one.due_at, one.expires_at)
            for one in sorted(states, key=lambda state: state.key)
        ]
        _put(connection, listed)


_forget = Sent(
    delete(flow_keys).where(
        flow_keys.c.expires_at < bindparam("now", type_=BIGINT), flow_keys.c.due_at.is_(None), flow_keys.c.waits == 0
    )
)


def forget(connection: Connection, now: int) -> None:
    """Forget keys that decide nothing any more."""
    _forget(connection, now=now)


# --- places and entries -------------------------------------------------------------------------------------------------

_OF = ("tenant_id", "automation_id", "key")
_asked = rows(*((name, TEXT) for name in _OF))
_of_run = (active.c.tenant_id == runs.c.tenant_id) & (active.c.run_id == runs.c.id)


def _unfinished(column: Any) -> Any:
    """Unfinished runs of one of these `(tenant, automation, key)`, as the partial index has them."""
    wanted = key_in([runs.c.tenant_id, runs.c.automation_id, column], _asked, _OF)
    return and_(rarely(wanted), column.is_not(None), runs.c.finished_at.is_(None))


_taken = Prepared(
    select(runs.c.tenant_id, runs.c.automation_id, runs.c.place, func.count())
    .where(_unfinished(runs.c.place))
    .group_by(runs.c.tenant_id, runs.c.automation_id, runs.c.place)
)
_live = Prepared(
    select(runs.c.tenant_id, runs.c.automation_id, runs.c.entry, runs.c.id)
    .where(_unfinished(runs.c.entry))
    .order_by(runs.c.id)
)


def taken(connection: Connection, keys: Collection[Key]) -> dict[Key, int]:
    """How many runs have each of these places, which are locked: counted from the runs."""
    counted = dict.fromkeys(keys, 0)
    for tenant_id, automation_id, place, number in _taken(connection, _named(keys)):
        counted[Key(tenant_id, automation_id, "concurrency", place)] = number
    return counted


def live(connection: Connection, keys: Collection[Key]) -> dict[Key, list[str]]:
    """The unfinished runs of each of these entries, which are locked, oldest first."""
    found: dict[Key, list[str]] = {key: [] for key in keys}
    for tenant_id, automation_id, entry, run_id in _live(connection, _named(keys)):
        found[Key(tenant_id, automation_id, "reentry", entry)].append(run_id)
    return found


def _named(keys: Collection[Key]) -> list[tuple[str, str, str]]:
    return [(key.tenant_id, key.automation_id, key.key) for key in sorted(keys)]


def _who_wait(tenant_id: Any, automation_id: Any, key: Any) -> Any:
    """The runs that wait for a place now, as the partial index has them; one that is paused does not."""
    return and_(
        _of_run,
        runs.c.tenant_id == tenant_id,
        runs.c.automation_id == automation_id,
        rarely(runs.c.waits_for == key),
        runs.c.waits_for.is_not(None),
        runs.c.finished_at.is_(None),
        active.c.queue == literal_column(f"'{HELD}'"),
        active.c.parked == 0,
    )


_next_waiting = Prepared(
    select(runs.c.tenant_id, runs.c.id)
    .where(_who_wait(*(bindparam(name, type_=TEXT) for name in _OF)))
    .order_by(runs.c.priority.desc(), runs.c.id)
    .limit(bindparam("number", type_=INTEGER))
    .with_for_update(of=active, skip_locked=True)
)


def next_waiting(connection: Connection, key: Key, number: int) -> list[tuple[str, str]]:
    """The runs whose turn it is to have this place, which is locked: the highest priority first, then the oldest. One that
    is paused is passed over."""
    given = {"tenant_id": key.tenant_id, "automation_id": key.automation_id, "key": key.key}
    return [(row[0], row[1]) for row in _next_waiting(connection, **given, number=number)]


_still_wait = Prepared(
    select(runs.c.tenant_id, runs.c.automation_id, runs.c.waits_for).where(_unfinished(runs.c.waits_for)).distinct()
)


def still_wait(connection: Connection, keys: Collection[Key]) -> set[Key]:
    """Those of these places that anybody waits for, paused or not."""
    return {Key(row[0], row[1], "concurrency", row[2]) for row in _still_wait(connection, _named(keys))}


_keys = rows(("tenant_id", TEXT), ("run_id", TEXT))
_in_keys = key_in([active.c.tenant_id, active.c.run_id], _keys, ["tenant_id", "run_id"])
_hold = Sent(update(active).where(_in_keys).values(queue=literal_column(f"'{HELD}'")))
_let_go = Sent(update(active).where(_in_keys).values(queue=own_queue(active.c.tenant_id, active.c.run_id)))


def hold(connection: Connection, run_keys: Collection[tuple[str, str]]) -> None:
    """Let these runs wait for a place."""
    if run_keys:
        _hold(connection, sorted(run_keys))


def let_go(connection: Connection, run_keys: Collection[tuple[str, str]]) -> None:
    """Let these runs stand in their own queues, each in that of its version: whoever serves it may drive them."""
    if run_keys:
        _let_go(connection, sorted(run_keys))


_runs_in_keys = key_in([runs.c.tenant_id, runs.c.id], _keys, ["tenant_id", "run_id"])
_give_place = Sent(update(runs).where(_runs_in_keys).values(place=runs.c.waits_for, waits_for=null()))
_take_place = Sent(update(runs).where(_runs_in_keys).values(waits_for=runs.c.place, place=null()))


def give_places(connection: Connection, run_keys: Collection[tuple[str, str]]) -> None:
    """Let these runs, which wait and are locked, have their places: any worker of their queue may drive them."""
    if run_keys:
        _give_place(connection, sorted(run_keys))
        let_go(connection, run_keys)


def wait_again(connection: Connection, again: Sequence[tuple[str, str, str, str]], now: int) -> None:
    """These `(tenant, automation, place, run)` are to go on, and wait for their place like everybody."""
    keys = {Key(tenant_id, automation_id, "concurrency", place) for tenant_id, automation_id, place, _ in again}
    if keys:
        take_turn(connection)
    states = lock(connection, keys, now)
    for state in states.values():  # a limit that is forgotten is the least there is, until the next event says it
        state.places, state.waits, state.expires_at = max(state.places, 1), 1, now + PLACE_KEPT
    put(connection, list(states.values()))
    waiting = sorted((tenant_id, run_id) for tenant_id, _, _, run_id in again)
    if waiting:
        _take_place(connection, waiting)
        hold(connection, waiting)


_places_with_room = Prepared(
    select(*_KEY_COLUMNS)
    .where(
        flow_keys.c.waits > 0,
        select(func.count())
        .select_from(runs)
        .where(
            runs.c.tenant_id == flow_keys.c.tenant_id,
            runs.c.automation_id == flow_keys.c.automation_id,
            rarely(runs.c.place == flow_keys.c.key),
            runs.c.place.is_not(None),
            runs.c.finished_at.is_(None),
        )
        .scalar_subquery()
        < flow_keys.c.places,
        # Nobody waits any more where all who did were cancelled: that is found out, and kept, like a place to give.
        exists().where(_who_wait(flow_keys.c.tenant_id, flow_keys.c.automation_id, flow_keys.c.key))
        | ~exists().where(
            runs.c.tenant_id == flow_keys.c.tenant_id,
            runs.c.automation_id == flow_keys.c.automation_id,
            rarely(runs.c.waits_for == flow_keys.c.key),
            runs.c.waits_for.is_not(None),
            runs.c.finished_at.is_(None),
        ),
    )
    .limit(bindparam("number", type_=INTEGER))
)


# --- what is due --------------------------------------------------------------------------------------------------------

_next_window = Prepared(select(func.min(flow_keys.c.due_at)).where(flow_keys.c.due_at.is_not(None)))
_next_start = Prepared(select(func.min(flow_outcomes.c.due_at)).where(flow_outcomes.c.due_at.is_not(None)))


class Ahead(msgspec.Struct, frozen=True):
    """The next instant at which something is due, and places that have room for those who wait."""

    due_at: int | None
    places: list[Key]


def ahead(connection: Connection, number: int) -> Ahead:
    """What there is to do next. Nothing is read but what waits."""
    (window,), (start,) = _next_window(connection).fetchone(), _next_start(connection).fetchone()
    instants = [instant for instant in (window, start) if instant is not None]
    places = [Key(*row) for row in _places_with_room(connection, number=number)]
    return Ahead(min(instants, default=None), places)


_due_windows = Prepared(
    select(*_KEY_COLUMNS, *(flow_keys.c[name] for name in _STATE))
    .where(flow_keys.c.due_at.is_not(None), flow_keys.c.due_at <= bindparam("now", type_=BIGINT))
    .order_by(flow_keys.c.due_at)
    .limit(bindparam("number", type_=INTEGER))
    .with_for_update(skip_locked=True)
)
_done = rows(("tenant_id", TEXT), ("event_id", TEXT), ("automation_id", TEXT))
_EVENT = ("tenant_id", "event_id", "automation_id")
_is_done = key_in([flow_outcomes.c[name] for name in _EVENT], _done, _EVENT)


def due_windows(connection: Connection, now: int, number: int) -> list[KeyState]:
    """Keys whose gathered events are to start now, locked until the transaction ends; not those that another has locked."""
    return [KeyState(Key(*row[:4]), *row[4:]) for row in _due_windows(connection, now=now, number=number)]


# --- outcomes -----------------------------------------------------------------------------------------------------------

_OUTCOME = tuple((name, BIGINT if name in {"at", "until", "due_at"} else TEXT) for name in Outcome.__struct_fields__)
_new = rows(*_OUTCOME)
_insert = insert(flow_outcomes).from_select([name for name, _ in _OUTCOME], select(*_new.c).where(true()))
_keep = Sent(
    _insert.on_conflict_do_update(
        index_elements=["tenant_id", "event_id", "automation_id"],
        set_={name: _insert.excluded[name] for name, _ in _OUTCOME[3:]},
    )
)
_of_window = (flow_outcomes.c.tenant_id == bindparam("tenant_id", type_=TEXT)) & (
    flow_outcomes.c.window_id == bindparam("window_id", type_=TEXT)
)
_start_window = Sent(update(flow_outcomes).where(_of_window).values(run_id=bindparam("run_id", type_=TEXT)))
_remove = Sent(delete(flow_outcomes).where(_is_done))
_gathered = Prepared(
    select(flow_outcomes.c.event_id)
    .where(_of_window, flow_outcomes.c.window_id.is_not(None))
    .order_by(flow_outcomes.c.event_id)
)


def keep(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    """Keep what was done to these events; each of an event and automation once."""
    if outcomes:
        _keep(connection, list({one[:3]: one for one in map(msgspec.structs.astuple, outcomes)}.values()))


def gathered(connection: Connection, tenant_id: str, window_id: str) -> list[str]:
    """The events of this window, oldest first."""
    return [row[0] for row in _gathered(connection, tenant_id=tenant_id, window_id=window_id)]


def start_window(connection: Connection, tenant_id: str, window_id: str, run_id: str) -> None:
    """Keep that the events of this window started this run."""
    _start_window(connection, tenant_id=tenant_id, window_id=window_id, run_id=run_id)


def remove(connection: Connection, tenant_id: str, event_id: str, automation_id: str) -> None:
    """Nothing is to be told of this event but its run."""
    _remove(connection, [(tenant_id, event_id, automation_id)])


def of_event(connection: Connection, tenant_id: str, event_id: str) -> dict[str, Outcome]:
    """What was done to this event, by automation."""
    columns = [flow_outcomes.c[name] for name, _ in _OUTCOME]
    query = select(*columns).where(flow_outcomes.c.tenant_id == tenant_id, flow_outcomes.c.event_id == event_id)
    found = [Outcome(*row) for row in connection.execute(query)]
    return {one.automation_id: one for one in found}
