"""Relative dates: calendar steps in a zone, snaps, month ends, daylight saving."""

from typing import Any

import pytest

from upshot.core.conditions import compile_condition
from upshot.core.errors import Refused
from upshot.core.facts import Facts
from upshot.core.instants import from_text

NOW = from_text("2026-11-21T09:00:00Z")  # a Saturday


def resolved(operand: dict[str, Any], *, now: int = NOW, zone: str = "UTC", **data: Any) -> Any:
    condition = compile_condition({"field": "x", "operator": "before", "value": operand})
    told = condition.explain(Facts(data, {"ts": "2026-01-31T12:00:00Z"}, now, zone=zone))
    return told["tree"]["children"][0].get("expected_value")


@pytest.mark.parametrize(
    ("base", "offset", "unit", "expected"),
    [
        ("2026-01-31", 1, "month", "2026-02-28"),
        ("2024-01-31", 1, "month", "2024-02-29"),
        ("2024-02-29", 1, "year", "2025-02-28"),
        ("2026-11-30", 1, "quarter", "2027-02-28"),
        ("2026-01-31", -1, "month", "2025-12-31"),
        ("2026-01-31", 2, "week", "2026-02-14"),
        ("today", -1, "day", "2026-11-20"),
        ("now", 90, "minute", "2026-11-21T10:30:00.000000Z"),
        ("event_time", -7, "day", "2026-01-24T12:00:00.000000Z"),
        ("2026-01-31", 5, "hour", "2026-01-31T05:00:00.000000Z"),
        ("9999-12-31", 1, "day", None),
        ("now", 999_999, "year", None),
    ],
)
def test_offsets(base: str, offset: int, unit: str, expected: str | None) -> None:
    assert resolved({"mode": "relative", "base": base, "offset": offset, "unit": unit}) == expected


@pytest.mark.parametrize(
    ("snap", "expected"),
    [
        ("start_of_day", "2026-11-21T00:00:00.000000Z"),
        ("end_of_day", "2026-11-21T23:59:59.999999Z"),
        ("start_of_week", "2026-11-16T00:00:00.000000Z"),
        ("endOfMonth", "2026-11-30T23:59:59.999999Z"),
        ("start_of_quarter", "2026-10-01T00:00:00.000000Z"),
        ("end_of_year", "2026-12-31T23:59:59.999999Z"),
    ],
)
def test_snaps(snap: str, expected: str) -> None:
    assert resolved({"mode": "relative", "base": "now", "snap": snap}) == expected


def test_the_week_starts_where_it_is_said_to() -> None:
    assert (
        resolved({"mode": "relative", "base": "today", "snap": "start_of_week", "week_start": "sunday"}) == "2026-11-15"
    )


def test_days_are_steps_on_the_local_calendar_and_hours_are_exact() -> None:
    before_the_change = from_text("2026-03-28T11:00:00Z")  # noon in Berlin, the clocks go forward that night
    day = {"mode": "relative", "base": "now", "offset": 1, "unit": "day"}
    assert resolved(day, now=before_the_change, zone="Europe/Berlin") == "2026-03-29T10:00:00.000000Z"
    hours = {"mode": "relative", "base": "now", "offset": 24, "unit": "hour"}
    assert resolved(hours, now=before_the_change, zone="Europe/Berlin") == "2026-03-29T11:00:00.000000Z"


@pytest.mark.parametrize(
    ("local", "instant"),
    [("2026-03-29T02:30:00", "2026-03-29T01:30:00.000000Z"), ("2026-10-25T02:30:00", "2026-10-25T00:30:00.000000Z")],
)
def test_a_gap_moves_forward_and_a_fold_takes_the_first(local: str, instant: str) -> None:
    found = resolved(
        {"mode": "relative", "base": {"ref": "at"}, "offset": 0, "unit": "day"}, zone="Europe/Berlin", at=local
    )
    assert found == instant


def test_seven_days_before_renewal() -> None:
    renewal = {"mode": "relative", "base": {"ref": "renews_on"}, "offset": -7, "unit": "day"}
    condition = compile_condition({"field": "now", "operator": "on_day", "value": renewal})
    assert condition.fast(Facts({"renews_on": "2026-11-28"}, {}, NOW))
    assert not condition.fast(Facts({"renews_on": "2026-11-29"}, {}, NOW))
    for value in (None, "soon", 5, True, ["2026-11-28"]):
        assert not condition.fast(Facts({"renews_on": value}, {}, NOW))
    assert not condition.fast(Facts({}, {}, NOW))


@pytest.mark.parametrize(
    ("operator", "zone", "expected"),
    [("on_day", "UTC", False), ("on_day", "America/New_York", True), ("on_day", "Pacific/Kiritimati", False)],
)
def test_the_day_is_the_local_one(operator: str, zone: str, expected: bool) -> None:
    facts = Facts({"x": "2026-11-21T02:00:00Z"}, {}, NOW, zone=zone)
    assert compile_condition({"field": "x", "operator": operator, "value": "2026-11-20"}).fast(facts) is expected
    leaf = {"field": "x", "operator": operator, "value": "2026-11-20", "tz": zone}
    assert compile_condition(leaf).fast(Facts({"x": "2026-11-21T02:00:00Z"}, {}, NOW)) is expected


def test_offsets_apply_in_order_and_other_spellings_are_understood() -> None:
    steps = [{"n": 1, "unit": "month"}, {"n": -1, "unit": "days"}]
    assert resolved({"mode": "relative", "base": "2026-01-31", "offsets": steps}) == "2026-02-27"
    assert (
        resolved({"mode": "relative", "anchor": "now", "offset": -1, "unit": "days"}) == "2026-11-20T09:00:00.000000Z"
    )
    assert resolved({"ref": "at", "offset": 2, "unit": "day"}, at="2026-01-01") == "2026-01-03"


@pytest.mark.parametrize(
    ("operand", "path"),
    [
        ({"mode": "relative", "base": "someday"}, "condition.value.base"),
        ({"mode": "relative", "base": "now", "offset": 1.5, "unit": "day"}, "condition.value"),
        ({"mode": "relative", "base": "now", "offset": 10**7, "unit": "day"}, "condition.value"),
        ({"mode": "relative", "base": "now", "offset": 1, "unit": "fortnight"}, "condition.value.unit"),
        ({"mode": "relative", "base": "now", "snap": "start_of_minute"}, "condition.value.snap"),
        ({"mode": "relative", "base": "now", "tz": "Mars/Base"}, "condition.value.tz"),
        ({"mode": "relative", "base": "now", "colour": 1}, "condition.value.colour"),
        ({"mode": "relative", "base": {"ref": "a..b"}}, "condition.value.base.ref"),
        ("2026-13-01", "condition.value"),
        ("2026-11-21T23:59:60Z", "condition.value"),
        ("next tuesday", "condition.value"),
    ],
)
def test_what_is_no_date_is_refused_by_its_path(operand: Any, path: str) -> None:
    with pytest.raises(Refused) as refused:
        compile_condition({"field": "x", "operator": "before", "value": operand})
    assert [problem.path for problem in refused.value.problems] == [path]
