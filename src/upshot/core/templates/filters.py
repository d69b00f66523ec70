"""The filters a template may use: an allow-list of our own functions over plain JSON values.

A filter is pure and total over JSON: it takes the value on its left and its arguments, and gives a JSON value or raises
`RenderFailure` with a sentence. Missing values arrive as null. None of them reads an attribute, a clock or a locale.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from upshot.core.templates import filters_lists, filters_numbers, filters_text
from upshot.core.templates.dates import format_date
from upshot.core.templates.values import is_blank

Filter = Callable[..., Any]


def default(value: Any, fallback: Any = "", *, allow_false: Any = False) -> Any:
    """The value, or `fallback` when it is missing, null, false or empty. `allow_false: true` keeps false."""
    if value is False:
        return value if allow_false is True else fallback
    return fallback if is_blank(value) or value in ("", [], {}) else value


FILTERS: Final[Mapping[str, Filter]] = {
    "default": default,
    "date": format_date,
    **filters_text.FILTERS,
    **filters_numbers.FILTERS,
    **filters_lists.FILTERS,
}
"""Every filter by its name."""

ZONED: Final = frozenset({"date"})
"""Filters that are also given the tenant's zone, as `zone=`."""

TAKES_MISSING: Final = frozenset({"default"})
"""Filters that may be given a missing value where the template's policy is `fail`."""
