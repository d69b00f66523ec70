"""Schedules: read, checked, their instants in a zone, and what becomes of one that is due. Pure."""

from upshot.core.schedules.each import Each, local_date
from upshot.core.schedules.firing import Firing, decide
from upshot.core.schedules.judging import problems_now, upcoming
from upshot.core.schedules.model import Schedule
from upshot.core.schedules.occurrences import due_at, next_after
from upshot.core.schedules.reading import read_schedule, schedule_of
from upshot.core.schedules.words import schedule_words

__all__ = [
    "Each",
    "Firing",
    "Schedule",
    "decide",
    "due_at",
    "local_date",
    "next_after",
    "problems_now",
    "read_schedule",
    "schedule_of",
    "schedule_words",
    "upcoming",
]
