"""Steps with several paths, read and checked: parallel steps and splits."""

from typing import Any

from upshot.core.automations.document import ParallelStep, SplitPath, SplitStep
from upshot.core.automations.durations import limit_problems
from upshot.core.automations.fields import as_list, as_object
from upshot.core.automations.limits import (
    BRANCHES_MAX,
    BRANCHES_MIN,
    NAME_CHARACTERS_MAX,
    PATHS_MAX,
    PATHS_MIN,
    WEIGHT_MAX,
)
from upshot.core.errors import Problem
from upshot.core.field_problems import number_problems, template_problems, text_problems


def read_parallel(
    given: dict[str, Any], at: str, common: dict[str, Any], problems: list[Problem]
) -> ParallelStep | None:
    """A parallel step, its problems added."""
    listed = as_list(given["parallel"])
    heads = [head for head in listed or [] if isinstance(head, str)]
    found: list[Problem] = []
    if listed is None or len(heads) != len(listed):
        found.append(Problem(f"{at}.parallel", "must be a list of the ids of each branch's first step", "wrong_type"))
    elif not BRANCHES_MIN <= len(heads) <= BRANCHES_MAX:
        said = f"must name from {BRANCHES_MIN} to {BRANCHES_MAX} branches, not {len(heads)}"
        found.append(Problem(f"{at}.parallel", said, "out_of_range"))
    elif len(set(heads)) < len(heads):
        found.append(Problem(f"{at}.parallel", "names a step twice", "duplicate_id"))
    if "next" not in given:
        found.append(
            Problem(f"{at}.next", "is needed: the step where the branches join, or null for the end", "required")
        )
    elif given["next"] in heads:
        found.append(Problem(f"{at}.next", "is also the first step of a branch", "crosses_branches"))
    found += _join_problems(given.get("join", "all"), len(heads), f"{at}.join")
    timeout = given.get("timeout")
    if timeout is not None:
        found += template_problems(timeout, f"{at}.timeout") or limit_problems(timeout, f"{at}.timeout")
    elif given.get("on_timeout") is not None:
        found.append(Problem(f"{at}.timeout", "is needed where `on_timeout` is given", "required"))
    problems += found
    if found:
        return None
    join, on_timeout = given.get("join", "all"), given.get("on_timeout")
    return ParallelStep(**common, branches=tuple(heads), join=join, timeout=timeout, on_timeout=on_timeout)


def _join_problems(join: Any, branches: int, at: str) -> list[Problem]:
    if join in ("all", "any"):
        return []
    if isinstance(join, bool) or not isinstance(join, int):
        return [Problem(at, f"must be all, any, or how many branches must end, not {join!r:.40}", "bad_option")]
    if not 1 <= join <= branches:
        said = f"can never be met: {join} of {branches} branches"
        return [Problem(at, said, "join_never_met")]
    return []


def read_split(given: dict[str, Any], at: str, common: dict[str, Any], problems: list[Problem]) -> SplitStep | None:
    """A split, its problems added."""
    listed = as_list(given["split"])
    if listed is None or not PATHS_MIN <= len(listed) <= PATHS_MAX:
        said = f'must be a list of {PATHS_MIN} to {PATHS_MAX} paths, each as {{"weight": 50, "next": "step"}}'
        problems.append(Problem(f"{at}.split", said, "wrong_type"))
        return None
    found: list[Problem] = []
    paths: list[SplitPath] = []
    for index, item in enumerate(listed):
        path, path_at = as_object(item) or {}, f"{at}.split[{index}]"
        known = ("weight", "next", "name")
        said = f"is not a field of a path; known are: {', '.join(known)}"
        found += [Problem(f"{path_at}.{name}", said, "unknown_field") for name in path if name not in known]
        found += number_problems(path.get("weight"), f"{path_at}.weight", 0, WEIGHT_MAX)
        found += text_problems(path.get("name", ""), f"{path_at}.name", NAME_CHARACTERS_MAX)
        if "next" not in path:
            found.append(Problem(f"{path_at}.next", "is needed: the id of a step, or null for the end", "required"))
        elif not isinstance(path["next"], str | None):
            found.append(Problem(f"{path_at}.next", "must be the id of a step, or null for the end", "wrong_type"))
        if not found:
            paths.append(SplitPath(path["weight"], path["next"], path.get("name", "")))
    if not found and not sum(path.weight for path in paths) > 0:
        found.append(Problem(f"{at}.split", "needs a weight above nothing", "out_of_range"))
    problems += found
    return None if found else SplitStep(**common, paths=tuple(paths))
