"""Events that cancel runs: which are being spread to the runs that they cancel, and what of it is left to do.

An event that many runs watch for is one row here until all of them are cancelled, so the transaction that matches it stays
short however many they are.
"""

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, exists, literal_column, select, true, update
from sqlalchemy.dialects.postgresql import insert

from upshot.store.fair import Share, Waiting
from upshot.store.listing import rarely
from upshot.store.rows import INTEGER, TEXT, Prepared, Sent, key_in, rows
from upshot.store.runs import Key
from upshot.store.schema import active, cancelling, runs, waits
from upshot.store.waits import Wait

_is_cancel = waits.c.kind == literal_column("'cancel'")


class Cancelling(msgspec.Struct, frozen=True, array_like=True):
    """An event of which runs are to be cancelled that watch for this key. One of a test run cancels test runs only."""

    tenant_id: str
    event_id: str
    match_key: str
    event_name: str
    test: int


_FIELDS = Cancelling.__struct_fields__
_new = rows(*((name, INTEGER if name == "test" else TEXT) for name in _FIELDS))
_is_watched = exists().where(
    waits.c.tenant_id == _new.c.tenant_id,
    waits.c.event_name == _new.c.event_name,
    rarely(waits.c.match_key == _new.c.match_key),
    waits.c.met_by.is_(None),
    _is_cancel,
)
_begin = Prepared(
    insert(cancelling)
    .from_select([column.name for column in _new.c], select(*_new.c).where(_is_watched))
    .on_conflict_do_nothing()
    .returning(cancelling.c.event_id)
)


def begin(connection: Connection, found: Sequence[Cancelling]) -> bool:
    """Let those of these be spread that any run watches for; whether there were any."""
    return bool(_begin(connection, found).fetchall())


_spread = Waiting(cancelling, ready=lambda _own: true(), order=lambda own: (own.event_id,), taken=_FIELDS)


def claim(connection: Connection, limit: int, after: str) -> Share[Cancelling]:
    """What is to be spread further: an equal share of each tenant after `after`, locked until the transaction ends."""
    found = _spread.claim(connection, limit, after)
    return found._replace(rows=[Cancelling(*row) for row in found.rows])


_next = Prepared(
    select(waits.c.run_id)
    .distinct()
    .join(runs, (runs.c.tenant_id == waits.c.tenant_id) & (runs.c.id == waits.c.run_id))
    .where(
        waits.c.tenant_id == bindparam("tenant_id", type_=TEXT),
        waits.c.event_name == bindparam("event_name", type_=TEXT),
        rarely(waits.c.match_key == bindparam("match_key", type_=TEXT)),
        waits.c.met_by.is_(None),
        _is_cancel,
        waits.c.test >= bindparam("test", type_=INTEGER),
        runs.c.event_id < bindparam("event_id", type_=TEXT),
    )
    .limit(bindparam("number", type_=INTEGER))
)


def next_runs(connection: Connection, one: Cancelling, number: int) -> list[str]:
    """Up to so many runs that this event cancels: they watch for it, and their own event was accepted before it."""
    return [row[0] for row in _next(connection, number=number, **msgspec.structs.asdict(one))]


_keys = rows(("tenant_id", TEXT), ("event_id", TEXT), ("match_key", TEXT))
_remove = Sent(
    delete(cancelling).where(
        key_in(
            [cancelling.c.tenant_id, cancelling.c.event_id, cancelling.c.match_key],
            _keys,
            ["tenant_id", "event_id", "match_key"],
        )
    )
)


def end(connection: Connection, done: Sequence[Cancelling]) -> None:
    """Nothing is left to do of these."""
    if done:
        _remove(connection, [(one.tenant_id, one.event_id, one.match_key) for one in done])


# --- what came before a run could be found ------------------------------------------------------------------------------

_unlooked = Prepared(
    select(*(waits.c[name] for name in Wait.__struct_fields__), runs.c.event_id)
    .join(active, (active.c.tenant_id == waits.c.tenant_id) & (active.c.run_id == waits.c.run_id))
    .join(runs, (runs.c.tenant_id == waits.c.tenant_id) & (runs.c.id == waits.c.run_id))
    .where(_is_cancel, waits.c.looked_back == literal_column("0"), waits.c.tenant_id > "", active.c.worker_id.is_(None))
    .limit(bindparam("number", type_=INTEGER))
)


class Ahead(msgspec.Struct, frozen=True):
    """What there is to do: whether an event is to be spread, and watches of runs that nobody drives for which nobody has looked
    back yet, each with the event that its run began with."""

    is_spreading: bool
    unlooked: list[tuple[Wait, str]]


_any = Prepared(select(cancelling.c.event_id).where(cancelling.c.tenant_id > "").limit(literal_column("1")))


def ahead(connection: Connection, number: int) -> Ahead:
    """What is to be done next; of the watches, up to so many."""
    unlooked = [(Wait(*row[:-1]), row[-1]) for row in _unlooked(connection, number=number)]
    return Ahead(bool(_any(connection).fetchall()), unlooked)


_runs = rows(("tenant_id", TEXT), ("run_id", TEXT))
_looked = Sent(
    update(waits)
    .where(key_in([waits.c.tenant_id, waits.c.run_id], _runs, ["tenant_id", "run_id"]), _is_cancel)
    .values(looked_back=literal_column("1"))
)


def note_looked_back(connection: Connection, keys: Collection[Key]) -> None:
    """Everything that could cancel these runs before it could find them was looked for."""
    if keys:
        _looked(connection, sorted(keys))
