"""Why a run took the way it took: which path a split drew, what a join waited for, and what led elsewhere than to a step that
was not done. A branch keeps its own explanation."""

from collections.abc import Mapping
from typing import Any

from upshot.core.automations.document import ParallelStep, SplitStep, Step
from upshot.core.automations.fields import as_list, as_object
from upshot.core.automations.regions import edges_of
from upshot.core.journal import Outcome
from upshot.core.program import Program


def explain_paths(shown: list[dict[str, Any]], program: Program, outcomes: Mapping[str, Outcome], about: str) -> None:
    """Give each of these steps that has no explanation the one of its way, where there is one to give. Splits are drawn for
    `about`; `outcomes` are the latest of each step."""
    for one in shown:
        step = program.steps.find(one["id"])
        if step is None or one["explanation"] is not None:
            continue
        text = None
        if one["status"] == "completed":
            text = _taken(step, as_object(one["output"]) or {}, about)
        elif one["status"] == "skipped" and program.base(step.id) not in outcomes:
            text = _skipped(step.id, program, outcomes)
        if text is not None:
            one["explanation"] = {"text": text}


def _taken(step: Step, output: dict[str, Any], about: str) -> str | None:
    match step:
        case SplitStep():
            place = output.get("path")
            if not isinstance(place, int) or not 0 <= place < len(step.paths):
                return None
            path, total = step.paths[place], sum(one.weight for one in step.paths)
            named = f"“{path.name}”" if path.name else f"path {place + 1}"
            return f"Took {named}, {path.weight:g} of {total:g} by lot, drawn for {about}: {_leads(path.next)}."
        case ParallelStep():
            joined, failed = as_list(output.get("joined")) or [], as_list(output.get("failed")) or []
            lost = f", {_listed(failed)} failed" if failed else ""
            return f"Went on when {step.needed} of {len(step.branches)} branches had ended: {_listed(joined)}{lost}."
        case _:
            return None


def _skipped(step_id: str, program: Program, outcomes: Mapping[str, Outcome]) -> str:
    """What could have led to the step, was done, and went elsewhere."""
    before = [step for step in program.automation.steps if any(to == step_id for _, to in edges_of(step))]
    done = [step for step in before if step.id in outcomes]
    if not before:
        return "Not done: it is where the run would have gone after a failure."
    if not done:
        return f"Not done: what leads to it was not done either ({_listed([step.id for step in before])})."
    said = [f"“{step.id}” {_went(step, outcomes[step.id])}" for step in done]
    return f"Not done: {', '.join(said)} and did not lead here."


def _went(step: Step, outcome: Outcome) -> str:
    output = as_object(outcome.output) or {}
    if outcome.status == "completed" and "result" in output:
        return "was true" if output["result"] else "was not true"
    if outcome.status == "completed" and isinstance(step, SplitStep):
        return "took another path"
    return {"completed": "was done"}.get(outcome.status, f"ended as {outcome.status}")


def _leads(target: str | None) -> str:
    return f"it leads to “{target}”" if target is not None else "the end"


def _listed(names: list[Any]) -> str:
    return ", ".join(f"“{name}”" for name in names) or "none"
