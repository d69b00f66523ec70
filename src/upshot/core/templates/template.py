"""A JSON value with placeholders in its texts, compiled once and rendered for every step.

Rendering is total over facts: it gives a JSON value or raises `TemplateError`. What a placeholder gives is data and is
never read as a template again.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from upshot.core.errors import Problem, Refused
from upshot.core.facts import Facts, compile_path
from upshot.core.templates.compiled import OnMissing, Render
from upshot.core.templates.contexts import ContextName
from upshot.core.templates.limits import VALUE_NESTING_MAX
from upshot.core.templates.text import compile_text, has_template

_Rules = tuple[OnMissing | Mapping[str, OnMissing], ContextName | Mapping[str, ContextName] | None]
"""What holds below some place: `on_missing` and `contexts`."""


class Template:
    """A compiled value. `render(facts)` gives a fresh JSON value each time, which the caller may keep and change.

    `paths` are the path texts it reads, `reads_entity` is true when one of them may need the bound entity,
    `is_constant` when the value holds no placeholder at all.
    """

    __slots__ = ("is_constant", "paths", "reads_entity", "render")

    render: Callable[[Facts], Any]

    def __init__(self, render: Render, paths: frozenset[str]) -> None:
        self.render = render
        self.paths = paths
        self.is_constant = not paths
        self.reads_entity = any(compile_path(path).reads_entity for path in paths)


def compile_template(
    value: Any,
    at: str = "",
    *,
    on_missing: OnMissing | Mapping[str, OnMissing] = "blank",
    contexts: ContextName | Mapping[str, ContextName] | None = None,
) -> Template:
    """The template of a JSON value, found at the path `at`.

    `on_missing` says what a placeholder without a value does: `blank` (nothing in a text, null where it stands alone)
    or `fail`. A mapping gives it for each top-level field; the fields it does not name are `blank`.
    `contexts` says in the same way what the texts are, and so how values are written in them; None is no context.

    Raises:
        Refused: with every problem, each at its own path.
    """
    compiler = _Compiler()
    render = compiler.compile(value, at, (on_missing, contexts), 0)
    if compiler.problems:
        raise Refused(compiler.problems)
    template = Template(render or (lambda _: value), frozenset(compiler.paths))
    template.is_constant = render is None or not compiler.has_placeholders
    return template


class _Compiler:
    """Walks a value once and gathers its paths and problems. A constant scalar compiles to None."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.paths: list[str] = []
        self.has_placeholders = False

    def compile(
        self,
        value: Any,
        at: str,
        rules: _Rules,
        depth: int,
    ) -> Render | None:
        if isinstance(value, str):
            return self._text(value, at, rules)
        if depth >= VALUE_NESTING_MAX and isinstance(value, dict | list):
            self.problems.append(Problem(at, f"is nested deeper than {VALUE_NESTING_MAX} levels", "too_deep"))
            return None
        if isinstance(value, dict):
            return self._fields(cast("dict[str, Any]", value), at, rules, depth)
        if isinstance(value, list | tuple):
            return self._items(list(cast("list[Any]", value)), at, rules, depth)
        return None

    def _text(self, text: str, at: str, rules: _Rules) -> Render | None:
        on_missing, context = _rules_of(rules, None)
        if context == "literal" or not has_template(text):
            return None
        try:
            compiled = compile_text(text, at, on_missing, context)
        except Refused as refused:
            self.problems.extend(refused.problems)
            return None
        self.has_placeholders = True
        self.paths.extend(compiled.paths)
        return compiled.render

    def _fields(
        self,
        fields: dict[str, Any],
        at: str,
        rules: _Rules,
        depth: int,
    ) -> Render:
        skeleton = dict(fields)
        parts: list[tuple[str, Render]] = []
        for key, item in fields.items():
            render = self.compile(item, f"{at}.{key}" if at else str(key), _rules_of(rules, key), depth + 1)
            if render is not None:
                skeleton[key] = None
                parts.append((key, render))
        if not parts:
            return lambda _: skeleton.copy()

        def render_fields(facts: Facts) -> dict[str, Any]:
            result = skeleton.copy()
            for key, render in parts:
                result[key] = render(facts)
            return result

        return render_fields

    def _items(
        self,
        items: list[Any],
        at: str,
        rules: _Rules,
        depth: int,
    ) -> Render:
        skeleton = list(items)
        below = _rules_of(rules, None)
        parts: list[tuple[int, Render]] = []
        for index, item in enumerate(items):
            render = self.compile(item, f"{at}[{index}]", below, depth + 1)
            if render is not None:
                parts.append((index, render))
        if not parts:
            return lambda _: skeleton.copy()

        def render_items(facts: Facts) -> list[Any]:
            result = skeleton.copy()
            for index, render in parts:
                result[index] = render(facts)
            return result

        return render_items


def _rules_of(rules: _Rules, field: str | None) -> tuple[OnMissing, ContextName | None]:
    """What holds for one field, or for a value that is none."""
    on_missing, contexts = rules
    return (
        on_missing if isinstance(on_missing, str) else on_missing.get(field or "", "blank"),
        contexts if isinstance(contexts, str) or contexts is None else contexts.get(field or ""),
    )
