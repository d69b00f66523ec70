"""A schedule in words, for lists and sentences."""

from datetime import datetime, time

from upshot.core.instants import to_text
from upshot.core.schedules.each import Each
from upshot.core.schedules.model import LAST_DAY, Cron, Daily, Monthly, Once, Schedule, Weekly
from upshot.core.schedules.reading import WEEKDAYS


def schedule_words(schedule: Schedule) -> str:
    """`every monday and thursday at 09:00 (Europe/Paris)`."""
    zone = f" ({schedule.zone})" if schedule.zone else ""
    return f"{_when(schedule)}{zone}{_each(schedule.each)}"


def _each(each: Each | None) -> str:
    if each is None:
        return ""
    who = f"entity in the segment “{each.segment}”" if each.segment else each.type
    if not each.field:
        return f", for each {who}"
    return f", for each {who} {abs(each.days)} days {'before' if each.days < 0 else 'after'} its {each.field}"


def _when(schedule: Schedule) -> str:
    match schedule.when:
        case Cron(expression):
            return f"by cron {expression}"
        case Daily(at):
            return f"every day at {_times(at)}"
        case Weekly(on, at):
            return f"every {_and([WEEKDAYS[day] for day in on])} at {_times(at)}"
        case Monthly(on, at):
            days = _and(["the last day" if day == LAST_DAY else f"day {day}" for day in on])
            return f"on {days} of every month at {_times(at)}"
        case Once(at):
            return f"once at {at.isoformat(' ', 'minutes') if isinstance(at, datetime) else to_text(at)}"
        case _:
            return f"by the rule {schedule.document['rrule']}"


def _times(at: tuple[time, ...]) -> str:
    return _and([f"{moment:%H:%M}" for moment in at])


def _and(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
