"""The steps of an automation in every understood shape, made canonical one by one."""

import copy
from collections.abc import Mapping
from typing import Any, Final, cast

from upshot.core.automations.action_shape import ActionShape
from upshot.core.automations.aliases import delay_of
from upshot.core.automations.arguments import argument_problems
from upshot.core.automations.fields import (
    ABSENT,
    Fields,
    Findings,
    as_list,
    as_object,
    snake,
)
from upshot.core.automations.import_delay import read_delay, take_delay
from upshot.core.automations.import_graph import Draft, link, unfold, unused_id
from upshot.core.automations.step_options import leave_out_options, read_options
from upshot.core.automations.steps import STEP_COMMON, STEP_FIELDS
from upshot.core.automations.wait_steps import read_match
from upshot.core.conditions import normalise as normalise_condition
from upshot.core.errors import Refused
from upshot.core.templates import import_braces

_ACTION_KINDS: Final = frozenset({"action", "automation"})
_BRANCH_KINDS: Final = frozenset({"condition", "branch", "if", "decision"})
_DELAY_KINDS: Final = frozenset({"delay", "wait", "sleep"})
_STOP_KINDS: Final = frozenset({"stop", "end", "exit"})
_NOT_YET: Final = (
    "wait",
    "parallel",
    "for_each",
    "foreach",
    "loop",
    "task",
    "split",
)
_OWN_KINDS: Final = ("for_each", "call", "parallel", "split", "wait_for_event")
"""Kinds that no other system writes in another way; what is called for each item of a list is of the first."""
_ARGUMENTS: Final = (
    "args",
    "arguments",
    "params",
    "parameters",
    "config",
    "action_config",
)
_ORDERS: Final = ("order_index", "order", "sort_order", "step_order")


