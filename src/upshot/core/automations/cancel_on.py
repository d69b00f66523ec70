"""The `cancel_on` of a document: the events that cancel a run under way. Read and checked."""

from typing import Any, Final

from upshot.core.automations.document import CancelOn
from upshot.core.automations.fields import as_list, as_object, snake
from upshot.core.automations.limits import CANCELS_MAX, EVENT_NAME_CHARACTERS_MAX
from upshot.core.automations.wait_steps import match_problems, read_match
from upshot.core.errors import Problem, Refused
from upshot.core.facts import compile_path
from upshot.core.field_problems import text_problems
from upshot.core.strict_json import join_path
from upshot.core.templates import compile_template

FIELDS: Final = ("event", "match")
_NEEDED: Final = "names the event that cancels a run"


def canonical_cancel_on(value: Any) -> Any:
    """One event or several, each a name or an object, as a list of objects; what is neither stays as it is."""
    listed = as_list(value)
    return [_canonical(one) for one in ([value] if listed is None else listed)]


def _canonical(one: Any) -> Any:
    given = {"event": one} if isinstance(one, str) else as_object(one)
    if given is None:
        return one
    read = {snake(name): part for name, part in given.items()}
    if "match" in read:
        read["match"] = read_match(read["match"])
    return read


def read_cancel_on(value: Any, at: str = "cancel_on") -> tuple[tuple[CancelOn, ...], list[Problem]]:
    """The events that cancel a run, and every problem."""
    if value is None:
        return (), []
    listed = as_list(value)
    if listed is None:
        return (), [Problem(at, 'must be a list of events, as [{"event": "order/cancelled"}]', "wrong_type")]
    if len(listed) > CANCELS_MAX:
        return (), [Problem(at, f"names {len(listed)} events; at most {CANCELS_MAX}", "too_many")]
    problems: list[Problem] = []
    read: list[CancelOn] = []
    for index, one in enumerate(listed):
        here, given = f"{at}[{index}]", as_object(one)
        if given is None:
            problems.append(Problem(here, "must be an object with the `event` and what must `match`", "wrong_type"))
            continue
        problems += [
            Problem(f"{here}.{name}", f"is not known here; known are: {', '.join(FIELDS)}", "unknown_field")
            for name in given
            if name not in FIELDS
        ]
        event, match = given.get("event", ""), given.get("match", {})
        problems += text_problems(event, f"{here}.event", EVENT_NAME_CHARACTERS_MAX, needed=_NEEDED)
        found = match_problems(match, f"{here}.match")
        problems += found or _root_problems(match, f"{here}.match")
        read.append(CancelOn(event, match))
    return (tuple(read), []) if not problems else ((), problems)


def _root_problems(match: dict[str, Any], at: str) -> list[Problem]:
    """What is read of a run that has only just been made: neither its id nor what its steps gave is known."""
    problems: list[Problem] = []
    for field, value in match.items():
        here = join_path(at, field)
        try:
            roots = {compile_path(path).root for path in compile_template(value, here).paths}
        except Refused as refused:
            problems += refused.problems
            continue
        problems += [
            Problem(here, f"is read when the run is made, so `{root}` has nothing in it yet", "bad_path")
            for root in sorted(roots & {"steps", "run"})
        ]
    return problems
