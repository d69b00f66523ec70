"""One text with placeholders, compiled: the fast way where its placeholders are plain paths, through Liquid if not."""

from collections.abc import Callable
from typing import Any

from upshot.core.errors import Problem, Refused
from upshot.core.facts import MISSING, Facts
from upshot.core.templates.compiled import CompiledText, OnMissing, Render
from upshot.core.templates.contexts import ContextName, lone_writer, writers_of
from upshot.core.templates.errors import RenderFailure, TemplateError
from upshot.core.templates.escapes import Escape
from upshot.core.templates.escapes import text as plain_text
from upshot.core.templates.limits import OUTPUT_CHARACTERS_MAX
from upshot.core.templates.paths import Read, compile_read, is_plain_path, segments_of
from upshot.core.templates.places import MISPLACED
from upshot.core.templates.scanner import Part, SourceFault, scan
from upshot.core.templates.values import copied, to_text

_Slot = tuple[int, Read, str, Escape, type | None]
"""A placeholder: its place, how it is read, its text, how a value is written, and the type that is written as it is."""

_CONTAINERS = frozenset({dict, list})


def has_template(text: str) -> bool:
    """True when a text holds a placeholder or a tag."""
    return "{{" in text or "{%" in text


def is_lone(text: str) -> bool:
    """True when a text is one placeholder and nothing else, so that its value has any type."""
    try:
        parts = scan(text.strip())
    except SourceFault:
        return False
    return len(parts) == 1 and parts[0].kind == "output"


def compile_text(source: str, at: str, on_missing: OnMissing, context: ContextName | None = None) -> CompiledText:
    """The compiled form of a text that holds at least one placeholder or tag, each value written for its context.

    Raises:
        Refused: the text is no template; the problem's path is `at`.
    """
    stripped = source.strip()
    try:
        parts = scan(source)
        if len(parts) != 1 and stripped != source and is_lone(source):
            parts, source = scan(stripped), stripped
        if all(part.kind == "text" or (part.kind == "output" and is_plain_path(part.text)) for part in parts):
            return _compile_plain(parts, at, on_missing, context)
        from upshot.core.templates.liquid_text import compile_liquid  # noqa: PLC0415 - slow to import, and few texts need it

        return compile_liquid(source, parts, at, on_missing, context)
    except SourceFault as fault:
        said = fault.message if fault.code == MISPLACED else f"is not a template: {fault.message}"
        raise Refused([Problem(at, said, fault.code)]) from fault
    except Refused as refused:
        raise Refused(
            [
                Problem(at, f"a placeholder names no path: {problem.message}", problem.code)
                for problem in refused.problems
            ]
        ) from refused


def _compile_plain(parts: list[Part], at: str, on_missing: OnMissing, context: ContextName | None) -> CompiledText:
    slots: list[_Slot] = []
    paths: list[str] = []
    writers = writers_of(parts, context) if len(parts) > 1 else {}
    for index, part in enumerate(parts):
        if part.kind == "output":
            path, read = compile_read(segments_of(part.text))
            write = writers.get(part.start, to_text)
            stays = str if write in (to_text, plain_text) else None
            slots.append((index, read, "{{ " + part.text + " }}", write, stays))
            paths.append(path.text)
    if not slots:
        text = "".join(part.text for part in parts)
        return CompiledText(lambda _: text, (), is_lone=False)
    if len(parts) == 1:
        return CompiledText(
            _lone_render(slots[0][1], slots[0][2], at, on_missing, lone_writer(context)),
            tuple(paths),
            is_lone=True,
        )
    skeleton = [part.text if part.kind == "text" else "" for part in parts]
    return CompiledText(_joined_render(skeleton, slots, at, on_missing), tuple(paths), is_lone=False)


def _lone_render(
    read: Read, placeholder: str, at: str, on_missing: OnMissing, write: Callable[[Any], Any] | None
) -> Render:
    def render(facts: Facts) -> Any:
        value = read(facts)
        if value.__class__ in _CONTAINERS:
            return copied(value)
        return None if value is MISSING else value

    def render_present(facts: Facts) -> Any:
        value = read(facts)
        if value is MISSING or value is None:
            raise TemplateError(at, placeholder, "there is no value")
        return copied(value)

    def render_written(facts: Facts) -> Any:
        value = read(facts)
        if value is MISSING or value is None:
            if on_missing == "fail":
                raise TemplateError(at, placeholder, "there is no value")
            return None
        try:
            return write(value) if write is not None else value
        except RenderFailure as failure:
            raise TemplateError(at, placeholder, failure.reason) from None

    if write is not None:
        return render_written
    return render_present if on_missing == "fail" else render


def _joined_render(
    skeleton: list[str],
    slots: list[_Slot],
    at: str,
    on_missing: OnMissing,
) -> Render:
    is_strict = on_missing == "fail"

    def render(facts: Facts) -> str:
        pieces = skeleton.copy()
        for index, read, placeholder, write, stays in slots:
            value = read(facts)
            if type(value) is not stays:
                if is_strict and (value is MISSING or value is None):
                    raise TemplateError(at, placeholder, "there is no value")
                try:
                    value = write(value)
                except RenderFailure as failure:
                    raise TemplateError(at, placeholder, failure.reason) from None
            pieces[index] = value
        text = "".join(pieces)
        if len(text) > OUTPUT_CHARACTERS_MAX:
            raise TemplateError(at, "", f"the text grows over {OUTPUT_CHARACTERS_MAX:,} characters")
        return text

    return render
