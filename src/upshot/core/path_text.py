"""Paths as text: `a.b`, `a[0]`, `a["x.y"]`, to parts and back."""

import json
import re
from typing import Final

from upshot.core.errors import Refused

Segment = str | int

PATH_CHARACTERS_MAX: Final = 500
PATH_SEGMENTS_MAX: Final = 32

_PART = re.compile(
    r"""
      (?P<name>[^\s.\[\]"'\x00-\x1f](?:[^.\[\]"'\x00-\x1f]*[^\s.\[\]"'\x00-\x1f])?)
    | \[ \s* (?P<index>[0-9]{1,9}) \s* \]
    | \[ \s* (?P<quoted>"(?:[^"\\\x00-\x1f]|\\.)*" | '(?:[^'\\\x00-\x1f]|\\.)*') \s* \]
    """,
    re.VERBOSE,
)
_PLAIN = re.compile(r"""[^\s.\[\]"'\x00-\x1f](?:[^.\[\]"'\x00-\x1f]*[^\s.\[\]"'\x00-\x1f])?\Z""")
_ESCAPED = re.compile(r"\\(.)")


def parse_segments(text: str, at: str = "") -> tuple[Segment, ...]:
    """The parts of a path; a part in `[0]` is an int, every other a str.

    Raises:
        Refused: the text is not a path; `at` is where it was written.
    """
    if not text or len(text) > PATH_CHARACTERS_MAX:
        raise Refused.at(
            at, "the path is empty" if not text else f"the path is over {PATH_CHARACTERS_MAX} characters", "bad_path"
        )
    segments: list[Segment] = []
    place = 0
    while place < len(text):
        if segments and text[place] == ".":
            place += 1
            needs_name = True
        else:
            needs_name = not segments
        part = _PART.match(text, place)
        if part is None or not _fits(part, needs_name=needs_name, first=not segments):
            raise Refused.at(at, f'{_shown(text)} is not a path; write it like a.b, a[0] or a["x.y"]', "bad_path")
        segments.append(_segment(part))
        place = part.end()
    if len(segments) > PATH_SEGMENTS_MAX:
        raise Refused.at(at, f"the path has more than {PATH_SEGMENTS_MAX} parts", "bad_path")
    return tuple(segments)


def _fits(part: re.Match[str], *, needs_name: bool, first: bool) -> bool:
    """A name starts the path or follows a dot; brackets follow anything but a dot, and start it only when quoted."""
    if part["name"] is not None:
        return needs_name
    return not needs_name or (first and part["quoted"] is not None)


def write_segments(segments: tuple[Segment, ...]) -> str:
    """The canonical text of a path."""
    text = ""
    for segment in segments:
        if isinstance(segment, int):
            text += f"[{segment}]"
        elif _PLAIN.match(segment):
            text += f".{segment}" if text else segment
        else:
            text += f"[{json.dumps(segment, ensure_ascii=False)}]"
    return text


def _segment(part: re.Match[str]) -> Segment:
    if part["index"] is not None:
        return int(part["index"])
    if part["quoted"] is not None:
        return _ESCAPED.sub(r"\1", part["quoted"][1:-1])
    return part["name"]


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "...")
