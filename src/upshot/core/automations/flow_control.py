"""The `flow` of a document, read into a `Flow`, or every reason why not; and told in words."""

from collections.abc import Callable
from typing import Any, Final, cast

from upshot.core.automations.durations import read_span
from upshot.core.automations.fields import as_object
from upshot.core.errors import Problem, Refused
from upshot.core.facts import compile_path
from upshot.core.flow.model import CONTROLS, Control, Flow, Name
from upshot.core.instants import DAY, SECOND, to_text
from upshot.core.templates import compile_template, has_template

REENTRY: Final = ("allow", "skip", "restart")
FIELDS: Final[dict[Name, tuple[str, ...]]] = {
    "once": ("key", "per"),
    "rate_limit": ("key", "limit", "per"),
    "throttle": ("key", "limit", "per"),
    "debounce": ("key", "for", "max"),
    "batch": ("key", "size", "within"),
    "concurrency": ("key", "limit"),
}
"""What each control says; all but `key` and `max` must be said."""
LIMIT_MAX: Final = 1_000
SIZE_MIN: Final = 2
PERIOD_MAX: Final[dict[str, int]] = {"per": 366 * DAY, "for": 31 * DAY, "max": 31 * DAY, "within": 31 * DAY}
_KEY_CHARACTERS_MAX: Final = 1_000
_NOT_TOGETHER: Final[tuple[tuple[str, str, str], ...]] = (
    ("batch", "debounce", "both say when gathered events start; keep one"),
    ("batch", "once", "its events are gathered, none is left out; keep one"),
    ("batch", "rate_limit", "its events are gathered, none is left out; keep one, or use `throttle`"),
    ("debounce", "once", "its last event starts; keep one"),
    ("debounce", "rate_limit", "its last event starts; keep one, or use `throttle`"),
    ("batch", "reentry", "its run is about many entities; use `concurrency`"),
)

Add = Callable[[str, str, str], None]


def read_flow(value: Any, at: str = "flow") -> tuple[Flow | None, list[Problem]]:
    """The flow control of a document; None for none, or with every problem."""
    if value is None:
        return None, []
    given = as_object(value)
    known = (*CONTROLS, "reentry")
    if given is None:
        said = f"is an object with some of {', '.join(known)}"
        return None, [Problem(at, said, "wrong_type")]
    problems: list[Problem] = []

    def add(place: str, message: str, code: str) -> None:
        problems.append(Problem(f"{at}.{place}" if place else at, message, code))

    for name in given:
        if name not in known:
            add(name, f"is not known here; known are: {', '.join(known)}", "unknown_field")
    controls = [_read_control(name, given[name], add) for name in CONTROLS if given.get(name) is not None]
    reentry = given.get("reentry", "allow")
    if reentry not in REENTRY:
        add("reentry", f"is one of {', '.join(REENTRY)}", "bad_option")
    for one, other, why in _NOT_TOGETHER:
        second = given.get(other) if other != "reentry" or reentry != "allow" else None
        if given.get(one) is not None and second is not None:
            add(one, f"does not go with `{other}`: {why}", "bad_combination")
    if problems:
        return None, problems
    if not given:
        return None, []
    return Flow(given, tuple(control for control in controls if control is not None), reentry), []


def _read_control(name: Name, value: Any, add: Add) -> Control | None:
    fields = as_object(value)
    if fields is None:
        add(name, f"is an object with {', '.join(FIELDS[name])}", "wrong_type")
        return None
    for other in fields:
        if other not in FIELDS[name]:
            add(f"{name}.{other}", f"is not known here; known are: {', '.join(FIELDS[name])}", "unknown_field")
    _check_key(fields.get("key"), f"{name}.key", add)
    number, period, most = 1, 0, 0
    for field in FIELDS[name]:
        place = f"{name}.{field}"
        if field in ("limit", "size"):
            number = _read_number(fields.get(field), place, SIZE_MIN if field == "size" else 1, add)
        elif field == "max":
            most = _read_period(fields["max"], place, add) if fields.get("max") is not None else 0
        elif field != "key":
            period = _read_period(fields.get(field), place, add)
    if most and period and most < period:
        add(f"{name}.max", "is not shorter than `for`, after which it starts anyway", "bad_combination")
    return Control(name, fields.get("key"), number, period, most)


def _read_number(value: Any, place: str, least: int, add: Add) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        add(place, f"is a whole number from {least} to {LIMIT_MAX:,}", "required" if value is None else "wrong_type")
    elif not least <= value <= LIMIT_MAX:
        add(place, f"must be from {least} to {LIMIT_MAX:,}", "out_of_range")
    else:
        return value
    return least


