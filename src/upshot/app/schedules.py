"""The schedules noun: when automations are due, and how that follows what people do to them."""

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection

from upshot.app.listed import Listed, cut
from upshot.core.automations.fields import as_object
from upshot.core.instants import to_text
from upshot.core.local_time import zone_or_utc
from upshot.core.schedules import Schedule, due_at, next_after, read_schedule, schedule_of, schedule_words, upcoming
from upshot.core.strict_json import encode
from upshot.store import automations, tenants
from upshot.store import schedules as store

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

NEXT_SHOWN = 5


class Schedules:
    """`upshot.schedules`."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot

    def page(self, tenant_id: str, *, limit: int = 50, after: str | None = None) -> Listed:
        """The schedules of active and paused automations with their next occurrences, in the order of creation."""
        now = self._upshot.clock.now()
        with self._upshot.database.reading(tenant_id) as connection:
            zone = zone_of_tenant(connection, tenant_id)
            found = store.page(connection, tenant_id, after, limit + 1)
        kept, has_more = cut(found, limit)
        items = [_item(listed, zone, now) for listed in kept]
        return Listed(items, kept[-1].kept.automation_id if has_more else None)


def foretold(document: Any, tenant_zone: str, now: int) -> dict[str, Any] | None:
    """What the schedule of a document that is being written means, whatever else is still wrong with it: in words, and when it
    would be due next. None without a schedule that can be read."""
    trigger = as_object((as_object(document) or {}).get("trigger")) or {}
    schedule = read_schedule(trigger.get("schedule"), "")[0]
    if schedule is None:
        return None
    return {
        "words": schedule_words(schedule),
        "zone": schedule.zone or tenant_zone,
        "next": [to_text(at) for at in upcoming(schedule, now, tenant_zone, NEXT_SHOWN)],
    }


def follow(connection: Connection, tenant_id: str, automation: automations.Automation, now: int) -> None:
    """Let the schedule stand as the automation does: due when it is active, still when it is paused, else gone. What is due
    stays due when only something else of the automation changed; occurrences of a time it was paused for are not
    caught up, but entities that it was going through are gone through when it goes on."""
    is_gone = automation.deleted_at is not None or automation.status not in {"active", "paused"}
    schedule = None if is_gone else _live(connection, tenant_id, automation)
    if schedule is None or automation.version is None:
        store.remove(connection, tenant_id, automation.id)
        return
    present = store.read(connection, tenant_id, automation.id)
    before = present if present is not None else store.Kept(tenant_id, automation.id, automation.version, None, None)
    is_same = _of_version(connection, before) == schedule
    moved = msgspec.structs.replace(before, version=automation.version)
    if not is_same:  # the entities of its last occurrence are not gone through any more
        moved = msgspec.structs.replace(moved, sweep_at=None, sweep_after=None)
    if automation.status == "paused":
        moved = msgspec.structs.replace(moved, occurrence_at=None, due_at=None)
    elif before.occurrence_at is None or not is_same:
        # This process's clock may be behind that of the worker which started the last occurrence.
        since = max(now, before.last_at or 0) if is_same else now
        occurrence, due = _first(connection, schedule, tenant_id, automation.id, since)
        due = due if moved.sweep_at is None else now
        moved = msgspec.structs.replace(moved, occurrence_at=occurrence, due_at=due)
    store.put(connection, [moved])


def follow_zone(connection: Connection, tenant_id: str, now: int) -> None:
    """The tenant's zone was changed: schedules without one of their own are due by the new one."""
    after: str | None = None
    while True:
        found = store.page(connection, tenant_id, after, 500)
        for listed in found:
            kept, schedule = listed.kept, schedule_of(listed.document)
            if schedule is not None and schedule.zone is None and kept.occurrence_at is not None:
                occurrence, due = _first(connection, schedule, tenant_id, kept.automation_id, now)
                due = due if kept.sweep_at is None else now
                store.put(connection, [msgspec.structs.replace(kept, occurrence_at=occurrence, due_at=due)])
        if len(found) < 500:
            return
        after = found[-1].kept.automation_id


def zone_of_tenant(connection: Connection, tenant_id: str) -> str:
    """The zone of a tenant's schedules that name none."""
    tenant = tenants.read(connection, tenant_id)
    return str(tenant.settings.get("zone") or "UTC") if tenant is not None else "UTC"


def _first(
    connection: Connection, schedule: Schedule, tenant_id: str, automation_id: str, now: int
) -> tuple[int | None, int | None]:
    zone = zone_or_utc(schedule.zone or zone_of_tenant(connection, tenant_id))
    occurrence = next_after(schedule, now, zone)
    return occurrence, None if occurrence is None else due_at(schedule, occurrence, automation_id)


def _live(connection: Connection, tenant_id: str, automation: automations.Automation) -> Schedule | None:
    if automation.version is None:
        return None
    version = automations.version(connection, tenant_id, automation.id, automation.version)
    return schedule_of(encode(version.document)) if version is not None else None


def _of_version(connection: Connection, kept: store.Kept) -> Schedule | None:
    version = automations.version(connection, kept.tenant_id, kept.automation_id, kept.version)
    return schedule_of(encode(version.document)) if version is not None else None


def _item(listed: store.Listed, tenant_zone: str, now: int) -> dict[str, Any]:
    kept, schedule = listed.kept, schedule_of(listed.document)
    is_due = schedule is not None and kept.occurrence_at is not None
    upon = (
        upcoming(schedule, kept.occurrence_at - 1, tenant_zone, NEXT_SHOWN) if schedule and kept.occurrence_at else []
    )
    return {
        "automation": {"id": kept.automation_id, "name": listed.name, "version": kept.version},
        "status": listed.status if is_due or listed.status != "active" else "over",
        "schedule": schedule.document if schedule is not None else {},
        "words": schedule_words(schedule) if schedule is not None else "",
        "zone": (schedule.zone if schedule is not None else None) or tenant_zone,
        "next_at": _text(kept.occurrence_at),
        "due_at": _text(kept.due_at),
        "next": [to_text(at) for at in upon],
        "is_late": kept.due_at is not None and kept.due_at < now,
        "last_at": _text(kept.last_at),
        "is_under_way": kept.sweep_at is not None,
        "skipped_at": _text(kept.skipped_at),
        "skipped_why": kept.skipped_why,
    }


def _text(instant: int | None) -> str | None:
    return to_text(instant) if instant is not None else None
