"""The `Retry-After` header: seconds, or an HTTP date."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

SECONDS_MAX: Final = 86_400.0
_DIGITS_MAX = 9


def retry_after_seconds(value: str | None, now: int) -> float | None:
    """How many seconds from `now` (microseconds UTC) it asks to wait: 0 to a day; None when it says nothing."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:_DIGITS_MAX]), SECONDS_MAX)
    try:
        moment = parsedate_to_datetime(text)
        at = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(at - now / 1_000_000, 0.0), SECONDS_MAX)
