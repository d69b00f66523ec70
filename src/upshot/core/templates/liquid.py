"""python-liquid, cut down: our own tokenizer, tags, filters, variable look-up and limits around its expression parser.

Nothing of its default environment is left: no includes, no clock (`now`, `today`), no attribute access, no Python text
of a value. A variable is first one that the template itself set, then a path over the facts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from io import StringIO
from typing import Any, Final, TextIO, cast

from liquid import Environment, RenderContext, Token
from liquid.ast import Node
from liquid.builtin.content import Literal as ContentTag
from liquid.builtin.expressions import FilteredExpression
from liquid.builtin.illegal import Illegal
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.assign_tag import AssignTag
from liquid.builtin.tags.for_tag import ForLoop, ForNode, ForTag
from liquid.builtin.tags.if_tag import IfTag
from liquid.builtin.tags.unless_tag import UnlessTag
from liquid.exceptions import LiquidError
from liquid.template import BoundTemplate
from liquid.token import TOKEN_CONTENT, TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG
from liquid.undefined import Undefined
from liquid.utils import ReadOnlyChainMap

from upshot.core.facts import MISSING, Facts
from upshot.core.templates.compiled import OnMissing
from upshot.core.templates.errors import RenderFailure
from upshot.core.templates.escapes import Escape, HtmlText, html_text
from upshot.core.templates.filters import FILTERS, TAKES_MISSING, ZONED
from upshot.core.templates.limits import (
    BLOCK_NESTING_MAX,
    OUTPUT_CHARACTERS_MAX,
    Budget,
)
from upshot.core.templates.paths import read_segments
from upshot.core.templates.scanner import Part, scan
from upshot.core.templates.values import is_blank, to_text


class Context(RenderContext):
    """One render: the facts it reads, the policy for what is not there, how each placeholder is written (by where it
    starts), and the budget it has left."""

    __slots__ = ("budget", "facts", "is_html", "on_missing", "writers")

    def __init__(
        self,
        template: BoundTemplate,
        facts: Facts,
        on_missing: OnMissing,
        writers: Mapping[int, Escape],
        *,
        is_html: bool = False,
    ) -> None:
        super().__init__(template)
        self.facts, self.on_missing, self.budget = facts, on_missing, Budget()
        self.writers, self.is_html = writers, is_html
        # The library's own scope also holds a clock and counters; only what the template sets is left in it.
        self.scope = ReadOnlyChainMap(self.locals)

    def get(self, path: list[object], *, token: Token | None, default: object = MISSING) -> object:
        """The value of a variable; an `Undefined` that prints as nothing when it is not there."""
        value = self._read(path)
        self.budget.charge(value)
        if value is MISSING:
            return Undefined(str(path[0]), token=token) if default is MISSING else default
        return value

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:  # noqa: ARG002 - the library's signature
        """The named filter, with its missing arguments made null, its result paid for."""
        return partial(self._apply, name)

    def _read(self, path: list[object]) -> object:
        root = path[0]
        if isinstance(root, str) and root in self.scope:
            value: object = self.scope[root]
            for segment in path[1:]:
                try:
                    value = self.get_item(value, segment)
                except (KeyError, IndexError, TypeError):
                    return MISSING
            return value
        return read_segments(self.facts, tuple(path))

    def _apply(self, name: str, value: object, *arguments: object, **named: object) -> object:
        if self.on_missing == "fail" and name not in TAKES_MISSING and is_blank(value):
            raise RenderFailure("there is no value")
        if name in ZONED:
            named["zone"] = self.facts.zone
        plain = [None if is_blank(item) else item for item in (value, *arguments)]
        if self.is_html and name == "newline_to_br":
            plain[0] = html_text(plain[0])
        try:
            result = FILTERS[name](*plain, **named)
        except (TypeError, AttributeError) as error:
            raise RenderFailure(f"the filter {name!r} was given the wrong arguments") from error
        if isinstance(result, str) and len(result) > OUTPUT_CHARACTERS_MAX:
            raise RenderFailure(f"the filter {name!r} would make more than {OUTPUT_CHARACTERS_MAX:,} characters")
        self.budget.charge(result)
        return HtmlText(result) if self.is_html and name == "newline_to_br" else result


class BoundedBuffer(StringIO):
    """The output of one render, up to the limit."""

    def __init__(self) -> None:
        super().__init__()
        self.left = OUTPUT_CHARACTERS_MAX

    def write(self, text: str, /) -> int:
        """Append `text`, or refuse it when the output would grow past its limit."""
        self.left -= len(text)
        if self.left < 0:
            raise RenderFailure(f"the text grows over {OUTPUT_CHARACTERS_MAX:,} characters")
        return super().write(text)


class _OutputNode(OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        context = cast("Context", context)
        try:
            value = self.expression.evaluate(context)
            if context.on_missing == "fail" and is_blank(value):
                raise RenderFailure("there is no value")  # noqa: TRY301 - the clause below names the placeholder
            write = context.writers.get(self.token.start_index, to_text)
            return buffer.write(write(None if is_blank(value) else value))
        except RenderFailure as failure:
            raise RenderFailure(failure.reason, failure.placeholder or str(self)) from None


class _OutputTag(Output):
    node_class = _OutputNode


class _ForNode(ForNode):
    """A loop that pays for every turn, whatever its body is."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        context = cast("Context", context)
        turns, length = self.expression.evaluate(context)
        if not length:
            return self.default.render(context, buffer) if self.default else 0
        name, written = self.expression.identifier, 0
        loop = ForLoop(
            f"{name}-{self.expression.iterable}",
            _paid(turns, _count_nodes(self.block, context), context),
            length,
            context.parentloop(),
        )
        namespace: dict[str, object] = {"forloop": loop, name: None}
        with context.loop(namespace, loop):
            for item in loop:
                namespace[name] = list(cast("tuple[object]", item)) if isinstance(item, tuple) else item
                written += self.block.render(context, buffer)
        return written


