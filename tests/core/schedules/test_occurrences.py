"""The instants of a schedule: the hours that clocks skip and repeat, month ends, leap days; and, whatever the schedule, the
properties that every sequence of occurrences has."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upshot.core.instants import DAY, HOUR, MINUTE, SECOND, from_text, to_text
from upshot.core.schedules import Schedule, decide, due_at, next_after, problems_now, read_schedule, upcoming
from upshot.core.schedules.firing import GRACE
from upshot.core.schedules.occurrences import instants_of, latest_until

NEW_YORK, PARIS, LORD_HOWE, APIA = "America/New_York", "Europe/Paris", "Australia/Lord_Howe", "Pacific/Apia"


def schedule(**given: Any) -> Schedule:
    read, problems = read_schedule(given, "s")
    assert read is not None, problems
    return read


def coming(start: str, number: int, **given: Any) -> list[str]:
    """The next occurrences after an instant, as UTC text to the minute."""
    return [to_text(at)[:16] for at in upcoming(schedule(**given), from_text(start), "UTC", number)]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, ["2027-03-14T07:30", "2027-03-15T06:30"]),
        ({"gap": "end"}, ["2027-03-14T07:00", "2027-03-15T06:30"]),
        ({"gap": "skip"}, ["2027-03-15T06:30", "2027-03-16T06:30"]),
    ],
)
def test_a_time_that_clocks_skip(policy: dict[str, Any], expected: list[str]) -> None:
    for form in ({"cron": "30 2 * * *"}, {"daily": "02:30"}, {"rrule": "FREQ=DAILY", "starts": "2027-01-01T02:30"}):
        assert coming("2027-03-13T12:00:00Z", 2, **form, zone=NEW_YORK, **policy) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, ["2027-11-07T05:30", "2027-11-08T06:30"]),
        ({"fold": "second"}, ["2027-11-07T06:30", "2027-11-08T06:30"]),
        ({"fold": "both"}, ["2027-11-07T05:30", "2027-11-07T06:30"]),
    ],
)
def test_a_time_that_comes_twice(policy: dict[str, Any], expected: list[str]) -> None:
    for form in ({"cron": "30 1 * * *"}, {"daily": "01:30"}, {"rrule": "FREQ=DAILY", "starts": "2027-01-01T01:30"}):
        assert coming("2027-11-06T12:00:00Z", 2, **form, zone=NEW_YORK, **policy) == expected


def test_two_skipped_times_keep_their_order_and_two_that_meet_are_one() -> None:
    both = {"daily": ["02:30", "03:00"], "zone": NEW_YORK}
    assert coming("2027-03-14T05:00:00Z", 2, **both) == ["2027-03-14T07:00", "2027-03-14T07:30"]
    assert coming("2027-03-14T05:00:00Z", 2, **both, gap="end") == ["2027-03-14T07:00", "2027-03-15T06:30"]


def test_what_means_time_that_passes_goes_through_every_change() -> None:
    half_hours = {"cron": "*/30 * * * *"}
    for zone, day in (
        (NEW_YORK, "2027-03-14"),
        (NEW_YORK, "2027-11-07"),
        (PARIS, "2027-10-31"),
        (LORD_HOWE, "2027-04-03"),
    ):
        found = upcoming(schedule(**half_hours, zone=zone), from_text(f"{day}T00:00:00Z"), "UTC", 96)
        assert {b - a for a, b in pairwise(found)} == {30 * MINUTE}


def test_half_an_hour_at_lord_howe_and_a_day_at_apia() -> None:
    assert coming("2027-10-02T10:00:00Z", 2, daily="02:15", zone=LORD_HOWE) == ["2027-10-02T15:45", "2027-10-03T15:15"]
    assert coming("2027-10-02T10:00:00Z", 1, daily="02:15", zone=LORD_HOWE, gap="end") == ["2027-10-02T15:30"]
    assert coming("2011-12-29T00:00:00Z", 2, daily="10:00", zone=APIA, gap="skip") == [
        "2011-12-29T20:00",
        "2011-12-30T20:00",
    ]


def test_month_ends_and_leap_days() -> None:
    ends = ["2027-01-31T08:00", "2027-02-28T08:00", "2027-03-31T07:00", "2027-04-30T07:00"]
    for on in (31, "last"):
        assert coming("2027-01-15T00:00:00Z", 4, monthly={"on": on, "at": "09:00"}, zone=PARIS) == ends
    assert coming("2028-02-01T00:00:00Z", 1, monthly={"on": 30, "at": "09:00"}) == ["2028-02-29T09:00"]
    assert coming("2027-01-15T00:00:00Z", 2, cron="0 9 29 2 *") == ["2028-02-29T09:00", "2032-02-29T09:00"]
    yearly = {"rrule": "FREQ=YEARLY", "starts": "2024-02-29T09:00"}
    assert coming("2027-01-15T00:00:00Z", 2, **yearly) == ["2028-02-29T09:00", "2032-02-29T09:00"]
    short = {"rrule": "FREQ=MONTHLY;BYMONTHDAY=31", "starts": "2027-01-01T09:00"}
    assert coming("2027-01-31T10:00:00Z", 1, **short) == ["2027-03-31T09:00"]


def test_a_rule_counts_from_its_first_time_and_ends_where_it_says() -> None:
    every_other = {"rrule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "starts": "2026-01-05T09:00"}
    assert coming("2027-01-05T00:00:00Z", 2, **every_other) == ["2027-01-18T09:00", "2027-02-01T09:00"]
    until = {"rrule": "FREQ=DAILY;UNTIL=20270106T080000Z", "starts": "2027-01-04T09:00", "zone": PARIS}
    assert coming("2027-01-04T12:00:00Z", 9, **until) == ["2027-01-05T08:00", "2027-01-06T08:00"]
    assert len(coming("2026-01-04T12:00:00Z", 9, rrule="FREQ=DAILY;COUNT=3", starts="2027-01-04T09:00")) == 3


def test_the_end_of_the_calendar_is_no_error() -> None:
    end = from_text("9998-12-31T23:59:00Z")
    assert next_after(schedule(run_at="2027-01-01T00:00"), end, ZoneInfo("UTC")) is None
    assert upcoming(schedule(cron="0 9 29 2 *"), end, "UTC") == []


def test_an_impossible_or_past_time_is_told() -> None:
    now = from_text("2027-01-15T08:00:00Z")
    told = {
        "impossible_time": schedule(run_at="2027-03-14T02:30", zone=NEW_YORK),
        "never_due": schedule(run_at="2027-01-15T07:59"),
        "": schedule(run_at="2027-01-15T08:01"),
    }
    for code, one in told.items():
        assert "".join(problem.code for problem in problems_now(one, now, "UTC", "s")) == code
    assert problems_now(schedule(run_at="2027-03-14T02:30"), now, NEW_YORK, "s")[0].path == "s.run_at"


# --- whatever the schedule ----------------------------------------------------------------------------------------------

TIMES = st.builds(lambda h, m: f"{h:02}:{m:02}", st.integers(0, 23), st.integers(0, 59))
CRONS = st.builds(
    lambda m, h, d, w: f"{m} {h} {d} * {w}",
    st.sampled_from(["*/15", "0", "30", "5,35"]),
    st.sampled_from(["*", "*/3", "1", "2", "3", "0-4"]),
    st.sampled_from(["*", "1", "L", "29-31"]),
    st.sampled_from(["*", "SUN", "1-5", "5L"]),
)
DAYS = st.sampled_from([1, 15, 28, 29, 30, 31, "last"])
FORMS = st.one_of(
    st.fixed_dictionaries({"cron": CRONS}),
    st.fixed_dictionaries({"daily": st.lists(TIMES, min_size=1, max_size=4)}),
    st.fixed_dictionaries({"weekly": st.fixed_dictionaries({"on": st.sampled_from(["sun", "sat"]), "at": TIMES})}),
    st.fixed_dictionaries({"monthly": st.fixed_dictionaries({"on": st.lists(DAYS, min_size=1), "at": TIMES})}),
    st.fixed_dictionaries(
        {
            "rrule": st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY;INTERVAL=3", "FREQ=MONTHLY;BYDAY=-1SU"]),
            "starts": st.just("2026-03-01T01:45"),
        }
    ),
)
SCHEDULES = st.builds(
    lambda form, zone, gap, fold: schedule(**form, zone=zone, gap=gap, fold=fold),
    FORMS,
    st.sampled_from([NEW_YORK, PARIS, LORD_HOWE]),
    st.sampled_from(["forward", "end", "skip"]),
    st.sampled_from(["first", "second", "both"]),
)
INSTANTS = st.integers(from_text("2026-06-01T00:00:00Z"), from_text("2028-12-31T00:00:00Z"))
NEAR_A_CHANGE = st.builds(
    lambda text, off: from_text(text) + off * MINUTE,
    st.sampled_from(["2027-03-14T07:00:00Z", "2027-11-07T06:00:00Z", "2027-03-28T01:00:00Z", "2027-10-02T15:30:00Z"]),
    st.integers(-180, 180),
)


@settings(max_examples=100, deadline=None)
@given(SCHEDULES, st.one_of(INSTANTS, NEAR_A_CHANGE))
def test_occurrences_ascend_and_none_is_left_out_wherever_one_begins_to_look(one: Schedule, start: int) -> None:
    zone = ZoneInfo(one.zone or "")
    found = upcoming(one, start, "UTC", 6)
    assert found == sorted(set(found))
    assert all(at > start for at in found)
    for before, at in zip([start, *found], found, strict=False):
        middle = before + (at - before) // 2
        assert next_after(one, middle, zone) == at
        assert next_after(one, at - 1, zone) == at


@settings(max_examples=100, deadline=None)
@given(SCHEDULES, st.one_of(INSTANTS, NEAR_A_CHANGE))
def test_an_occurrence_is_one_of_the_local_times_it_is_meant_to_be(one: Schedule, start: int) -> None:
    zone = ZoneInfo(one.zone or "")
    for at in upcoming(one, start, "UTC", 6):
        local = datetime.fromtimestamp(at / SECOND, zone)
        walls = {local.replace(tzinfo=None)}
        if one.gap != "skip":  # it may stand for one that does not exist
            walls |= {wall for minutes in range(1, 61) if (wall := _earlier(local, minutes)) is not None}
        assert any(at in instants_of(wall, zone, one.gap, one.fold) for wall in walls)
        assert local.second == 0


def _earlier(local: datetime, minutes: int) -> datetime | None:
    wall = local.replace(tzinfo=None) - timedelta(minutes=minutes)
    return wall if not instants_of(wall, local.tzinfo or ZoneInfo("UTC"), "skip", "first") else None


@settings(max_examples=60, deadline=None)
@given(SCHEDULES, INSTANTS, st.integers(0, 40 * 24))
def test_looking_back_finds_what_looking_on_does(one: Schedule, start: int, hours: int) -> None:
    zone = ZoneInfo(one.zone or "")
    first = next_after(one, start, zone)
    assert first is not None
    until, expected = first + hours * HOUR, first
    while (at := next_after(one, expected, zone)) is not None and at <= until:
        expected = at
    assert latest_until(one, first, until, zone) == expected


@settings(max_examples=100, deadline=None)
@given(
    SCHEDULES,
    INSTANTS,
    st.integers(0, 10 * DAY),
    st.sampled_from(["latest", "all", "none"]),
    st.sampled_from(["allow", "skip", "queue", "cancel"]),
    st.booleans(),
)
def test_a_decision_moves_on_or_waits_and_starts_only_what_is_due(
    drawn: Schedule, start: int, late: int, catch_up: str, overlap: str, is_running: bool
) -> None:
    one = schedule(**drawn.document, catch_up=catch_up, overlap=overlap)
    zone = ZoneInfo(one.zone or "")
    first = next_after(one, start, zone)
    assert first is not None
    now = first + late
    firing = decide(one, first, now, zone, "seed", is_running=is_running)
    assert all(first <= at <= now for at in firing.starts)
    assert list(firing.starts) == sorted(set(firing.starts))
    if is_running and overlap in {"skip", "queue"}:
        assert not firing.starts
    if firing.occurrence_at == first:
        assert (overlap, is_running) == ("queue", True)
        assert (firing.due_at or 0) > now
    elif firing.occurrence_at is not None:
        assert firing.occurrence_at > first
        assert not firing.starts or firing.occurrence_at > firing.starts[-1]
        assert next_after(one, firing.occurrence_at - 1, zone) == firing.occurrence_at
    if catch_up == "none" and firing.starts:
        assert now - firing.starts[0] <= GRACE
    assert firing.cancels == (is_running and overlap == "cancel" and bool(firing.starts))


@given(st.integers(0, 3_600), INSTANTS, st.text(max_size=20))
def test_jitter_is_bounded_and_always_the_same(seconds: int, at: int, seed: str) -> None:
    one = schedule(daily="09:00", jitter_seconds=seconds)
    due = due_at(one, at, seed)
    assert at <= due <= at + seconds * SECOND
    assert due == due_at(one, at, seed)