class StepReader:
    """Reads a list of steps or actions, in any mix of shapes."""

    def __init__(self, actions: Mapping[str, ActionShape], findings: Findings) -> None:
        self._actions = actions
        self._findings = findings
        self._taken: set[str] = set()

    def read(self, items: list[Any], path: str) -> list[dict[str, Any]]:
        """The canonical steps; each one's problems and origin go to the findings."""
        ordered = self._in_order(items, path)
        given = [as_object(item) for _, item in ordered]
        self._taken = {str(item["id"]) for item in given if item and isinstance(item.get("id"), str | int)}
        drafts = [self._read_item(item, f"{path}[{index}]") for index, item in ordered]
        if not drafts:
            return []
        drafts = unfold(link(drafts, self._findings), self._findings)
        for index, draft in enumerate(drafts):
            self._findings.came_from(f"steps[{index}]", draft.at)
            for name, origin in draft.origins.items():
                self._findings.came_from(f"steps[{index}].{name}", origin)
        return [draft.document() for draft in drafts]

    def _in_order(self, items: list[Any], path: str) -> list[tuple[int, Any]]:
        numbered = list(enumerate(items))
        orders: list[float] = []
        for item in items:
            found = [value for key, value in (as_object(item) or {}).items() if snake(key) in _ORDERS]
            if len(found) != 1 or isinstance(found[0], bool) or not isinstance(found[0], int | float):
                return numbered
            orders.append(found[0])
        ranked = [pair for _, pair in sorted(zip(orders, numbered, strict=True), key=lambda both: both[0])]
        if ranked != numbered:
            self._findings.note(path, "put in the order of their order fields")
        return ranked

    def _read_item(self, item: Any, at: str) -> Draft:
        if isinstance(item, str):
            self._findings.note(at, "read as an action without arguments")
            item = {"action": item}
        given = as_object(item)
        if given is None:
            self._findings.problem(at, "a step is an object", "wrong_type")
            given = {"delay": "0s"}
        fields = Fields(given, at, self._findings)
        kind, kind_path = fields.take_first_set("type", "kind", "step_type")
        if kind is not ABSENT:
            fields.drop_nulls()
        fields.leave_out(_ORDERS, "the order of the list is the order of the steps")
        fields.leave_out(("position", "x", "y", "ui"), "left out: where a step is drawn is not data")
        self._check_enabled(fields)
        draft = self._read_kind(kind, kind_path, fields, at)
        self._read_flow(draft, fields)
        fields.refuse_rest((*STEP_COMMON, *STEP_FIELDS[draft.kind]))
        return draft

    def _read_kind(self, kind: Any, kind_path: str, fields: Fields, at: str) -> Draft:
        if kind is ABSENT or (kind in _OWN_KINDS and kind in fields):
            return self._read_plain(fields, at)
        if not isinstance(kind, str):
            self._findings.problem(kind_path, "must be a text", "wrong_type")
            return self._failed(fields, at)
        word = snake(kind)
        if kind not in self._actions:
            if word in _ACTION_KINDS:
                return self._read_action(None, kind_path, fields, at)
            if word in _BRANCH_KINDS:
                return self._read_branch(fields, at, "condition", "conditions", "branch", *_ARGUMENTS)
            if word in _DELAY_KINDS:
                return self._read_delay_kind(fields, at)
            if word in _STOP_KINDS:
                return self._read_stop(fields, at, *_ARGUMENTS)
            if word in _NOT_YET:
                self._findings.problem(
                    kind_path,
                    f"a step of type {kind!r} is not available yet",
                    "not_available",
                )
                return self._failed(fields, at)
        return self._read_action(kind, kind_path, fields, at)

    def _read_plain(self, fields: Fields, at: str) -> Draft:
        own = next((name for name in _OWN_KINDS if name in fields), None)
        if own is not None:
            return self._read_own(own, fields, at)
        late = [name for name in _NOT_YET if name in fields]
        fields.refuse(late, "this kind of step is not available yet", "not_available")
        kinds = [name for name in ("action", "branch", "delay", "stop") if name in fields]
        if "action_type" in fields and not kinds:
            return self._read_action(None, at, fields, at)
        if late or len(kinds) != 1:
            if not late:
                said = f"; this one has {' and '.join(kinds)}" if kinds else ""
                self._findings.problem(
                    at,
                    f"a step is one of action, branch, call, delay, for_each, parallel, split, stop or wait_for_event{said}",
                    "bad_step",
                )
            return self._failed(fields, at)
        if kinds[0] == "action":
            return self._read_action(None, at, fields, at)
        if kinds[0] == "branch":
            return self._read_branch(fields, at, "branch")
        if kinds[0] == "stop":
            return self._read_stop(fields, at, "stop")
        value, path = fields.take_with_path("delay")
        return self._draft(
            "delay",
            fields,
            at,
            {"delay": read_delay(value, path, self._findings)},
            {"delay": path},
        )

    def _read_action(self, kind: str | None, kind_path: str, fields: Fields, at: str) -> Draft:
        name, name_path = (kind, kind_path) if kind is not None else fields.take_first_set("action", "action_type")
        inner = as_object(name)
        source = fields
        if inner is not None:
            source = Fields(inner, name_path, self._findings)
            name, name_path = source.take_first_set("type", "action", "name", "action_type")
        if not isinstance(name, str):
            self._findings.problem(name_path, "must be the name of an action", "bad_step")
            name = ""
        named = self._known_name(name, name_path)
        literals = self._actions[named].literals if named in self._actions else frozenset[str]()
        arguments, path = self._take_arguments(source, at, literals)
        if arguments is ABSENT and source is not fields:
            arguments, path = self._take_arguments(fields, at, literals)
        origins: dict[str, str] = {}
        options = read_options(fields, self._findings, origins)
        if source is not fields:
            options = read_options(source, self._findings, origins) | options
            source.refuse_rest(("type", "args"))
        guard, wait = (self._take_guard(fields), self._take_wait(fields)) if kind_path != at else (None, ABSENT)
        delay = delay_of(self._actions.get(named), arguments)
        if delay is not ABSENT:
            given: Any = {} if arguments is ABSENT else arguments
            refused = argument_problems(self._actions[named], given, path)
            self._findings.problems += refused
            delay = "0s" if refused else delay
            if options:
                self._findings.note(at, "a delay cannot fail: what it said about errors is left out")
            self._findings.note(at, f"{named!r} is a delay")
            return self._draft("delay", fields, at, {"delay": delay}, {"delay": path})
        body: dict[str, Any] = {"action": named, "with": {} if arguments is ABSENT else arguments}
        draft = self._draft(
            "action",
            fields,
            at,
            body,
            origins | {"action": name_path, "with": path},
            tail=options,
        )
        draft.guard, draft.wait = guard, wait
        return draft

    def _take_arguments(self, fields: Fields, at: str, literals: frozenset[str]) -> tuple[Any, str]:
        value, path = fields.take_first_set("with")
        if value is not ABSENT:
            return value, path
        value, path = fields.take_first_set(*_ARGUMENTS)
        if value is ABSENT:
            return ABSENT, f"{at}.with"
        changed = import_braces(value)
        if (given := as_object(value)) is not None:
            changed |= {name: given[name] for name in literals if name in given}
        if changed != value:
            self._findings.note(path, "{path} is read as {{ path }}")
        return changed, path

    def _known_name(self, name: str, path: str) -> str:
        if name in self._actions:
            return name
        if snake(name) in self._actions:
            self._findings.note(path, f"read as {snake(name)!r}")
            return snake(name)
        return name

    def _read_branch(self, fields: Fields, at: str, *names: str) -> Draft:
        value, path = fields.take_first_set(*names)
        given = as_object(value)
        if given is not None and set(given) <= {"condition", "conditions"} and len(given) == 1:
            inner = Fields(given, path, self._findings)
            value, path = inner.take_first_set("condition", "conditions")
        condition = self._condition(value, path)
        leave_out_options(fields, "left out: a branch cannot fail")
        return self._draft("branch", fields, at, {"branch": condition}, {"branch": path})

    def _condition(self, value: Any, path: str) -> dict[str, Any]:
        if value in (ABSENT, None, [], {}):
            self._findings.problem(path, "a branch needs a condition", "required")
            return {"combinator": "and", "rules": []}
        try:
            return normalise_condition(value, path)
        except Refused as refused:
            self._findings.problems.extend(refused.problems)
            return {"combinator": "and", "rules": []}

    def _read_delay_kind(self, fields: Fields, at: str) -> Draft:
        value, path = fields.take_first_set("delay", *_ARGUMENTS)
        if value is ABSENT:
            delay, path = take_delay(fields, self._findings), f"{at}.delay"
            if delay is ABSENT:
                self._findings.problem(path, "a delay says how long", "required")
                delay = "0s"
        else:
            delay = import_braces(read_delay(value, path, self._findings))
        leave_out_options(fields, "left out: a delay cannot fail")
        return self._draft("delay", fields, at, {"delay": delay}, {"delay": path})

    def _read_stop(self, fields: Fields, at: str, *names: str) -> Draft:
        value, path = fields.take_first_set(*names)
        given = as_object(value)
        reason = fields.take("reason")
        if given is not None:
            for name in given:
                if names == ("stop",) and name != "reason":
                    self._findings.problem(f"{path}.{name}", "is not known here; known is: reason", "unknown_field")
            reason = given.get("reason", ABSENT)
            value = True
        if value not in (ABSENT, True) and not isinstance(value, str):
            self._findings.problem(path, "must be true, or the reason as a text", "wrong_type")
        text = value if isinstance(value, str) and value else reason
        body = {"stop": text if text not in (ABSENT, None, "") else True}
        leave_out_options(fields, "left out: a stop cannot fail")
        return self._draft("stop", fields, at, body, {"stop": path})

    def _read_own(self, kind: str, fields: Fields, at: str) -> Draft:
        """A step of a kind that no other system writes in another way."""
        found = {name: fields.take_with_path(name) for name in STEP_FIELDS[kind] if name != "next"}
        body = {name: value for name, (value, _) in found.items() if value is not ABSENT}
        if "timeout" in body:
            body["timeout"] = read_delay(*found["timeout"], self._findings)
        if "match" in body:
            body["match"] = read_match(body["match"])
        if kind == "split":
            body["split"] = copy.deepcopy(body["split"])  # what is led elsewhere is not the given document's
        return self._draft(kind, fields, at, body, {name: path for name, (_, path) in found.items()})

    def _take_guard(self, fields: Fields) -> dict[str, Any] | None:
        value, path = fields.take_first_set("condition", "conditions")
        return None if value in (ABSENT, [], {}) else self._condition(value, path)

    def _take_wait(self, fields: Fields) -> Any:
        value, path = fields.take_first_set("delay")
        if value in (ABSENT, 0, "", "0"):
            return take_delay(fields, self._findings) if value is ABSENT else ABSENT
        return import_braces(read_delay(value, path, self._findings))

    def _failed(self, fields: Fields, at: str) -> Draft:
        # What could not be read stands in as an empty delay, so that the steps around it are still checked.
        draft = self._draft("delay", fields, at, {"delay": "0s"}, {})
        self._read_flow(draft, fields)
        fields.drop_all()
        return draft

    def _draft(
        self,
        kind: Any,
        fields: Fields,
        at: str,
        body: dict[str, Any],
        origins: dict[str, str],
        *,
        tail: Any = None,
    ) -> Draft:
        written, path = fields.take_first_set("id", "step_id")
        name = fields.take_first_set("name", "label", "title")[0]
        note = fields.take_first_set("note", "notes", "description", "comment")[0]
        if isinstance(written, int) and not isinstance(written, bool):
            self._findings.note(path, "read as a text")
            written = str(written)
        head = {} if name in (ABSENT, "") else {"name": name}
        end = dict(cast("dict[str, Any]", tail or {})) | ({} if note in (ABSENT, "") else {"note": note})
        if written not in (ABSENT, "") and not isinstance(written, str):
            self._findings.problem(path, "must be a text", "wrong_type")
            written = ABSENT
        if not isinstance(written, str) or not written:
            written = unused_id(snake(str(body.get("action") or kind))[:80], self._taken)
        return Draft(written, at, kind, head | body, end, origins={"id": path, **origins})

    def _read_flow(self, draft: Draft, fields: Fields) -> None:
        for name, others in {
            "next": ("next_step", "next_step_id", "next_id"),
            "if_true": ("on_true", "true_step", "true_path", "true_next"),
            "if_false": ("on_false", "false_step", "false_path", "false_next"),
        }.items():
            if name != "next" and draft.kind != "branch":
                continue
            if name == "next" and draft.kind in {"branch", "split", "stop"}:
                continue
            value, path = fields.take_with_path(name, *others)
            if value is not ABSENT:
                setattr(
                    draft,
                    name,
                    str(value) if isinstance(value, int) and not isinstance(value, bool) else value,
                )
                draft.origins[name] = path
        listed, path = fields.take_with_path("next_steps")
        if listed in (ABSENT, None):
            return
        targets = as_list(listed) if not isinstance(listed, str) else [listed]
        if targets is None or not all(isinstance(target, str | int) for target in targets):
            self._findings.problem(path, "must be a list of step ids", "wrong_type")
            return
        draft.next_steps = [str(target) for target in targets]
        draft.origins.update(dict.fromkeys(("next", "if_true", "if_false"), path))

    def _check_enabled(self, fields: Fields) -> None:
        enabled, path = fields.take_first_set("enabled", "is_active", "is_enabled")
        if enabled not in (ABSENT, True):
            self._findings.problem(
                path,
                "a step that is switched off is not available; take it out",
                "not_available",
            )
