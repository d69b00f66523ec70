"""One canonical step, read and checked."""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from upshot.core.automations.action_shape import ActionShape
from upshot.core.automations.arguments import argument_problems, argument_template, unknown_action
from upshot.core.automations.call_steps import read_call
from upshot.core.automations.document import (
    ActionStep,
    BranchStep,
    CallStep,
    DelayStep,
    ForEachStep,
    Retries,
    Step,
    StopStep,
)
from upshot.core.automations.durations import problems_of
from upshot.core.automations.fields import as_object
from upshot.core.automations.fork_steps import read_parallel, read_split
from upshot.core.automations.limits import (
    BACKOFF_SECONDS_MAX,
    CONCURRENCY_MAX,
    ITEMS_MAX,
    NAME_CHARACTERS_MAX,
    NOTE_CHARACTERS_MAX,
    RETRIES_MAX,
    STEP_ID_CHARACTERS_MAX,
    TIMEOUT_SECONDS_MAX,
)
from upshot.core.automations.wait_steps import read_wait
from upshot.core.conditions import compile_condition
from upshot.core.errors import Problem, Refused
from upshot.core.field_problems import number_problems, template_problems, text_problems
from upshot.core.templates import is_lone

STEP_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "action": ("action", "with", "next", "on_error", "retries", "timeout_seconds", "on_failure", "delivery"),
    "branch": ("branch", "if_true", "if_false"),
    "call": ("call", "with", "await", "timeout", "on_timeout", "on_error", "on_failure", "next"),
    "delay": ("delay", "next"),
    "for_each": (
        "for_each",
        "action",
        "call",
        "with",
        "await",
        "timeout",
        "concurrency",
        "limit",
        "next",
        "on_error",
        "retries",
        "timeout_seconds",
        "on_failure",
    ),
    "parallel": ("parallel", "join", "timeout", "on_timeout", "on_failure", "next"),
    "split": ("split",),
    "stop": ("stop",),
    "wait_for_event": ("wait_for_event", "match", "timeout", "on_timeout", "on_failure", "next"),
}
"""What a step of each kind may say, beside what all of them may."""
STEP_COMMON: Final = ("id", "name", "note")
_IN_LISTS: Final = ("action", "call")
"""The kinds that may also be done for each item of a list."""
_TARGETS: Final = ("next", "if_true", "if_false", "on_timeout", "on_failure")


def read_step(
    value: Any,
    at: str,
    below: Any,
    actions: Mapping[str, ActionShape] | None,
    problems: list[Problem],
) -> Step | None:
    """The step, its implicit target resolved to the step `below`; its problems are added. None when it has no shape."""
    given = as_object(value)
    if given is None:
        problems.append(Problem(at, "a step is an object", "wrong_type"))
        return None
    kinds = [kind for kind in STEP_FIELDS if kind in given and (kind not in _IN_LISTS or "for_each" not in given)]
    if len(kinds) != 1:
        said = f"; this one has {' and '.join(kinds)}" if kinds else ""
        problems.append(Problem(at, f"a step is one of {', '.join(STEP_FIELDS)}{said}", "bad_step"))
        return None
    found = _common_problems(given, kinds[0], at)
    problems += found
    if any(problem.path in (f"{at}.id", *(f"{at}.{name}" for name in _TARGETS)) for problem in found):
        return None
    below = below if isinstance(below, str) else None
    common: dict[str, Any] = {"id": given["id"], "name": given.get("name", ""), "note": given.get("note", "")}
    if "on_failure" in STEP_FIELDS[kinds[0]]:
        common["on_failure"] = given.get("on_failure")
    if "next" in STEP_FIELDS[kinds[0]]:
        common["next"] = given.get("next", below)
    if kinds[0] == "action":
        return _read_action(given, at, common, actions, problems)
    if kinds[0] == "for_each":
        return _read_for_each(given, at, common, actions, problems)
    if kinds[0] == "branch":
        common |= {"if_true": given.get("if_true", below), "if_false": given.get("if_false")}
    return _READERS[kinds[0]](given, at, common, problems)


