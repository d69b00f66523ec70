"""Cut a template's source into text, placeholders and tags, in one linear pass, and refuse what no template may hold.

python-liquid parses the expressions; its own lexer is not used, because its patterns go over long runs of blanks
many times. Everything that can be refused from the text alone is refused here: ranges, unknown tags and filters, long
chains.
"""

import re
from typing import Final, Literal

import msgspec

from upshot.core.templates.filters import FILTERS
from upshot.core.templates.limits import (
    BRACKETS_MAX,
    EXPRESSION_CHARACTERS_MAX,
    FILTERS_IN_CHAIN_MAX,
    LOGICAL_WORDS_MAX,
    SOURCE_CHARACTERS_MAX,
)

TAGS: Final = (
    "if",
    "elsif",
    "else",
    "endif",
    "unless",
    "endunless",
    "for",
    "endfor",
    "assign",
    "comment",
)

_END_OF_OUTPUT: Final = re.compile(r"\"[^\"]*\"|'[^']*'|(?P<end>-?\}\})")
_END_OF_TAG: Final = re.compile(r"\"[^\"]*\"|'[^']*'|(?P<end>-?%\})")
_COMMENT_EDGE: Final = re.compile(r"\{%-?[ \t\r\n]*(?P<name>comment|endcomment)[ \t\r\n]*(?P<trim>-?)%\}")
_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'")
_FILTER: Final = re.compile(r"\|\s*(?P<name>[\w-]*)")
_LOGICAL_WORD: Final = re.compile(r"\b(?:and|or)\b")
_TAG_NAME: Final = re.compile(r"(?P<name>#|\w+)")


class Part(msgspec.Struct, frozen=True):
    """One piece of a source. `text` is the literal, or what stands inside the braces; `start` is where it begins."""

    kind: Literal["text", "output", "tag"]
    text: str
    start: int
    name: str = ""


class SourceFault(Exception):
    """Why a source is no template: a sentence and a stable code."""

    def __init__(self, message: str, code: str = "template_syntax") -> None:
        self.message, self.code = message, code
        super().__init__(message)


def scan(source: str) -> list[Part]:
    """The parts of `source`, adjacent and in order.

    Raises:
        SourceFault: too long, unbalanced, or holding something outside the allowed language.
    """
    if len(source) > SOURCE_CHARACTERS_MAX:
        raise SourceFault(
            f"is {len(source):,} characters long; a template has at most {SOURCE_CHARACTERS_MAX:,}",
            "template_too_long",
        )
    parts: list[Part] = []
    position, trims = 0, False
    while position < len(source):
        opening = _next_opening(source, position)
        text = source[position:opening].lstrip() if trims else source[position:opening]
        start = opening - len(text)
        if opening < len(source) and source[opening + 2 : opening + 3] == "-":
            text = text.rstrip()
        if text:
            parts.append(Part("text", text, start))
        if opening == len(source):
            break
        part, position, trims = _read_braces(source, opening)
        if part is not None:
            parts.append(part)
    return parts


def _next_opening(source: str, position: int) -> int:
    output, tag = source.find("{{", position), source.find("{%", position)
    found = [index for index in (output, tag) if index >= 0]
    return min(found, default=len(source))


def _read_braces(source: str, opening: int) -> tuple[Part | None, int, bool]:
    is_output = source[opening + 1] == "{"
    start = opening + 3 if source[opening + 2 : opening + 3] == "-" else opening + 2
    end = _closing(_END_OF_OUTPUT if is_output else _END_OF_TAG, source, start)
    if end is None:
        raise SourceFault(f"{_excerpt(source, opening)} is not closed with {'}}' if is_output else '%}'}")
    inner = source[start : end.start()].strip()
    trims = end.group().startswith("-")
    if is_output:
        if not inner:
            raise SourceFault("an empty placeholder {{ }} names no path")
        _check_expression(inner)
        return Part("output", inner, start), end.end(), trims
    match = _TAG_NAME.match(inner)
    name = match.group("name") if match else ""
    if name == "#":
        return None, end.end(), trims
    if name not in TAGS:
        raise SourceFault(
            f"the tag {{% {name or inner[:20]} %}} is not available; these are: if, unless, for, assign, comment",
            "template_tag",
        )
    if name == "comment":
        edge = _end_of_comment(source, end.end())
        return None, edge.end(), edge.group("trim") == "-"
    expression = inner[len(name) :].strip()
    _check_expression(expression)
    return Part("tag", expression, start, name), end.end(), trims


def _closing(pattern: re.Pattern[str], source: str, start: int) -> re.Match[str] | None:
    # Looking no further than the longest expression keeps a source full of unclosed braces linear.
    limit = start + EXPRESSION_CHARACTERS_MAX + 3
    for match in pattern.finditer(source, start, limit):
        if match.group("end"):
            return match
    if len(source) > limit:
        raise SourceFault(
            f"{_excerpt(source, start - 2)} is not closed within {EXPRESSION_CHARACTERS_MAX:,} characters, "
            "the longest a placeholder or tag may be",
            "template_too_long",
        )
    return None


def _end_of_comment(source: str, start: int) -> re.Match[str]:
    depth = 1
    for edge in _COMMENT_EDGE.finditer(source, start):
        depth += 1 if edge.group("name") == "comment" else -1
        if depth == 0:
            return edge
    raise SourceFault("a {% comment %} is not closed with {% endcomment %}")


def _check_expression(expression: str) -> None:
    bare = _QUOTED.sub('""', expression)
    if ".." in bare:
        raise SourceFault(f"ranges are not available: {expression[:60]}", "template_range")
    names = [match.group("name") for match in _FILTER.finditer(bare)]
    for name in names:
        if name not in FILTERS:
            raise SourceFault(
                f"the filter {name!r} is not available; see the list of filters",
                "template_filter",
            )
    if len(names) > FILTERS_IN_CHAIN_MAX:
        raise SourceFault(
            f"{len(names)} filters in one chain; at most {FILTERS_IN_CHAIN_MAX}",
            "template_too_long",
        )
    if len(_LOGICAL_WORD.findall(bare)) > LOGICAL_WORDS_MAX:
        raise SourceFault(
            f"more than {LOGICAL_WORDS_MAX} of 'and' and 'or' in one tag",
            "template_too_long",
        )
    if bare.count("[") > BRACKETS_MAX or bare.count("(") > BRACKETS_MAX:
        raise SourceFault(
            f"more than {BRACKETS_MAX} brackets in one placeholder or tag",
            "template_too_long",
        )


def _excerpt(source: str, start: int) -> str:
    text = source[start : start + 30].replace("\n", " ")
    return repr(text + ("..." if len(source) > start + 30 else ""))
