"""Reading one leaf: any understood spelling to the canonical leaf and its compiled check."""

from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final, cast

from upshot.core.conditions import date_meanings, meanings
from upshot.core.conditions.catalogue import BY_NAME, DATE_BASES, NOT_YET, Operator, find
from upshot.core.conditions.model import LIST_MAX, OPERAND_DEPTH_MAX, TEXT_CHARACTERS_MAX, Check, Group, Leaf, Options
from upshot.core.conditions.operands import (
    BadOperand,
    Relative,
    is_ref,
    read_duration,
    read_relative,
    read_week_start,
    read_zone,
    relative_document,
)
from upshot.core.conditions.reading import Keys, Reading, flag, read_keys
from upshot.core.conditions.spellings import snake_case
from upshot.core.errors import Refused
from upshot.core.facts import Facts, Path
from upshot.core.strict_json import check, join_path

LEAF_KEYS: Final = {
    "field": "field", "path": "field", "fact": "field",
    "operator": "operator", "op": "operator",
    "value": "value", "values": "value",
    "value_source": "value_source",
    "id": "id", "muted": "muted", "disabled": "muted",
    "ci": "ci", "ignore_case": "ci", "case_insensitive": "ci", "case_sensitive": "case_sensitive",
    "require_present": "require_present",
    "match": "match",
    "bounds": "bounds", "collation": "collation", "week_start": "week_start",
    "tz": "tz", "time_zone": "tz", "timezone": "tz",
}  # fmt: skip
_BOUNDS: Final = ("[]", "[)", "(]", "()")
_RANGE_KEYS: Final = (("low", "high"), ("lo", "hi"), ("min", "max"), ("from", "to"), ("start", "end"))
_TYPES: Final = {
    "text": "text", "string": "text", "number": "number", "integer": "number", "decimal": "number",
    "boolean": "boolean", "date": "date", "datetime": "datetime", "date-time": "datetime",
    "list": "list", "array": "list", "object": "object",
}  # fmt: skip
_NO_FACTS: Final = Facts({}, {}, 0)
_ALWAYS_ABSENT: Final = frozenset({"is_null", "is_missing", "not_exists"})

_MAKERS: Final[dict[str, meanings.Make]] = {
    "equals": meanings.equals,
    "contains": meanings.contains,
    "contains_any": meanings.contains_any,
    "contains_all": meanings.contains_all,
    "in": meanings.one_of,
    "starts_with": meanings.starts_with,
    "ends_with": meanings.ends_with,
    "on_day": date_meanings.on_day,
    "same_day_of_year": date_meanings.same_day_of_year,
    "length_equals": meanings.length(lambda size, wanted: size == wanted),
    "length_greater_than": meanings.length(lambda size, wanted: size > wanted),
    "length_less_than": meanings.length(lambda size, wanted: size < wanted),
    **{name: meanings.ordering(name) for name in meanings.ORDERINGS},
    **{name: date_meanings.instant_ordering(name) for name in ("before", "after", "on_or_before", "on_or_after")},
}

ReadElements = Callable[[Keys], tuple[Group, dict[str, Any], dict[str, Any], Check] | None]
"""Reads the sub-tree of a `match`: the group, its document, the match document and the check."""


