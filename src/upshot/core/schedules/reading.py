"""A schedule read from `{"schedule": {...}}`, or every reason why not, each at its path."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import Any, Final, cast

import msgspec
from cronsim import CronSim, CronSimError

from upshot.core.errors import Problem, Refused
from upshot.core.instants import from_text
from upshot.core.local_time import zone_of
from upshot.core.schedules.each import Each, read_each
from upshot.core.schedules.model import (
    CATCH_UP_HOURS_DATED,
    CATCH_UP_HOURS_DEFAULT,
    CATCH_UP_HOURS_MAX,
    CATCH_UPS,
    FOLDS,
    GAPS,
    JITTER_SECONDS_MAX,
    LAST_DAY,
    OVERLAPS,
    Cron,
    Daily,
    Monthly,
    Once,
    Schedule,
    Weekly,
    When,
)
from upshot.core.schedules.rules import read_recurring

KINDS: Final = ("cron", "daily", "weekly", "monthly", "run_at", "rrule")
OPTIONS: Final = ("zone", "gap", "fold", "catch_up", "catch_up_hours", "overlap", "jitter_seconds", "each")
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
TIMES_MAX: Final = 24

_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_EPOCH: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - local wall time, to try an expression on
_CRON_FIELDS: Final = 5
_CRON_CHARACTERS_MAX: Final = 200
_SHORTHANDS: Final = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip

Add = Callable[[str, str, str], None]


def read_schedule(value: Any, at: str) -> tuple[Schedule | None, list[Problem]]:
    """The schedule, or None and every problem. Whether it is ever due depends on the time: see `problems_now`."""
    given = _object(value)
    if given is None:
        said = f"a schedule is an object with one of {', '.join(KINDS)}"
        return None, [Problem(at, said, "required" if value is None else "wrong_type")]
    problems: list[Problem] = []

    def add(place: str, message: str, code: str) -> None:
        problems.append(Problem(f"{at}.{place}" if place else at, message, code))

    kinds = [kind for kind in KINDS if kind in given]
    known = {*KINDS, *OPTIONS, *(("starts",) if "rrule" in given else ())}
    for name in given:
        if name not in known:
            add(str(name), f"is not known here; known are: {', '.join([*KINDS, *OPTIONS])}", "unknown_field")
    if len(kinds) != 1:
        add("", f"says when in one of {', '.join(KINDS)}" + (f", not in {len(kinds)}" if kinds else ""), "bad_schedule")
    when = _READERS[kinds[0]](given[kinds[0]], given, add) if len(kinds) == 1 else None
    _check_options(given, add)
    each = read_each(given["each"], add) if "each" in given else None
    _check_each(given, when, each, add)
    if problems or when is None:
        return None, problems
    is_dated = each is not None and bool(each.field)
    is_elapsed = isinstance(when, Cron) and when.follows_the_clock
    return Schedule(
        document=given,
        when=when,
        zone=given.get("zone"),
        gap=given.get("gap", "skip" if is_elapsed else "forward"),
        fold=given.get("fold", "both" if is_elapsed else "first"),
        catch_up=given.get("catch_up", "all" if is_dated else "latest"),
        catch_up_hours=given.get("catch_up_hours", CATCH_UP_HOURS_DATED if is_dated else CATCH_UP_HOURS_DEFAULT),
        overlap=given.get("overlap", "allow"),
        jitter_seconds=given.get("jitter_seconds", 0),
        each=each,
    ), []


def _check_options(given: Mapping[str, Any], add: Add) -> None:
    zone = given.get("zone")
    if zone is not None and not (isinstance(zone, str) and zone_of(zone)):
        add("zone", f"{str(zone)[:80]!r} is no time zone; use a name like Europe/Paris", "bad_zone")
    for name, allowed in (("gap", GAPS), ("fold", FOLDS), ("catch_up", CATCH_UPS), ("overlap", OVERLAPS)):
        if name in given and given[name] not in allowed:
            add(name, f"is one of {', '.join(allowed)}", "bad_option")
    for name, low, high in (("catch_up_hours", 1, CATCH_UP_HOURS_MAX), ("jitter_seconds", 0, JITTER_SECONDS_MAX)):
        value = given.get(name, low)
        if not isinstance(value, int) or isinstance(value, bool):
            add(name, "must be a whole number", "wrong_type")
        elif not low <= value <= high:
            add(name, f"must be from {low} to {high}", "out_of_range")


def _check_each(given: Mapping[str, Any], when: When | None, each: Each | None, add: Add) -> None:
    if each is None or when is None:
        return
    if each.field and not (isinstance(when, Daily) and len(when.at) == 1):
        add("each", "counts days before or after a date, so it goes with `daily` at one time", "bad_schedule")
    if given.get("overlap", "allow") != "allow":
        add("overlap", "is for one run an occurrence; with `each` there are many", "bad_option")


# --- when ---------------------------------------------------------------------------------------------------------------


def _read_cron(value: Any, _given: Mapping[str, Any], add: Add) -> When | None:
    if not isinstance(value, str) or not value.strip():
        add("cron", "is a text like `0 9 * * MON-FRI`", "wrong_type" if value else "required")
        return None
    text = _SHORTHANDS.get(value.strip().lower(), " ".join(value.split()))
    if len(text) > _CRON_CHARACTERS_MAX or len(text.split()) != _CRON_FIELDS:
        add("cron", "has five fields: minute, hour, day of the month, month, day of the week", "bad_cron")
        return None
    try:
        next(CronSim(text, _EPOCH))
    except CronSimError as error:
        add("cron", f"is no time of any calendar: {str(error).lower()}", "bad_cron")
        return None
    except StopIteration:
        add("cron", "never comes: no day of the calendar is like that", "never_due")
        return None
    return Cron(text)


def _read_daily(value: Any, _given: Mapping[str, Any], add: Add) -> When | None:
    fields = _object(value)
    at = _read_times(value if fields is None else fields.get("at"), "daily" if fields is None else "daily.at", add)
    _refuse_others(fields or {}, ("at",), "daily", add)
    return Daily(at) if at else None


def _read_weekly(value: Any, _given: Mapping[str, Any], add: Add) -> When | None:
    fields = _read_fields(value, "weekly", '{"on": ["monday"], "at": "09:00"}', add)
    if fields is None:
        return None
    at = _read_times(fields.get("at"), "weekly.at", add)
    on: set[int] = set()
    for name in _listed(fields.get("on")):
        matching = [n for n, day in enumerate(WEEKDAYS) if isinstance(name, str) and name.lower() in (day, day[:3])]
        if not matching:
            add("weekly.on", f"{str(name)[:40]!r} is no day of the week, like monday", "bad_day")
            return None
        on.update(matching)
    if not on:
        add("weekly.on", "names the days of the week", "required")
    return Weekly(tuple(sorted(on)), at) if on and at else None


def _read_monthly(value: Any, _given: Mapping[str, Any], add: Add) -> When | None:
    fields = _read_fields(value, "monthly", '{"on": 1, "at": "09:00"}', add)
    if fields is None:
        return None
    at = _read_times(fields.get("at"), "monthly.at", add)
    on: set[int] = set()
    for day in _listed(fields.get("on")):
        if day == "last":
            on.add(LAST_DAY)
        elif isinstance(day, int) and not isinstance(day, bool) and 1 <= day <= 31:
            on.add(day)
        else:
            add("monthly.on", f"{str(day)[:40]!r} is no day of a month: 1 to 31, or last", "bad_day")
            return None
    if not on:
        add("monthly.on", "names the days of the month", "required")
    return Monthly(tuple(sorted(on)), at) if on and at else None


def _read_once(value: Any, _given: Mapping[str, Any], add: Add) -> When | None:
    if isinstance(value, str):
        try:
            local = datetime.fromisoformat(value)
            return Once(local if local.tzinfo is None else from_text(value))
        except (ValueError, Refused):
            pass
    add("run_at", "is a local time like 2027-03-01T09:00, or an instant like 2027-03-01T08:00:00Z", "bad_instant")
    return None


def _read_rule(value: Any, given: Mapping[str, Any], add: Add) -> When | None:
    return read_recurring(value, given.get("starts"), add)


_READERS: Final[dict[str, Callable[[Any, Mapping[str, Any], Add], When | None]]] = {
    "cron": _read_cron,
    "daily": _read_daily,
    "weekly": _read_weekly,
    "monthly": _read_monthly,
    "run_at": _read_once,
    "rrule": _read_rule,
}


def _read_fields(value: Any, name: str, form: str, add: Add) -> dict[str, Any] | None:
    fields = _object(value)
    if fields is None:
        add(name, f"is an object like {form}", "wrong_type")
    else:
        _refuse_others(fields, ("on", "at"), name, add)
    return fields


def _refuse_others(fields: Mapping[str, Any], known: tuple[str, ...], name: str, add: Add) -> None:
    for other in fields:
        if other not in known:
            add(f"{name}.{other}", f"is not known here; known are: {', '.join(known)}", "unknown_field")


def _read_times(value: Any, name: str, add: Add) -> tuple[time, ...]:
    times: set[time] = set()
    for written in _listed(value):
        found = _TIME.fullmatch(written) if isinstance(written, str) else None
        if found is None:
            add(name, f"{str(written)[:40]!r} is no local time: 00:00 to 23:59, always two digits each", "bad_time")
            return ()
        times.add(time(int(found[1]), int(found[2])))
    if not times:
        add(name, "names a local time, like 09:00", "required")
    elif len(times) > TIMES_MAX:
        add(name, f"has {len(times)} times; at most {TIMES_MAX}: for more, use cron", "too_many")
    return tuple(sorted(times))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _object(value: Any) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def schedule_of(document: str) -> Schedule | None:
    """The schedule in the trigger of a canonical document's text, if it has one that this release can read."""
    trigger = _object(cast("dict[str, Any]", msgspec.json.decode(document)).get("trigger")) or {}
    return read_schedule(trigger["schedule"], "")[0] if "schedule" in trigger else None
