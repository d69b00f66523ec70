"""What was given up on: keeping it, and moving it from status to status. Every move is a compare-and-set on the status."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from upshot.core.dead_letters import Letter
from upshot.core.statuses import DEAD_LETTER, RUN_OVER
from upshot.store import counts
from upshot.store.rows import BIGINT, INTEGER, TEXT, Prepared, Sent, key_in, rows
from upshot.store.schema import dead_letters, outbox, runs, steps, unmatched

NOUN = "dead_letters"
OVER_CAP = "over_cap"
OPEN_MAX = 50_000
"""Letters of runs and deliveries that a tenant may have open; beyond it the oldest are kept and the others only counted.
Nothing is lost by it: such a run or outbox row stays in history as failed. An event's letter is always kept, since nothing
else would say what became of the event."""

Key = tuple[str, str]
"""Tenant and letter."""

_LETTER = (
    ("tenant_id", TEXT),
    ("id", TEXT),
    ("kind", TEXT),
    ("noun_id", TEXT),
    ("code", TEXT),
    ("error", TEXT),
    ("fingerprint", TEXT),
    ("strikes", INTEGER),
    ("epoch", INTEGER),
    ("automation_id", TEXT),
    ("step_id", TEXT),
    ("version", INTEGER),
    ("event_id", TEXT),
    ("event_name", TEXT),
)
_AGAIN = ("code", "error", "fingerprint", "strikes", "epoch", "step_id", "status", "last_at", "updated_at")
_new = rows(*_LETTER)
_now = bindparam("now", type_=BIGINT)
_insert = insert(dead_letters).from_select(
    [*(name for name, _ in _LETTER), "status", "created_at", "last_at", "updated_at"],
    select(*_new.c, literal_column("'open'"), _now, _now, _now).where(true()),
)
_keep = Sent(
    _insert.on_conflict_do_update(
        index_elements=["tenant_id", "id"],
        set_={**{name: _insert.excluded[name] for name in _AGAIN}, "who": None, "why": None},
    )
)
_keys = rows(("tenant_id", TEXT), ("id", TEXT))
_in_keys = key_in([dead_letters.c.tenant_id, dead_letters.c.id], _keys, ["tenant_id", "id"])
_present = Prepared(select(dead_letters.c.tenant_id, dead_letters.c.id, dead_letters.c.status).where(_in_keys))


def add_many(connection: Connection, letters: Sequence[Letter], now: int, most: int = OPEN_MAX) -> None:
    """Keep these, in the transaction that gave up. What is kept already is open again, with its new error."""
    present = {(row[0], row[1]): row[2] for row in _present(connection, [(one.tenant_id, one.id) for one in letters])}
    changes: Counter[counts.Key] = Counter()
    kept: dict[Key, Letter] = {}
    room: dict[str, int] = {}
    for letter in letters:
        tenant_id, key = letter.tenant_id, (letter.tenant_id, letter.id)
        if key not in present and key not in kept and letter.kind != "event":
            if tenant_id not in room:
                room[tenant_id] = most - _open_number(connection, tenant_id, most)
            if room[tenant_id] <= 0:
                changes[tenant_id, NOUN, "", OVER_CAP] += 1
                continue
            room[tenant_id] -= 1
        kept[key] = letter
    for tenant_id, letter_id in kept:
        before = present.get((tenant_id, letter_id))
        if before is not None:
            changes[tenant_id, NOUN, "", before] -= 1
        changes[tenant_id, NOUN, "", "open"] += 1
    if kept:
        _keep(connection, [_row(letter) for letter in kept.values()], now=now)
    counts.add(connection, changes, now)


def _row(letter: Letter) -> tuple[Any, ...]:
    return tuple(getattr(letter, name) for name, _ in _LETTER)


def _open_number(connection: Connection, tenant_id: str, most: int) -> int:
    """How many are open or under way again, counted up to `most`."""
    unsettled = select(literal(1)).where(
        dead_letters.c.tenant_id == tenant_id, dead_letters.c.status.in_(("open", "retrying"))
    )
    return connection.execute(select(func.count()).select_from(unsettled.limit(most).subquery())).scalar() or 0


# --- moves --------------------------------------------------------------------------------------------------------------


def move(
    connection: Connection,
    tenant_id: str,
    letter_ids: Sequence[str],
    after: str,
    now: int,
    *,
    who: str | None = None,
    why: str | None = None,
    replay_id: str | None = None,
) -> dict[str, str]:
    """Move those of these letters that the table of statuses lets move; their statuses before, by id. Of two movers one
    wins: what is returned moved here."""
    before = _locked(connection, tenant_id, letter_ids)
    moved = {letter_id: status for letter_id, status in before.items() if after in DEAD_LETTER[status]}
    if moved:
        _move(
            connection,
            [(tenant_id, letter_id) for letter_id in moved],
            after=after,
            now=now,
            who=who,
            why=why,
            replay_id=replay_id,
        )
        changes = Counter((tenant_id, NOUN, "", after) for _ in moved)
        changes.subtract((tenant_id, NOUN, "", status) for status in moved.values())
        counts.add(connection, changes, now)
    return moved


def _locked(connection: Connection, tenant_id: str, letter_ids: Sequence[str]) -> dict[str, str]:
    return {row[0]: row[1] for row in _lock(connection, [(tenant_id, letter_id) for letter_id in letter_ids])}


_lock = Prepared(
    select(dead_letters.c.id, dead_letters.c.status).where(_in_keys).order_by(dead_letters.c.id).with_for_update()
)
_move = Sent(
    update(dead_letters)
    .where(_in_keys)
    .values(
        status=bindparam("after"),
        updated_at=_now,
        who=bindparam("who"),
        why=bindparam("why"),
        replay_id=func.coalesce(bindparam("replay_id", type_=TEXT), dead_letters.c.replay_id),
    )
)


def _is_settled() -> ColumnElement[bool]:
    """A letter that is under way again is settled when the run is over or got past the step, the event was matched, or the
    row was published (or what it is about was removed meanwhile). One that failed again is open already."""
    own = dead_letters.c
    run = (runs.c.tenant_id == own.tenant_id) & (runs.c.id == own.noun_id)
    passed = exists().where(
        steps.c.tenant_id == own.tenant_id, steps.c.run_id == own.noun_id, steps.c.step_id == own.step_id
    )
    waits = exists().where(unmatched.c.tenant_id == own.tenant_id, unmatched.c.event_id == own.noun_id)
    seq = case((own.kind == "delivery", cast(own.noun_id, BIGINT)))  # no other letter's id is a number
    row = (outbox.c.tenant_id == own.tenant_id) & (outbox.c.seq == seq)
    return or_(
        and_(own.kind == "run", or_(passed, ~exists().where(run, runs.c.status.not_in(sorted(RUN_OVER))))),
        and_(own.kind == "event", ~waits),
        and_(own.kind == "delivery", ~exists().where(row, outbox.c.status != "published")),
    )


def settled(connection: Connection, limit: int) -> list[Key]:
    """Letters under way again whose trouble is over."""
    query = select(dead_letters.c.tenant_id, dead_letters.c.id).where(_is_retrying, _is_settled()).limit(limit)
    return [(row[0], row[1]) for row in connection.execute(query)]


_is_retrying = dead_letters.c.status == literal_column("'retrying'")
_resolve = Prepared(
    update(dead_letters)
    .where(_in_keys, _is_retrying)
    .values(status=literal_column("'resolved'"), updated_at=_now)
    .returning(dead_letters.c.tenant_id, dead_letters.c.id)
)


def resolve(connection: Connection, keys: Iterable[Key], now: int) -> list[Key]:
    """Resolve those of these that are still under way; which."""
    done = [(row[0], row[1]) for row in _resolve(connection, sorted(keys), now=now)]
    changes = Counter((tenant_id, NOUN, "", "resolved") for tenant_id, _ in done)
    changes.subtract((tenant_id, NOUN, "", "retrying") for tenant_id, _ in done)
    counts.add(connection, changes, now)
    return done