def _common_problems(given: dict[str, Any], kind: str, at: str) -> list[Problem]:
    known = (*STEP_COMMON, *STEP_FIELDS[kind])
    problems = [
        Problem(f"{at}.{name}", f"is not a field of this step; known are: {', '.join(known)}", "unknown_field")
        for name in given
        if name not in known
    ]
    problems += text_problems(given.get("id", ""), f"{at}.id", STEP_ID_CHARACTERS_MAX, needed="a step needs an id")
    problems += text_problems(given.get("name", ""), f"{at}.name", NAME_CHARACTERS_MAX)
    problems += text_problems(given.get("note", ""), f"{at}.note", NOTE_CHARACTERS_MAX, lines=True)
    problems += [
        Problem(f"{at}.{name}", "must be the id of a step, or null for the end", "wrong_type")
        for name in _TARGETS
        if name in known and not isinstance(given.get(name), str | None)
    ]
    return problems


def _read_action(
    given: dict[str, Any],
    at: str,
    common: dict[str, Any],
    actions: Mapping[str, ActionShape] | None,
    problems: list[Problem],
) -> ActionStep | None:
    action, arguments = given["action"], given.get("with", {})
    if not isinstance(action, str) or not action:
        problems.append(Problem(f"{at}.action", "must be the name of an action", "wrong_type"))
        return None
    if not isinstance(arguments, dict):
        problems.append(Problem(f"{at}.with", "must be an object of arguments", "wrong_type"))
        return None
    arguments = cast("dict[str, Any]", arguments)
    try:
        argument_template((actions or {}).get(action), arguments, f"{at}.with")
    except Refused as refused:
        problems.extend(refused.problems)
    if actions is not None and action not in actions:
        problems.append(unknown_action(action, actions, f"{at}.action"))
    elif actions is not None:
        problems += argument_problems(actions[action], arguments, f"{at}.with")
    on_error = given.get("on_error", "stop")
    if on_error not in ("stop", "continue", "retry"):
        problems.append(Problem(f"{at}.on_error", "must be stop, continue or retry", "bad_option"))
    retries = _read_retries(given.get("retries", 0), f"{at}.retries", problems)
    delivery = given.get("delivery", "at_least_once")
    if delivery not in ("at_least_once", "at_most_once"):
        problems.append(Problem(f"{at}.delivery", "must be at_least_once or at_most_once", "bad_option"))
    elif delivery == "at_most_once" and (on_error == "retry" or retries.count):
        problems.append(Problem(f"{at}.delivery", "is at_most_once, and what is tried again is not", "bad_option"))
    if on_error == "continue" and given.get("on_failure") is not None and "for_each" not in given:
        problems.append(
            Problem(f"{at}.on_failure", "says where to go on, and so does on_error; keep one", "bad_option")
        )
    timeout = given.get("timeout_seconds", 60.0)
    problems += number_problems(timeout, f"{at}.timeout_seconds", 0.001, TIMEOUT_SECONDS_MAX)
    if problems:
        # The values may be of any type; what is wrong was said, and the step is only needed for the flow.
        return ActionStep(**common, action=action, arguments=arguments)
    return ActionStep(
        **common,
        action=action,
        arguments=arguments,
        on_error=on_error,
        retries=retries,
        timeout_seconds=float(timeout),
        delivery=delivery,
    )


def _read_for_each(
    given: dict[str, Any],
    at: str,
    common: dict[str, Any],
    actions: Mapping[str, ActionShape] | None,
    problems: list[Problem],
) -> ForEachStep | None:
    before = len(problems)
    items: Any = given["for_each"]
    if isinstance(items, str):
        problems += template_problems(items, f"{at}.for_each")
    if not isinstance(items, list) and not (isinstance(items, str) and is_lone(items)):
        problems.append(Problem(f"{at}.for_each", "must be a list, or one placeholder that gives it", "wrong_type"))
    for name, least, most in (("concurrency", 1, CONCURRENCY_MAX), ("limit", 1, ITEMS_MAX)):
        value = given.get(name, 1)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            problems.append(Problem(f"{at}.{name}", f"must be a whole number from {least} to {most:,}", "out_of_range"))
    each = _read_each(given, at, common["id"], actions, problems)
    if each is None or len(problems) > before:
        return None
    concurrency, limit = given.get("concurrency", 1), given.get("limit", ITEMS_MAX)
    return ForEachStep(**common, items=cast("str | list[Any]", items), each=each, concurrency=concurrency, limit=limit)


