"""The flow of imported steps: `nextSteps` made into `next`, guards and waits of a step made into steps before it."""

from dataclasses import dataclass, field
from typing import Any, Literal

from upshot.core.automations.fields import ABSENT, Findings, as_list, as_object

_PATHS = 2
"""A condition has a true and a false path."""


@dataclass(slots=True)
class Draft:
    """One step on its way to its canonical form. Its targets are ABSENT until something says them."""

    id: str
    at: str
    kind: Literal["action", "branch", "call", "delay", "for_each", "parallel", "split", "stop", "wait_for_event"]
    body: dict[str, Any]
    tail: dict[str, Any] = field(default_factory=dict[str, Any])
    next: Any = ABSENT
    if_true: Any = ABSENT
    if_false: Any = ABSENT
    next_steps: list[str] | None = None
    guard: dict[str, Any] | None = None
    wait: Any = ABSENT
    origins: dict[str, str] = field(default_factory=dict[str, str])

    def document(self) -> dict[str, Any]:
        """The canonical step."""
        step: dict[str, Any] = {"id": self.id, **self.body}
        if self.kind == "branch":
            step |= {} if self.if_true is ABSENT else {"if_true": self.if_true}
            step |= {} if self.if_false is ABSENT else {"if_false": self.if_false}
        elif self.kind not in {"split", "stop"} and self.next is not ABSENT:
            step["next"] = self.next
        return step | self.tail


def link(drafts: list[Draft], findings: Findings) -> list[Draft]:
    """Turn `nextSteps` into targets, in place; the first step comes first.

    A condition's first next step is its true path, the second its false one. Several next steps of any other step run
    one after another: the second begins where everything after the first has ended. A step without next steps ends its
    path.
    """
    if not any(draft.next_steps is not None for draft in drafts):
        return drafts
    by_id = {draft.id: draft for draft in drafts}
    drafts = _first_first(drafts, findings)
    after: dict[str, str | None] = {}
    open_paths: list[tuple[str, str | None]] = [(drafts[0].id, None)]
    while open_paths:
        step_id, then = open_paths.pop()
        draft = by_id.get(step_id)
        if draft is None:
            continue
        if step_id in after:
            if after[step_id] != then:
                findings.problem(
                    f"{draft.at}.id",
                    f"step {step_id!r} is reached in two ways that go on differently "
                    f"({after[step_id] or 'the end'} and {then or 'the end'}); say where it goes with `next`",
                    "ambiguous_flow",
                )
            continue
        after[step_id] = then
        open_paths.extend(reversed(_targets(draft, then, findings)))
    for draft in drafts:
        if draft.id not in after and draft.next is ABSENT:
            draft.next = None
    return drafts


def _targets(draft: Draft, then: str | None, findings: Findings) -> list[tuple[str, str | None]]:
    listed = draft.next_steps or []
    if draft.kind == "branch":
        if len(listed) > _PATHS:
            findings.problem(
                f"{draft.at}.nextSteps",
                "a condition has a true and a false path, no more",
                "ambiguous_flow",
            )
        paths = [*listed[:2], then, then]
        draft.if_true = paths[0] if draft.if_true is ABSENT else draft.if_true
        draft.if_false = (paths[1] if listed else then) if draft.if_false is ABSENT else draft.if_false
        return [
            (target, then) for target in (draft.if_true, draft.if_false) if isinstance(target, str) and target != then
        ]
    if draft.kind in {"split", "stop"}:
        return []
    if draft.next is ABSENT:
        draft.next = listed[0] if listed else then
    elif not listed:
        return [(draft.next, then)] if isinstance(draft.next, str) else []
    if len(listed) > 1:
        findings.note(f"{draft.at}.nextSteps", "read as one after another, in order")
    return [(target, (*listed[1:], then)[index]) for index, target in enumerate(listed)]


def _first_first(drafts: list[Draft], findings: Findings) -> list[Draft]:
    entered: set[Any] = set()
    for draft in drafts:
        entered.update(
            draft.next_steps or (),
            (t for t in (draft.next, draft.if_true, draft.if_false) if isinstance(t, str)),
        )
    roots = [draft for draft in drafts if draft.id not in entered]
    if drafts[0].id not in entered or len(roots) != 1:
        return drafts
    findings.note(roots[0].at, "read as the first step: no other one leads to it")
    return [roots[0], *(draft for draft in drafts if draft is not roots[0])]


def unfold(drafts: list[Draft], findings: Findings) -> list[Draft]:
    """Give a step's own condition and delay steps of their own before it, and lead everything there."""
    taken = {draft.id for draft in drafts}
    entries: dict[str, str] = {}
    before: dict[str, list[Draft]] = {}
    for draft in drafts:
        steps: list[Draft] = []
        if draft.guard is not None:
            steps.append(
                Draft(
                    unused_id(f"{draft.id[:80]}-condition", taken),
                    draft.at,
                    "branch",
                    {"branch": draft.guard},
                )
            )
            findings.note(
                draft.at,
                "its condition is a branch before it: when it does not hold, the step is passed over",
            )
        if draft.wait is not ABSENT:
            steps.append(
                Draft(
                    unused_id(f"{draft.id[:80]}-delay", taken),
                    draft.at,
                    "delay",
                    {"delay": draft.wait},
                )
            )
            findings.note(draft.at, "its delay is a step before it")
        before[draft.id] = steps
        entries[draft.id] = steps[0].id if steps else draft.id
    unfolded: list[Draft] = []
    for index, draft in enumerate(drafts):
        below = entries[drafts[index + 1].id] if index + 1 < len(drafts) else None
        for name in ("next", "if_true", "if_false"):
            target = getattr(draft, name)
            setattr(
                draft,
                name,
                entries.get(target, target) if isinstance(target, str) else target,
            )
        _lead_to_entries(draft, entries)
        for step in before[draft.id]:
            if step.kind == "branch":
                step.if_false = below if draft.next is ABSENT else draft.next
            unfolded.append(step)
        unfolded.append(draft)
    return unfolded


def _lead_to_entries(draft: Draft, entries: dict[str, str]) -> None:
    """Lead the targets inside a step's own fields to what stands before their steps."""
    body = draft.body
    heads, paths = as_list(body.get("parallel")), as_list(body.get("split"))
    for part, name in ((body, "on_timeout"), (body, "on_failure"), (draft.tail, "on_failure")):
        if isinstance(target := part.get(name), str):
            part[name] = entries.get(target, target)
    if heads is not None:
        body["parallel"] = [entries.get(head, head) if isinstance(head, str) else head for head in heads]
    for path in map(as_object, paths or []):
        if path is not None and isinstance(target := path.get("next"), str):
            path["next"] = entries.get(target, target)


def unused_id(wanted: str, taken: set[str]) -> str:
    """An id like the wanted one that no step has; it is taken from now on."""
    candidate, number = wanted, 1
    while candidate in taken:
        number += 1
        candidate = f"{wanted}-{number}"
    taken.add(candidate)
    return candidate
