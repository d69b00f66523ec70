"""What an automation would do with given facts, without doing any of it."""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import msgspec

from upshot.core.automations.action_shape import ActionShape
from upshot.core.automations.arguments import argument_problems, argument_template, unknown_action
from upshot.core.automations.circles import circles_of
from upshot.core.automations.describe import describe_step, duration_words, event_words
from upshot.core.automations.document import (
    ActionStep,
    Automation,
    BranchStep,
    CallStep,
    CancelOn,
    DelayStep,
    ForEachStep,
    ParallelStep,
    SplitStep,
    Step,
    StopStep,
    WaitStep,
    kind_of,
)
from upshot.core.automations.durations import due_at
from upshot.core.automations.places import round_place
from upshot.core.automations.regions import regions_of
from upshot.core.automations.splitting import chosen_path, split_key
from upshot.core.conditions import compile_condition
from upshot.core.errors import ActionError, Busy, Problem, Refused
from upshot.core.facts import Facts, compile_path
from upshot.core.instants import to_text
from upshot.core.templates import TemplateError, compile_template
from upshot.core.waits import Unmatchable, fields_of, key_of

ROUNDS_TRIED: Final = 3
"""How many rounds of a circle are shown."""

Trial = Callable[[dict[str, Any]], Any]
"""What an action without effects gives for these arguments; raises ActionError, Refused or Busy."""


def dry_run(
    automation: Automation,
    facts: Facts,
    *,
    actions: Mapping[str, ActionShape] | None = None,
    automation_id: str = "",
    trials: Mapping[str, Trial] | None = None,
) -> dict[str, Any]:
    """`{would_start, explanation, endings, cancel_on, steps}`: whether the condition holds and why, whether its goal and exit
    would end it and before which step, which events would cancel it, and what each step would do.

    A step is `{id, step_id, name, kind, action, arguments, would, text, problems}`, with `due_at` for a delay and `explanation`
    for a branch; `would` is `perform`, `branch`, `sleep`, `fork`, `split`, `wait`, `call`, `stop` or `skip`. Steps that go
    round are shown for three rounds, in the second and third under ids of their own (`remind:2`).
    The steps stand in the order they would be
    reached, then those that would not be. Time moves on with each delay. What earlier steps would give as output is not
    known here, so placeholders that read it are blank and are named in `problems`; actions without effects, which have one of
    the `trials`, are performed, and their `output` is known. Nothing is raised: a step that would fail carries its problem.
    """
    explanation = None
    would_start = True
    if automation.condition is not None:
        explanation = compile_condition(automation.condition).explain(facts)
        would_start = compile_condition(automation.condition).fast(facts)
    trial = _Trial(automation, actions, automation_id, trials or {})
    if would_start and automation.steps:
        trial.go(automation.steps[0].id, None, facts)
    cancels = [_cancel(one, f"cancel_on[{index}].match", facts) for index, one in enumerate(automation.cancel_on)]
    skipped = [
        _entry(step, "skip", f"would not: {describe_step(step)}")
        for step in automation.steps
        if step.id not in trial.come_to
    ]
    return {
        "would_start": would_start,
        "explanation": explanation,
        "endings": list(trial.endings.values()),
        "cancel_on": cancels if would_start else [],
        "steps": [*trial.reached.values(), *skipped],
    }


