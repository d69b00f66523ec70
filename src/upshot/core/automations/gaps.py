"""What a template reads that events of its type need not hold: told to the author, refused by nobody."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

from upshot.core.automations.action_shape import ActionShape
from upshot.core.automations.document import ActionStep, Automation, CallStep, DelayStep, WaitStep
from upshot.core.errors import Problem, Refused
from upshot.core.facts import compile_path
from upshot.core.path_text import Segment
from upshot.core.strict_json import join_path
from upshot.core.templates.unsure import wanted_paths
from upshot.core.waits import field_path

_LISTED: Final = frozenset({"size", "first", "last"})
_DEPTH_MAX: Final = 32


def gap_notes(
    automation: Automation, actions: Mapping[str, ActionShape], schema: Any, sample: Any
) -> list[tuple[str, str]]:
    """The place and the sentence of each placeholder without a default whose value may be missing.

    It may be missing where the event type's `schema` does not require it, or, without a schema, where it is not in the
    `sample`. Of the entity, the tenant and earlier steps nothing is known, and nothing is said.
    """
    if not isinstance(schema, dict) and not isinstance(sample, dict):
        return []
    notes: list[tuple[str, str]] = []
    blank, fail = "nothing then stands in its place", "the step then fails"
    for index, step in enumerate(automation.steps):
        if isinstance(step, ActionStep):
            shape = actions.get(step.action)
            failing = {name for name, policy in (shape.on_missing if shape else {}).items() if policy == "fail"}
            for name, value in step.arguments.items():
                if shape is not None and name in shape.literals:
                    continue
                at = join_path(f"steps[{index}].with", name)
                notes += _notes(value, at, schema, sample, then=fail if name in failing else blank)
        elif isinstance(step, DelayStep):
            notes += _notes(step.delay, f"steps[{index}].delay", schema, sample, then=fail)
        elif isinstance(step, CallStep):
            notes += _notes(step.data, f"steps[{index}].with", schema, sample, then=blank)
    for control in automation.flow.controls if automation.flow is not None else ():
        notes += _notes(
            control.key, f"flow.{control.name}.key", schema, sample, then="the event is then not controlled"
        )
    return notes


def wait_problems(automation: Automation, schema_of: Callable[[str], dict[str, Any] | None]) -> list[Problem]:
    """Waits for events, and events that cancel, which can never match: fields that the schema of their event type does not
    know."""
    problems: list[Problem] = []
    for index, step in enumerate(automation.steps):
        if isinstance(step, WaitStep):
            problems += match_gaps(step.match, f"steps[{index}].match", schema_of(step.event), step.event)
    for index, one in enumerate(automation.cancel_on):
        problems += match_gaps(one.match, f"cancel_on[{index}].match", schema_of(one.event), one.event)
    return problems


def match_gaps(match: Mapping[str, Any], at: str, schema: dict[str, Any] | None, event: str) -> list[Problem]:
    """The fields of a match that no event of this type has."""
    if schema is None:
        return []
    said = f"can never match: the schema of {event} does not know it"
    return [
        Problem(join_path(at, field), said, "never_matches")
        for field in match
        if (segments := field_path(field).segments)[:1] == ("data",) and not _knows(segments[1:], schema)
    ]


def _knows(segments: tuple[Segment, ...], schema: dict[str, Any]) -> bool:
    """Whether data that meets the schema may have something there."""
    nodes = _alternatives(schema, schema, 0)
    for segment in segments:
        below: list[dict[str, Any]] = []
        for node in nodes:
            known: Any = node.get("properties") or {}
            if isinstance(segment, int) or not known or node.get("additionalProperties") not in (None, False):
                return True
            if segment in known:
                below += _alternatives(known[segment], schema, 0)
        nodes = below
    return bool(nodes)


def _notes(value: Any, at: str, schema: Any, sample: Any, *, then: str) -> Iterator[tuple[str, str]]:
    for place, text in texts_of(value, at):
        for placeholder, path in wanted_paths(text):
            why = _doubt(path, schema, sample)
            if why:
                yield place, f"{placeholder} may be missing: {why}; {then}, unless it has a default"


def texts_of(value: Any, at: str) -> Iterator[tuple[str, str]]:
    """Each text in a value that stands at the path `at`, and its own path."""
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        for name, item in cast("dict[str, Any]", value).items():
            yield from texts_of(item, join_path(at, name))
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from texts_of(item, join_path(at, index))


def _doubt(text: str, schema: Any, sample: Any) -> str:
    try:
        path = compile_path(text)
    except Refused:
        return ""
    segments = path.segments
    if path.root == "event" and segments[:1] == ("data",):
        segments = segments[1:]
    elif path.root:
        return ""
    if isinstance(schema, dict):
        return _doubt_of_schema(segments, cast("dict[str, Any]", schema))
    return _doubt_of_sample(segments, sample)


def _doubt_of_sample(segments: tuple[Segment, ...], sample: Any) -> str:
    value = sample
    for segment in segments:
        if isinstance(value, dict) and segment in value:
            value = cast("dict[Any, Any]", value)[segment]
        elif isinstance(value, list) and isinstance(segment, int) and segment < len(cast("list[Any]", value)):
            value = cast("list[Any]", value)[segment]
        elif isinstance(value, list | str) and segment in _LISTED:
            return ""
        else:
            return f"the sample of the event type has no {segment!r}"
    return "it is null in the sample of the event type" if value is None else ""


def _doubt_of_schema(segments: tuple[Segment, ...], schema: dict[str, Any]) -> str:
    nodes = _alternatives(schema, schema, 0)
    for segment in segments:
        below: list[dict[str, Any]] = []
        for node in nodes:
            if _is_null(node):
                return f"the event type's schema lets what holds {segment!r} be null"
            if isinstance(segment, int) and ("items" in node or "prefixItems" in node):
                return ""  # how long a list is, no schema tells of its places
            known: Any = node.get("properties") or {}
            if segment in _LISTED and segment not in known and node.get("type") in ("array", "string"):
                return ""
            if segment not in known:
                return f"the event type's schema does not know {segment!r}"
            if segment not in (node.get("required") or []):
                return f"the event type's schema does not require {segment!r}"
            below += _alternatives(known[segment], schema, 0)
        nodes = below
    return "the event type's schema lets it be null" if any(map(_is_null, nodes)) else ""


def _alternatives(node: Any, schema: dict[str, Any], depth: int) -> list[dict[str, Any]]:
    """The forms that a value may have: references followed, `anyOf` and `oneOf` apart, `allOf` put together."""
    if not isinstance(node, dict) or depth > _DEPTH_MAX:
        return []
    form = cast("dict[str, Any]", node)
    reference = str(form.get("$ref", ""))
    if reference.startswith("#/"):
        target: Any = schema
        for part in reference.removeprefix("#/").split("/"):
            target = cast("dict[str, Any]", target).get(part) if isinstance(target, dict) else None
        return _alternatives(target, schema, depth + 1)
    whole = _merged(form, {})
    for part in cast("list[Any]", form.get("allOf") or []):
        for also in _alternatives(part, schema, depth + 1)[:1]:
            whole = _merged(whole, also)
    choices = cast("list[Any]", [*(form.get("anyOf") or []), *(form.get("oneOf") or [])])
    found = [each for choice in choices for each in _alternatives(choice, schema, depth + 1)]
    return [_merged(each, whole) for each in found] if choices else [whole]


def _merged(form: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The form, with what the other one also says of its fields."""
    properties: dict[str, Any] = {**(other.get("properties") or {}), **(form.get("properties") or {})}
    required: list[str] = [*(other.get("required") or []), *(form.get("required") or [])]
    return {**form, "properties": properties, "required": required}


def _is_null(node: dict[str, Any]) -> bool:
    kind = node.get("type")
    return kind == "null" or (isinstance(kind, list) and "null" in kind)
