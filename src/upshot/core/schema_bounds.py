"""The bounds of a JSON Schema that a tenant wrote: checked before it is compiled, so that no schema is slow to run.

References may only lead down inside the same document and never back to themselves, so what they unfold to is finite
and counted: each part of the unfolded schema costs a bounded time per value.
"""

from collections.abc import Iterator
from typing import Any, Final, cast

from upshot.core.errors import Malformed, Problem
from upshot.core.strict_json import encode, join_path

SCHEMA_BYTES_MAX: Final = 65_536
SCHEMA_DEPTH_MAX: Final = 32
PARTS_MAX: Final = 2_000
PATTERNS_MAX: Final = 100

DIALECTS: Final = {
    "": "Draft202012Validator",
    "https://json-schema.org/draft/2020-12/schema": "Draft202012Validator",
    "https://json-schema.org/draft/2019-09/schema": "Draft201909Validator",
    "http://json-schema.org/draft-07/schema": "Draft7Validator",
    "http://json-schema.org/draft-07/schema#": "Draft7Validator",
}
"""The `$schema` values understood, and the class that knows each."""

_BY_NAME = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"})
"""Keywords whose value holds schemas by name."""
_VALUES = frozenset({"const", "enum", "default", "examples", "example", "sample"})
"""Keywords whose value is data, not schema."""
_OTHER_REFERENCES = ("$dynamicRef", "$recursiveRef", "$dynamicAnchor", "$recursiveAnchor")


class _BoundError(Exception):
    """The schema is over a bound; the one problem that says so."""

    def __init__(self, path: str, message: str, code: str = "bad_schema") -> None:
        self.problem = Problem(path, message, code)
        super().__init__(message)


def schema_problems(schema: Any, at: str) -> list[Problem]:
    """Why this schema is not taken; empty when it may be compiled."""
    if not isinstance(schema, dict):
        return [Problem(at, "a schema is an object", "bad_schema")]
    document = cast("dict[str, Any]", schema)
    try:
        size = len(encode(document, at=at).encode())
        if size > SCHEMA_BYTES_MAX:
            return [Problem(at, f"{size} bytes; a schema has at most {SCHEMA_BYTES_MAX}", "too_large")]
        dialect = document.get("$schema", "")
        if not isinstance(dialect, str) or dialect not in DIALECTS:
            known = ", ".join(sorted(name for name in DIALECTS if name))
            return [Problem(join_path(at, "$schema"), f"only these are understood: {known}", "bad_schema")]
        _Unfolded(document).parts(document, at, 0)
    except _BoundError as broken:
        return [broken.problem]
    except Malformed as malformed:
        return list(malformed.problems)
    return []


class _Unfolded:
    """Counts the parts of a schema with every reference followed."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._known: dict[str, int] = {}
        self._open: set[str] = set()
        self._patterns = 0

    def parts(self, schema: dict[str, Any], at: str, depth: int) -> int:
        """How many parts this schema unfolds to.

        Raises:
            _BoundError: over a bound.
        """
        if depth > SCHEMA_DEPTH_MAX:
            raise _BoundError(at, f"nests deeper than {SCHEMA_DEPTH_MAX}", "too_deep")
        for keyword in _OTHER_REFERENCES:
            if keyword in schema:
                raise _BoundError(join_path(at, keyword), "is not supported; use $ref with $defs")
        if depth and "$id" in schema:
            raise _BoundError(join_path(at, "$id"), "only the whole schema may have an $id")
        self._patterns += ("pattern" in schema) + len(_names(schema.get("patternProperties")))
        if self._patterns > PATTERNS_MAX:
            raise _BoundError(at, f"more than {PATTERNS_MAX} patterns", "too_large")
        count = 1 + sum(self.parts(part, path, depth + 1) for part, path in _inside(schema, at))
        if isinstance(schema.get("$ref"), str):
            count += self._referred(schema["$ref"], join_path(at, "$ref"), depth)
        if count > PARTS_MAX:
            raise _BoundError(at, f"unfolds to more than {PARTS_MAX} parts once references are followed", "too_large")
        return count

    def _referred(self, reference: str, at: str, depth: int) -> int:
        if reference in self._known:
            return self._known[reference]
        if reference in self._open:
            raise _BoundError(at, f"{reference} refers back to itself; schemas that repeat without end are not taken")
        target = self._target(reference, at)
        self._open.add(reference)
        count = self._known[reference] = self.parts(target, at, depth + 1)
        self._open.discard(reference)
        return count

    def _target(self, reference: str, at: str) -> dict[str, Any]:
        if reference == "#":
            raise _BoundError(at, "# refers back to itself; schemas that repeat without end are not taken")
        if not reference.startswith("#/") or "%" in reference:
            raise _BoundError(
                at, f"{reference[:80]!r} is not in this schema; only references like #/$defs/Name are followed"
            )
        found: Any = self._document
        for step in reference[2:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            found = cast("dict[str, Any]", found).get(name) if isinstance(found, dict) else None
        if found is True or found is False:
            return {}
        if not isinstance(found, dict):
            raise _BoundError(at, f"there is no {reference[:80]} in this schema")
        return cast("dict[str, Any]", found)


def _inside(schema: dict[str, Any], at: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The schemas directly inside this one, with their paths."""
    for keyword, value in schema.items():
        if keyword in _VALUES:
            continue
        path = join_path(at, keyword)
        if isinstance(value, list):
            for index, item in enumerate(cast("list[Any]", value)):
                if isinstance(item, dict):
                    yield cast("dict[str, Any]", item), join_path(path, index)
        elif isinstance(value, dict) and keyword in _BY_NAME:
            for name, part in cast("dict[str, Any]", value).items():
                if isinstance(part, dict):
                    yield cast("dict[str, Any]", part), join_path(path, name)
        elif isinstance(value, dict):
            yield cast("dict[str, Any]", value), path


def _names(value: Any) -> list[str]:
    return list(cast("dict[str, Any]", value)) if isinstance(value, dict) else []