def _read_period(value: Any, place: str, add: Add) -> int:
    if value is None:
        add(place, 'says how long, as "1h"', "required")
        return 0
    most = PERIOD_MAX[place.rpartition(".")[2]]
    try:
        period = read_span(value).microseconds
    except Refused as refused:
        for problem in refused.problems:
            add(place, problem.message, problem.code)
        return 0
    if not SECOND <= period <= most:
        add(place, f"must be from 1 second to {most // DAY} days", "out_of_range")
        return 0
    return period


def _check_key(value: Any, place: str, add: Add) -> None:
    if value is None:
        return
    if not isinstance(value, str):
        add(place, 'is a text with a placeholder, as "{{ patient.id }}"', "wrong_type")
        return
    if len(value) > _KEY_CHARACTERS_MAX:
        add(place, f"has at most {_KEY_CHARACTERS_MAX:,} characters", "too_long")
        return
    if not has_template(value):
        add(place, 'reads nothing of the event; write it as "{{ patient.id }}", or leave it out', "bad_path")
        return
    try:
        paths = compile_template(value, place).paths
        roots = {compile_path(path).root for path in paths}
    except Refused as refused:
        for problem in refused.problems:
            add(place, problem.message, problem.code)
        return
    for root in sorted(roots & {"steps", "run"}):
        add(place, f"is read before there is a run, so `{root}` has nothing in it", "bad_path")


# --- words --------------------------------------------------------------------------------------------------------------


def control_words(name: str, value: Any) -> str:
    """One control of a canonical document as a phrase."""
    fields = as_object(value) or {}
    each = f" for each {fields['key']}" if fields.get("key") else ""

    def said(field: str) -> str:
        return _length(fields.get(field))

    match name:
        case "once":
            return f"once in {said('per')}{each}"
        case "rate_limit":
            return f"at most {_runs(fields)} in {said('per')}{each}, the rest is dropped"
        case "throttle":
            return f"at most {_runs(fields)} in {said('per')}{each}, the rest starts later"
        case "debounce":
            most = f", at the latest after {said('max')}" if fields.get("max") is not None else ""
            return f"the last event after {said('for')} of quiet{each}{most}"
        case "batch":
            return f"{fields.get('size')} events together{each}, at the latest after {said('within')}"
        case "concurrency":
            return f"at most {_runs(fields)} at once{each}, the rest waits"
        case _:
            told = {
                "skip": "not while a run for the same entity is under way",
                "restart": "a run for the same entity that is under way is cancelled",
            }
            return told.get(str(value), "also while a run for the same entity is under way")


def flow_words(document: Any) -> str:
    """The `flow` of a canonical document as a phrase."""
    fields = as_object(document) or {}
    names = (*CONTROLS, "reentry")
    return "; ".join(control_words(name, fields[name]) for name in names if fields.get(name) is not None)


def _runs(fields: dict[str, Any]) -> str:
    return f"{fields.get('limit')} run{'s' if fields.get('limit') != 1 else ''}"


def _length(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{amount} {unit}" for unit, amount in cast("dict[str, Any]", value).items())
    return str(value)


def outcome_words(outcome: str, key: str, until: int | None, rule: Any, *, has_run: bool, has_begun: bool) -> str:
    """Why an event started nothing, or not at once: what the control `rule` did to it, for this key."""
    fields = as_object(rule) or {}
    of = f" for {key!r}" if key else ""
    at = to_text(until) if until is not None else ""
    each = f"at most {_runs(fields)} in {_length(fields.get('per'))}{of}" if fields.get("per") else "a limit"
    told = {
        "duplicate_key": f"Did not start: there was a run{of} already. The next one may start from {at} on.",
        "rate_limited": f"Did not start: {each}. The next one may start from {at} on.",
        "already_running": f"Did not start: a run{of} is under way, and no second one starts meanwhile.",
        "restarted": f"Started, and what was under way{of} was cancelled.",
        "throttled": f"{'Started later,' if has_begun else 'Starts'} from {at} on: {each}.",
        "held_by_concurrency": f"{'Started later: it waited' if has_begun else 'Waits'} for one of "
        f"{fields.get('limit', 'the')} places{of}.",
        "debounced": f"Did not start by itself: later events came{of}, and the last of them started the run."
        if has_run
        else f"Gathered{of}: the last event starts a run when no further one comes, at {at} or later.",
        "batched": f"Started together with other events{of}, in one run."
        if has_run
        else f"Gathered{of}: starts together with other events, at {at} at the latest.",
    }
    return told[outcome]
