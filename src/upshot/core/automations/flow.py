"""Where the steps of an automation lead: targets that exist, no circle that does not sleep, every step reachable, branches that
join."""

from collections.abc import Mapping

from upshot.core.automations.circles import circles_of
from upshot.core.automations.document import DelayStep, Step, WaitStep
from upshot.core.automations.durations import is_nothing
from upshot.core.automations.places import place_problems
from upshot.core.automations.regions import Edge, edges_of, region_problems, regions_of
from upshot.core.errors import Problem


def flow_problems(steps: list[Step], places: dict[str, str], on_failure: str | None = None) -> list[Problem]:
    """Unknown targets, the cycles, and steps that nothing leads to. `places` gives each step's path by its id; `on_failure` is
    where a run that fails goes."""
    by_id = {step.id: step for step in steps}
    problems: list[Problem] = []
    if on_failure is not None and on_failure not in by_id:
        problems.append(Problem("on_failure", f"leads to {on_failure!r}, and no step has that id", "unknown_step"))
    problems += [
        Problem(
            f"{places[step.id]}.{name}",
            f"leads to {target!r}, and no step has that id",
            "unknown_step",
        )
        for step in steps
        for name, target in edges_of(step)
        if target not in by_id
    ]
    problems += _cycles(steps, by_id, places)
    main = reached(steps[0].id if steps else None, by_id)
    handling = reached(on_failure, by_id)
    if main & handling:
        said = f"leads to {min(main & handling)!r}, which the first step leads to as well"
        problems.append(Problem("on_failure", said, "crosses_branches"))
    known = main | handling
    problems += [
        Problem(
            places[step.id],
            f"step {step.id!r} is never reached: no other step leads to it",
            "unreachable",
        )
        for step in steps
        if step.id not in known
    ]
    return problems or region_problems(steps, on_failure, places) or _id_problems(steps, by_id, places, on_failure)


def _id_problems(
    steps: list[Step], by_id: dict[str, Step], places: dict[str, str], on_failure: str | None
) -> list[Problem]:
    """Steps whose ids are those that an item or a later round of another step has in a run."""
    circles = circles_of(steps, on_failure, regions_of(steps, on_failure))
    return [
        Problem(f"{places[step_id]}.id", f"is what {other!r} is called for an item or in a later round", "duplicate_id")
        for step_id, other in place_problems(by_id, circles.around if circles is not None else ())
    ]


def _cycles(steps: list[Step], by_id: dict[str, Step], places: dict[str, str]) -> list[Problem]:
    """One problem for each edge that leads back without anything that sleeps on the way, found by a depth-first walk without
    recursion."""
    problems: list[Problem] = []
    done: set[str] = set()
    for start in steps:
        if start.id in done:
            continue
        trail: list[str] = [start.id]
        on_trail = {start.id}
        waiting = [iter(_at_once(start))]
        while waiting:
            edge = next(waiting[-1], None)
            if edge is None:
                waiting.pop()
                left = trail.pop()
                on_trail.discard(left)
                done.add(left)
                continue
            name, target = edge
            if target in on_trail:
                loop = " -> ".join([*trail[trail.index(target) :], target])
                problems.append(
                    Problem(
                        f"{places[trail[-1]]}.{name}",
                        f"the steps go round in a circle without a delay or a wait: {loop}",
                        "cycle",
                    )
                )
            elif target in by_id and target not in done:
                trail.append(target)
                on_trail.add(target)
                waiting.append(iter(_at_once(by_id[target])))
    return problems


def _at_once(step: Step) -> list[Edge]:
    """Where a step may lead without having slept."""
    if isinstance(step, DelayStep) and not is_nothing(step.delay):
        return []
    if isinstance(step, WaitStep):
        slept = ("next",) if is_nothing(step.timeout) else ("next", "on_timeout")
        return [edge for edge in edges_of(step) if edge[0] not in slept]
    return edges_of(step)


def reached(first: str | None, by_id: Mapping[str, Step]) -> frozenset[str]:
    """Every step that this one leads to, and itself."""
    found: set[str] = set()
    waiting = [first] if first is not None else []
    while waiting:
        step_id = waiting.pop()
        if step_id in found or step_id not in by_id:
            continue
        found.add(step_id)
        waiting.extend(target for _, target in edges_of(by_id[step_id]))
    return frozenset(found)
