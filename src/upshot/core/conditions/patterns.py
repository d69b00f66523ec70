"""Patterns by RE2: linear time, without lookaround and backreferences."""

from collections.abc import Callable
from typing import Any, cast

import re2  # pyright: ignore[reportMissingTypeStubs] # the wheel carries no types

from upshot.core.conditions.operands import BadOperand

_re2: Any = re2


def compile_pattern(pattern: str, *, ci: bool) -> Callable[[bytes], object | None]:
    """The search for a pattern in UTF-8 text; what it gives is None when there is nothing.

    Raises:
        BadOperand: RE2 cannot run it, or it would need too much memory.
    """
    options = _re2.Options()
    options.log_errors = False
    options.case_sensitive = not ci
    try:
        return cast("Callable[[bytes], object | None]", _re2.compile(pattern.encode(), options).search)
    except (_re2.error, UnicodeEncodeError) as error:
        raise BadOperand(f"not a pattern that RE2 can run: {_reason(error)}", code="bad_pattern") from error


def _reason(error: Exception) -> str:
    reason: object = error.args[0] if error.args else error
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
