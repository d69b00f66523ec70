"""Upshot: the durable automation engine inside a Python product.

The names below are the public API; everything else may change without notice. They are imported when first used, so that
`import upshot` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from upshot.app.settings import Settings
    from upshot.app.upshot import Upshot
    from upshot.core.action import ActionContext
    from upshot.core.errors import (
        ActionError,
        Busy,
        Conflict,
        NotFound,
        PermanentError,
        Problem,
        Refused,
        UpshotError,
    )
    from upshot.sdk.actions import action
    from upshot.sdk.events import Event

_HOMES = {
    "ActionContext": "upshot.core.action",
    "ActionError": "upshot.core.errors",
    "Busy": "upshot.core.errors",
    "Conflict": "upshot.core.errors",
    "Event": "upshot.sdk.events",
    "NotFound": "upshot.core.errors",
    "PermanentError": "upshot.core.errors",
    "Problem": "upshot.core.errors",
    "Refused": "upshot.core.errors",
    "Settings": "upshot.app.settings",
    "Upshot": "upshot.app.upshot",
    "UpshotError": "upshot.core.errors",
    "action": "upshot.sdk.actions",
}

__all__ = [
    "ActionContext",
    "ActionError",
    "Busy",
    "Conflict",
    "Event",
    "NotFound",
    "PermanentError",
    "Problem",
    "Refused",
    "Settings",
    "Upshot",
    "UpshotError",
    "action",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("upshot")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'upshot' has no attribute {name!r}")
    return getattr(import_module(home), name)
