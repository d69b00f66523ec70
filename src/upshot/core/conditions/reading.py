"""Shared by the readers of a condition document: problems, ids, paths, and the keys of an object in any spelling."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from upshot.core.conditions.spellings import snake_case
from upshot.core.errors import Problem, Refused
from upshot.core.facts import Path, compile_element_path, compile_path
from upshot.core.strict_json import join_path

_DAY_OF_WEEK = frozenset({"dayOfWeek", "day_of_week"})


@dataclass
class Reading:
    """One reading of one document. Problems are collected, so that the author sees all of them at once."""

    types: Mapping[str, str]
    taken_ids: frozenset[str]
    problems: list[Problem] = field(default_factory=list[Problem])
    warnings: list[str] = field(default_factory=list[str])
    leaves: int = 0
    _made: dict[str, int] = field(default_factory=dict[str, int])
    _seen_ids: set[str] = field(default_factory=set[str])

    def refuse(self, at: str, message: str, code: str) -> None:
        """Note one problem."""
        self.problems.append(Problem(at, message, code))

    def path(self, text: Any, at: str, *, in_match: bool) -> Path | None:
        """The compiled path of a text, or None with a problem noted."""
        if not isinstance(text, str):
            self.refuse(at, "a path is text, such as order.total", "wrong_type")
            return None
        if text in _DAY_OF_WEEK and not in_match:
            text = "now.day_of_week"
        try:
            return compile_element_path(text, at) if in_match else compile_path(text, at)
        except Refused as refused:
            self.problems.extend(refused.problems)
            return None

    def id_of(self, spelled: "Keys", kind: str) -> str:
        """The id the author gave, or the next free one: c1, c2, ... for leaves, g1, g2, ... for groups."""
        given = spelled.values.get("id")
        if given is not None:
            if not isinstance(given, str) or not 0 < len(given) <= 100:
                self.refuse(spelled.at("id"), "an id is text of 1 to 100 characters", "wrong_type")
            elif given in self._seen_ids:
                self.refuse(spelled.at("id"), f"the id {given!r} is used twice", "duplicate_id")
            else:
                self._seen_ids.add(given)
                return given
        while True:
            self._made[kind] = self._made.get(kind, 0) + 1
            made = f"{kind}{self._made[kind]}"
            if made not in self.taken_ids:
                return made


@dataclass(frozen=True)
class Keys:
    """An object's values by canonical key, and where the author wrote each."""

    values: dict[str, Any]
    written: dict[str, str]
    place: str

    def at(self, key: str) -> str:
        """The path of a key as written; of the object when the key is not there."""
        return join_path(self.place, self.written[key]) if key in self.written else self.place

    def __contains__(self, key: str) -> bool:
        return key in self.values


def read_keys(document: Mapping[str, Any], known: Mapping[str, str], place: str, reading: Reading) -> Keys:
    """The object's keys in their canonical spelling; an unknown or repeated one is a problem."""
    values: dict[str, Any] = {}
    written: dict[str, str] = {}
    for key, value in document.items():
        canonical = known.get(key) or known.get(snake_case(key))
        if canonical is None:
            reading.refuse(join_path(place, key), f"{key[:80]!r} is not a part of a condition", "unknown_field")
        elif canonical in values:
            reading.refuse(
                join_path(place, key), f"{key!r} says again what {written[canonical]!r} says", "duplicate_field"
            )
        else:
            values[canonical], written[canonical] = value, key
    return Keys(values, written, place)


def flag(keys: Keys, name: str, reading: Reading) -> bool:
    """A true-or-false option; false when absent."""
    value = keys.values.get(name, False)
    if not isinstance(value, bool):
        reading.refuse(keys.at(name), f"{keys.written[name]} is true or false", "wrong_type")
        return False
    return value


def objects_inside(document: Any) -> Iterator[dict[str, Any]]:
    """Every object of a JSON value, without recursion."""
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            mapping = cast("dict[str, Any]", value)
            yield mapping
            waiting.extend(mapping.values())
        elif isinstance(value, list):
            waiting.extend(cast("list[Any]", value))
