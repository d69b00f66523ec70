"""Advice on an automation, from figures of its latest runs: each rule looks at one step or one condition and says one thing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

import msgspec

from upshot.core.conditions.catalogue import BY_NAME

RUNS_MIN: Final = 20
"""Without so many runs, or a step done so many times, nothing is said: it would be chance."""
NEAR_TIMEOUT: Final = 0.8
RETRIED_SHARE: Final = 0.1
FAILED_SHARE: Final = 0.05
WORK_SHARE: Final = 0.5
WORK_SECONDS_MIN: Final = 0.5
"""A step that takes less is not worth doing beside another."""
STEPS_OF_WORK_MAX: Final = 20_000
"""What a condition may cost, for each event, before it is named (`core/work.py` says what a step is)."""
LONG_LIST: Final = 20
_COSTLY: Final = frozenset({"regex", "match"})
_COSTLY_IF_LONG: Final = frozenset({"contains_any", "contains_all"})


class StepFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an action step. Seconds are those of single attempts, `work_seconds` those of all of them; `times` is
    how often it came to an end, so often `failed`, and so often `retried` before. `path` is its place in the document,
    `independent` the step right after it that reads nothing of it."""

    id: str
    path: str
    action: str
    timeout_seconds: float
    runs: int = 0
    times: int = 0
    failed: int = 0
    retried: int = 0
    p50_seconds: float | None = None
    p95_seconds: float | None = None
    work_seconds: float = 0.0
    independent: str | None = None


class ConditionFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What asking a condition costs, in steps of work (`core/work.py`): at most, and on average, over so many `events`.
    `document` is the condition, `path` its place."""

    path: str
    comparisons: int
    events: int = 0
    mean_steps: float | None = None
    max_steps: int | None = None
    document: Mapping[str, Any] = {}


class Advice(msgspec.Struct, frozen=True):
    """One sentence, the place in the document that it is about, and its figures."""

    code: str
    path: str
    text: str
    figures: dict[str, float]


def advise(runs: int, steps: Sequence[StepFigures], conditions: Sequence[ConditionFigures]) -> list[Advice]:
    """What could be better, steps first; nothing when there were fewer than 20 runs."""
    if runs < RUNS_MIN:
        return []
    found: list[Advice | None] = []
    work_seconds = sum(step.work_seconds for step in steps)
    for step in steps:
        if step.times >= RUNS_MIN:
            found += [near_timeout(step), failing(step), retried(step), beside(step, work_seconds)]
    for condition in conditions:
        found += [costly(condition), *out_of_order(condition)]
    return [advice for advice in found if advice is not None]


def near_timeout(step: StepFigures) -> Advice | None:
    """One attempt in twenty takes nearly as long as it may."""
    seconds = step.p95_seconds
    if seconds is None or seconds < NEAR_TIMEOUT * step.timeout_seconds:
        return None
    text = (
        f"One attempt in twenty of {step.id} takes {seconds:g} s or more, and it may take {step.timeout_seconds:g} s. "
        "Raise its timeout_seconds, or make what it calls faster."
    )
    figures = {"p95_seconds": seconds, "timeout_seconds": step.timeout_seconds}
    return Advice("near_timeout", f"{step.path}.timeout_seconds", text, figures)


def failing(step: StepFigures) -> Advice | None:
    """It fails for good more often than once in twenty times."""
    share = step.failed / step.times
    if share <= FAILED_SHARE:
        return None
    text = (
        f"{step.id} failed {step.failed} of {step.times} times. Look at its errors, and give it retries if they pass by "
        "themselves."
    )
    return Advice("often_fails", step.path, text, {"failed": step.failed, "times": step.times, "share": share})


def retried(step: StepFigures) -> Advice | None:
    """It needs another attempt more often than once in ten times."""
    share = step.retried / step.times
    if share <= RETRIED_SHARE:
        return None
    text = (
        f"{step.id} needed another attempt {step.retried} of {step.times} times. Look at the errors of its attempts: what it "
        "calls may be overloaded, or its timeout_seconds too short."
    )
    figures = {"retried": step.retried, "times": step.times, "share": share}
    return Advice("often_retried", f"{step.path}.retries", text, figures)


def beside(step: StepFigures, work_seconds: float) -> Advice | None:
    """It takes most of the time while a step that reads nothing of it waits."""
    typical = step.p50_seconds
    if step.independent is None or typical is None or typical < WORK_SECONDS_MIN:
        return None
    share = step.work_seconds / work_seconds if work_seconds else 0.0
    if share <= WORK_SHARE:
        return None
    text = (
        f"{step.id} takes {share:.0%} of the time at work, and {step.independent}, which reads nothing of it, waits for it. "
        "If the order does not matter, put them into branches of a parallel step."
    )
    return Advice("could_be_parallel", step.path, text, {"share": share, "p50_seconds": typical})


def costly(condition: ConditionFigures) -> Advice | None:
    """Asking it takes long."""
    steps = condition.max_steps
    if steps is None or steps <= STEPS_OF_WORK_MAX:
        return None
    text = (
        f"Asking this condition took up to {steps:,} steps of work. Compare shorter lists and texts, or ask for something "
        "cheap first."
    )
    return Advice("costly_condition", condition.path, text, {"max_steps": steps})


def out_of_order(condition: ConditionFigures) -> Iterator[Advice]:
    """A group begins with a rule that costs, and a cheap one that could decide it comes later."""
    waiting = [(condition.path, condition.document)]
    while waiting:
        at, group = waiting.pop()
        rules = cast("list[dict[str, Any]]", group.get("rules", []))
        asked = [place for place, rule in enumerate(rules) if not rule.get("muted")]
        waiting += [(f"{at}.rules[{place}]", rules[place]) for place in asked if "operator" not in rules[place]]
        cheap = next((place for place in asked[1:] if _base(rules[place]) == "equals"), None)
        if cheap is not None and _is_costly(rules[asked[0]]):
            text = (
                f"The rule on {rules[asked[0]]['field']} costs more than that on {rules[cheap]['field']}, and is asked before "
                "it. Put the cheap one first: it often decides alone."
            )
            yield Advice("costly_rule_first", f"{at}.rules[{asked[0]}]", text, {"cheap_rule": cheap})


def _is_costly(rule: Mapping[str, Any]) -> bool:
    base, value = _base(rule), rule.get("value")
    if base in _COSTLY_IF_LONG:
        return isinstance(value, list) and len(cast("list[Any]", value)) >= LONG_LIST
    return base in _COSTLY


def _base(rule: Mapping[str, Any]) -> str:
    """The operator that decides a rule; "" for a group."""
    return BY_NAME[rule["operator"]].base if "operator" in rule else ""