class _ForTag(ForTag):
    node_class = _ForNode


def _paid(turns: Iterable[object], nodes: int, context: Context) -> Iterator[object]:
    for item in turns:
        context.budget.take_iteration(nodes)
        yield item


def _count_nodes(node: Node, context: Context) -> int:
    return 1 + sum(_count_nodes(child, context) for child in node.children(context, include_partials=False))


class _Environment(Environment):
    block_nesting_limit = BLOCK_NESTING_MAX

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:  # noqa: ARG002 - the library's signature
        for tag in (
            ContentTag,
            _OutputTag,
            Illegal,
            IfTag,
            UnlessTag,
            _ForTag,
            AssignTag,
        ):
            self.add_tag(tag)
        self.filters.update(FILTERS)

    def tokenizer(self) -> Callable[[str], Iterator[Token]]:
        return _tokens


def _tokens(source: str) -> Iterator[Token]:
    for part in scan(source):
        yield from _tokens_of(part, source)


def _tokens_of(part: Part, source: str) -> Iterator[Token]:
    match part.kind:
        case "text":
            yield Token(TOKEN_CONTENT, part.text, part.start, source)
        case "output":
            yield Token(TOKEN_OUTPUT, part.text, part.start, source)
            yield Token(TOKEN_EXPRESSION, part.text, part.start, source)
        case "tag":
            yield Token(TOKEN_TAG, part.name, part.start, source)
            if part.text:
                yield Token(TOKEN_EXPRESSION, part.text, part.start, source)


_ENVIRONMENT: Final = _Environment(undefined=Undefined)


def parse(source: str) -> BoundTemplate:
    """The parsed template.

    Raises:
        LiquidError: the source is not of the language.
        SourceFault: the source is over a limit or holds what is not available.
    """
    return _ENVIRONMENT.from_string(source)


def lone_expression(template: BoundTemplate) -> FilteredExpression | None:
    """The expression of a template that is one placeholder and nothing else."""
    if len(template.nodes) == 1 and isinstance(template.nodes[0], OutputNode):
        expression = template.nodes[0].expression
        return expression if isinstance(expression, FilteredExpression) else None
    return None


def render_nodes(nodes: list[Node], context: Context) -> str:
    """The text of the nodes, in order.

    Raises:
        RenderFailure: a limit was reached, a filter refused its input, or a value was missing under policy `fail`.
    """
    buffer = BoundedBuffer()
    for node in nodes:
        try:
            node.render(context, buffer)
        except LiquidError as error:
            raise RenderFailure(_first_line(error), str(node)[:100]) from error
        except RenderFailure as failure:
            raise RenderFailure(failure.reason, failure.placeholder or str(node)[:100]) from None
    return buffer.getvalue()


def _first_line(error: LiquidError) -> str:
    return str(error.args[0] if error.args else error).split("\n", 1)[0]


def global_paths(template: BoundTemplate) -> list[list[Any]]:
    """The segments of every variable that the template reads and does not itself set."""
    analysis = template.analyze(include_partials=False)
    return [list(variable.segments) for variables in analysis.globals.values() for variable in variables]


__all__ = [
    "Context",
    "global_paths",
    "lone_expression",
    "parse",
    "render_nodes",
]
