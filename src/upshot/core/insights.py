"""Insights: how long runs of one version take, at which steps, and what its conditions cost. Pure; nothing is kept."""

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from upshot.core.advice import ConditionFigures, StepFigures
from upshot.core.automations.document import ActionStep, ForEachStep, Step, kind_of
from upshot.core.conditions import Condition
from upshot.core.conditions.compile import leaves_of
from upshot.core.facts import Facts
from upshot.core.instants import SECOND
from upshot.core.path_text import parse_segments
from upshot.core.program import Program
from upshot.core.work import Meter, Overloaded, Undecided

RESTING: Final = frozenset({"delay", "wait_for_event", "call"})
"""The kinds of steps at which a run is asleep."""
_OVER: Final = frozenset({"completed", "failed", "unknown"})


class Span(msgspec.Struct, frozen=True, gc=False):
    """From when to when a run was at a step (microseconds UTC). `attempt` counts from 1; `status` is that of the outcome, None
    of an attempt that was followed by another."""

    run_id: str
    step_id: str
    status: str | None
    attempt: int
    started_at: int
    finished_at: int


class Spread(msgspec.Struct, frozen=True):
    """What half of a number of durations do not pass, and what 95 % do not; None without any."""

    p50_seconds: float | None = None
    p95_seconds: float | None = None


class Durations(msgspec.Struct, frozen=True):
    """How long runs took in all; how long some action of them was being done; and how long they slept in delays and waits while
    none was."""

    whole: Spread
    work: Spread
    asleep: Spread


def durations(program: Program, runs: Mapping[str, tuple[int, int]], spans: Iterable[Span]) -> Durations:
    """How long these runs, each from when to when, took."""
    work: dict[str, list[tuple[int, int]]] = {run_id: [] for run_id in runs}
    asleep: dict[str, list[tuple[int, int]]] = {run_id: [] for run_id in runs}
    for span in spans:
        kind = _kind(program, span.step_id)
        side = work if kind == "action" else asleep if kind in RESTING else None
        if side is not None:
            side[span.run_id].append((span.started_at, span.finished_at))
    worked = {run_id: covered(found) for run_id, found in work.items()}
    rested = {run_id: covered([*work[run_id], *asleep[run_id]]) - worked[run_id] for run_id in runs}
    return Durations(
        spread([until - since for since, until in runs.values()]),
        spread(list(worked.values())),
        spread(list(rested.values())),
    )


def step_figures(program: Program, spans: Iterable[Span]) -> list[StepFigures]:
    """Each action step of the version, that of a `for_each` too, the slowest first."""
    of_step: dict[str, list[Span]] = {}
    for span in spans:
        if _kind(program, span.step_id) == "action":
            of_step.setdefault(program.base(span.step_id), []).append(span)
    found: list[StepFigures] = []
    for index, step in enumerate(program.automation.steps):
        action = step.each if isinstance(step, ForEachStep) else step
        if isinstance(action, ActionStep):
            own = of_step.get(step.id, [])
            over = [span for span in own if span.status in _OVER]
            taken = [span.finished_at - span.started_at for span in own if span.status in {*_OVER, None}]
            measured = spread(taken)
            found.append(
                StepFigures(
                    id=step.id,
                    path=f"steps[{index}]",
                    action=action.action,
                    timeout_seconds=action.timeout_seconds,
                    runs=len({span.run_id for span in over}),
                    times=len(over),
                    failed=sum(span.status != "completed" for span in over),
                    retried=sum(span.attempt > 1 for span in over),
                    p50_seconds=measured.p50_seconds,
                    p95_seconds=measured.p95_seconds,
                    work_seconds=sum(taken) / SECOND,
                    independent=_independent(program, step),
                )
            )
    return sorted(found, key=lambda step: (step.p95_seconds or 0.0, step.p50_seconds or 0.0), reverse=True)


def conditions_of(program: Program) -> dict[str, Condition]:
    """Every condition of the version, by its path in the document."""
    found: dict[str, Condition] = {"condition": program.condition} if program.condition is not None else {}
    found.update(program.endings.items())
    for index, step in enumerate(program.automation.steps):
        if step.id in program.conditions:
            found[f"steps[{index}].branch"] = program.conditions[step.id]
    return found


def condition_figures(conditions: Mapping[str, Condition], facts: Sequence[Facts]) -> list[ConditionFigures]:
    """What each of these conditions costs on these facts, the costliest first. Measuring them all costs no more than the
    conditions of one event may: when that is spent, the facts that are left count for nothing."""
    meter = Meter()
    asked: dict[str, list[int]] = {path: [] for path in conditions}
    comparisons = {path: sum(1 for _ in leaves_of(condition.root)) for path, condition in conditions.items()}
    for one in facts:
        metered = msgspec.structs.replace(one, meter=meter)
        for path, condition in conditions.items():
            if meter.left > 0:
                asked[path].append(comparisons[path] + _work(condition, metered))
    found = [
        ConditionFigures(
            path=path,
            comparisons=comparisons[path],
            events=len(steps),
            mean_steps=sum(steps) / len(steps) if steps else None,
            max_steps=max(steps, default=None),
            document=conditions[path].document,
        )
        for path, steps in asked.items()
    ]
    return sorted(found, key=lambda one: (one.max_steps or 0, one.mean_steps or 0.0, one.comparisons), reverse=True)


def steps_read(conditions: Iterable[Condition]) -> set[str]:
    """The steps whose outputs these conditions read."""
    parts = [parse_segments(path) for condition in conditions for path in condition.paths if path.startswith("steps")]
    return {str(segments[1]) for segments in parts if segments[0] == "steps" and len(segments) > 1}


def spread(taken: Sequence[int]) -> Spread:
    """The spread of these durations (microseconds): each figure is one of them."""
    if not taken:
        return Spread()
    ordered = sorted(taken)
    half, most = (ordered[math.ceil(len(ordered) * share) - 1] / SECOND for share in (0.5, 0.95))
    return Spread(half, most)


def covered(spans: Iterable[tuple[int, int]]) -> int:
    """How long at least one of these spans lasted."""
    total, end = 0, 0
    for since, until in sorted(spans):
        total += max(0, until - max(since, end))
        end = max(end, until)
    return total


def _work(condition: Condition, facts: Facts) -> int:
    before = facts.meter.left
    with suppress(Undecided, Overloaded):
        condition.decide(facts)
    return before - max(facts.meter.left, 0)


def _kind(program: Program, step_id: str) -> str:
    """The kind of step that this is a place of; "" where the version has no such step."""
    step = program.steps.find(step_id)
    return kind_of(step) if step is not None else ""


def _independent(program: Program, step: Step) -> str | None:
    """The action step right after this one, if it reads nothing of it."""
    if not isinstance(step, ActionStep | ForEachStep) or step.next is None:
        return None
    after = program.automation.step(step.next)
    if not isinstance(after, ActionStep):
        return None
    for path in program.templates[after.id].paths:
        segments = parse_segments(path)
        if segments[0] == "steps" and (len(segments) == 1 or segments[1] == step.id):
            return None
    return after.id
