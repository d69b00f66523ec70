"""A text that was compiled: what both ways of compiling one give."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from upshot.core.facts import Facts

OnMissing = Literal["blank", "fail"]
Render = Callable[[Facts], Any]


class CompiledText(msgspec.Struct, frozen=True):
    """How to render one text, and the paths it reads. `is_lone`: it is one placeholder, and keeps its value's type."""

    render: Render
    paths: tuple[str, ...]
    is_lone: bool
