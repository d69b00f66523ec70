"""What may go, and its going. Looking is done with a reading connection, a window of rows at a time in the order of their
keys; going is one short statement per table, which asks again whether each row may go: what came to need a row in between
keeps it, and two who prune at once do no harm.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, bindparam, case, delete, exists, func, or_, select, text

from upshot.core import statuses
from upshot.store.listing import id_bound, rarely
from upshot.store.rows import BIGINT, INTEGER, TEXT, Prepared, rows
from upshot.store.schema import (
    active,
    attempts,
    audit,
    dead_letters,
    event_keys,
    events,
    flow_keys,
    flow_outcomes,
    idempotency,
    outbox,
    replays,
    runs,
    steps,
    unmatched,
)

Until = Mapping[str, int]
"""For each kind the instant before which it may go (microseconds), 0 for never."""

_tenant = bindparam("tenant_id", type_=TEXT)


class Kind:
    """One kind of thing that is kept for a time.

    `may_go` is what must hold of a row for it to go when all that is older goes with it; `goes` is asked at its going, when
    what it was waiting for is gone. `parts` are the tables that hang on it, by the column that names it.
    """

    def __init__(
        self,
        name: str,
        table: Table,
        key: str,
        may_go: ColumnElement[bool],
        goes: ColumnElement[bool] | None = None,
        *,
        parts: Sequence[tuple[Table, str]] = (),
        has_time_in_key: bool = False,
    ) -> None:
        self.name, self.is_tenants = name, "tenant_id" in table.primary_key.columns
        self._has_time_in_key, self._is_numbered = has_time_in_key, not self.is_tenants
        column, kind = table.c[key], BIGINT if self._is_numbered else TEXT
        own: list[ColumnElement[bool]] = [table.c.tenant_id == _tenant] if self.is_tenants else []
        window = [*own, column > bindparam("after", type_=kind)]
        if has_time_in_key:
            window.append(column < bindparam("bound", type_=TEXT))
        self._look = Prepared(
            select(column, case((may_go, 1), else_=0))
            .where(*window)
            .order_by(column)
            .limit(bindparam("number", type_=INTEGER))
        )
        named = rows(("key", kind))
        chosen = column.in_(select(named.c.key))
        self._remove = Prepared(delete(table).where(*own, chosen, may_go if goes is None else goes).returning(column))
        self._parts = [
            (part, Prepared(delete(part).where(part.c.tenant_id == _tenant, part.c[by].in_(select(named.c.key)))))
            for part, by in parts
        ]

    @property
    def first(self) -> Any:
        """Before every key."""
        return 0 if self._is_numbered else ""

    def look(
        self, connection: Connection, tenant_id: str, until: Until, after: Any, number: int
    ) -> tuple[list[Any], Any | None]:
        """Of the next `number` rows after the key `after`, those that may go; and the last key looked at, None when there
        are no more."""
        given = _given(tenant_id, until)
        if self._has_time_in_key:
            given["bound"] = id_bound(until[self.name])
        found = self._look(connection, after=after, number=number, **given).fetchall()
        return [key for key, may_go in found if may_go], found[-1][0] if len(found) == number else None

    def remove(self, connection: Connection, tenant_id: str, until: Until, keys: Sequence[Any]) -> Counter[str]:
        """Remove those of these that may still go, with all that hangs on them; how many rows of each table went."""
        gone = [row[0] for row in self._remove(connection, [(key,) for key in keys], **_given(tenant_id, until))]
        removed = Counter({self.name: len(gone)})
        for part, statement in self._parts if gone else ():
            removed[part.name.removeprefix("upshot_")] = statement(
                connection, [(key,) for key in gone], tenant_id=tenant_id
            ).rowcount
        return removed


def _given(tenant_id: str, until: Until) -> dict[str, Any]:
    return {"tenant_id": tenant_id, **{f"{kind}_until": instant for kind, instant in until.items()}}


def _before(column: ColumnElement[Any], kind: str) -> ColumnElement[bool]:
    return column < bindparam(f"{kind}_until", type_=BIGINT)


_letter_is_open = or_(dead_letters.c.status == "open", dead_letters.c.status == "retrying")


def _unless_open(column: ColumnElement[Any], about: ColumnElement[Any]) -> ColumnElement[bool]:
    """No dead letter that somebody has yet to look at, or to see end, is about it."""
    still_open = select(about).where(dead_letters.c.tenant_id == _tenant, about.is_not(None), rarely(_letter_is_open))
    return column.not_in(still_open)


def _run_may_go(run: Any) -> ColumnElement[bool]:
    driven = exists().where(active.c.tenant_id == run.tenant_id, active.c.run_id == run.id)
    is_over = or_(*(run.status == status for status in sorted(statuses.RUN_OVER)))
    return and_(is_over, _before(run.finished_at, "runs"), _unless_open(run.id, dead_letters.c.noun_id), ~driven)


def _event_is_free(event: Any) -> ColumnElement[bool]:
    waits = exists().where(unmatched.c.tenant_id == event.tenant_id, unmatched.c.event_id == event.id)
    letters = dead_letters.c
    is_let_go = [_unless_open(event.id, about) for about in (letters.noun_id, letters.event_id)]
    gathered, present = flow_outcomes.c, flow_keys.c
    is_present = exists().where(
        present.tenant_id == gathered.tenant_id,
        present.automation_id == gathered.automation_id,
        or_(present.control == "debounce", present.control == "batch"),
        present.key == gathered.key,
        present.due_at.is_not(None),
        present.state.contains(gathered.window_id),
    )
    of_event = (gathered.tenant_id == event.tenant_id) & (gathered.event_id == event.id)
    starts_later = exists().where(of_event, gathered.run_id.is_(None), is_present)
    return and_(_before(event.accepted_at, "events"), ~waits, ~starts_later, *is_let_go)


def _runs_of(event: Any) -> Any:
    return and_(runs.c.tenant_id == event.tenant_id, rarely(runs.c.event_id == event.id))


def _event_may_go(event: Any) -> ColumnElement[bool]:
    return and_(_event_is_free(event), ~exists().where(_runs_of(event), ~_run_may_go(runs.c)))


_event_of_key = and_(events.c.tenant_id == event_keys.c.tenant_id, events.c.id == event_keys.c.event_id)
_old_key = _before(event_keys.c.accepted_at, "event_keys")

RUNS = Kind(
    "runs",
    runs,
    "id",
    _run_may_go(runs.c),
    parts=[(steps, "run_id"), (attempts, "run_id")],
    has_time_in_key=True,
)
EVENTS = Kind(
    "events",
    events,
    "id",
    _event_may_go(events.c),
    and_(_event_is_free(events.c), ~exists().where(_runs_of(events.c))),
    parts=[(flow_outcomes, "event_id")],
    has_time_in_key=True,
)
DEAD_LETTERS = Kind(
    "dead_letters",
    dead_letters,
    "id",
    and_(~_letter_is_open, _before(dead_letters.c.updated_at, "dead_letters")),
)
AUDIT = Kind("audit", audit, "id", _before(audit.c.at, "audit"), has_time_in_key=True)
EVENT_KEYS = Kind(
    "event_keys",
    event_keys,
    "source_id",
    and_(_old_key, ~exists().where(_event_of_key, ~_event_may_go(events.c))),
    and_(_old_key, ~exists().where(_event_of_key)),
)
REPLAYS = Kind(
    "replays",
    replays,
    "id",
    and_(
        _before(replays.c.finished_at, "replays"),
        ~exists().where(runs.c.tenant_id == replays.c.tenant_id, rarely(runs.c.replay_id == replays.c.id)),
    ),
    has_time_in_key=True,
)
IDEMPOTENCY = Kind("idempotency", idempotency, "key", _before(idempotency.c.expires_at, "idempotency"))
OUTBOX = Kind("outbox", outbox, "seq", and_(outbox.c.status == "published", _before(outbox.c.published_at, "outbox")))

OF_TENANT = (RUNS, EVENTS, REPLAYS, DEAD_LETTERS, AUDIT, IDEMPOTENCY, EVENT_KEYS)
"""In the order of their going: the memory of ids last, so that what is gone can still not come twice."""
OF_ALL = (OUTBOX,)


def oldest_pending(connection: Connection, tenant_id: str) -> int | None:
    """When the tenant's oldest outbox row that is not relayed yet was written. Until it is, ids of its time are needed."""
    pending = select(func.min(outbox.c.created_at)).where(outbox.c.status == "pending", outbox.c.tenant_id == tenant_id)
    return connection.execute(pending).scalar()


class Size:
    """How large an SQLite file is: `total` and `free` pages of so many bytes."""

    __slots__ = ("free", "page_bytes", "total")

    def __init__(self, connection: Connection) -> None:
        self.total, self.free, self.page_bytes = (
            int(connection.execute(text(f"PRAGMA {name}")).scalar_one())
            for name in ("page_count", "freelist_count", "page_size")
        )


def size(connection: Connection) -> Size | None:
    """The size of an SQLite file; None on a server, which looks after its own."""
    return Size(connection) if connection.dialect.name == "sqlite" else None


def can_shrink(connection: Connection) -> bool:
    """Whether the file gives pages back in steps: only when it was made so (`auto_vacuum=INCREMENTAL`)."""
    return connection.dialect.name == "sqlite" and connection.execute(text("PRAGMA auto_vacuum")).scalar() == 2


def shrink(connection: Connection, pages: int) -> int:
    """Give up to so many free pages back to the file system; how many are still free."""
    driver: Any = connection.connection.driver_connection
    for _ in range(pages):  # Python takes one step of the statement, and each step gives back one page
        driver.execute("PRAGMA incremental_vacuum(1)")
    return int(connection.execute(text("PRAGMA freelist_count")).scalar_one())
