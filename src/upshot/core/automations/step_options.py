"""What an action step says about failing: `on_error`, `retries`, `timeout_seconds`, in every understood spelling."""

from typing import Any, Final

from upshot.core.automations.durations import SECOND, read_span
from upshot.core.automations.fields import ABSENT, Fields, Findings, as_object
from upshot.core.errors import Refused

_ON_ERROR: Final = {
    "stop": "stop", "fail": "stop", "abort": "stop", "halt": "stop",
    "continue": "continue", "skip": "continue", "ignore": "continue",
    "retry": "retry",
}  # fmt: skip
_OPTIONS: Final = (
    "on_error", "continue_on_error", "retries", "retry_count", "max_retries", "retry", "retry_delay",
    "retry_delay_seconds", "backoff", "backoff_seconds", "backoff_max_seconds", "timeout", "timeout_seconds",
    "timeout_ms", "on_failure", "delivery",
)  # fmt: skip


def read_options(fields: Fields, findings: Findings, origins: dict[str, str]) -> dict[str, Any]:
    """The canonical options among an action step's fields; `origins` is told where each was written."""
    options: dict[str, Any] = {}
    on_error, path = fields.take_first_set("on_error")
    if isinstance(on_error, str) and on_error.lower() in _ON_ERROR:
        options["on_error"] = _ON_ERROR[on_error.lower()]
        if options["on_error"] != on_error:
            findings.note(path, f"read as {options['on_error']!r}")
    elif on_error is not ABSENT:
        options["on_error"] = on_error
    origins["on_error"] = path
    goes_on, path = fields.take_first_set("continue_on_error")
    if isinstance(goes_on, bool):
        options.setdefault("on_error", "continue" if goes_on else "stop")
        findings.note(path, f"read as on_error {options['on_error']!r}")
    elif goes_on is not ABSENT:
        findings.problem(path, "must be true or false", "wrong_type")
    retries, origins["retries"] = _read_retries(fields, findings)
    if retries is not None:
        options["retries"] = retries
    timeout, origins["timeout_seconds"] = _read_timeout(fields, findings)
    if timeout is not None:
        options["timeout_seconds"] = timeout
    for name in ("on_failure", "delivery"):
        value, origins[name] = fields.take_first_set(name)
        if value is not ABSENT:
            options[name] = value
    return options


def leave_out_options(fields: Fields, why: str) -> None:
    """Forget the options of a step that cannot fail, with a note."""
    fields.leave_out(_OPTIONS, why)


def _read_retries(fields: Fields, findings: Findings) -> tuple[Any, str]:
    count, path = fields.take_first_set("retries", "retry_count", "max_retries", "retry")
    given = as_object(count)
    outer = _read_backoff(fields, findings)
    if given is None:
        if count is ABSENT:
            return ({"count": 3, **outer} if outer else None), path
        return ({"count": count, **outer} if outer else count), path
    inner = Fields(given, path, findings)
    number, _ = inner.take_first_set("count", "attempts", "max", "max_retries", "retries")
    canonical: dict[str, Any] = {
        "count": 3 if number is ABSENT else number,
        **outer,
        **_read_backoff(inner, findings),
    }
    inner.refuse_rest(("count", "backoff_seconds", "backoff_max_seconds"))
    return canonical, path


def _read_backoff(fields: Fields, findings: Findings) -> dict[str, Any]:
    canonical: dict[str, Any] = {}
    kind, path = fields.take_first_set("backoff", "backoff_type")
    wait, wait_path = fields.take_first_set("backoff_seconds", "retry_delay_seconds", "retry_delay", "delay_seconds")
    longest, longest_path = fields.take_first_set("backoff_max_seconds", "max_backoff_seconds")
    is_fixed = isinstance(kind, str) and kind.lower() in {"fixed", "constant"}
    if not is_fixed and kind is not ABSENT and not (isinstance(kind, str) and kind.lower() == "exponential"):
        canonical["backoff_seconds"] = read_seconds(kind, path, findings)
    if wait is not ABSENT:
        canonical["backoff_seconds"] = read_seconds(wait, wait_path, findings)
    if longest is not ABSENT:
        canonical["backoff_max_seconds"] = read_seconds(longest, longest_path, findings)
    if is_fixed:
        findings.note(path, "a wait that does not grow: read as backoff_max_seconds")
        canonical["backoff_max_seconds"] = canonical.setdefault("backoff_seconds", 1)
    return canonical


def _read_timeout(fields: Fields, findings: Findings) -> tuple[Any, str]:
    milliseconds, path = fields.take_first_set("timeout_ms")
    if isinstance(milliseconds, int | float) and not isinstance(milliseconds, bool):
        findings.note(path, "read as timeout_seconds")
        return _plain(milliseconds / 1000), path
    if milliseconds is not ABSENT:
        findings.problem(path, "must be a number", "wrong_type")
    timeout, path = fields.take_first_set("timeout_seconds", "timeout")
    return (None if timeout is ABSENT else read_seconds(timeout, path, findings)), path


def read_seconds(value: Any, path: str, findings: Findings) -> Any:
    """The seconds of a number or a duration; what is neither is a problem, and 1."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    try:
        return _plain(read_span(value, path).microseconds / SECOND)
    except Refused as refused:
        findings.problems.extend(refused.problems)
        return 1


def _plain(seconds: float) -> int | float:
    return int(seconds) if seconds == int(seconds) else seconds
