"""Every pack's scenarios, played on the real engine; and that a scenario notices what is not so."""

from typing import Any

import pytest

from upshot.app.packs import built_in_packs
from upshot.core.errors import Refused
from upshot.core.scenarios import Scenario, read_scenario
from upshot.testing import Harness
from upshot.testing.scenarios import play

SCENARIOS = [
    pytest.param(pack.name, scenario, id=f"{pack.name}-{name}")
    for pack in built_in_packs().values()
    for name, scenario in pack.scenarios.items()
]
WELCOME: dict[str, Any] = {
    "title": "a welcome",
    "events": [
        {"at": "0s", "id": "ada", "name": "crm/patient.created", "data": {"patient": {"id": "p-1", "email": "a@b.org"}}}
    ],
}


@pytest.mark.parametrize(("pack", "scenario"), SCENARIOS)
def test_the_scenario_comes_out_as_it_says(pack: str, scenario: Scenario) -> None:
    with Harness() as harness:
        harness.upshot.packs.install("default", pack)
        assert play(scenario, harness) == []


@pytest.mark.parametrize(
    ("then", "told"),
    [
        (
            {"runs": [{"automation": "New patient welcome", "event": "ada", "count": 2}]},
            "2 runs of 'New patient welcome'",
        ),
        ({"runs": [{"automation": "New patient welcome", "status": "failed"}]}, "is completed, not failed"),
        ({"runs": [{"automation": "New patient welcome", "steps": {"call": "failed"}}]}, "step 'call'"),
        ({"runs": [{"automation": "New patient welcome", "error": "x"}]}, "the error of"),
        ({"runs": [{"automation": "New patient welcome", "log": "nothing like it"}]}, "wrote 'nothing like it'"),
        ({"entities": [{"type": "task", "fields": {"title": "another"}}]}, "1 task with {'title': 'another'} expected"),
        ({"events": [{"name": "crm/message.drafted", "count": 0}]}, "0 events crm/message.drafted expected, 1 found"),
    ],
)
def test_what_is_not_so_is_told(clinic: Harness, then: dict[str, Any], told: str) -> None:
    (difference,) = play(read_scenario({**WELCOME, "then": [{"at": "0s", **then}]}), clinic)
    assert difference.startswith("at 0s: ")
    assert told in difference


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"then": []}, "then"),
        ({"then": [{"at": "soon"}]}, "then[0].at"),
        ({"events": [{"at": "-1s", "name": "x", "data": {}}]}, "events[0].at"),
        ({"when": []}, ""),
    ],
)
def test_a_scenario_that_cannot_be_played_is_refused(change: dict[str, Any], path: str) -> None:
    with pytest.raises(Refused) as caught:
        read_scenario({**WELCOME, "then": [{}], **change})
    assert caught.value.problems[0].path == path
