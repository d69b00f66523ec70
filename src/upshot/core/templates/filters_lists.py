"""Filters over lists. A single value counts as a list of one, null as an empty list."""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from upshot.core.templates.errors import RenderFailure
from upshot.core.templates.filters_numbers import number_of, plus
from upshot.core.templates.limits import LIST_ITEMS_MAX, OUTPUT_CHARACTERS_MAX
from upshot.core.templates.values import to_text


def items_of(value: Any) -> list[Any]:
    """The items of a list; of a single value, itself; of null, none."""
    items: list[Any]
    if value is None:
        return []
    items = list(cast("list[Any]", value)) if isinstance(value, list | tuple) else [value]
    if len(items) > LIST_ITEMS_MAX:
        raise RenderFailure(f"a list has more than {LIST_ITEMS_MAX:,} items")
    return items


def join(value: Any, separator: Any = " ") -> str:
    """The items' texts with the separator between them."""
    texts, separator = [to_text(item) for item in items_of(value)], to_text(separator)
    # The size is known before the text is made.
    if sum(map(len, texts)) + len(separator) * len(texts) > OUTPUT_CHARACTERS_MAX:
        raise RenderFailure(f"'join' would make more than {OUTPUT_CHARACTERS_MAX:,} characters")
    return separator.join(texts)


def first(value: Any) -> Any:
    """The first item, or null."""
    return next(iter(items_of(value)), None)


def last(value: Any) -> Any:
    """The last item, or null."""
    return next(reversed(items_of(value)), None)


def size(value: Any) -> int:
    """How many characters, items or fields."""
    return len(cast("str", value)) if isinstance(value, str | list | dict | tuple) else 0


def sort(value: Any, field: Any = None) -> list[Any]:
    """In ascending order, by a field where one is named: numbers, then texts, then the rest; null last."""
    return sorted(items_of(value), key=lambda item: _rank(_field(item, field)))


def reverse(value: Any) -> list[Any]:
    """In the opposite order."""
    return items_of(value)[::-1]


def unique(value: Any) -> list[Any]:
    """Each item once, where it first stands."""
    seen: dict[str, Any] = {}
    for item in items_of(value):
        seen.setdefault(f"{type(item).__name__}:{to_text(item)}", item)
    return list(seen.values())


def pluck(value: Any, field: Any) -> list[Any]:
    """One field of each item."""
    return [_field(item, field) for item in items_of(value)]


def where(value: Any, field: Any, wanted: Any = True) -> list[Any]:
    """The items whose field is `wanted` (true, if it is not said)."""
    return [item for item in items_of(value) if _same(_field(item, field), wanted)]


def compact(value: Any) -> list[Any]:
    """Without nulls."""
    return [item for item in items_of(value) if item is not None]


def total(value: Any, field: Any = None) -> int | float:
    """The sum of the items, or of one field of them; what is null counts as 0."""
    result: int | float = 0
    for item in items_of(value):
        number = _field(item, field)
        result = plus(result, number_of(0 if number is None else number, "sum"))
    return result


def _field(item: Any, field: Any) -> Any:
    if field is None:
        return item
    return cast("dict[str, Any]", item).get(to_text(field)) if isinstance(item, dict) else None


def _same(left: Any, right: Any) -> bool:
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _rank(value: Any) -> tuple[int, float, str]:
    if value is None:
        return (3, 0.0, "")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (0, float(value), "")
    return (1, 0.0, value) if isinstance(value, str) else (2, 0.0, to_text(value))


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "join": join,
    "first": first,
    "last": last,
    "size": size,
    "sort": sort,
    "reverse": reverse,
    "uniq": unique,
    "map": pluck,
    "where": where,
    "compact": compact,
    "sum": total,
}
