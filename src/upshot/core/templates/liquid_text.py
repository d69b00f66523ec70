"""A text with placeholders that needs Liquid: filters, conditions, loops. Imported where the first of them is compiled."""

from functools import lru_cache
from typing import Any

from liquid.exceptions import LiquidError
from liquid.template import BoundTemplate

from upshot.core.facts import Facts
from upshot.core.templates.compiled import CompiledText, OnMissing
from upshot.core.templates.contexts import ContextName, lone_writer, writers_of
from upshot.core.templates.errors import RenderFailure, TemplateError
from upshot.core.templates.liquid import Context, global_paths, lone_expression, parse, render_nodes
from upshot.core.templates.paths import compile_read, known_segments
from upshot.core.templates.scanner import Part, SourceFault
from upshot.core.templates.values import is_blank, to_json


def compile_liquid(
    source: str, parts: list[Part], at: str, on_missing: OnMissing, context_name: ContextName | None
) -> CompiledText:
    """The compiled form of a text that is more than plain paths between words.

    Raises:
        SourceFault: the text is not of the language, is over a limit, or holds what is not available.
        Refused: a placeholder names no path.
    """
    try:
        template = _parsed(source)
        read = global_paths(template)
    except LiquidError as error:
        raise SourceFault(_reason(error)) from error
    paths: list[str] = []
    for segments in read:
        known = known_segments(segments)
        if known:
            paths.append(compile_read(known)[0].text)
    expression = lone_expression(template)
    writers = writers_of(parts, context_name) if expression is None else {}
    write = lone_writer(context_name)

    def evaluate(facts: Facts) -> Any:
        context = Context(template, facts, on_missing, writers, is_html=context_name == "html")
        if expression is None:
            return render_nodes(template.nodes, context)
        value = expression.evaluate(context)
        if on_missing == "fail" and to_json(value) is None:
            raise RenderFailure("there is no value")
        return to_json(value if write is None or is_blank(value) else write(value))

    def render(facts: Facts) -> Any:
        try:
            return evaluate(facts)
        except RenderFailure as failure:
            raise TemplateError(at, failure.placeholder or source[:100], failure.reason) from None
        except LiquidError as error:
            raise TemplateError(at, source[:100], _reason(error)) from error
        except RecursionError as error:
            raise TemplateError(at, source[:100], "it is nested too deep") from error

    return CompiledText(render, tuple(paths), is_lone=expression is not None)


@lru_cache(maxsize=2048)
def _parsed(source: str) -> BoundTemplate:
    return parse(source)


def _reason(error: LiquidError) -> str:
    cause = error.__cause__
    if isinstance(cause, RecursionError):
        return "it is nested too deep"
    return str(error.args[0] if error.args else error).split("\n", 1)[0]
