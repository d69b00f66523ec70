"""Programs of any shape, and what their steps may come to."""

from typing import Any, Literal

from hypothesis import strategies as st

from upshot.core.automations.document import (
    ActionStep,
    Automation,
    BranchStep,
    CallStep,
    DelayStep,
    ForEachStep,
    OnError,
    ParallelStep,
    SplitStep,
    Step,
    StopStep,
)
from upshot.core.automations.flow import flow_problems
from upshot.core.commands import StepError
from upshot.core.journal import Outcome
from upshot.core.program import Program

ALWAYS: dict[str, Any] = {"combinator": "and", "rules": []}


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Any program without parallel steps, of up to eight steps: targets lie ahead, but for those of delays."""
    count = draw(st.integers(1, 8))
    steps: list[Step] = []
    for place in range(count):
        ahead = st.one_of(st.none(), st.integers(place + 1, count - 1).map(str)) if place + 1 < count else st.none()
        kind = draw(st.sampled_from(["action", "branch", "call", "delay", "stop"]))
        match kind:
            case "action":
                on_error: OnError = draw(st.sampled_from(("stop", "continue")))
                fails_to = draw(ahead) if on_error == "stop" else None
                steps.append(ActionStep(str(place), "log", {}, draw(ahead), on_error=on_error, on_failure=fails_to))
            case "branch":
                steps.append(BranchStep(str(place), ALWAYS, draw(ahead), draw(ahead)))
            case "call":
                passes: CallError = draw(st.sampled_from(("stop", "continue")))
                steps.append(call(str(place), draw(ahead), passes, is_awaited=draw(st.booleans())))
            case "delay":
                anywhere = st.integers(0, count - 1).map(str)
                steps.append(DelayStep(str(place), "1h", draw(ahead | anywhere)))
            case _:
                steps.append(StopStep(str(place)))
    return Program(Automation("any", "any/event", 5, None, tuple(steps)))


@st.composite
def forked_programs(draw: st.DrawFn) -> Program:
    """Any program of parallel steps in parallel steps, whose branches end at the join or by themselves, and of circles, which
    they may stand on or go along."""
    steps: list[Step] = []

    def path(depth: int, end: str | None) -> str:
        """Some steps in a row that end at `end`; the first one's id."""
        row = draw(st.lists(st.sampled_from(KINDS[: 6 + 2 * (depth < 2)]), min_size=1, max_size=3))
        ids = [f"{len(steps)}.{depth}.{place}" for place in range(len(row))]
        for place, kind in enumerate(row):
            after = ids[place + 1] if place + 1 < len(ids) else end
            if kind == "again":
                steps.append(DelayStep(ids[place], "1h", f"{ids[place]}?"))
                steps.append(BranchStep(f"{ids[place]}?", ALWAYS, draw(st.sampled_from(ids[: place + 1])), after))
            else:
                add(kind, ids[place], after, depth)
        return ids[0]

    def add(kind: str, step_id: str, after: str | None, depth: int) -> None:
        match kind:
            case "parallel":
                at = len(steps)
                steps.append(StopStep(step_id))  # its place, until its branches are known
                ends = st.sampled_from((after, None))
                heads = tuple(path(depth + 1, draw(ends)) for _ in range(draw(st.integers(2, 3))))
                join = draw(st.sampled_from(("all", "any", 1, len(heads))))
                timeout = draw(st.sampled_from((None, "1h")))
                steps[at] = ParallelStep(step_id, heads, after, join, timeout)
            case "delay":
                steps.append(DelayStep(step_id, "1h", after))
            case "for_each":
                passes_over: CallError = draw(st.sampled_from(("stop", "continue")))
                each: ActionStep | CallStep = ActionStep(step_id, "log", {}, None, on_error=passes_over)
                if draw(st.booleans()):
                    each = call(step_id, None, passes_over, is_awaited=draw(st.booleans()))
                steps.append(ForEachStep(step_id, "{{ items }}", each, after, draw(st.integers(1, 3))))
            case "call":
                stops: CallError = draw(st.sampled_from(("stop", "continue")))
                steps.append(call(step_id, after, stops, is_awaited=draw(st.booleans())))
            case "stop" if depth and draw(st.booleans()):
                steps.append(StopStep(step_id))
            case _:
                on_error: OnError = draw(st.sampled_from(("stop", "continue")))
                steps.append(ActionStep(step_id, "log", {}, after, on_error=on_error))

    path(0, None)
    on_failure = path(0, None) if draw(st.booleans()) else None
    program = Program(Automation("any", "any/event", 5, None, tuple(steps), on_failure=on_failure))
    problems = flow_problems(steps, {step.id: step.id for step in steps}, on_failure)
    assert [p for p in problems if p.code not in {"join_never_met", "unreachable"}] == []
    return program


KINDS = ("action", "delay", "for_each", "call", "action", "again", "parallel", "stop")
CallError = Literal["stop", "continue"]


def call(step_id: str, after: str | None, on_error: CallError, *, is_awaited: bool) -> CallStep:
    """A call of some automation."""
    return CallStep(step_id, "other", {}, after, is_awaited, on_error=on_error)


def outcome_of(program: Program, step_id: str, *, works: bool) -> Outcome:
    """What a step comes to, by luck."""
    step = program.steps[step_id]
    if isinstance(step, BranchStep):
        return Outcome(step_id, "completed", {"result": works})
    if isinstance(step, SplitStep):
        return Outcome(step_id, "completed", {"path": 0 if works else len(step.paths) - 1})
    if isinstance(step, ParallelStep):
        return Outcome(step_id, "failed", error=StepError("timeout", "It took too long.", step_id))
    if isinstance(step, ForEachStep) and works:
        return Outcome(step_id, "completed", {"items": ["item"] * (len(program.steps) % 4)})
    if isinstance(step, DelayStep) or works:
        return Outcome(step_id, "completed", {"n": 1})
    return Outcome(step_id, "failed", error=StepError("raised", "it broke", step_id))
