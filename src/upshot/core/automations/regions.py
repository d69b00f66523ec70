"""Which steps belong to which branch of which parallel step.

A branch is every step that its first step leads to, up to the end of its path: `next: null`, or the step that the parallel step
itself goes on to, where its branches join. Each step belongs to one branch at most, directly.
"""

from collections.abc import Sequence
from typing import NamedTuple

from upshot.core.automations.document import (
    ActionStep,
    BranchStep,
    CallStep,
    DelayStep,
    ForEachStep,
    ParallelStep,
    SplitStep,
    Step,
    StopStep,
    WaitStep,
)
from upshot.core.errors import Problem

Edge = tuple[str, str]
"""The field that says it (`next`, `if_true`, `parallel[0]`) and the id it leads to."""


class Region(NamedTuple):
    """One branch of a parallel step, by its first step."""

    parallel: ParallelStep
    head: str

    def words(self) -> str:
        """What to call it in a sentence."""
        return f"the branch {self.head!r} of {self.parallel.id!r}"


def edges_of(step: Step) -> list[Edge]:
    """Where a step leads, in the order of its fields."""
    heads = (
        [(f"parallel[{at}]", head) for at, head in enumerate(step.branches)] if isinstance(step, ParallelStep) else []
    )
    return [*heads, *((name, target) for name, target in ways_of(step) if target is not None)]


def ways_of(step: Step) -> list[tuple[str, str | None]]:
    """How a path goes on after this step: the field, and the step or the end."""
    match step:
        case BranchStep():
            return [("if_true", step.if_true), ("if_false", step.if_false)]
        case SplitStep():
            return [(f"split[{at}].next", path.next) for at, path in enumerate(step.paths)]
        case StopStep():
            return []
        case DelayStep():
            return [("next", step.next)]
        case ActionStep() | CallStep() | ForEachStep() | ParallelStep() | WaitStep():
            late = step.on_timeout if isinstance(step, CallStep | ParallelStep | WaitStep) else None
            ends = [("on_timeout", None)] if isinstance(step, CallStep | WaitStep) and step.ends_on_timeout else []
            others = [("on_timeout", late), ("on_failure", step.on_failure)]
            return [("next", step.next), *ends, *(other for other in others if other[1] is not None)]


def regions_of(steps: Sequence[Step], on_failure: str | None) -> dict[str, Region]:
    """The branch that each step inside one belongs to, of steps that have no problems."""
    found, _ = _walk(steps, on_failure, {})
    return {step_id: region for step_id, region in found.items() if region is not None}


def region_problems(steps: Sequence[Step], on_failure: str | None, places: dict[str, str]) -> list[Problem]:
    """Steps that are in two branches or in and outside one, and joins that can never be met."""
    found, problems = _walk(steps, on_failure, places)
    by_id = {step.id: step for step in steps}
    for step in steps:
        if isinstance(step, ParallelStep) and not problems:
            arriving = sum(_arrives(Region(step, head), by_id, found) for head in step.branches)
            if arriving < step.needed:
                said = f"needs {step.needed} branches and can never be met: {arriving} of them end without a stop"
                problems.append(Problem(f"{places[step.id]}.join", said, "join_never_met"))
    return problems


def _walk(
    steps: Sequence[Step], on_failure: str | None, places: dict[str, str]
) -> tuple[dict[str, Region | None], list[Problem]]:
    by_id = {step.id: step for step in steps}
    roots = [*(step.id for step in steps[:1]), *([on_failure] if on_failure is not None else [])]
    found: dict[str, Region | None] = dict.fromkeys(roots)
    problems: list[Problem] = []
    waiting = list(found)
    while waiting:
        step = by_id[waiting.pop()]
        region = found[step.id]
        for name, target in edges_of(step):
            inner = region
            if isinstance(step, ParallelStep) and name.startswith("parallel"):
                inner = Region(step, target)
            elif region is not None and target == region.parallel.next:
                continue
            if target not in by_id:
                continue
            if target not in found:
                found[target] = inner
                waiting.append(target)
            elif _key(found[target]) != _key(inner):
                other = found[target]
                said = f"leads to {target!r}, which belongs to {other.words() if other else 'no branch'}"
                hint = "a branch ends with `next: null`, or at the step that its parallel step goes on to"
                at = places.get(step.id, step.id)
                problems.append(Problem(f"{at}.{name}", f"{said}; {hint}", "crosses_branches"))
    return found, problems


def _key(region: Region | None) -> tuple[str, str] | None:
    return (region.parallel.id, region.head) if region is not None else None


def _arrives(region: Region, by_id: dict[str, Step], found: dict[str, Region | None]) -> bool:
    """Whether some path of this branch ends at its join and not in a stop."""
    waiting, seen = [region.head], {region.head}
    while waiting:
        for _, target in ways_of(by_id[waiting.pop()]):
            if target is None or target == region.parallel.next:
                return True
            if target not in seen and _key(found.get(target)) == _key(region):
                seen.add(target)
                waiting.append(target)
    return False
