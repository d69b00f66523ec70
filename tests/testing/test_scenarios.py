"""Scenario files: what is not so is told, and what cannot be played is refused. `tests/surfaces` plays ours."""

import json
from pathlib import Path
from typing import Any

import pytest

from upshot import Upshot
from upshot.core.errors import Refused
from upshot.core.scenarios import read_scenario
from upshot.testing import VirtualClock, check_scenario, scenario_files
from upshot.testing.scenarios import load_scenario

FOLDER = Path(__file__).parents[1] / "scenarios"
AUTOMATION: dict[str, Any] = {
    "name": "Later",
    "trigger": "asked",
    "steps": [
        {"id": "wait", "delay": "30d"},
        {"id": "tell", "action": "draft_sms", "with": {"to": "+41446681800", "body": "Hello"}},
    ],
}
SCENARIO: dict[str, Any] = {
    "title": "a month later",
    "automations": [AUTOMATION],
    "events": [{"at": "0s", "id": "e", "name": "asked"}],
    "then": [
        {"at": "29d", "notifications": [{"channel": "sms", "count": 0}]},
        {
            "at": "30d",
            "runs": [{"automation": "Later"}],
            "notifications": [{"channel": "sms", "fields": {"body": "Hello"}}],
        },
    ],
}


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "one.json"
    path.write_text(json.dumps({**SCENARIO, **changes}))
    return path


def test_what_is_not_so_is_told_by_line(tmp_path: Path) -> None:
    check_scenario(written(tmp_path))
    then = [
        {"at": "1d", "runs": [{"automation": "Later", "waiting_until": "2027-01-01T00:00:00Z"}]},
        {
            "at": "31d",
            "runs": [
                {"automation": "Later", "starts": []},
                {"automation": "Later", "starts": ["2027-01-01T00:00:00Z"]},
            ],
        },
        {"at": "31d", "notifications": [{"channel": "email"}]},
        {
            "at": "31d",
            "explained": [
                {"event": "e", "automation": "Later", "outcome": "started"},
                {"event": "e", "automation": "Later", "outcome": "rate_limited"},
                {"event": "nobody", "automation": "Later", "outcome": "started"},
            ],
        },
    ]
    with pytest.raises(AssertionError) as differs:
        check_scenario(written(tmp_path, then=then))
    waits, none, began, email, limited, unknown = str(differs.value).splitlines()[1:]
    assert waits.startswith("at 1d: the run of 'Later' waits until 2027-02-14")
    assert none.endswith("not at []")
    assert began.startswith("at 31d: the runs of 'Later' began at ['2027-01-15")
    assert limited.startswith("at 31d: the explanation of 'Later' for event e is ['started (Started")
    assert limited.endswith("not rate_limited")
    assert unknown.endswith("for event nobody is nothing, not started")
    assert email.startswith("at 31d: 1 message_draft with {'channel': 'email'} expected, 0 found")


def test_automations_and_actions_come_from_where_they_are(tmp_path: Path) -> None:
    own = {**AUTOMATION, "steps": [{"id": "call", "action": "own", "with": {"a": 1}}]}
    (tmp_path / "own.json").write_text(json.dumps({"automations": [own]}))
    path = written(
        tmp_path, automations=[], files=["own.json"], then=[{"runs": [{"automation": "Later", "log": "called with 1"}]}]
    )

    def build(url: str, clock: VirtualClock) -> Upshot:
        upshot = Upshot(url, clock=clock)

        @upshot.action("own")
        async def own(args: dict, context) -> None:  # type: ignore[type-arg] - an action may take plain arguments
            context.log(f"called with {args['a']}")

        return upshot

    check_scenario(path, build=build)
    with pytest.raises(Refused, match="own"):
        check_scenario(path)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"start": "soon"}, "start"),
        ({"zone": "Mars/Base"}, "zone"),
        ({"then": [{"at": "2026-01-01T00:00:00Z"}], "start": "2027-01-01T00:00:00Z"}, "then[0].at"),
        ({"files": ["nothing.json"]}, ""),
        ({"steps": []}, ""),
        ({"events": [{"at": "0s"}]}, "events[0]"),
        ({"events": [{"at": "0s", "name": "asked", "webhook": "Shop"}]}, "events[0]"),
        ({"events": [{"at": "0s", "webhook": "Shop"}]}, "events[0].webhook"),
        ({"webhooks": [{"name": "Shop", "event": "paid"}]}, "webhooks[0].signature"),
    ],
)
def test_a_file_that_cannot_be_played_is_refused_by_its_name(
    tmp_path: Path, changes: dict[str, Any], path: str
) -> None:
    with pytest.raises(Refused) as refused:
        load_scenario(written(tmp_path, **changes))
    assert refused.value.problems[0].path.startswith(f"{tmp_path}/one.json: {path}")


def test_a_scenario_of_a_pack_needs_no_events() -> None:
    assert read_scenario({"title": "x", "then": [{}]}).events == []
    with pytest.raises(Refused):
        scenario_files(FOLDER / "none")