def read_operator(keys: Keys, reading: Reading) -> Operator | None:
    """The operator a leaf names, or None with a problem noted."""
    spelling = keys.values.get("operator")
    if spelling is None and "match" in keys:
        return BY_NAME["match"]
    if not isinstance(spelling, str):
        message = "a condition needs an operator" if spelling is None else "an operator is text"
        reading.refuse(keys.at("operator"), message, "missing_operator" if spelling is None else "wrong_type")
        return None
    operator = find(spelling)
    if operator is None:
        name = snake_case(spelling)
        if name in NOT_YET:
            reading.refuse(keys.at("operator"), f"{name!r} is not available yet", "not_available")
        else:
            close = get_close_matches(name[:50], BY_NAME, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            reading.refuse(keys.at("operator"), f"there is no operator {spelling[:80]!r}{hint}", "unknown_operator")
    elif "match" in keys and operator.name != "match":
        return BY_NAME["match"] if operator.name == "equals" else operator
    return operator


def read_leaf(
    document: dict[str, Any], at: str, reading: Reading, *, in_match: bool, read_elements: ReadElements
) -> tuple[Leaf | None, dict[str, Any]]:
    """The leaf (None when it has problems) and its canonical document."""
    keys = read_keys(document, LEAF_KEYS, at, reading)
    operator = read_operator(keys, reading)
    leaf_id = reading.id_of(keys, "c")
    options, canonical_options = _read_options(keys, operator, reading)
    canonical: dict[str, Any] = {"id": leaf_id}
    path: Path | None = None
    if operator is not None or "field" in keys:
        path = _read_field(keys, operator, reading, in_match=in_match)
    if operator is None or path is None:
        return None, canonical
    canonical |= {"field": path.text, "operator": operator.name}
    declared = reading.types.get(path.text)
    if declared is not None and not in_match:
        options = Options(**{name: getattr(options, name) for name in _OPTION_NAMES}, type=_TYPES.get(declared.lower()))
    if operator.operand == "group":
        read = read_elements(keys)
        if read is None:
            return None, canonical
        elements, value, match, made = read
        canonical |= {"match": match, "value": value, **canonical_options}
        return Leaf(leaf_id, path, operator, made, options, canonical, elements=elements), canonical
    reader = _OperandReader(keys, operator, options, path, reading, in_match=in_match)
    read_operand = reader.read()
    if read_operand is None:
        return None, canonical
    value, operand, made = read_operand
    if operator.operand != "none":
        canonical["value"] = value
    canonical |= canonical_options
    return Leaf(leaf_id, path, operator, made, options, canonical, operand), canonical


_OPTION_NAMES: Final = ("ci", "require_present", "bounds", "collation", "tz", "week_start")


def _read_field(keys: Keys, operator: Operator | None, reading: Reading, *, in_match: bool) -> Path | None:
    if "field" not in keys:
        reading.refuse(keys.place, "a condition needs a field", "missing_field")
        return None
    text = keys.values["field"]
    if isinstance(text, str) and text.endswith("[*]"):
        if operator is not None and operator.operand == "group":
            text = text[: -len("[*]")]
        else:
            reading.refuse(keys.at("field"), 'items of a list are compared with "operator": "match"', "bad_path")
            return None
    return reading.path(text, keys.at("field"), in_match=in_match)


def _read_options(keys: Keys, operator: Operator | None, reading: Reading) -> tuple[Options, dict[str, Any]]:
    ci = flag(keys, "ci", reading) or ("case_sensitive" in keys and not flag(keys, "case_sensitive", reading))
    require_present = flag(keys, "require_present", reading)
    if require_present and operator is not None and operator.name in _ALWAYS_ABSENT:
        reading.refuse(keys.at("require_present"), f"{operator.name} with require_present is never true", "bad_value")
    bounds = keys.values.get("bounds", "[]")
    if bounds not in _BOUNDS:
        reading.refuse(keys.at("bounds"), 'bounds are "[]", "[)", "(]" or "()"', "bad_value")
        bounds = "[]"
    collation = keys.values.get("collation")
    if collation not in (None, "codepoint"):
        reading.refuse(keys.at("collation"), 'the only collation is "codepoint"', "bad_value")
        collation = None
    tz = _checked(read_zone, keys, "tz", reading)
    week_start = _checked(read_week_start, keys, "week_start", reading)
    muted = flag(keys, "muted", reading)
    given = {"ci": ci, "require_present": require_present, "collation": collation, "tz": tz, "muted": muted}
    canonical = {name: value for name, value in given.items() if value}
    if bounds != "[]":
        canonical["bounds"] = bounds
    if week_start is not None:
        canonical["week_start"] = keys.values["week_start"].lower()
    return _shared_options(ci, require_present, bounds, collation, tz, week_start or 1), canonical


@lru_cache(maxsize=256)
def _shared_options(*parts: Any) -> Options:
    """Options are values, and nearly every leaf has the same ones."""
    return Options(*parts)


def _checked(read: Callable[[Any], Any], keys: Keys, name: str, reading: Reading) -> Any:
    try:
        return read(keys.values.get(name))
    except BadOperand as bad:
        reading.refuse(keys.at(name), bad.message, bad.code)
        return None


class _OperandReader:
    """Reads the operand of one leaf: `read()` is (canonical value, operand, check), or None with problems noted."""

    def __init__(
        self, keys: Keys, operator: Operator, options: Options, path: Path, reading: Reading, *, in_match: bool
    ) -> None:
        self.keys, self.operator, self.options, self.path, self.reading = keys, operator, options, path, reading
        self.in_match = in_match
        orders = (operator.base in meanings.ORDERINGS or operator.base == "between") and not options.collation
        self.is_date = operator.base in DATE_BASES or options.type in ("date", "datetime") or orders

    def read(self) -> tuple[Any, Any, Check] | None:
        """Read it."""
        if self.operator.operand == "none":
            return None, None, meanings.without_operand(self.operator.base, self.path)
        at = self.keys.at("value")
        if "value" not in self.keys:
            self.reading.refuse(self.keys.place, f"{self.operator.name} needs a value", "missing_value")
            return None
        value = self._from_source(self.keys.values["value"])
        try:
            check(value, at, max_depth=OPERAND_DEPTH_MAX)
            return self._read_kind(value, at)
        except BadOperand as bad:
            inside = isinstance(value, dict) and bad.key in value
            self.reading.refuse(join_path(at, bad.key) if inside else at, bad.message, bad.code)
        except Refused as refused:
            self.reading.problems.extend(refused.problems)
        return None

    def _from_source(self, value: Any) -> Any:
        source = self.keys.values.get("value_source")
        if source == "field":
            return {"ref": value}
        if source not in (None, "value"):
            self.reading.refuse(self.keys.at("value_source"), 'a value source is "value" or "field"', "bad_value")
        return value

    def _read_kind(self, value: Any, at: str) -> tuple[Any, Any, Check]:
        base, options = self.operator.base, self.options
        match self.operator.operand:
            case "duration":
                count, unit = read_duration(value)
                return {"n": count, "unit": unit}, None, date_meanings.within(base, count, unit, options)
            case "weekdays":
                days = date_meanings.read_weekdays(value)
                return days, None, date_meanings.weekday_in(days, options)
            case "times":
                times = date_meanings.read_times(value)
                return times, None, date_meanings.time_between(times, options)
            case "pattern":
                return value, None, meanings.regex(value, options)
            case "range":
                return self._read_range(value, at)
            case "list":
                return self._read_list(value, at)
            case _:
                canonical, operand = self._read_value(value, at)
                return canonical, operand, meanings.with_operand(self._maker(), operand, options)

    def _maker(self) -> meanings.Make:
        if self.operator.base == "changed_from":
            return meanings.changed_from(self.path)
        return meanings.changed_to(self.path) if self.operator.base == "changed_to" else _MAKERS[self.operator.base]

    def _read_value(self, value: Any, at: str) -> tuple[Any, Any]:
        """A literal, a `{ref}` or a relative date: its canonical form, and what the check takes."""
        if is_ref(value):
            path = self._path(value["ref"], f"{at}.ref")
            return {"ref": path.text}, path
        keys = relative_document(value, of_date=self.is_date)
        if keys is not None:
            return read_relative(keys, self._path, at)
        if isinstance(value, str) and len(value) > TEXT_CHARACTERS_MAX:
            raise BadOperand(f"the text is over {TEXT_CHARACTERS_MAX} characters", code="too_long")
        return value, value

    def _path(self, text: Any, at: str) -> Path:
        path = self.reading.path(text, at, in_match=self.in_match)
        if path is None:
            raise Refused([])
        return path

    def _read_list(self, value: Any, at: str) -> tuple[Any, Any, Check]:
        maker = _MAKERS[self.operator.base]
        if is_ref(value):
            canonical, path = self._read_value(value, at)
            return canonical, path, meanings.with_operand(maker, path, self.options)
        if isinstance(value, dict) and set(cast("dict[str, Any]", value)) == {"list"}:
            message = "lists kept under an id are not available yet; write the values"
            raise BadOperand(message, key="list", code="not_available")
        if isinstance(value, dict) or value is None:
            message = "needs a list of values"
            raise BadOperand(message)
        items: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [value]
        if len(items) > LIST_MAX:
            raise BadOperand(f"{len(items)} values is over the limit of {LIST_MAX}", code="too_many")
        if not items and self.operator.base != "contains_all":
            self.reading.warnings.append(f"{at}: the list is empty, so nothing is ever in it")
        return items, items, maker(items, self.options)

    def _read_range(self, value: Any, at: str) -> tuple[Any, Any, Check]:
        (low_at, low), (high_at, high) = _ends(value, at)
        low_document, low_operand = self._read_value(low, low_at)
        high_document, high_operand = self._read_value(high, high_at)
        made = meanings.between(low_operand, high_operand, self.options)
        if not isinstance(low_operand, Path | Relative) and not isinstance(high_operand, Path | Relative):
            self._refuse_upside_down(low_operand, high_operand)
        return [low_document, high_document], (low_operand, high_operand), made

    def _refuse_upside_down(self, low: Any, high: Any) -> None:
        if meanings.ordering("less_than")(low, self.options).test(high, _NO_FACTS):
            message = "the low end is above the high end, so nothing lies between them"
            raise BadOperand(message)


def _ends(value: Any, at: str) -> tuple[tuple[str, Any], tuple[str, Any]]:
    if isinstance(value, list) and len(items := cast("list[Any]", value)) == 2:
        return (f"{at}[0]", items[0]), (f"{at}[1]", items[1])
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        for low, high in _RANGE_KEYS:
            if set(mapping) == {low, high}:
                return (f"{at}.{low}", mapping[low]), (f"{at}.{high}", mapping[high])
    message = 'needs two values, such as [1, 10] or {"from": 1, "to": 10}'
    raise BadOperand(message)
