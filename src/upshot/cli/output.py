"""What commands print. Data of others never reaches a terminal with its control characters."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, cast

CELL_MAX = 60


def plain(text: object) -> str:
    """The text on one line, without characters that steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in str(text))


def show(line: str) -> None:
    """One line for a person."""
    print(plain(line), flush=True)


def show_json(value: Any) -> None:
    """One JSON value for a program. Everything beyond ASCII is escaped, so nothing in it steers a terminal."""
    print(json.dumps(value, indent=2 if sys.stdout.isatty() else None), flush=True)


def show_table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], empty: str) -> None:
    """Aligned columns, `columns` giving each dotted field its heading; or the sentence `empty`, which leads on."""
    if not rows:
        show(empty)
        return
    lines = [list(columns.values()), *([_cell(row, field) for field in columns] for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        show("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def show_fields(value: Mapping[str, Any]) -> None:
    """Each field on a line; nested values as JSON."""
    width = max((len(name) for name in value), default=0)
    for name, field in value.items():
        show(f"{name.ljust(width)}  {field if isinstance(field, str) else json.dumps(field)}")


def show_warnings(warnings: Sequence[Mapping[str, str]]) -> None:
    """What could go wrong though it may be saved, each at its place."""
    for warning in warnings:
        show(f"  warning: {warning['path'] or 'document'}: {warning['message']}")


def show_progress(done: int, of: int, what: str) -> None:
    """How far it is, on standard error: one line that is written over where somebody watches, else nothing."""
    if sys.stderr.isatty():
        print(f"\r{done:,} of {of:,} {what}", end="\n" if done >= of else "", file=sys.stderr, flush=True)


def say(line: str, *, as_json: bool = False, **facts: Any) -> None:
    """What a long-running command is doing, at once. `facts` are what a program reads instead."""
    print(json.dumps(facts) if as_json else plain(f"upshot: {line}"), flush=True)


def report(error: Exception, *, as_json: bool = False) -> None:
    """Say on stderr what went wrong and what to do about it."""
    from upshot.core.errors import Refused, UpshotError

    problems = [] if not isinstance(error, Refused) else list(error.problems)
    if as_json:
        told = [{"path": p.path, "message": p.message, "code": p.code} for p in problems]
        code = error.code if isinstance(error, UpshotError) else "error"
        print(json.dumps({"error": {"code": code, "message": str(error), "errors": told}}), file=sys.stderr)
        return
    if not problems:
        print(plain(f"upshot: {error}"), file=sys.stderr)
    for problem in problems:
        print(
            plain(f"upshot: {problem.path}: {problem.message}" if problem.path else f"upshot: {problem.message}"),
            file=sys.stderr,
        )


def _cell(row: Mapping[str, Any], field: str) -> str:
    value: Any = row
    for part in field.split("."):
        value = cast("Mapping[str, Any]", value).get(part) if isinstance(value, Mapping) else None
    text = "-" if value is None else plain(value)
    return text if len(text) <= CELL_MAX else text[: CELL_MAX - 1] + "…"
