"""Where the steps of an automation lead: targets that exist, no cycles, every step reachable, branches that join."""

from collections.abc import Mapping

from upshot.core.automations.document import Step
from upshot.core.automations.places import place_problems
from upshot.core.automations.regions import edges_of, region_problems
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
    problems += [
        Problem(f"{places[step_id]}.id", f"is the id of an item of {loop!r}; take another one", "duplicate_id")
        for step_id, loop in place_problems(by_id)
    ]
    problems += _cycles(steps, by_id, places)
    main = reached(steps[0].id if steps else None, by_id)
    handling = reached(on_failure, by_id)
    if main & handling:
        said = f"leads to {min(main & handling)!r}, which the first step leads to as well; a step runs once in a run"
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
    return problems or region_problems(steps, on_failure, places)


def _cycles(steps: list[Step], by_id: dict[str, Step], places: dict[str, str]) -> list[Problem]:
    """One problem for each edge that leads back, found by a depth-first walk without recursion."""
    problems: list[Problem] = []
    done: set[str] = set()
    for start in steps:
        if start.id in done:
            continue
        trail: list[str] = [start.id]
        on_trail = {start.id}
        waiting = [iter(edges_of(start))]
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
                        f"the steps go round in a circle: {loop}",
                        "cycle",
                    )
                )
            elif target in by_id and target not in done:
                trail.append(target)
                on_trail.add(target)
                waiting.append(iter(edges_of(by_id[target])))
    return problems


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
