"""Steps that wait for an event, read and checked; and what else of a document names an event and a match."""

from typing import Any

from upshot.core.automations.document import WaitStep
from upshot.core.automations.durations import problems_of
from upshot.core.automations.fields import as_list, as_object
from upshot.core.automations.limits import EVENT_NAME_CHARACTERS_MAX, MATCH_FIELDS_MAX
from upshot.core.errors import Problem, Refused
from upshot.core.field_problems import template_problems, text_problems
from upshot.core.strict_json import join_path
from upshot.core.waits import field_path

_NEEDED = "names the event that is waited for"


def read_wait(given: dict[str, Any], at: str, common: dict[str, Any], problems: list[Problem]) -> WaitStep | None:
    """A wait for an event, its problems added."""
    event, match = given["wait_for_event"], given.get("match", {})
    found = text_problems(event, f"{at}.wait_for_event", EVENT_NAME_CHARACTERS_MAX, needed=_NEEDED)
    found += match_problems(match, f"{at}.match")
    timeout = given.get("timeout")
    if timeout is not None:
        found += template_problems(timeout, f"{at}.timeout") or problems_of(timeout, f"{at}.timeout")
    elif "on_timeout" in given:
        found.append(Problem(f"{at}.timeout", "is needed where `on_timeout` is given", "required"))
    problems += found
    if found:
        return None
    late = given.get("on_timeout")
    ends = "on_timeout" in given and late is None
    return WaitStep(**common, event=event, match=match, timeout=timeout, on_timeout=late, ends_on_timeout=ends)


def match_problems(match: Any, at: str) -> list[Problem]:
    """What is wrong with the fields and values that are to be equal."""
    fields = as_object(match)
    if fields is None:
        said = 'must be an object of the event\'s fields and the values they equal, as {"taskId": "{{ taskId }}"}'
        return [Problem(at, said, "wrong_type")]
    if len(fields) > MATCH_FIELDS_MAX:
        return [Problem(at, f"compares {len(fields)} fields; at most {MATCH_FIELDS_MAX}", "too_many")]
    problems: list[Problem] = []
    for field, value in fields.items():
        here = join_path(at, field)
        try:
            field_path(field, here)
        except Refused as refused:
            problems += refused.problems
        if isinstance(value, str) and value:
            problems += template_problems(value, here)
        elif not isinstance(value, str | int | float) or value == "":
            shown = "nothing" if value in (None, "") else f"{value!r:.40}"
            said = f"can never match: a field equals a text, a number, true or false, not {shown}"
            problems.append(Problem(here, said, "never_matches"))
    return problems


def read_match(value: Any) -> Any:
    """A match that only names the fields which are the same in the event the run began with, as fields and values."""
    names = [value] if isinstance(value, str) else as_list(value) or []
    if not names or not all(isinstance(name, str) and name for name in names):
        return value
    return {name: "{{ " + ("event." if name.startswith(("data.", "entity.")) else "") + name + " }}" for name in names}
