"""Schedules on the wire."""

from typing import Literal

from pydantic import Field

from upshot.http.shapes.base import Answer, Instant, JsonObject


class ScheduledAutomation(Answer):
    """Which automation a schedule starts."""

    id: str
    name: str
    version: int


class ScheduleItem(Answer):
    """One schedule: when it is due, and what became of the last occurrences."""

    automation: ScheduledAutomation
    status: Literal["active", "paused", "over"] = Field(description="`over`: it is never due again.")
    schedule: JsonObject = Field(description="As its author wrote it.")
    words: str = Field(examples=["every day at 09:00 (Europe/Paris)"])
    zone: str
    next_at: Instant | None = Field(description="The next occurrence.")
    due_at: Instant | None = Field(description="When that starts: with a jitter, a little later.")
    next: list[Instant] = Field(description="The next five occurrences.")
    is_late: bool
    last_at: Instant | None = Field(description="The last occurrence that was started.")
    is_under_way: bool = Field(description="The entities of the last occurrence are being gone through.")
    skipped_at: Instant | None = Field(description="The last occurrence that was skipped.")
    skipped_why: Literal["missed", "overlap"] | None


class SchedulePage(Answer):
    """A page of schedules."""

    items: list[ScheduleItem]
    next: str | None
