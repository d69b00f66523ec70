"""What the checker knows of causes (I20): every event knows the first of those that led to it and how many they were, whatever
crashed on the way.
"""

from typing import Any

Row = dict[str, Any]


def wrong(event: Row, cause: Row | None) -> str | None:
    """What is wrong with what this event tells of its causes; `cause` is the event of the run that caused it."""
    if cause is None:
        told, is_so = "nothing", (event["root_id"], event["depth"]) == (event["id"], 0)
    else:
        led = cause["depth"] + (event["cause_step_id"] is not None)  # what people run again is no consequence
        told, is_so = str(cause), (event["root_id"], event["depth"]) == (cause["root_id"], led)
    return None if is_so else f"event {event} was caused by {told}"
