"""The replays noun: an automation acts on events of the past, with its effects, so many in a minute and each event once."""

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.app.announce import announce
from upshot.app.changing import change
from upshot.app.listed import Listed, cut
from upshot.core import statuses
from upshot.core.automations.document import BY_HAND
from upshot.core.conditions import normalise
from upshot.core.errors import Conflict, NotFound, Refused
from upshot.core.instants import to_text
from upshot.core.program import Program
from upshot.core.replays import PER_MINUTE, PER_MINUTE_MAX, Counts
from upshot.core.strict_json import encode
from upshot.engine.past import Asked, read_page
from upshot.engine.replay import asked_of
from upshot.store import automations, past_events, tenants
from upshot.store import replays as store
from upshot.store.past_events import Window
from upshot.store.replays import Replay

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

NOUN: Final = "replay"
EVENTS_AT_ONCE: Final = 10_000
"""Events that one call of a preview looks at, if nothing else is asked for."""
EVENTS_AT_ONCE_MAX: Final = 50_000
_READ_AT_ONCE: Final = 1_000
_RUNS_MAX: Final = 2_147_483_647


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a replay: events accepted from `since` on and before `until` (now if left out, and at most), all or
    those about `entity`, that meet `condition` too. It starts `per_minute` runs in a minute, and `limit` in all; `dropped`
    says whether it starts what flow control dropped at the time."""

    since: int
    until: int | None = None
    entity: tuple[str, str] | None = None
    condition: Any = None
    per_minute: int = PER_MINUTE
    limit: int | None = None
    dropped: bool = False


class Place(msgspec.Struct, frozen=True):
    """Where a preview stands: the window and the version it looks at, how many events there are, after which one it goes on,
    and what it found so far."""

    since: int
    until: int
    version: int
    total: int
    after: str
    counts: Counts


class Replays:
    """`upshot.replays`. Every change is audited in its own transaction."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot

    def preview(
        self,
        tenant_id: str,
        automation_id: str,
        wanted: Wanted,
        *,
        events_max: int = EVENTS_AT_ONCE,
        place: Place | None = None,
    ) -> tuple[dict[str, Any], Place | None]:
        """What `start` would start, as far as `events_max` events tell, and where it goes on; with that `place` and the same
        wish, the next part, counted from the beginning. Nothing is kept and nothing happens.

        Raises:
            as `start` does; that a replay is under way does not matter.
        """
        begun = self._made(tenant_id, automation_id, wanted, "", place)
        asked = self._asked(tenant_id, begun)
        after, counts, left, is_last = begun.place, begun.counts, events_max, False
        while left > 0 and not is_last:
            number = min(left, _READ_AT_ONCE)
            most = number if begun.runs_max is None else min(number, begun.runs_max - counts.started)
            with self._upshot.database.reading(tenant_id) as connection:
                page = read_page(connection, asked, after, number, most, waits=False)
            after, left = page.place, left - len(page.starts) - page.others.total()
            counts = counts.plus(Counter({**page.others, "started": len(page.starts)}))
            is_last = page.is_last or counts.started == begun.runs_max
        told = item_of(msgspec.structs.replace(begun, counts=counts))
        further = Place(begun.since, begun.until, begun.version, begun.total, after, counts)
        return {**told, "id": None, "status": None, "next_at": None, "created_by": None}, None if is_last else further

    def start(self, tenant_id: str, automation_id: str, wanted: Wanted, *, actor: str = "host") -> dict[str, Any]:
        """Begin a replay over the automation's live version: a running engine starts a run for each event of the window that
        meets the conditions and has not started one of this automation yet. Real runs, marked by the replay's id.

        Raises:
            NotFound: there is no such automation.
            Conflict: it is not active, starts by hand only, or a replay of it is under way.
            Refused: the window is empty, or something that was asked is out of its bounds; the problems name it.
        """
        made = self._made(tenant_id, automation_id, wanted, actor)

        def write(connection: Connection) -> None:
            present = self._active(connection, tenant_id, automation_id)
            if present.version != made.version:
                raise Conflict(f"Version {present.version} was published a moment ago. Look what it would start.")
            other = store.under_way(connection, tenant_id, automation_id)
            if other is not None:
                raise Conflict(
                    f"Replay {other.id!r} of this automation is {other.status}. Wait for its end, or cancel it."
                )
            store.create(connection, tenant_id, made)
            _audit(self._upshot, connection, tenant_id, actor, "start", None, made)

        change(self._upshot, tenant_id, write, is_alone=True)
        self._tell(tenant_id, made)
        return item_of(made)

    def page(self, tenant_id: str, automation_id: str, *, limit: int = 50, after: str | None = None) -> Listed:
        """The replays of an automation, newest first.

        Raises:
            NotFound: there is no such automation.
        """
        with self._upshot.database.reading(tenant_id) as connection:
            _automation(connection, tenant_id, automation_id)
            found = store.page(connection, tenant_id, automation_id, after, limit + 1)
        kept, has_more = cut(found, limit)
        return Listed([item_of(replay) for replay in kept], kept[-1].id if has_more else None)

    def get(self, tenant_id: str, replay_id: str, *, automation_id: str | None = None) -> dict[str, Any]:
        """One replay and how far it is.

        Raises:
            NotFound: there is no such replay; of this automation, when one is said.
        """
        with self._upshot.database.reading(tenant_id) as connection:
            return item_of(_present(connection, tenant_id, replay_id, automation_id))

    def pause(
        self, tenant_id: str, replay_id: str, *, automation_id: str | None = None, actor: str = "host"
    ) -> dict[str, Any]:
        """It starts no runs until it is resumed. What it has started goes on.

        Raises:
            NotFound: there is no such replay.
            Conflict: it is paused already, or over.
        """
        return self._moved(tenant_id, replay_id, automation_id, "pause", "paused", actor)

    def resume(
        self, tenant_id: str, replay_id: str, *, automation_id: str | None = None, actor: str = "host"
    ) -> dict[str, Any]:
        """It goes on where it stands.

        Raises:
            NotFound: there is no such replay.
            Conflict: it is not paused.
        """
        return self._moved(tenant_id, replay_id, automation_id, "resume", "running", actor)

    def cancel(
        self, tenant_id: str, replay_id: str, *, automation_id: str | None = None, actor: str = "host"
    ) -> dict[str, Any]:
        """It starts no more runs. What it has started goes on: those are found by `replay` among the runs.

        Raises:
            NotFound: there is no such replay.
            Conflict: it is over already.
        """
        return self._moved(tenant_id, replay_id, automation_id, "cancel", "cancelled", actor)

    # --- how it is made ---------------------------------------------------------------------------------------------------

    def _made(
        self, tenant_id: str, automation_id: str, wanted: Wanted, actor: str, place: Place | None = None
    ) -> Replay:
        """The replay as it would begin now; or, with a place, as it stands there."""
        now = self._upshot.clock.now()
        since, until = wanted.since, now if wanted.until is None else min(wanted.until, now)
        if place is not None:
            since, until = place.since, place.until
        if since >= until:
            said = "is not before `until`, or lies in the future: no event can be there"
            raise Refused.at("since", said, "empty_window")
        _raise_if_out_of_range("per_minute", wanted.per_minute, PER_MINUTE_MAX)
        _raise_if_out_of_range("limit", wanted.limit, _RUNS_MAX)
        condition = encode(normalise(wanted.condition)) if wanted.condition is not None else None
        with self._upshot.database.reading(tenant_id) as connection:
            version = self._active(connection, tenant_id, automation_id).version or 0
            version = version if place is None else place.version
            name = self._program(connection, tenant_id, automation_id, version).automation.listens_to(automation_id)
            if name.startswith(BY_HAND):
                raise Conflict(f"Automation {automation_id!r} starts by hand only: no event of the past starts it.")
            window = Window(name, since, until, wanted.entity)
            total = place.total if place is not None else past_events.count(connection, tenant_id, window)
        return Replay(
            id=new_id(now),
            automation_id=automation_id,
            version=version,
            since=since,
            until=until,
            entity_type=wanted.entity[0] if wanted.entity is not None else None,
            entity_id=wanted.entity[1] if wanted.entity is not None else None,
            condition=condition,
            per_minute=wanted.per_minute,
            runs_max=wanted.limit,
            with_dropped=wanted.dropped,
            place=place.after if place is not None else "",
            due_at=now,
            total=total,
            counts=place.counts if place is not None else Counts(),
            created_by=actor,
            created_at=now,
        )

    def _asked(self, tenant_id: str, replay: Replay) -> Asked:
        """What a preview looks at."""
        with self._upshot.database.reading(tenant_id) as connection:
            present = _automation(connection, tenant_id, replay.automation_id)
            program = self._program(connection, tenant_id, replay.automation_id, replay.version)
            pruned = tenants.runs_pruned_until(connection, tenant_id)
        zone = self._upshot.engine.process.definitions.of_now(tenant_id).zone
        return asked_of(tenant_id, replay, program, zone, present.created_at, pruned)

    def _active(self, connection: Connection, tenant_id: str, automation_id: str) -> automations.Automation:
        present = _automation(connection, tenant_id, automation_id)
        if present.status != "active":
            raise Conflict(f"Automation {automation_id!r} is {present.status}; only an active one acts on events.")
        return present

    def _program(self, connection: Connection, tenant_id: str, automation_id: str, number: int) -> Program:
        kept = automations.version(connection, tenant_id, automation_id, number)
        if kept is None:
            raise Conflict(f"Version {number} of automation {automation_id!r} is not in the store any more.")
        known = self._upshot.engine.process.definitions
        return known.program(tenant_id, automation_id, number, encode(kept.document))

    # --- how it is changed ------------------------------------------------------------------------------------------------

    def _moved(
        self, tenant_id: str, replay_id: str, automation_id: str | None, action: str, status: str, actor: str
    ) -> dict[str, Any]:
        now = self._upshot.clock.now()

        def write(connection: Connection) -> Replay:
            before = _present(connection, tenant_id, replay_id, automation_id, is_locked=True)
            if not statuses.may_move("replay", before.status, status):
                raise Conflict(f"Replay {replay_id!r} is {before.status}; from there it cannot become {status}.")
            finished_at = now if statuses.is_final("replay", status) else None
            after = msgspec.structs.replace(before, status=status, finished_at=finished_at)
            store.save(connection, tenant_id, after)
            _audit(self._upshot, connection, tenant_id, actor, action, before, after)
            return after

        after = change(self._upshot, tenant_id, write)
        self._tell(tenant_id, after)
        return item_of(after)

    def _tell(self, tenant_id: str, replay: Replay) -> None:
        self._upshot.engine.replay_soon()
        about = {"automation_id": replay.automation_id, "status": replay.status}
        announce(self._upshot, tenant_id, NOUN, id=replay.id, **about)


