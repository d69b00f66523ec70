"""What flow control and the breaker do to an event that matches, other than start its run at once."""

from typing import Final

OUTCOMES: Final = (
    "duplicate_key",
    "rate_limited",
    "already_running",
    "throttled",
    "held_by_concurrency",
    "debounced",
    "batched",
    "restarted",
    "loop_stopped",
)
"""`restarted` is told as `started`: its run cancelled another one."""
CONTROL_OF: Final = {
    "duplicate_key": "once",
    "rate_limited": "rate_limit",
    "already_running": "reentry",
    "restarted": "reentry",
    "throttled": "throttle",
    "held_by_concurrency": "concurrency",
    "debounced": "debounce",
    "batched": "batch",
}
"""The control that each outcome is of."""
