"""Steps that go round: which of them form a circle, and which ways begin another round of it.

A circle is looked for among the steps that belong to the same branch, or to none; a parallel step is one step there, and
what stands in its branches goes round with it. A round begins where the path comes into a circle, and where it comes back
to a step that it came from; so it comes to no step twice in one round, whichever way it takes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from upshot.core.automations.document import Step
from upshot.core.automations.regions import Region, edges_of


class Circles(NamedTuple):
    """`on` names the circle that a step is on, by the first of its steps; `around` also those of a parallel step that it is
    inside of. `back` are the ways `(from, to)` that begin another round."""

    on: Mapping[str, str]
    around: Mapping[str, str]
    back: frozenset[tuple[str, str]]

    def begins(self, before: str | None, step_id: str) -> bool:
        """Whether a round begins where the path comes from the one step to the other."""
        own = self.on.get(step_id)
        return own is not None and (self.on.get(before or "") != own or (before, step_id) in self.back)


def circles_of(steps: Sequence[Step], on_failure: str | None, within: Mapping[str, Region]) -> Circles | None:
    """The circles of these steps, which have no problems; None when nothing goes round."""
    order = {step.id: place for place, step in enumerate(steps)}
    ways = {step.id: list(_ways(step, order, within)) for step in steps}
    walk = _Walk(ways)
    for root in (
        steps[0].id,
        *([on_failure] if on_failure is not None else []),
        *(one.head for one in within.values()),
    ):
        walk.go(root)
    if not walk.back:
        return None
    on = {step_id: min(group, key=order.__getitem__) for group in walk.groups for step_id in group}
    around = {step.id: circle for step in steps if (circle := _around(step.id, on, within))}
    return Circles(on, around, frozenset(walk.back))


def _ways(step: Step, known: Iterable[str], within: Mapping[str, Region]) -> Iterator[str]:
    """Where a step leads in the branch that it belongs to."""
    region = within.get(step.id)
    for _, target in edges_of(step):
        if target in known and within.get(target) == region and not (region and target == region.parallel.next):
            yield target


def _around(step_id: str, on: Mapping[str, str], within: Mapping[str, Region]) -> str | None:
    while step_id not in on:
        region = within.get(step_id)
        if region is None:
            return None
        step_id = region.parallel.id
    return on[step_id]


class _Walk:
    """Depth first without recursion: `back` are the ways that lead to where the walk came from, `groups` the steps that form
    circles together (Tarjan's strong components)."""

    def __init__(self, ways: Mapping[str, Sequence[str]]) -> None:
        self.back: set[tuple[str, str]] = set()
        self.groups: list[list[str]] = []
        self._ways = ways
        self._seen: dict[str, int] = {}
        self._low: dict[str, int] = {}
        self._gathered: dict[str, None] = {}
        self._trail: dict[str, Iterator[str]] = {}

    def go(self, first: str) -> None:
        """To this step and all that it leads to, where it has not been yet."""
        if first not in self._seen:
            self._come_to(first)
        while self._trail:
            step_id = next(reversed(self._trail))
            target = next(self._trail[step_id], None)
            if target is None:
                self._leave(step_id)
            elif target not in self._seen:
                self._come_to(target)
            else:
                self._come_back(step_id, target)

    def _come_to(self, step_id: str) -> None:
        self._seen[step_id] = self._low[step_id] = len(self._seen)
        self._gathered[step_id] = None
        self._trail[step_id] = iter(self._ways[step_id])

    def _come_back(self, step_id: str, target: str) -> None:
        if target in self._trail:
            self.back.add((step_id, target))
        if target in self._gathered:
            self._low[step_id] = min(self._low[step_id], self._seen[target])

    def _leave(self, step_id: str) -> None:
        del self._trail[step_id]
        if self._trail:
            before = next(reversed(self._trail))
            self._low[before] = min(self._low[before], self._low[step_id])
        if self._low[step_id] < self._seen[step_id]:
            return
        group: list[str] = []
        while step_id not in group[-1:]:
            group.append(self._gathered.popitem()[0])
        if len(group) > 1 or (step_id, step_id) in self.back:
            self.groups.append(group)
