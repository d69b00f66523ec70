"""The test kit that Upshot itself is tested with: the real engine on a real file, and time that the test moves.

from upshot.testing import Harness

def test_a_reminder_is_drafted_a_day_later():
    with Harness(make_upshot) as harness:
        harness.emit("crm/appointment.created", {"appointment": {"id": "a1"}})
        harness.advance(24 * 3600)
        assert [run["status"] for run in harness.runs()] == ["completed"]

Scenario files say the same as data; `upshot automations test` plays them too:

@pytest.mark.parametrize("path", scenario_files("scenarios"), ids=str)
def test_the_scenario_comes_out_as_it_says(path):
    check_scenario(path)
"""

from upshot.testing.clock import VirtualClock
from upshot.testing.harness import Harness
from upshot.testing.scenarios import check_scenario, scenario_files

__all__ = ["Harness", "VirtualClock", "check_scenario", "scenario_files"]
