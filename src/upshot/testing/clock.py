"""Time that stands still until a test moves it."""

from datetime import timedelta
from typing import Final

START: Final = 1_800_000_000_000_000
"""2027-01-15T08:00:00Z, a Friday, in microseconds."""


class VirtualClock:
    """A clock for `Upshot(clock=...)`. It shows `now` (microseconds UTC) and never goes on by itself, nor backwards."""

    def __init__(self, now: int = START) -> None:
        self._now = now

    def now(self) -> int:
        """The present instant in microseconds UTC."""
        return self._now

    def advance(self, by: float | timedelta) -> None:
        """Move on by so many seconds or by a duration. An engine notices at its next look; `Harness.advance` makes it look.

        Raises:
            ValueError: time does not go backwards.
        """
        duration = by if isinstance(by, timedelta) else timedelta(seconds=by)
        if duration < timedelta(0):
            raise ValueError(f"time does not go backwards (by {by}); give a positive duration")
        self._now += duration // timedelta(microseconds=1)
