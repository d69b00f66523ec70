"""Steps that call another automation, read and checked."""

from typing import Any

from upshot.core.automations.document import CallStep
from upshot.core.automations.durations import problems_of
from upshot.core.automations.fields import as_object
from upshot.core.automations.limits import NAME_CHARACTERS_MAX
from upshot.core.errors import Problem
from upshot.core.field_problems import template_problems, text_problems
from upshot.core.templates import has_template


def read_call(given: dict[str, Any], at: str, common: dict[str, Any], problems: list[Problem]) -> CallStep | None:
    """A call of another automation, its problems added. Whether there is such an automation is not known here."""
    called, data, is_awaited = given["call"], as_object(given.get("with", {})), given.get("await", True)
    found = text_problems(called, f"{at}.call", NAME_CHARACTERS_MAX, needed="names the automation that is called")
    if not found and has_template(called):
        said = "is the same for every run, without placeholders; a branch or split chooses between several calls"
        found.append(Problem(f"{at}.call", said, "bad_text"))
    if data is None:
        found.append(Problem(f"{at}.with", "must be an object: the data of the event it starts with", "wrong_type"))
    else:
        found += template_problems(data, f"{at}.with")
    if not isinstance(is_awaited, bool):
        found.append(Problem(f"{at}.await", "must be true or false", "wrong_type"))
    found += _timeout_problems(given, at, is_awaited=is_awaited is not False)
    found += _error_problems(given, at)
    problems += found
    if data is None or found:
        return None
    late = given.get("on_timeout")
    return CallStep(
        **common,
        automation=called,
        data=data,
        is_awaited=is_awaited,
        timeout=given.get("timeout"),
        on_timeout=late,
        ends_on_timeout="on_timeout" in given and late is None,
        on_error=given.get("on_error", "stop"),
    )


def _timeout_problems(given: dict[str, Any], at: str, *, is_awaited: bool) -> list[Problem]:
    timeout = given.get("timeout")
    if timeout is None:
        said = "is needed where `on_timeout` is given"
        return [Problem(f"{at}.timeout", said, "required")] if "on_timeout" in given else []
    if not is_awaited:
        return [Problem(f"{at}.timeout", "is for a call that is awaited; this one goes on at once", "bad_option")]
    return template_problems(timeout, f"{at}.timeout") or problems_of(timeout, f"{at}.timeout")


def _error_problems(given: dict[str, Any], at: str) -> list[Problem]:
    on_error = given.get("on_error", "stop")
    if on_error == "retry":
        said = "a call is not tried again by itself; the steps of what it calls are"
        return [Problem(f"{at}.on_error", said, "bad_option")]
    if on_error not in ("stop", "continue"):
        return [Problem(f"{at}.on_error", "must be stop or continue", "bad_option")]
    if on_error == "continue" and given.get("on_failure") is not None and "for_each" not in given:
        return [Problem(f"{at}.on_failure", "says where to go on, and so does on_error; keep one", "bad_option")]
    return []
