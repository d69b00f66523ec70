"""Reading JSON that a command is given: as an argument, from a file, or from the standard input."""

import sys
from pathlib import Path
from typing import Any

from upshot.core.errors import Problem, Refused, TooLarge

BYTES_MAX = 8_388_608


def read_json(text: str, at: str) -> Any:
    """The JSON value of an argument; `-` stands for the standard input and `@file` for a file.

    Raises:
        Refused: it is not JSON, or the file cannot be read.
    """
    from upshot.core.strict_json import decode

    if text == "-":
        return decode(sys.stdin.buffer.read(BYTES_MAX + 1), max_bytes=BYTES_MAX, at=at)
    if text.startswith("@"):
        return read_file(text[1:])
    return decode(text, max_bytes=BYTES_MAX, at=at)


def read_entity(text: str | None) -> dict[str, str] | None:
    """The entity that the option `--entity` names.

    Raises:
        Refused: it is not written `type:id`.
    """
    from upshot.core.events import entity_named

    named = entity_named(text, "--entity")
    return {"type": named[0], "id": named[1]} if named is not None else None


def read_window(since: str, until: str | None, now: int) -> tuple[int, int | None]:
    """The instants that `--since` and `--until` name; `since` may be a duration before `until`, or before now.

    Raises:
        Malformed: one of them is no instant.
        Refused: `since` is neither an instant nor a duration.
    """
    from upshot.core.automations.durations import parse
    from upshot.core.instants import from_text

    last = from_text(until, "--until") if until is not None else None
    if "T" in since[1:]:
        return from_text(since, "--since"), last
    return (now if last is None else last) - parse(since, "--since"), last


def read_file(name: str) -> Any:
    """The JSON value in a file; `-` stands for the standard input.

    Raises:
        Refused: it is not JSON, or the file cannot be read; the problems name the file.
        TooLarge: it is over 8 MiB.
    """
    from upshot.core.strict_json import decode

    if name == "-":
        return read_json(name, "")
    try:
        content = Path(name).read_bytes()
    except OSError as error:
        raise Refused.at(name, f"cannot be read: {error.strerror or error}", "unreadable") from error
    try:
        return decode(content, max_bytes=BYTES_MAX)
    except TooLarge as error:
        raise TooLarge(f"{name}: {error}") from error
    except Refused as refused:
        named = [Problem(f"{name}: {p.path}" if p.path else name, p.message, p.code) for p in refused.problems]
        raise type(refused)(named) from refused
