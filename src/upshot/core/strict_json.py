"""JSON, strictly: what two databases, three languages and a person would all read the same way.

Refused, with the path: NaN, Infinity and numbers that overflow (`1e400`), repeated keys, NUL, lone surrogates, whole
numbers beyond 64 bits, and nesting deeper than a limit. Whole numbers within 64 bits stay exact.

msgspec reads the text in C; what it lets pass is excluded by proofs that also run in C (see `_proven`). Only when a
proof fails does the slow pass of `json_problems` run, to find the path or to clear a false suspicion.
"""

from typing import Any, Final, NoReturn

import msgspec

from upshot.core.errors import Malformed, Problem, TooLarge
from upshot.core.json_problems import join_path, problems_in_text, problems_in_value

__all__ = ["DEPTH_MAX", "TEXT_BYTES_MAX", "check", "decode", "encode", "encode_and_copy", "join_path"]

TEXT_BYTES_MAX: Final = 1_048_576
DEPTH_MAX: Final = 64

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode

_DIGITS_AS_ZERO = bytes(ord("0") if chr(code) in "0123456789" else ord(" ") for code in range(256))
_LONG_NUMBER = b"0" * 19
"""Nineteen digits may be beyond 64 bits; eighteen never are."""
_TO_SQUARE = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(code for code in range(256) if code not in b"[]{}")


def decode(raw: bytes | str, *, max_bytes: int = TEXT_BYTES_MAX, max_depth: int = DEPTH_MAX, at: str = "") -> Any:
    """The value a JSON text holds. `at` is the path to put before the paths of problems.

    Raises:
        TooLarge: the text is longer than `max_bytes`; it was not read.
        Malformed: it is not JSON, or JSON that this module refuses; codes `json_*`.
    """
    if isinstance(raw, str):
        try:
            raw = raw.encode()
        except UnicodeEncodeError:
            raise Malformed.at(
                at, "the text holds a lone surrogate, which is not a character", "json_surrogate"
            ) from None
    if len(raw) > max_bytes:
        message = f"{len(raw)} bytes is over the limit of {max_bytes}; send less at once"
        raise TooLarge(message)
    try:
        value = _decode(raw)
        if _proven(raw, _encode(value), max_depth):
            return value
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        _refuse(problems_in_text(raw, at, max_depth) or [Problem(at, f"not JSON: {error}", "json_syntax")])
    problems = problems_in_text(raw, at, max_depth)
    if problems:
        _refuse(problems)
    return value


def encode(value: Any, *, at: str = "", sort_keys: bool = False) -> str:
    """The compact JSON text of a value, keys in their own order unless `sort_keys`; `decode` gives back an equal value.

    Raises:
        Malformed: the value is not JSON (a date, a set, NaN, ...) or is over the limits of `check`.
    """
    text = encode_and_copy(value, at=at)[0]
    return _encode_sorted(value).decode() if sort_keys else text


def encode_and_copy(value: Any, *, at: str = "") -> tuple[str, Any]:
    """The compact JSON text of a value, as `encode` gives it, and what `decode` makes of that text.

    Raises:
        Malformed: the value is not JSON (a date, a set, NaN, ...) or is over the limits of `check`.
    """
    try:
        text = _encode(value)
        copy = _decode(text)
        if copy == value and _is_within_limits(text, DEPTH_MAX):
            return text.decode(), copy
    except (TypeError, ValueError, OverflowError, RecursionError):
        pass
    problems = problems_in_value(value, at, DEPTH_MAX)
    if problems:
        _refuse(problems)
    text = _encode(value)
    return text.decode(), _decode(text)


def check(value: Any, at: str = "", *, max_depth: int = DEPTH_MAX) -> None:
    """Hold a value made by Python code to the limits of `decode`.

    Raises:
        Malformed: naming each path that is not JSON or is over a limit.
    """
    try:
        text = _encode(value)
        if _is_within_limits(text, max_depth) and _decode(text) == value:
            return
    except (TypeError, ValueError, OverflowError, RecursionError):
        pass
    problems = problems_in_value(value, at, max_depth)
    if problems:
        _refuse(problems)


def _refuse(problems: list[Problem]) -> NoReturn:
    raise Malformed(problems)


def _proven(raw: bytes, again: bytes, max_depth: int) -> bool:
    """Whether this text is certainly free of what msgspec lets pass. False means: look closely.

    A repeated key is lost in decoding, and with it at least two quotes. So a text that writes no quote by its number
    has no repeated key when it holds as many quotes as the value encoded `again`.
    """
    return (
        raw.count(b'"') == again.count(b'"')
        and (b"\\" not in raw or (b"\\u0022" not in raw and b"\\u0000" not in raw))
        and _LONG_NUMBER not in again.translate(_DIGITS_AS_ZERO)
        and not _is_deeper(again, max_depth)
    )


def _is_within_limits(text: bytes, max_depth: int) -> bool:
    """Whether the text of a value is certainly within the limits. With it, a value is certainly JSON when it also survives a
    round trip, as NaN, dates and sets do not."""
    return (
        b"\\u0000" not in text
        and _LONG_NUMBER not in text.translate(_DIGITS_AS_ZERO)
        and not _is_deeper(text, max_depth)
    )


def _is_deeper(text: bytes, max_depth: int) -> bool:
    """Whether brackets outside strings nest deeper than `max_depth`. Each round takes the innermost pairs away."""
    if len(text) <= max_depth or text.count(b"[") + text.count(b"{") <= max_depth:
        return False
    if b"\\" in text:  # what is left of an escape must not look like a quote
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    shape = b"".join(text.split(b'"')[::2]).translate(_TO_SQUARE, _NOT_BRACKETS)
    for _ in range(max_depth):
        if not shape:
            return False
        shape = shape.replace(b"[]", b"")
    return bool(shape)
