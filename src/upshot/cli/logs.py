"""Logs of the processes that Upshot starts: one line an entry, of fields that are listed here and nothing else.

The engine logs sentences with places in them: `event %s could not be matched: %s`. The sentence is constant; what stands in a
place is told when its name, the word before it, is on the list, or when it is a number. An exception is told by its type,
its code and where it was raised, since its words may hold anybody's data. A host's own loggers are the host's: their
sentences are told, without what looks like a secret or an address. Used as a library, Upshot configures no logging.
"""

import logging
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import structlog
from structlog.typing import EventDict

from upshot.app.settings import LOG_FORMATS, LOG_LEVELS
from upshot.cli import opening
from upshot.cli.output import plain
from upshot.core.dead_letters import redacted
from upshot.core.errors import Problem, Refused
from upshot.core.instants import SECOND, to_text

FIELDS: Final = {
    "action": "action",
    "automation": "automation_id",
    "event": "event_id",
    "row": "outbox_row",
    "run": "run_id",
    "service": "service",
    "tenant": "tenant_id",
    "version": "version",
    "workers": "worker_ids",
}
"""The word before a place in a sentence, and the field that is told for it."""
ALLOWED: Final = frozenset({"time", "level", "logger", "event", "error", "code", "at", "count", *FIELDS.values()})
"""Every field that a line may have."""
LIBRARIES: Final = frozenset(
    {
        "upshot",
        "alembic",
        "asyncio",
        "concurrent",
        "fastapi",
        "httpcore",
        "httpx",
        "opentelemetry",
        "psycopg",
        "sqlalchemy",
    }
    | {"starlette", "uvicorn"}
)
"""Loggers of ours and of what we bring along; every other one is the host's."""
VALUE_MAX: Final = 200
FRAMES_MAX: Final = 8
_PLACE = re.compile(r"(?:(\w+) )?%(?:\.\d+)?[sdrf]")


def start(log_format: str | None) -> None:
    """Write this process's log as the option says, or else the settings.

    Raises:
        Refused: there is no such format, or a setting is not usable.
    """
    given = opening.settings()
    configure(log_format or given.log_format, given.log_level)


def configure(log_format: str, log_level: str) -> None:
    """Write this process's log to the standard error.

    Raises:
        Refused: there is no such format or level.
    """
    wrong = [
        Problem(name, f"is one of {', '.join(known)}", "not_a_choice")
        for name, given, known in (("log_format", log_format, LOG_FORMATS), ("log_level", log_level, LOG_LEVELS))
        if given not in known
    ]
    if wrong:
        raise Refused(wrong)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(log_format))
    logging.basicConfig(level=log_level.upper(), handlers=[handler], force=True)


def formatter(log_format: str) -> logging.Formatter:
    """Lines of key=value, or a JSON object a line."""
    write: Any = structlog.processors.JSONRenderer() if log_format == "json" else _Line()
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[_told],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _allowed, write],
        use_get_message=False,
        pass_foreign_args=True,
    )


class _Line:
    """key=value, in the order of the fields."""

    def __init__(self) -> None:
        self._write = structlog.processors.LogfmtRenderer()

    def __call__(self, logger: Any, name: str, fields: EventDict) -> str:
        return str(self._write(logger, name, {key: plain(value) for key, value in fields.items()}))


def _told(_logger: Any, _name: str, entry: EventDict) -> EventDict:
    """The fields of one record."""
    record: logging.LogRecord = entry["_record"]
    given = entry.pop("positional_args", None)
    values = list(cast("tuple[Any, ...]", given)) if isinstance(given, tuple) else []
    is_host = record.name.partition(".")[0] not in LIBRARIES
    fields: EventDict = {
        "_record": record,
        "_from_structlog": False,
        "time": to_text(int(record.created * SECOND)),
        "level": record.levelname.lower(),
        "logger": record.name,
    }
    if is_host:
        fields["event"] = redacted(_filled(str(record.msg), given))
    else:
        fields |= _of_sentence(str(record.msg), values)
    raised = record.exc_info[1] if record.exc_info else None
    error = raised or next((value for value in values if isinstance(value, BaseException)), None)
    if error is not None:
        fields |= _of_error(error)
    return fields


def _filled(sentence: str, given: Any) -> str:
    try:
        return sentence % given if given else sentence
    except (TypeError, ValueError, KeyError):  # the host's sentence has other places than it was given values
        return sentence


def _of_sentence(sentence: str, values: list[Any]) -> EventDict:
    """The first line of the sentence with what may be told in its places, and each of these as a field."""
    fields: EventDict = {}
    left = iter(values)

    def place(found: re.Match[str]) -> str:
        word, value = found[1] or "", next(left, None)
        name = FIELDS.get(word)
        if isinstance(value, int | float) and not isinstance(value, bool):
            shown: Any = round(value, 3)
            fields[name or "count"] = shown
        elif name is not None and isinstance(value, str):
            shown = fields[name] = redacted(value[:VALUE_MAX])
        elif isinstance(value, BaseException):
            shown = type(value).__name__
        else:
            shown = "…"
        return f"{word} {shown}".lstrip()

    told = _PLACE.sub(place, sentence.split("\n", 1)[0])
    return {"event": told[:VALUE_MAX], **fields}


def _of_error(error: BaseException) -> EventDict:
    """The types of an error and of what it came from, its code, and where it was raised; not one word of its own."""
    fields: EventDict = {"error": " < ".join(type(cause).__name__ for cause in _causes(error))}
    code = getattr(error, "code", None)
    if isinstance(code, str) and code.isidentifier():
        fields["code"] = code
    raised = next((cause.__traceback__ for cause in _causes(error) if cause.__traceback__ is not None), None)
    frames = traceback.extract_tb(raised)[-FRAMES_MAX:]
    if frames:
        fields["at"] = " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    return fields


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _allowed(_logger: Any, _name: str, fields: EventDict) -> EventDict:
    """The fields that are on the list."""
    return {name: value for name, value in fields.items() if name in ALLOWED}
