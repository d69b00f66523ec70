"""What an automation must know of an action: its name, the schema of its arguments, and which action it stands over."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, cast

from upshot.core.templates import CONTEXTS, ContextName
from upshot.core.templates.compiled import OnMissing

CONTEXT: Final = "x-context"
"""In an argument's schema: what its text is (see `ContextName`), and so how values are written in it."""


@dataclass(frozen=True, slots=True)
class ActionShape:
    """One action of the catalogue.

    `schema` is a JSON Schema of the arguments (an object); None takes any. An alias stands `over` another action;
    `over="delay"` turns a step with it into a delay step, whose delay is `with_` with each `{{ argument }}` replaced by
    that argument, or the alias's only argument as seconds.

    Raises:
        ValueError: an `x-context` in the schema is none, or stands where it would not be heeded.
    """

    name: str
    schema: dict[str, Any] | None = None
    over: str | None = None
    with_: dict[str, Any] | None = None
    title: str = ""
    emits: str = ""
    """The name of the event that it makes happen, where an argument's name in braces is that argument: `{type}.created`."""
    missing: dict[str, OnMissing] = field(default_factory=dict[str, OnMissing])
    contexts: dict[str, ContextName] = field(init=False)
    """What the text of each argument is, where its schema says so; it holds for every text inside the argument."""

    def __post_init__(self) -> None:
        contexts = contexts_of(self.schema, self.name)
        object.__setattr__(self, "contexts", contexts)  # the only way to set a field of a frozen dataclass

    @property
    def on_missing(self) -> dict[str, OnMissing]:
        """What a placeholder without a value does, by argument: `missing`, then `x-on-missing` in the schema."""
        declared: dict[str, OnMissing] = {
            name: "fail" for name, shape in _properties(self.schema).items() if _fails(shape)
        }
        return declared | self.missing

    @property
    def literals(self) -> frozenset[str]:
        """The arguments whose texts are no templates."""
        return frozenset(name for name, context in self.contexts.items() if context == "literal")

    @property
    def arguments(self) -> list[str]:
        """The names of the arguments that the schema declares."""
        return list(_properties(self.schema))


def contexts_of(schema: dict[str, Any] | None, action: str = "") -> dict[str, ContextName]:
    """The context of each argument that has one.

    Raises:
        ValueError: as of `ActionShape`.
    """
    found: dict[str, ContextName] = {}
    heeded = 0
    for name, shape in _properties(schema).items():
        said = list(_said(shape))
        heeded += len(said)
        if len(set(said)) > 1 or not set(said) <= set(CONTEXTS):
            listed, given = ", ".join(CONTEXTS), ", ".join(map(repr, said))
            raise ValueError(f"Action {action!r}: {CONTEXT} of {name!r} is {given}; it is one of {listed}.")
        if said:
            found[name] = cast("ContextName", said[0])
    if heeded != len(list(_said(schema))):
        raise ValueError(
            f"Action {action!r}: {CONTEXT} stands in a part of the schema that others refer to ($defs), where it is not "
            "heeded. Put it on the argument itself; it then holds for every text in it."
        )
    return found


def _properties(schema: dict[str, Any] | None) -> dict[str, Any]:
    known: dict[str, Any] = schema or {}
    referred = str(known.get("$ref", ""))
    if referred.startswith("#/$defs/"):
        known = known.get("$defs", {}).get(referred.removeprefix("#/$defs/"), {})
    return known.get("properties") or {}


def _said(part: Any) -> Iterator[Any]:
    if isinstance(part, dict):
        for key, value in cast("dict[str, Any]", part).items():
            if key == CONTEXT and not isinstance(value, dict):
                yield str(value)
            elif key not in ("default", "examples", "const", "enum"):
                yield from _said(value)
    elif isinstance(part, list):
        for item in cast("list[Any]", part):
            yield from _said(item)


def _fails(shape: Any) -> bool:
    return isinstance(shape, dict) and cast("dict[str, Any]", shape).get("x-on-missing") == "fail"
