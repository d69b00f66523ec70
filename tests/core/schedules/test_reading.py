"""A schedule is read, or every reason why not is told at its path."""

import json
import re
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pytest

from tests.core.automations.catalogue import ACTIONS
from upshot.core.automations import normalise
from upshot.core.schedules import read_schedule, schedule_words
from upshot.core.schedules.model import CATCH_UPS, FOLDS, GAPS, OVERLAPS, Cron, Daily, Monthly, Once, Recurring, Weekly
from upshot.core.schedules.reading import KINDS, OPTIONS

REFERENCE = (Path(__file__).parents[3] / "docs" / "reference" / "schedules.md").read_text()


@pytest.mark.parametrize(
    ("given", "when", "words"),
    [
        ({"cron": " 0 9  * * mon "}, Cron("0 9 * * mon"), "by cron 0 9 * * mon"),
        ({"cron": "@hourly"}, Cron("0 * * * *"), "by cron 0 * * * *"),
        ({"daily": "09:00"}, Daily((time(9),)), "every day at 09:00"),
        ({"daily": {"at": ["17:30", "09:00"]}}, Daily((time(9), time(17, 30))), "every day at 09:00 and 17:30"),
        (
            {"weekly": {"on": ["thu", "Monday"], "at": "00:05"}, "zone": "Europe/Paris"},
            Weekly((0, 3), (time(0, 5),)),
            "every monday and thursday at 00:05 (Europe/Paris)",
        ),
        (
            {"monthly": {"on": [31, "last"], "at": "23:59"}},
            Monthly((0, 31), (time(23, 59),)),
            "on the last day and day 31 of every month at 23:59",
        ),
        ({"run_at": "2027-03-01T09:00"}, Once(datetime(2027, 3, 1, 9)), "once at 2027-03-01 09:00"),
        (
            {"run_at": "2027-03-01T09:00:00+01:00"},
            Once(1_803_888_000_000_000),
            "once at 2027-03-01T08:00:00.000000Z",
        ),
        (
            {"daily": "09:00", "each": {"type": "member", "before": {"field": "renews_on", "days": 7}}},
            Daily((time(9),)),
            "every day at 09:00, for each member 7 days before its renews_on",
        ),
        (
            {"rrule": "RRULE:freq=daily;UNTIL=20270120T080000Z", "starts": "2027-01-04T09:00"},
            Recurring("FREQ=DAILY", datetime(2027, 1, 4, 9), 1_800_432_000_000_000),
            "by the rule RRULE:freq=daily;UNTIL=20270120T080000Z",
        ),
    ],
)
def test_every_form_is_read(given: dict[str, Any], when: Any, words: str) -> None:
    schedule, problems = read_schedule(given, "s")
    assert problems == []
    assert schedule is not None
    assert schedule.when == when
    assert schedule.document == given
    assert schedule_words(schedule) == words


STARTS = {"starts": "2027-01-04T09:00"}


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        (None, [("s", "required")]),
        ("daily", [("s", "wrong_type")]),
        ({}, [("s", "bad_schedule")]),
        ({"daily": "09:00", "cron": "* * * * *"}, [("s", "bad_schedule")]),
        (
            {"daily": "09:00", "colour": 1, "starts": "x"},
            [("s.colour", "unknown_field"), ("s.starts", "unknown_field")],
        ),
        ({"cron": "* * * *"}, [("s.cron", "bad_cron")]),
        ({"cron": "* * * * * *"}, [("s.cron", "bad_cron")]),
        ({"cron": "61 * * * *"}, [("s.cron", "bad_cron")]),
        ({"cron": "0 0 30 2 *"}, [("s.cron", "bad_cron")]),
        ({"cron": 5}, [("s.cron", "wrong_type")]),
        ({"cron": ""}, [("s.cron", "required")]),
        ({"daily": "9:00"}, [("s.daily", "bad_time")]),
        ({"daily": "24:00"}, [("s.daily", "bad_time")]),
        ({"daily": []}, [("s.daily", "required")]),
        ({"daily": {"at": "09:00", "on": 1}}, [("s.daily.on", "unknown_field")]),
        ({"daily": [f"00:{n:02}" for n in range(25)]}, [("s.daily", "too_many")]),
        ({"weekly": {"on": "caturday", "at": "09:00"}}, [("s.weekly.on", "bad_day")]),
        ({"weekly": {"at": "09:00"}}, [("s.weekly.on", "required")]),
        ({"weekly": "monday"}, [("s.weekly", "wrong_type")]),
        ({"monthly": {"on": 32, "at": "09:00"}}, [("s.monthly.on", "bad_day")]),
        ({"monthly": {"on": True, "at": "x"}}, [("s.monthly.at", "bad_time"), ("s.monthly.on", "bad_day")]),
        ({"monthly": {"at": "09:00"}}, [("s.monthly.on", "required")]),
        ({"run_at": "tomorrow"}, [("s.run_at", "bad_instant")]),
        ({"run_at": 5}, [("s.run_at", "bad_instant")]),
        ({"rrule": "FREQ=DAILY"}, [("s.starts", "required")]),
        ({"rrule": "FREQ=DAILY", "starts": "2027-01-04T09:00Z"}, [("s.starts", "bad_instant")]),
        ({"rrule": "FREQ=HOURLY", **STARTS}, [("s.rrule", "bad_rule")]),
        ({"rrule": "FREQ=DAILY;BYSECOND=1", **STARTS}, [("s.rrule", "bad_rule")]),
        ({"rrule": "FREQ=DAILY;COUNT=99999", **STARTS}, [("s.rrule", "bad_rule")]),
        ({"rrule": "FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3,4,5", **STARTS}, [("s.rrule", "bad_rule")]),
        ({"rrule": "FREQ=DAILY;BYDAY=XX", **STARTS}, [("s.rrule", "bad_rule")]),
        ({"rrule": "every day", **STARTS}, [("s.rrule", "bad_rule")]),
        ({"rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", **STARTS}, [("s.rrule", "never_due")]),
        ({"rrule": "FREQ=DAILY;UNTIL=20260101T000000", **STARTS}, [("s.rrule", "never_due")]),
        ({"daily": "09:00", "zone": "Mars/Base"}, [("s.zone", "bad_zone")]),
        ({"daily": "09:00", "gap": "x", "fold": 1}, [("s.gap", "bad_option"), ("s.fold", "bad_option")]),
        ({"daily": "09:00", "catch_up": True}, [("s.catch_up", "bad_option")]),
        ({"daily": "09:00", "overlap": []}, [("s.overlap", "bad_option")]),
        ({"daily": "09:00", "catch_up_hours": 0}, [("s.catch_up_hours", "out_of_range")]),
        ({"daily": "09:00", "jitter_seconds": "1"}, [("s.jitter_seconds", "wrong_type")]),
    ],
)
def test_what_is_wrong_is_told_at_its_path(given: Any, problems: list[tuple[str, str]]) -> None:
    schedule, found = read_schedule(given, "s")
    assert schedule is None
    assert [(problem.path, problem.code) for problem in found] == problems


def test_the_reference_names_every_kind_option_and_choice_and_its_example_is_read() -> None:
    for name in (*KINDS, *OPTIONS):
        assert f"`{name}`" in REFERENCE or f'"{name}":' in REFERENCE, name
    for choice in (*GAPS, *FOLDS, *CATCH_UPS, *OVERLAPS):
        assert f"`{choice}`" in REFERENCE, choice
    for example in re.findall(r"```json\n(.*?)```", REFERENCE, re.DOTALL):
        assert normalise(json.loads(example), actions=ACTIONS)[0]["trigger"] == json.loads(example)["trigger"]