def stop(upshot: "Upshot", connection: Connection, tenant_id: str, automation_id: str, reason: str, actor: str) -> None:
    """End the replay of this automation that is under way, if there is one, in the transaction of what ends it."""
    before = store.under_way(connection, tenant_id, automation_id)
    if before is not None:
        now = upshot.clock.now()
        after = msgspec.structs.replace(before, status="cancelled", reason=reason, finished_at=now)
        store.save(connection, tenant_id, after)
        _audit(upshot, connection, tenant_id, actor, "cancel", before, after)


def item_of(replay: Replay) -> dict[str, Any]:
    """One replay as every surface shows it."""
    entity = replay.entity
    return {
        "id": replay.id,
        "automation_id": replay.automation_id,
        "version": replay.version,
        "status": replay.status,
        "reason": replay.reason,
        "since": to_text(replay.since),
        "until": to_text(replay.until),
        "entity": {"type": entity[0], "id": entity[1]} if entity is not None else None,
        "condition": msgspec.json.decode(replay.condition) if replay.condition is not None else None,
        "per_minute": replay.per_minute,
        "limit": replay.runs_max,
        "dropped": replay.with_dropped,
        "progress": {"events": replay.counts.events, "of": max(replay.total, replay.counts.events)},
        "counts": msgspec.to_builtins(replay.counts),
        "next_at": to_text(replay.due_at) if replay.status == "running" else None,
        "created_by": replay.created_by,
        "created_at": to_text(replay.created_at),
        "finished_at": to_text(replay.finished_at) if replay.finished_at is not None else None,
    }


