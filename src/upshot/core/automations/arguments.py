"""An action's arguments against its JSON Schema, before and after their placeholders are filled in."""

import difflib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NoReturn, cast

import jsonschema_rs
import msgspec

from upshot.core.automations.action_shape import ActionShape
from upshot.core.errors import Problem
from upshot.core.templates import Template, compile_template, has_template, is_lone

_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][\w-]*")
_SENTENCE_CHARACTERS: Final = 200
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')


def argument_template(shape: ActionShape | None, arguments: dict[str, Any], at: str) -> Template:
    """The arguments of a step as a template, each value written as the action's schema says it must be there.

    Raises:
        Refused: with every problem, each at its own path.
    """
    if shape is None:
        return compile_template(arguments, at)
    return compile_template(arguments, at, on_missing=shape.on_missing, contexts=shape.contexts)


def argument_problems(
    shape: ActionShape, arguments: Mapping[str, Any], at: str, *, rendered: bool = False
) -> list[Problem]:
    """What the action's schema refuses in its arguments.

    Unless they are `rendered`, a value with a placeholder is not judged by what it says: a lone placeholder may give
    any type, a text with placeholders some text.
    """
    if shape.schema is None:
        return []
    validator = _validator(msgspec.json.encode(shape.schema, order="sorted"))
    problems: list[Problem] = []
    for error in validator.iter_errors(arguments):
        path = list(error.instance_path)
        name = type(error.kind).__name__.rsplit("_", 1)[-1]
        if name == "Required":
            problems.append(_missing(error, shape, path, at))
        elif name in ("AdditionalProperties", "UnevaluatedProperties"):
            problems.extend(_unknown(error, shape, path, at))
        elif rendered or not _is_open(_value_at(arguments, path), name):
            problems.append(
                Problem(
                    _join(at, path),
                    _sentence(error),
                    "wrong_type" if name == "Type" else "bad_argument",
                )
            )
    return problems


def unknown_action(name: str, actions: Mapping[str, ActionShape], at: str) -> Problem:
    """The problem of an action that is not in the catalogue, with the nearest name."""
    near = difflib.get_close_matches(name, list(actions), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return Problem(at, f"there is no action {name!r:.80}{hint}", "unknown_action")


@lru_cache(maxsize=1024)
def _validator(schema: bytes) -> Any:
    return jsonschema_rs.validator_for(
        msgspec.json.decode(schema),
        validate_formats=False,
        retriever=_refuse_reference,
        pattern_options=jsonschema_rs.RegexOptions(),
    )


def _refuse_reference(uri: str) -> NoReturn:
    message = f"a schema refers to nothing outside itself, not to {uri}"
    raise ValueError(message)


def _missing(error: Any, shape: ActionShape, path: Sequence[Any], at: str) -> Problem:
    name = str(error.kind.property).strip('"')
    whose = f"the action {shape.name!r}" if not path else "it"
    return Problem(_join(at, [*path, name]), f"is missing; {whose} needs it", "required")


def _unknown(error: Any, shape: ActionShape, path: Sequence[Any], at: str) -> list[Problem]:
    names = [str(name) for name in getattr(error.kind, "unexpected", [])] or _QUOTED.findall(error.message)
    if path:
        return [Problem(_join(at, [*path, name]), "is not known here", "unknown_argument") for name in names]
    takes = f"it takes {', '.join(shape.arguments)}" if shape.arguments else "it takes none"
    return [
        Problem(
            _join(at, [name]),
            f"is no argument of {shape.name!r}; {takes}",
            "unknown_argument",
        )
        for name in names
    ]


def _sentence(error: Any) -> str:
    text = str(error.message)
    return text if len(text) <= _SENTENCE_CHARACTERS else f"{text[:_SENTENCE_CHARACTERS]}..."


def _is_open(value: Any, kind: str) -> bool:
    """True when a placeholder leaves open whether the value meets a rule of this kind."""
    if isinstance(value, str):
        return has_template(value) and (kind != "Type" or is_lone(value))
    if isinstance(value, dict):
        return kind != "Type" and any(_is_open(item, kind) for item in cast("dict[str, Any]", value).values())
    if isinstance(value, list):
        return kind != "Type" and any(_is_open(item, kind) for item in cast("list[Any]", value))
    return False


def _value_at(value: Any, path: Sequence[Any]) -> Any:
    for part in path:
        value = value[part]
    return value


def _join(at: str, path: Sequence[Any]) -> str:
    for part in path:
        if isinstance(part, int):
            at += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            at += f".{part}" if at else part
        else:
            at += f"[{msgspec.json.encode(part).decode()}]"
    return at
