"""Programs in Python as the sandbox takes them, and what is said to their author when one fails.

A program is never part of a text that the sandbox runs: it goes there as a value, and runs in a namespace of its own that
holds `inputs`. Only one text comes back: the JSON of its result, made and cut inside the sandbox, so that nothing of the
program's making is built in this process before its size is known.
"""

import io
import tokenize
from functools import lru_cache
from typing import Any, Final

from upshot.core.errors import Malformed, PermanentError, TooLarge
from upshot.core.strict_json import decode

SOURCE_CHARACTERS_MAX: Final = 32_768
RESULT_BYTES_MAX: Final = 262_144
PRINTED_BYTES_MAX: Final = 65_536
MEMORY_BYTES_MAX: Final = 32 * 1024 * 1024
RECURSION_MAX: Final = 500
SHOWN_MAX: Final = 500

RUN: Final = f"""
import json
names = {{"inputs": given["inputs"]}}
head, tail = given["head"], given["tail"]
try:
    eval("lambda: " + tail)
except Exception:
    head, tail = given["source"], "None"
exec(head, names)
value = eval(tail, names)
if "result" in names:
    value = names["result"]
f"{{json.dumps(value, allow_nan=False, ensure_ascii=False)}}"[:{RESULT_BYTES_MAX + 1}]
"""
"""Runs a program: the value of its last line counts if that is an expression, which the sandbox's own parser decides."""

CHECK: Final = "exec(given['source'], {})"
IS_PARSED: Final = "LookupError: it could be read"
"""What a program that can be read ends with when it is checked: nothing of it runs."""

_PROGRAM: Final = "<string>"
"""The file of a program's own lines, as the sandbox names it."""
_NOTHING: Final = "None"
_LAID_OUT: Final = frozenset(
    {tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.NEWLINE, tokenize.ENDMARKER}
)


class ProgramFailed(PermanentError):
    """A program ended with an error, went over a limit, or gave what is not JSON: it would do so again."""

    code = "program_failed"
    printed = ""
    """What it had printed."""


def to_run(source: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """What `RUN` is given."""
    head, tail = _parts(source)
    return {"given": {"source": source, "head": head, "tail": tail, "inputs": inputs}}


def to_check(source: str) -> dict[str, Any]:
    """What `CHECK` is given: the program behind a line that ends it, once all of it has been read."""
    return {"given": {"source": f"raise LookupError('it could be read')\n{source}"}}


def result_of(text: str) -> Any:
    """The value that a program's result stands for.

    Raises:
        ProgramFailed: it is too large, or is JSON that databases do not keep (numbers beyond 64 bits, NUL).
    """
    if len(text) > RESULT_BYTES_MAX:
        raise ProgramFailed(f"The result is larger than the {RESULT_BYTES_MAX:,} bytes that are kept.")
    try:
        return decode(text, max_bytes=RESULT_BYTES_MAX)
    except (Malformed, TooLarge) as error:
        raise ProgramFailed(f"The result is not JSON that can be kept: {error}") from None


def sentence(error: Any, *, seconds: float = 0, lines_before: int = 0) -> str:
    """What an error of the sandbox says to the program's author, with the line it comes from."""
    said, line = str(error).split(" (<string>, line ", 1)[0], _line(error)
    if "time limit exceeded" in said:
        return f"The program was stopped after {seconds:g} s."
    if said.startswith("MemoryError: ") and "memory limit" in said:
        if f"> {PRINTED_BYTES_MAX} bytes" in said:
            return f"The program printed more than {PRINTED_BYTES_MAX:,} bytes."
        return f"The program took more than {MEMORY_BYTES_MAX // 1024 // 1024} MB of memory."
    if len(said) > SHOWN_MAX:
        said = f"{said[:SHOWN_MAX]}..."
    if line is None and type(error).__name__ == "MontyRuntimeError":
        return f"The result is not JSON: {said.partition(': ')[2] or said}"
    return f"Line {max(1, line - lines_before)}: {said}" if line is not None else said


def _line(error: Any) -> int | None:
    """The program's own line: the innermost of its frames, or the one that its text could not be read from."""
    frames = [frame.line for frame in error.traceback() if frame.filename == _PROGRAM]
    if frames:
        return frames[-1]
    _, _, told = str(error).partition(f"({_PROGRAM}, line ")
    return int(told.rstrip(")")) if told.rstrip(")").isdecimal() else None


@lru_cache(maxsize=256)
def _parts(source: str) -> tuple[str, str]:
    """What comes before the program's last statement, and that statement as an expression on its own lines."""
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    row = 0
    try:
        depth, is_new = 0, True
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline):
            if token.type == tokenize.ERRORTOKEN:  # as a backslash, which would join what is put behind it
                return source, _NOTHING
            depth += (token.type == tokenize.INDENT) - (token.type == tokenize.DEDENT)
            if token.type not in _LAID_OUT:
                row, is_new = (token.start[0] if is_new and depth == 0 else row), False
            is_new = is_new or token.type == tokenize.NEWLINE
    except (tokenize.TokenError, SyntaxError):
        row = 0  # the sandbox reads it, and says what is wrong
    if not row:
        return source, _NOTHING
    return "\n".join(lines[: row - 1]), "(" + "\n" * (row - 1) + "\n".join(lines[row - 1 :]) + "\n)"