class _Trial:
    """The steps as they are reached, each with what it would do."""

    def __init__(
        self,
        automation: Automation,
        actions: Mapping[str, ActionShape] | None,
        automation_id: str,
        trials: Mapping[str, Trial],
    ) -> None:
        self.reached: dict[str, dict[str, Any]] = {}
        self.come_to: set[str] = set()
        self.endings: dict[str, dict[str, Any]] = {}
        asked = {"goal": automation.goal, "exit": automation.exit}
        self._endings = {name: compile_condition(asked[name], name) for name in asked if asked[name] is not None}
        within = regions_of(automation.steps, automation.on_failure)
        self._circles = circles_of(automation.steps, automation.on_failure, within)
        self._rounds: dict[str, int] = {}
        self._places = {step.id: (index, step) for index, step in enumerate(automation.steps)}
        self._actions, self._automation_id, self._trials = actions, automation_id, trials
        self._is_stopped = False

    def go(self, step_id: str | None, end: str | None, facts: Facts, before: str | None = None) -> Facts:
        """Along one path to its end, which may be a join at step `end`; the facts at that time."""
        while step_id is not None and step_id != end and not self._is_stopped:
            if not self._begins_round(before, step_id) or (place := self._place(step_id)) in self.reached:
                break
            if self._has_ended(step_id, facts):
                break
            before = step_id
            self.come_to.add(step_id)
            facts, step_id = self._try(before, place, facts)
            self.reached[place]["step_id"] = before
        return facts

    def _try(self, step_id: str, place: str, facts: Facts) -> tuple[Facts, str | None]:
        """What this step would do; the facts after it, and where the path goes on."""
        index, step = self._places[step_id]
        step = msgspec.structs.replace(step, id=place)
        match step:
            case ParallelStep():
                return self._fork(step, step_id, facts), step.next
            case ForEachStep():
                self._for_each(step, f"steps[{index}]", facts)
                return facts, step.next
            case CallStep():
                self.reached[place] = self._called(step, f"steps[{index}]", facts)
                return facts, step.next
            case WaitStep():
                self.reached[place] = _entry(step, "wait", f"would {describe_step(step)}; as if it came at once")
                return facts, step.next
            case SplitStep():
                path = step.paths[chosen_path(step, split_key(self._automation_id, step_id, facts))]
                text = f"would {describe_step(step)}; this one goes to {path.name or path.next or 'the end'}"
                self.reached[place] = _entry(step, "split", text)
                return facts, path.next
            case ActionStep():
                entry = self.reached[place] = _try_action(step, f"steps[{index}]", facts, self.come_to, self._actions)
                return _with_output(entry, step_id, f"steps[{index}].with", facts, self._trials), step.next
            case _:
                tried = _try_step(step, f"steps[{index}]", facts, self.come_to)
                self.reached[place], facts, target = tried
                self._is_stopped = isinstance(step, StopStep)
                return facts, target

    def _has_ended(self, step_id: str, facts: Facts) -> bool:
        """Whether the goal or the exit condition holds where this step would begin, the goal first; as runs are asked."""
        if isinstance(self._places[step_id][1], ParallelStep | StopStep):
            return False
        for ending, condition in self._endings.items():
            explained = condition.explain(facts)
            is_met = explained["result"] is True
            if is_met or ending not in self.endings:
                said = f"is met before step {step_id!r}" if is_met else "is not met"
                self.endings[ending] = {
                    "ending": ending,
                    "met_before": step_id if is_met else None,
                    "explanation": explained,
                    "text": f"Its {ending} {said}: {explained['text']}",
                }
            self._is_stopped = self._is_stopped or is_met
            if is_met:
                break
        return self._is_stopped

    def _begins_round(self, before: str | None, step_id: str) -> bool:
        """Count a round that begins with this step; False when it is one too many to be shown."""
        if self._circles is None or not self._circles.begins(before, step_id):
            return True
        circle = self._circles.on[step_id]
        number = self._rounds[circle] = self._rounds.get(circle, 0) + 1
        if number > ROUNDS_TRIED:
            last = self.reached[next(reversed(self.reached))]
            last["text"] += f"; and so on: the steps go round again from {step_id!r}, {ROUNDS_TRIED} rounds are shown"
        return number <= ROUNDS_TRIED

    def _place(self, step_id: str) -> str:
        circle = self._circles.around.get(step_id) if self._circles is not None else None
        return step_id if circle is None else round_place(step_id, self._rounds[circle])

    def _for_each(self, step: ForEachStep, at: str, facts: Facts) -> None:
        """The list as far as it is known, and what would be done for its first item."""
        entry = self.reached[step.id] = _entry(step, "for_each", f"would {describe_step(step)}")
        try:
            items: Any = compile_template(step.items, f"{at}.for_each").render(facts)
        except TemplateError as error:
            entry["problems"] = [{"path": error.path, "message": str(error), "code": error.code}]
            return
        if not isinstance(items, list):
            said = "must give a list, not " + ("nothing" if items is None else f"{items!r:.40}")
            entry["problems"] = [{"path": f"{at}.for_each", "message": said, "code": "not_a_list"}]
            return
        listed = cast("list[Any]", items)
        entry["text"] = f"would {describe_step(step.each)} for each of {len(listed):,} items"
        if listed:
            inner = msgspec.structs.replace(facts, data={**facts.data, "item": listed[0], "index": 0})
            each = step.each
            if isinstance(each, CallStep):
                tried = self._called(each, at, inner)
            else:
                tried = _try_action(each, at, inner, self.come_to, self._actions)
                _with_output(tried, step.id, f"{at}.with", inner, self._trials)
            entry |= {name: tried[name] for name in ("action", "arguments", "problems", "output") if name in tried}

    def _called(self, step: CallStep, at: str, facts: Facts) -> dict[str, Any]:
        """What it would hand on; what the other automation would do is not asked."""
        entry = _entry(step, "call", f"would {describe_step(step)}" + ("; as if it ended at once" * step.is_awaited))
        try:
            template = compile_template(step.data, f"{at}.with")
            entry["problems"] = _unknown_outputs(template.paths, self.come_to, f"{at}.with", facts)
            entry["arguments"] = template.render(facts)
        except TemplateError as error:
            entry["problems"] = [{"path": error.path, "message": str(error), "code": error.code}]
        return entry

    def _fork(self, step: ParallelStep, step_id: str, facts: Facts) -> Facts:
        """Every branch from the same instant on; the join is met when as many have ended as it needs."""
        self.reached[step.id] = _entry(step, "fork", f"would {describe_step(step)}")
        ends = sorted(self.go(head, step.next, facts, step_id).now for head in step.branches if not self._is_stopped)
        if self._is_stopped:
            return facts
        return msgspec.structs.replace(facts, now=ends[step.needed - 1])


