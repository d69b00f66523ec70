"""What the checker knows of causes (I20): every event knows the first of those that led to it and how many they were, whatever
crashed on the way.
"""

from typing import Any

Row = dict[str, Any]


def wrong(event: Row, cause: Row | None, change: Row | None) -> str | None:
    """What is wrong with what this event tells of its causes; `cause` is the event of the run that caused it, `change` that of
    a change by which somebody joined or left a segment."""
    if cause is None:
        told, first = str(change or "nothing"), change or event
        is_so = (event["root_id"], event["depth"]) == (first["root_id"], 0)
        is_so = is_so and (change is not None or event["root_id"] == event["id"])
    else:
        led = cause["depth"] + (event["cause_step_id"] is not None)  # what people run again is no consequence
        told, is_so = str(cause), (event["root_id"], event["depth"]) == (cause["root_id"], led)
    return None if is_so else f"event {event} was caused by {told}"
