"""Delays in the calendar, in zones whose clocks change: Paris and New York by an hour, Lord Howe by half of one."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upshot.core.automations.describe import delay_words
from upshot.core.automations.durations import due_at, problems_of
from upshot.core.errors import Refused
from upshot.core.facts import Facts
from upshot.core.instants import DAY, HOUR, MINUTE, to_text

ZONES = st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "UTC"])
CHANGES = [
    datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 29), (10, 25), (3, 8), (11, 1), (4, 4), (10, 3))
]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


NEAR_CHANGES = st.builds(
    lambda change, minutes: micros(change) + minutes * MINUTE, st.sampled_from(CHANGES), st.integers(-2880, 2880)
)
NOWS = NEAR_CHANGES | st.integers(1_700_000_000_000_000, 2_000_000_000_000_000)
OFFICE = {"from": "09:00", "to": "17:00"}
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))


def facts(zone: str) -> Facts:
    return Facts(data={}, event={}, now=0, zone=zone)


def local(instant: int, zone: str) -> datetime:
    return (EPOCH + timedelta(microseconds=instant)).astimezone(ZoneInfo(zone))


def exists(wanted: datetime) -> bool:
    """Whether this local time is not skipped by its zone."""
    return wanted.astimezone(UTC).astimezone(wanted.tzinfo).replace(tzinfo=None) == wanted.replace(tzinfo=None)


@given(NOWS, TIMES, ZONES)
def test_a_local_time_is_the_next_one_that_the_clocks_there_show(now: int, wanted: time, zone: str) -> None:
    due = due_at({"at": wanted.isoformat("minutes")}, facts(zone), now)
    assert now <= due <= now + 2 * DAY
    shown = local(due, zone)
    asked = datetime.combine(shown.date(), wanted, shown.tzinfo)
    assert shown.time() == wanted if exists(asked) else shown.time() > wanted
    assert shown.fold == 0, "an ambiguous time is the first of the two"
    before = datetime.combine(shown.date() - timedelta(days=1), wanted, shown.tzinfo)
    assert micros(before.astimezone(UTC)) < now, "there was an earlier one"


@given(NOWS, TIMES, TIMES, st.sets(st.sampled_from(["monday", "saturday", "sunday"]), min_size=1), ZONES)
def test_opening_hours_are_kept(now: int, start: time, end: time, days: set[str], zone: str) -> None:
    start, end = sorted((start, end))
    if start == end:
        return
    opening = {"from": start.isoformat("minutes"), "to": end.isoformat("minutes"), "days": sorted(days)}
    try:
        due = due_at({"within": opening}, facts(zone), now)
    except Refused:
        assert end.hour - start.hour <= 1, "only hours that a change of clocks swallows may never come"
        return
    assert now <= due <= now + 15 * DAY
    shown = local(due, zone)
    assert shown.strftime("%A").lower() in days
    if due > now:
        asked = datetime.combine(shown.date(), start, shown.tzinfo)
        assert shown.time() == start if exists(asked) else shown.time() > start
    assert due_at({"within": opening}, facts(zone), due) == due, "inside it goes on at once"


DAYS = st.sets(st.sampled_from(["monday", "wednesday", "saturday", "sunday"]), min_size=1)


@given(NOWS, st.integers(1, 60 * 60), TIMES, TIMES, DAYS, st.sets(st.integers(0, 20), max_size=6), ZONES)
def test_working_time_is_counted_while_it_is_open_and_at_no_other_time(
    now: int, minutes: int, start: time, end: time, days: set[str], closed: set[int], zone: str
) -> None:
    start, end = sorted((start, end))
    if (end.hour * 60 + end.minute) - (start.hour * 60 + start.minute) < 120:
        return
    first = local(now, zone).date()
    holidays = {first + timedelta(days=after) for after in closed}
    opening = {
        "from": start.isoformat("minutes"),
        "to": end.isoformat("minutes"),
        "days": sorted(days),
        "except": sorted(day.isoformat() for day in holidays),
    }
    delay = {"working": {"minutes": minutes}, "within": opening}
    assert problems_of(delay, "delay") == []
    due = due_at(delay, facts(zone), now)

    counted, is_at_work, day = 0, False, first
    while day <= local(due, zone).date():
        hours = [micros(datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)) for at in (start, end)]
        if day.strftime("%A").lower() in days and day not in holidays:
            counted += max(min(hours[1], due) - max(hours[0], now), 0)
            is_at_work = is_at_work or hours[0] < due <= hours[1]
        day += timedelta(days=1)
    assert counted == minutes * MINUTE
    assert is_at_work, "it is over as soon as it was worked, not when it opens next"
    later = due_at({**delay, "working": {"minutes": minutes + 1}}, facts(zone), now)
    assert later > due
    halves = due_at({**delay, "working": {"seconds": minutes * 30}}, facts(zone), now)
    assert due_at({**delay, "working": {"seconds": minutes * 30}}, facts(zone), halves) == due, "in parts it is as long"


@given(NOWS, st.integers(0, 400), TIMES, ZONES, st.sampled_from(["before", "after"]))
def test_days_around_a_date_are_counted_in_its_zone(now: int, days: int, at: time, zone: str, side: str) -> None:
    anchor = now + 500 * DAY
    delay = {"days": days, side: to_text(anchor), "at": at.isoformat("minutes"), "zone": zone}
    due = due_at(delay, facts("UTC"), now)
    day = local(anchor, zone).date() + timedelta(days=-days if side == "before" else days)
    asked = datetime.combine(day, at, ZoneInfo(zone))
    assert due == micros(asked.astimezone(UTC)) if exists(asked) else local(due, zone).date() == day


@given(NOWS, st.integers(0, 400), st.integers(0, 100), ZONES)
def test_before_and_after_without_a_time_are_spans(now: int, days: int, hours: int, zone: str) -> None:
    anchor = to_text(now + 600 * DAY)
    before = due_at({"days": days, "hours": hours, "before": anchor}, facts(zone), now)
    assert abs(now + 600 * DAY - before - days * DAY - hours * HOUR) <= HOUR
    if not days:
        assert before == now + 600 * DAY - hours * HOUR


@pytest.mark.parametrize(
    ("delay", "now", "due"),
    [
        ({"at": "09:00"}, "2026-11-21T07:00:00Z", "2026-11-21T08:00:00Z"),
        ({"at": "09:00"}, "2026-11-21T08:00:00Z", "2026-11-21T08:00:00Z"),
        ({"at": "09:00"}, "2026-11-21T08:00:01Z", "2026-11-22T08:00:00Z"),
        ({"at": "02:30"}, "2026-03-29T00:00:00Z", "2026-03-29T01:30:00Z"),
        ({"at": "02:30"}, "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z"),
        ({"days": 1, "at": "09:00"}, "2026-11-21T12:00:00Z", "2026-11-23T08:00:00Z"),
        ({"within": {"from": "09:00", "to": "17:00"}}, "2026-11-21T12:00:00Z", "2026-11-23T08:00:00Z"),
        ({"within": {"from": "09:00", "to": "17:00"}}, "2026-11-20T16:00:00Z", "2026-11-23T08:00:00Z"),
        ({"hours": 2, "within": {"from": "09:00", "to": "17:00"}}, "2026-11-20T12:00:00Z", "2026-11-20T14:00:00Z"),
        (
            {"within": {"from": "20:00", "to": "00:00", "days": ["saturday"]}},
            "2026-11-21T22:59:00Z",
            "2026-11-21T22:59:00Z",
        ),
        ({"days": 2, "before": "2026-12-01T15:00:00Z", "at": "08:00"}, "2026-11-21T00:00:00Z", "2026-11-29T07:00:00Z"),
        ({"days": 2, "before": "2026-11-22", "at": "08:00"}, "2026-11-21T00:00:00Z", "2026-11-21T00:00:00Z"),
        ({"working": "8h", "within": OFFICE}, "2026-11-20T08:00:00Z", "2026-11-20T16:00:00Z"),
        ({"working": "8h", "within": OFFICE}, "2026-11-20T12:00:00Z", "2026-11-23T12:00:00Z"),
        ({"working": {"hours": 20}, "within": OFFICE}, "2028-02-28T08:00:00Z", "2028-03-01T12:00:00Z"),
        ({"working": "9h", "within": OFFICE}, "2027-01-29T08:00:00Z", "2027-02-01T09:00:00Z"),
        ({"working": "0s", "within": OFFICE}, "2026-11-21T12:00:00Z", "2026-11-23T08:00:00Z"),
        (
            {"working": "8h", "within": {**OFFICE, "except": ["2026-12-25"]}},
            "2026-12-24T12:00:00Z",
            "2026-12-28T12:00:00Z",
        ),
        (
            {"working": "1h", "after": "2026-11-23T10:00:00Z", "within": OFFICE},
            "2026-11-21T00:00:00Z",
            "2026-11-23T11:00:00Z",
        ),
        ({"working": "1h", "after": "2026-11-23", "within": OFFICE}, "2026-11-24T12:00:00Z", "2026-11-24T12:00:00Z"),
        (
            {"working": "3h", "within": {"from": "01:00", "to": "05:00", "days": ["sunday"]}},
            "2026-03-28T12:00:00Z",
            "2026-03-29T03:00:00Z",
        ),
        (
            {"working": "3h", "within": {"from": "01:00", "to": "05:00", "days": ["sunday"]}},
            "2026-10-24T12:00:00Z",
            "2026-10-25T02:00:00Z",
        ),
        (
            {"within": {**OFFICE, "except": ["2026-11-23", "2026-11-24"]}},
            "2026-11-21T12:00:00Z",
            "2026-11-25T08:00:00Z",
        ),
        ({"months": 1, "after": "2027-01-31"}, "2026-11-21T00:00:00Z", "2027-02-27T23:00:00Z"),
        ({"years": 1, "after": "2028-02-29T12:00:00Z"}, "2026-11-21T00:00:00Z", "2029-02-28T12:00:00Z"),
        (
            {"until": "2026-12-24", "at": "18:00", "zone": "America/New_York"},
            "2026-11-21T00:00:00Z",
            "2026-12-24T23:00:00Z",
        ),
    ],
)
def test_what_is_written_is_what_is_meant_in_paris(delay: dict[str, Any], now: str, due: str) -> None:
    assert problems_of(delay, "delay") == []
    begun = micros(datetime.fromisoformat(now))
    assert to_text(due_at(delay, facts("Europe/Paris"), begun)) == due.replace("Z", ".000000Z")


@pytest.mark.parametrize(
    ("delay", "path", "code"),
    [
        ({"at": "25:00"}, "delay.at", "bad_time"),
        ({"at": 9}, "delay.at", "bad_time"),
        ({"at": "09:00+01:00"}, "delay.at", "bad_time"),
        ({"at": "09:00", "zone": "Mars/Olympus"}, "delay.zone", "unknown_zone"),
        ({"zone": "Europe/Paris"}, "delay", "bad_duration"),
        ({"before": "2026-12-01", "after": "2026-12-01", "days": 1}, "delay", "bad_duration"),
        ({"before": "2026-12-01"}, "delay", "bad_duration"),
        ({"before": "soon", "days": 1}, "delay.before", "bad_instant"),
        ({"until": "2026-12-01", "days": 1}, "delay", "bad_duration"),
        ({"within": "always"}, "delay.within", "wrong_type"),
        ({"within": {"from": "17:00", "to": "09:00"}}, "delay.within.to", "bad_time"),
        ({"within": {"from": "09:00", "to": "17:00", "days": ["funday"]}}, "delay.within.days", "bad_option"),
        ({"within": {"from": "09:00", "to": "17:00", "days": []}}, "delay.within.days", "bad_option"),
        ({"days": -1, "before": "2026-12-01"}, "delay.days", "bad_duration"),
        ({"working": "8h"}, "delay.within", "required"),
        ({"working": "2d", "within": OFFICE}, "delay.working", "bad_duration"),
        ({"working": "soon", "within": OFFICE}, "delay.working", "bad_duration"),
        ({"working": "8h", "hours": 1, "within": OFFICE}, "delay.hours", "bad_duration"),
        ({"working": "8h", "before": "2026-12-01", "within": OFFICE}, "delay.before", "bad_duration"),
        ({"working": "8h", "at": "09:00", "within": OFFICE}, "delay.at", "bad_duration"),
        ({"within": {**OFFICE, "except": ["christmas"]}}, "delay.within.except[0]", "bad_time"),
        ({"within": {**OFFICE, "except": "2026-12-25"}}, "delay.within.except", "wrong_type"),
        ({"weekday": "monday"}, "delay.weekday", "unknown_field"),
    ],
)
def test_each_fault_is_named_by_its_path_on_saving_and_at_run_time(delay: Any, path: str, code: str) -> None:
    assert [(problem.path, problem.code) for problem in problems_of(delay, "delay")][:1] == [(path, code)]
    with pytest.raises(Refused) as refused:
        due_at(delay, facts("UTC"), 1_795_000_000_000_000)
    assert (refused.value.problems[0].path, refused.value.problems[0].code) == (path, code)


def test_a_delay_is_said_in_words() -> None:
    assert (
        delay_words({"days": 2, "before": "{{ due_on }}", "at": "09:00"}) == "until 2 days before {{ due_on }} at 09:00"
    )
    assert delay_words({"at": "09:00", "zone": "Europe/Paris"}) == "until 09:00 (Europe/Paris)"
    assert delay_words({"hours": 1, "within": {"from": "09:00", "to": "17:00"}}) == "1 hour within 09:00-17:00"
    assert delay_words({"working": {"hours": 8}, "within": OFFICE}) == "8 hours of working time within 09:00-17:00"
    assert delay_words({"working": "8h", "after": "{{ at }}", "within": OFFICE}) == (
        "8h of working time after {{ at }} within 09:00-17:00"
    )
