"""Delays: what is understood, what is refused, and when each is due."""

from datetime import UTC, datetime
from typing import Any

import pytest

from upshot.core.automations.durations import due_at, parse, problems_of
from upshot.core.errors import Refused
from upshot.core.facts import Facts
from upshot.core.instants import HOUR, SECOND, from_text, to_text

PARIS = Facts(data={}, event={}, now=0, zone="Europe/Paris")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("24h", 86_400),
        ("90s", 90),
        ("1h30m", 5_400),
        ("1h 30m", 5_400),
        ("2d", 172_800),
        ("1w", 604_800),
        ("1.5h", 5_400),
        ("250ms", 0.25),
        ("2 hours", 7_200),
        ("1 day, 2 hours", 93_600),
        ("PT1H", 3_600),
        ("P1DT2H", 93_600),
        ("P2W", 1_209_600),
        ("PT0.5S", 0.5),
        ("0s", 0),
    ],
)
def test_durations_are_read_strictly(text: str, seconds: float) -> None:
    assert parse(text) == seconds * SECOND


@pytest.mark.parametrize(
    "text", ["", "h", "5", "1M", "-1h", "1h1h", "1 fortnight", "P", "PT", "1h x", "٣h", "1e9h", "11y", "x" * 200]
)
def test_what_is_no_duration_is_refused_at_its_path(text: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(text, "steps[1].delay")
    assert [(problem.path, problem.code) for problem in refused.value.problems] == [("steps[1].delay", "bad_duration")]


@pytest.mark.parametrize(
    ("delay", "now", "due"),
    [
        ("24h", "2026-03-28T11:00:00Z", "2026-03-29T11:00:00Z"),
        ("1d", "2026-03-28T11:00:00Z", "2026-03-29T10:00:00Z"),
        ("1d", "2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z"),
        ("1d", "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z"),
        ("1d 1h", "2026-03-28T11:00:00Z", "2026-03-29T11:00:00Z"),
        ({"months": 1}, "2026-01-31T12:00:00Z", "2026-02-28T12:00:00Z"),
        ({"hours": 1.5}, "2026-01-31T12:00:00Z", "2026-01-31T13:30:00Z"),
        ({"seconds": "90"}, "2026-01-31T12:00:00Z", "2026-01-31T12:01:30Z"),
        ({"until": "2026-12-01T09:00:00Z"}, "2026-11-21T09:00:00Z", "2026-12-01T09:00:00Z"),
        ({"until": "2026-12-01T09:00:00"}, "2026-11-21T09:00:00Z", "2026-12-01T08:00:00Z"),
        ({"until": "2026-12-01"}, "2026-11-21T09:00:00Z", "2026-11-30T23:00:00Z"),
        ({"until": "2020-01-01T00:00:00Z"}, "2026-11-21T09:00:00Z", "2026-11-21T09:00:00Z"),
    ],
)
def test_days_are_calendar_steps_in_the_tenants_zone_and_hours_are_absolute(delay: Any, now: str, due: str) -> None:
    assert to_text(due_at(delay, PARIS, from_text(now))) == to_text(from_text(due))


@pytest.mark.parametrize(
    ("delay", "path"),
    [
        ({"until": None}, "delay.until"),
        ({"until": "soon"}, "delay.until"),
        ({"until": 12}, "delay.until"),
        ({"until": "2126-01-01T00:00:00Z"}, "delay.until"),
        ({"seconds": None}, "delay.seconds"),
        ({"seconds": -1}, "delay.seconds"),
        ({"seconds": float("nan")}, "delay.seconds"),
        ({"seconds": True}, "delay.seconds"),
        ({"hours": "{{ x }}"}, "delay.hours"),
        ({"hours": 10**9}, "delay"),
        ({}, "delay"),
        (None, "delay"),
        (60, "delay"),
        ("{{ x }}", "delay"),
    ],
)
def test_what_a_placeholder_gave_is_checked_again_and_never_rendered(delay: Any, path: str) -> None:
    with pytest.raises(Refused) as refused:
        due_at(delay, PARIS, 24 * HOUR)
    assert refused.value.problems[0].path == path


@pytest.mark.parametrize(
    ("delay", "paths"),
    [
        ("24h", []),
        ("{{ wait }}", []),
        ({"seconds": "{{ n }}"}, []),
        ({"hours": 1, "minutes": "{{ n }}"}, []),
        ({"until": "{{ at }}"}, []),
        ({"hours": "x"}, ["delay.hours"]),
        ({"lightyears": 1}, ["delay.lightyears"]),
        ({"until": "2026-12-01T09:00:00Z", "hours": 1}, ["delay"]),
        ({}, ["delay"]),
        ([], ["delay"]),
        (None, ["delay"]),
    ],
)
def test_what_an_author_wrote_is_checked_as_far_as_it_is_constant(delay: Any, paths: list[str]) -> None:
    assert [problem.path for problem in problems_of(delay, "delay")] == paths


def test_a_delay_is_never_due_before_now() -> None:
    now = int(datetime(2026, 10, 25, 1, 30, tzinfo=UTC).timestamp()) * SECOND
    assert due_at({"days": 0}, PARIS, now) == now
