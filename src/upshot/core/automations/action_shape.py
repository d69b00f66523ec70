"""What an automation must know of an action: its name, the schema of its arguments, and which action it stands over."""

from dataclasses import dataclass, field
from typing import Any, cast

from upshot.core.templates.liquid import OnMissing


@dataclass(frozen=True, slots=True)
class ActionShape:
    """One action of the catalogue.

    `schema` is a JSON Schema of the arguments (an object); None takes any. An alias stands `over` another action;
    `over="delay"` turns a step with it into a delay step, whose delay is `with_` with each `{{ argument }}` replaced by
    that argument, or the alias's only argument as seconds.
    """

    name: str
    schema: dict[str, Any] | None = None
    over: str | None = None
    with_: dict[str, Any] | None = None
    title: str = ""
    missing: dict[str, OnMissing] = field(default_factory=dict[str, OnMissing])

    @property
    def on_missing(self) -> dict[str, OnMissing]:
        """What a placeholder without a value does, by argument: `missing`, then `x-on-missing` in the schema."""
        properties: dict[str, Any] = (self.schema or {}).get("properties") or {}
        declared: dict[str, OnMissing] = {name: "fail" for name, shape in properties.items() if _fails(shape)}
        return declared | self.missing

    @property
    def arguments(self) -> list[str]:
        """The names of the arguments that the schema declares."""
        return list((self.schema or {}).get("properties") or {})


def _fails(shape: Any) -> bool:
    return isinstance(shape, dict) and cast("dict[str, Any]", shape).get("x-on-missing") == "fail"
