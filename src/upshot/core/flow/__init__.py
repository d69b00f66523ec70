"""Flow control: how many runs an automation starts, when, and from how many events. Pure."""

from upshot.core.flow.asking import Asking
from upshot.core.flow.deciding import Window, free_again_at, is_full, joined, kept_starts, start_at, used_up_until
from upshot.core.flow.model import BATCHES, CONTROLS, Ask, Control, Flow

__all__ = [
    "BATCHES",
    "CONTROLS",
    "Ask",
    "Asking",
    "Control",
    "Flow",
    "Window",
    "free_again_at",
    "is_full",
    "joined",
    "kept_starts",
    "start_at",
    "used_up_until",
]