def _cancel(one: CancelOn, at: str, facts: Facts) -> dict[str, Any]:
    """The events that would cancel a run of these facts: `{event, match, text, problems}`."""
    entry: dict[str, Any] = {"event": one.event, "match": one.match, "problems": []}
    try:
        entry["match"] = compile_template(one.match, at).render(facts)
        fields = fields_of(one.match)
        key_of(fields, [entry["match"][field] for field in fields])
        entry["text"] = f"It would be cancelled by {event_words(one.event, entry['match'])}"
    except TemplateError as error:
        entry["problems"] = [{"path": error.path, "message": str(error), "code": error.code}]
    except Unmatchable as error:
        entry["problems"] = [{"path": at, "message": str(error), "code": "never_matches"}]
    entry.setdefault("text", f"No {one.event} would cancel it: what it must match has no value here")
    return entry


def _try_step(
    step: BranchStep | DelayStep | StopStep, at: str, facts: Facts, before: set[str]
) -> tuple[dict[str, Any], Facts, str | None]:
    match step:
        case BranchStep():
            condition = compile_condition(step.condition, f"{at}.branch")
            holds = condition.fast(facts)
            target = step.if_true if holds else step.if_false
            entry = _entry(
                step,
                "branch",
                f"{'holds' if holds else 'does not hold'}: goes to {target or 'the end'}",
            )
            entry["explanation"] = condition.explain(facts)
            entry["problems"] = _unknown_outputs(condition.paths, before, f"{at}.branch", facts)
            return entry, facts, target
        case DelayStep():
            return _try_delay(step, at, facts)
        case StopStep():
            return _entry(step, "stop", describe_step(step)), facts, None


