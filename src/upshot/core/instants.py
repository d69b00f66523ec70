"""Instants: whole microseconds since 1970-01-01 UTC inside, RFC 3339 text outside."""

import functools
from datetime import UTC, datetime, timedelta

from upshot.core.errors import Malformed

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_NAIVE = datetime(1970, 1, 1)  # noqa: DTZ001 - formats without the offset that `to_text` writes itself
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def to_text(instant: int) -> str:
    """`2026-11-21T09:00:00.000000Z`: always UTC, always six digits, so that text order is time order."""
    second, microseconds = divmod(instant, SECOND)
    return f"{_to_the_second(second)}.{microseconds:06d}Z"


@functools.lru_cache(maxsize=1_024)
def _to_the_second(second: int) -> str:
    return (_EPOCH_NAIVE + timedelta(seconds=second)).isoformat(timespec="seconds")


def from_text(text: str, at: str = "") -> int:
    """The instant an RFC 3339 text names.

    Raises:
        Malformed: not RFC 3339, without an offset, a leap second, or outside the years 1 to 9998.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Malformed.at(at, f"{text!r} is not an instant; use 2026-11-21T09:00:00Z", "bad_instant") from error
    if moment.tzinfo is None:
        raise Malformed.at(at, f"{text!r} has no offset; end it with Z or +01:00", "bad_instant")
    if not 1 < moment.year < 9999:
        raise Malformed.at(at, f"{text!r} is outside the years 2 to 9998", "bad_instant")
    return (moment.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)
