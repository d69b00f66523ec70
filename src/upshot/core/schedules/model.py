"""A schedule as values: when it is due, in which zone, and what becomes of the hours that clocks skip or repeat, of
occurrences that were missed, and of one that comes while the run of the one before goes on."""

from datetime import datetime, time
from typing import Any, Final, Literal

import msgspec

from upshot.core.schedules.each import Each

Gap = Literal["forward", "end", "skip"]
"""A local time that does not exist: as far after the gap as it lies in it (02:30 becomes 03:30), the gap's end, or never."""
Fold = Literal["first", "second", "both"]
"""A local time that exists twice: which of the two."""
CatchUp = Literal["latest", "all", "none"]
"""Occurrences that passed while nobody could start them: the last of them, all, or none."""
Overlap = Literal["allow", "skip", "queue", "cancel"]
"""The run of the occurrence before is not over: start beside it, skip this one, let it wait, or cancel the run before."""

GAPS: Final = ("forward", "end", "skip")
FOLDS: Final = ("first", "second", "both")
CATCH_UPS: Final = ("latest", "all", "none")
OVERLAPS: Final = ("allow", "skip", "queue", "cancel")
CATCH_UP_HOURS_DEFAULT: Final = 8_760
CATCH_UP_HOURS_MAX: Final = 8_760
CATCH_UP_HOURS_DATED: Final = 168
"""The default of schedules relative to a date, which catch up all days."""
JITTER_SECONDS_MAX: Final = 3_600
LAST_DAY: Final = 0
"""The last day of a month, as a day."""


class Cron(msgspec.Struct, frozen=True):
    """Five fields: minute, hour, day of the month, month, day of the week."""

    expression: str

    @property
    def follows_the_clock(self) -> bool:
        """Whether it means every so many minutes or hours, which pass in a gap and a fold too, and no local time of day."""
        minute, hour, *_ = self.expression.split()
        return minute.startswith("*") or hour.startswith("*")


class Daily(msgspec.Struct, frozen=True):
    """Every day at these local times."""

    at: tuple[time, ...]


class Weekly(msgspec.Struct, frozen=True):
    """On these days of the week (0 is Monday) at these local times."""

    on: tuple[int, ...]
    at: tuple[time, ...]


class Monthly(msgspec.Struct, frozen=True):
    """On these days of the month (`LAST_DAY`: its last one) at these local times. A month too short for a day takes its
    last."""

    on: tuple[int, ...]
    at: tuple[time, ...]


class Once(msgspec.Struct, frozen=True):
    """One instant, or one local time."""

    at: datetime | int


class Recurring(msgspec.Struct, frozen=True):
    """An RFC 5545 rule over local times, from `starts` on; nothing after the instant `until`."""

    rule: str
    starts: datetime
    until: int | None = None


When = Cron | Daily | Weekly | Monthly | Once | Recurring


class Schedule(msgspec.Struct, frozen=True):
    """One schedule, read. `document` is what its author wrote; without a zone it is the tenant's."""

    document: dict[str, Any]
    when: When
    gap: Gap
    fold: Fold
    zone: str | None = None
    catch_up: CatchUp = "latest"
    catch_up_hours: int = CATCH_UP_HOURS_DEFAULT
    overlap: Overlap = "allow"
    jitter_seconds: int = 0
    each: Each | None = None
