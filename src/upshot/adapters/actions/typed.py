"""Making an action of a Python function: the schema and validation of its arguments come from its annotations."""

import inspect
import re
import typing
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final, cast

import pydantic

from upshot.core.action import Action, ActionContext, ChangeEntity, EmitEvent, Kind, StoreEffect
from upshot.core.errors import Problem, Refused
from upshot.core.event_payloads import compile_schema
from upshot.core.strict_json import join_path

Function = Callable[..., Any]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,99}")
_ANY_OBJECT: Final[dict[str, Any]] = {"type": "object"}
_COUNTS = (1, 2)
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def make_action(
    function: Function,
    name: str,
    *,
    title: str | None = None,
    description: str | None = None,
    schema: dict[str, Any] | None = None,
    kind: Kind = "effect",
    icon: str = "zap",
) -> Action:
    """The action that `function(arguments)` or `function(arguments, context)` is.

    `arguments` is annotated with a Pydantic model or a dataclass (validated into it), or with `dict` (and
    `schema` says what it holds). It may be async; of kind `store` it is plain and gives back store operations.
    The title comes from the name, the description from the docstring's first line.

    Raises:
        TypeError: the function is not of that form; the message says what to write.
        ValueError: the name is not a name.
        Refused: `schema` is not a JSON Schema.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not an action's name: a letter, then letters, digits, '_', '-' or '.'.")
    annotation, takes_context = _signature(function, name)
    if kind == "store" and inspect.iscoroutinefunction(function):
        raise TypeError(f"{_called(function, name)}: an action of kind 'store' is a plain function: it does no I/O.")
    found_schema, validate = _arguments(annotation, schema, function, name)
    first_line = (inspect.getdoc(function) or "").split("\n", 1)[0]
    return Action(
        name=name,
        title=title or name.replace("_", " ").replace("-", " ").replace(".", " ").capitalize(),
        description=first_line if description is None else description,
        schema=found_schema,
        validate=validate,
        perform=_perform(function, kind, takes_context=takes_context),
        kind=kind,
        icon=icon,
        module=function.__module__,
    )


def _signature(function: Function, name: str) -> tuple[Any, bool]:
    form = "write `def f(arguments: Model, context: ActionContext)`; the context may be left out"
    if not inspect.isroutine(function):
        raise TypeError(f"{_called(function, name)} is not a function; {form}.")
    parameters = list(inspect.signature(function).parameters.values())
    positional = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
    needed = [p for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    if len(positional) not in _COUNTS or needed:
        raise TypeError(f"{_called(function, name)} takes {len(parameters)} parameters; {form}.")
    first = positional[0].name
    annotation = inspect.get_annotations(function).get(first)
    if annotation is None:
        raise TypeError(f"{_called(function, name)}: annotate {first!r} with a Pydantic model or dict.")
    if isinstance(annotation, str):
        annotation = _evaluated(annotation, function, name)
    return annotation, len(positional) == max(_COUNTS)


def _evaluated(annotation: str, function: Function, name: str) -> Any:
    """What an annotation kept as text names. Only that of the arguments is read: others may be for checkers only."""
    alone = SimpleNamespace(__annotations__={"arguments": annotation})
    try:
        return typing.get_type_hints(alone, function.__globals__, include_extras=True)["arguments"]
    except NameError as error:
        raise TypeError(
            f"{_called(function, name)}: {error.name!r} in its annotations cannot be found. Import or define it at the "
            "top level of the module, outside `if TYPE_CHECKING`."
        ) from error


def _arguments(
    annotation: Any, schema: dict[str, Any] | None, function: Function, name: str
) -> tuple[dict[str, Any], Callable[[dict[str, Any]], Any]]:
    if annotation is dict or typing.get_origin(annotation) is dict:
        compiled = compile_schema(schema or _ANY_OBJECT)

        def as_dict(arguments: dict[str, Any]) -> dict[str, Any]:
            problems = compiled.problems(arguments)
            if problems:
                raise Refused(problems)
            return arguments

        return schema or _ANY_OBJECT, as_dict
    try:
        adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(annotation)
        made = adapter.json_schema(mode="validation")
    except (pydantic.PydanticUserError, pydantic.errors.PydanticSchemaGenerationError) as error:
        raise TypeError(f"{_called(function, name)}: its arguments have no JSON Schema. {error}") from error
    if made.get("type") != "object" and "$ref" not in made:
        raise TypeError(f"{_called(function, name)}: its arguments are a Pydantic model, a dataclass or a dict.")
    return schema or made, lambda arguments: _validated(adapter, arguments)


def _validated(adapter: pydantic.TypeAdapter[Any], arguments: dict[str, Any]) -> Any:
    try:
        return adapter.validate_python(arguments)
    except pydantic.ValidationError as error:
        raise Refused(
            Problem(_path(fault["loc"]), fault["msg"], f"argument_{fault['type']}")
            for fault in error.errors(include_url=False, include_context=False, include_input=False)
        ) from error


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for key in location:
        path = join_path(path, key)
    return path


def _perform(function: Function, kind: Kind, *, takes_context: bool) -> Callable[[Any, ActionContext], Any]:
    if inspect.iscoroutinefunction(function):

        async def perform_async(value: Any, context: ActionContext) -> Any:
            return _result(await (function(value, context) if takes_context else function(value)), kind)

        return perform_async

    def perform(value: Any, context: ActionContext) -> Any:
        return _result(function(value, context) if takes_context else function(value), kind)

    return perform


def _result(result: Any, kind: Kind) -> Any:
    if isinstance(result, pydantic.BaseModel):
        return result.model_dump(mode="json", by_alias=True)
    if isinstance(result, StoreEffect) or kind != "store":
        return result
    operations = cast("list[Any]", result) if isinstance(result, list | tuple) else [result]
    if not all(isinstance(operation, ChangeEntity | EmitEvent) for operation in operations):
        raise TypeError("An action of kind 'store' gives back ChangeEntity and EmitEvent operations.")
    return StoreEffect(tuple(operations))


def _called(function: Function, name: str) -> str:
    where = f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', repr(function))}"
    return f"Action {name!r} ({where})"
