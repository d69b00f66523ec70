"""Reading the arguments of actions whose schema is written by hand."""

from collections.abc import Callable
from typing import Any, Final, cast

from upshot.core.errors import Refused
from upshot.core.event_payloads import compile_schema

Arguments = dict[str, Any]

ENTITY_TYPE: Final[dict[str, Any]] = {
    "type": "string",
    "title": "Type",
    "description": "The kind of entity, like patient or order.",
    "format": "entity-type",
    "minLength": 1,
    "maxLength": 64,
    "examples": ["patient"],
    "x-on-missing": "fail",
}
ENTITY_ID: Final[dict[str, Any]] = {
    "type": "string",
    "title": "Id",
    "description": "Which one: its id.",
    "minLength": 1,
    "maxLength": 200,
    "examples": ["{{ entity.id }}"],
    "x-on-missing": "fail",
}
FIELDS: Final[dict[str, Any]] = {
    "type": "object",
    "title": "Fields",
    "description": "Names and values.",
    "default": {},
    "examples": [{"status": "active"}],
}
TAGS: Final[dict[str, Any]] = {
    "type": "array",
    "title": "Tags",
    "items": {"type": "string", "minLength": 1, "maxLength": 100},
    "maxItems": 200,
    "default": [],
    "examples": [["vip"]],
}


def form(properties: dict[str, dict[str, Any]], *, required: list[str], takes_others: bool = False) -> dict[str, Any]:
    """The schema of an action's arguments, and whether it takes others too. The form shows them in this order (`x-order`)."""
    return {
        "type": "object",
        "properties": {name: {**shape, "x-order": place} for place, (name, shape) in enumerate(properties.items(), 1)},
        "required": required,
        "additionalProperties": takes_others,
    }


def reader(schema: dict[str, Any]) -> Callable[[Arguments], Arguments]:
    """A function that reads arguments against `schema` (see `form`), raising Refused with paths relative to them.

    A lone placeholder gives what it found: so a null for an argument that may be left out is one left out, and a whole
    number where text belongs is its text. Arguments left out get their `default`.
    """
    compiled = compile_schema(schema, "schema")
    properties = cast("dict[str, dict[str, Any]]", schema["properties"])
    required = frozenset(cast("list[str]", schema["required"]))
    defaults = {name: shape["default"] for name, shape in properties.items() if "default" in shape}
    texts = frozenset(name for name, shape in properties.items() if shape.get("type") == "string")

    def read(arguments: Arguments) -> Arguments:
        given: Arguments = {}
        for name, value in arguments.items():
            if value is None and name in properties and name not in required:
                continue
            is_number = name in texts and isinstance(value, int) and not isinstance(value, bool)
            given[name] = str(value) if is_number else value
        problems = compiled.problems(given)
        if problems:
            raise Refused(problems)
        return {**defaults, **given}

    return read


def kept_beside(schema: dict[str, Any], arguments: Arguments) -> Arguments:
    """What is kept with a thing that is made, beside its own fields: what `fields` holds, and arguments of other names."""
    own = cast("dict[str, Any]", schema["properties"])
    return {**arguments["fields"], **{name: value for name, value in arguments.items() if name not in own}}