def _read_each(
    given: dict[str, Any],
    at: str,
    step_id: str,
    actions: Mapping[str, ActionShape] | None,
    problems: list[Problem],
) -> ActionStep | CallStep | None:
    """What is done for each item: an action, or a call."""
    own = {"id": step_id, "next": None, "on_failure": None}
    if "action" in given and "call" in given:
        said = "is called for each item, or `action` is performed; keep one of them"
        problems.append(Problem(f"{at}.call", said, "bad_option"))
        return None
    if "action" not in given and "call" not in given:
        said = "is needed: what to do for each item; or `call`, which automation to call"
        problems.append(Problem(f"{at}.action", said, "required"))
        return None
    said = "is for items that are called" if "action" in given else "is for an action; what is called has its own"
    wrong = ("await", "timeout") if "action" in given else ("retries", "timeout_seconds")
    problems += [Problem(f"{at}.{name}", said, "bad_option") for name in wrong if name in given]
    if "call" in given:
        return read_call(given, at, own, problems)
    return _read_action(given, at, own, actions, problems)


def _read_retries(value: Any, at: str, problems: list[Problem]) -> Retries:
    given = as_object(value)
    if given is None:
        given, count_at = {"count": value}, at
    else:
        count_at = f"{at}.count"
    known = ("count", "backoff_seconds", "backoff_max_seconds")
    found = [
        Problem(
            f"{at}.{name}",
            f"is not known here; known are: {', '.join(known)}",
            "unknown_field",
        )
        for name in given
        if name not in known
    ]
    count = given.get("count", 3)
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= RETRIES_MAX:
        found.append(
            Problem(
                count_at,
                f"must be a whole number from 0 to {RETRIES_MAX}",
                "out_of_range",
            )
        )
    backoff, longest = (
        given.get("backoff_seconds", 1.0),
        given.get("backoff_max_seconds", 3600.0),
    )
    found += number_problems(backoff, f"{at}.backoff_seconds", 0, BACKOFF_SECONDS_MAX)
    found += number_problems(longest, f"{at}.backoff_max_seconds", 0, BACKOFF_SECONDS_MAX)
    problems += found
    return Retries() if found else Retries(count, float(backoff), float(longest))


def _read_branch(given: dict[str, Any], at: str, common: dict[str, Any], problems: list[Problem]) -> BranchStep:
    condition = given["branch"]
    fields = as_object(condition)
    if condition in (None, [], {}) or (fields is not None and fields.get("rules") == []):
        problems.append(Problem(f"{at}.branch", "a branch needs a condition", "required"))
    else:
        try:
            compile_condition(condition, f"{at}.branch")
        except Refused as refused:
            problems.extend(refused.problems)
    return BranchStep(**common, condition=fields or {})


def _read_delay(given: dict[str, Any], at: str, common: dict[str, Any], problems: list[Problem]) -> DelayStep:
    delay = given["delay"]
    found = template_problems(delay, f"{at}.delay") or problems_of(delay, f"{at}.delay")
    problems += found
    return DelayStep(**common, delay=delay)


def _read_stop(given: dict[str, Any], at: str, common: dict[str, Any], problems: list[Problem]) -> StopStep:
    stop = given["stop"]
    if stop is True:
        return StopStep(**common)
    found = text_problems(
        stop,
        f"{at}.stop",
        NOTE_CHARACTERS_MAX,
        needed="must be true, or the reason as a text",
        lines=True,
    )
    problems += found
    return StopStep(**common) if found else StopStep(**common, reason=stop)


_READERS: Final[Mapping[str, Callable[[dict[str, Any], str, dict[str, Any], list[Problem]], Step | None]]] = {
    "branch": _read_branch,
    "call": read_call,
    "delay": _read_delay,
    "parallel": read_parallel,
    "split": read_split,
    "stop": _read_stop,
    "wait_for_event": read_wait,
}
