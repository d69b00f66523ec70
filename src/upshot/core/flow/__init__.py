"""Flow control: how many runs an automation starts, when, and from how many events. Pure."""

from upshot.core.flow.asking import Asking
from upshot.core.flow.deciding import (
    Starts,
    Window,
    free_again_at,
    is_full,
    joined,
    kept_starts,
    next_start,
    told_again,
    used_up_until,
)
from upshot.core.flow.model import BATCHES, CONTROLS, Ask, Control, Flow

__all__ = [
    "BATCHES",
    "CONTROLS",
    "Ask",
    "Asking",
    "Control",
    "Flow",
    "Starts",
    "Window",
    "free_again_at",
    "is_full",
    "joined",
    "kept_starts",
    "next_start",
    "told_again",
    "used_up_until",
]