def _audit(
    upshot: "Upshot",
    connection: Connection,
    tenant_id: str,
    actor: str,
    action: str,
    before: Replay | None,
    after: Replay,
) -> None:
    said = _audited(before) if before is not None else None
    upshot.audit.add(connection, tenant_id, actor, action, NOUN, after.id, said, _audited(after))


def _audited(replay: Replay) -> dict[str, Any]:
    left_out = {"id", "next_at", "created_by", "created_at", "finished_at"}
    return {name: value for name, value in item_of(replay).items() if name not in left_out}


def _raise_if_out_of_range(name: str, value: int | None, most: int) -> None:
    if value is not None and not 1 <= value <= most:
        raise Refused.at(name, f"is from 1 to {most}", "out_of_range")


def _automation(connection: Connection, tenant_id: str, automation_id: str) -> automations.Automation:
    present = automations.read(connection, tenant_id, automation_id)
    if present is None or present.deleted_at is not None:
        raise NotFound("automation", automation_id)
    return present


def _present(
    connection: Connection, tenant_id: str, replay_id: str, automation_id: str | None, *, is_locked: bool = False
) -> Replay:
    found = store.read(connection, tenant_id, replay_id, is_locked=is_locked)
    if found is None or automation_id not in {None, found.automation_id}:
        raise NotFound("replay", replay_id)
    return found
