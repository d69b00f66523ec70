"""The test kit that Upshot itself is tested with: the real engine on a real file, and time that the test moves.

from upshot.testing import Harness

def test_a_reminder_is_drafted_a_day_later():
    with Harness(make_upshot) as harness:
        harness.emit("crm/appointment.created", {"appointment": {"id": "a1"}})
        harness.advance(24 * 3600)
        assert [run["status"] for run in harness.runs()] == ["completed"]
"""

from upshot.testing.clock import VirtualClock
from upshot.testing.harness import Harness

__all__ = ["Harness", "VirtualClock"]
