"""What flow control does to an event, and how that is told."""

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