def _try_action(
    step: ActionStep,
    at: str,
    facts: Facts,
    before: set[str],
    actions: Mapping[str, ActionShape] | None,
) -> dict[str, Any]:
    entry = _entry(step, "perform", f"would {describe_step(step)}")
    problems: list[Problem] = []
    shape = actions.get(step.action) if actions is not None else None
    try:
        template = argument_template(shape, step.arguments, f"{at}.with")
        problems += [Problem(**problem) for problem in _unknown_outputs(template.paths, before, f"{at}.with", facts)]
        entry["arguments"] = template.render(facts)
        if shape is not None and not problems:
            problems += argument_problems(shape, entry["arguments"], f"{at}.with", rendered=True)
    except TemplateError as error:
        problems.append(
            Problem(
                error.path,
                f"{error.placeholder} could not be rendered: {error.reason}",
                error.code,
            )
        )
    if actions is not None and shape is None:
        problems.append(unknown_action(step.action, actions, f"{at}.action"))
    entry["problems"] = [msgspec.to_builtins(problem) for problem in problems]
    return entry


def _with_output(entry: dict[str, Any], step_id: str, at: str, facts: Facts, trials: Mapping[str, Trial]) -> Facts:
    """The facts with what this action gives, if it has no effects and its arguments are known."""
    trial = trials.get(entry["action"])
    if trial is None or entry["problems"]:
        return facts
    try:
        entry["output"] = trial(entry["arguments"])
    except (ActionError, Refused, Busy) as error:
        entry["problems"] = [{"path": at, "message": f"would fail: {error}", "code": error.code}]
        return facts
    entry["text"] += ", which has no effects: it was done, and its output is here"
    return msgspec.structs.replace(facts, steps={**facts.steps, step_id: {"output": entry["output"]}})


def _try_delay(step: DelayStep, at: str, facts: Facts) -> tuple[dict[str, Any], Facts, str | None]:
    entry = _entry(step, "sleep", f"would {describe_step(step)}")
    try:
        rendered = compile_template(step.delay, f"{at}.delay").render(facts)
        due = due_at(rendered, facts, facts.now, f"{at}.delay")
    except TemplateError as error:
        entry["problems"] = [{"path": error.path, "message": str(error), "code": error.code}]
        return entry, facts, step.next
    except Refused as refused:
        entry["problems"] = [msgspec.to_builtins(problem) for problem in refused.problems]
        return entry, facts, step.next
    entry["due_at"] = to_text(due)
    entry["text"] = f"would wait {duration_words(due - facts.now)}, until {entry['due_at']}"
    return entry, msgspec.structs.replace(facts, now=due), step.next


def _entry(step: Step, would: str, text: str) -> dict[str, Any]:
    action = step.action if isinstance(step, ActionStep) else None
    return {
        "id": step.id, "step_id": step.id, "name": step.name, "kind": kind_of(step), "action": action, "arguments": None,
        "would": would, "text": text, "problems": [],
    }  # fmt: skip


def _unknown_outputs(paths: frozenset[str], before: set[str], at: str, facts: Facts) -> list[dict[str, str]]:
    """The paths that read what a step gives, where it was not tried."""
    read = {path: compile_path(path) for path in paths}
    reads = sorted(text for text, path in read.items() if path.root == "steps" and not _is_known(path.segments, facts))
    said = "what a step gives is not known before it ran" if before else "no step ran before it"
    return [
        {
            "path": at,
            "message": f"{path} is blank here: {said}",
            "code": "output_not_known",
        }
        for path in reads
    ]


def _is_known(segments: tuple[str | int, ...], facts: Facts) -> bool:
    return not segments or segments[0] in facts.steps
