"""Any understood shape of an automation, made canonical.

Understood are the shapes of the systems that automations are imported from (bare lists of `{type, args}` actions,
`{id, type, action, condition, delay, nextSteps}` steps, triggers with conditions, camelCase keys, single-brace
placeholders) beside the canonical one, which stays as it is. Nothing is dropped or guessed in silence: each reading
that is not plain is noted, and what is not understood is refused by its path.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec

from upshot.core.automations.action_shape import ActionShape
from upshot.core.automations.cancel_on import canonical_cancel_on
from upshot.core.automations.fields import ABSENT, Fields, Findings, as_list, as_object, snake
from upshot.core.automations.import_steps import StepReader
from upshot.core.automations.import_trigger import read_trigger
from upshot.core.automations.limits import DOCUMENT_BYTES_MAX, PRIORITY_DEFAULT
from upshot.core.automations.validation import FIELDS, examine
from upshot.core.conditions import RUNS_ON_EVERY_EVENT, always_holds
from upshot.core.conditions import normalise as normalise_condition
from upshot.core.errors import Refused
from upshot.core.queues import QUEUE

_BOOKKEEPING: Final = (
    "id", "_id", "uuid", "key", "version", "revision", "created_at", "updated_at", "deleted_at", "created_by",
    "updated_by", "tenant_id", "practice_id", "organization_id", "organisation_id", "account_id", "shop_id", "store_id",
    "site_id", "clinic_id", "order_index", "run_count", "execution_count", "success_count", "failure_count",
    "success_rate", "last_run", "last_run_at", "last_executed", "last_executed_at", "draft_revision",
    "has_draft_changes", "icon", "is_template", "metadata",
)  # fmt: skip
_CONDITION_NAMES: Final = (
    "condition",
    "conditions",
    "trigger_conditions",
    "trigger_condition",
)
_ACTIVE: Final = frozenset({"active", "enabled", "live", "published", "on"})
_NOT_ACTIVE: Final = frozenset({"draft", "inactive", "disabled", "paused", "off"})


def normalise(
    document: Any, *, actions: Mapping[str, ActionShape], imported: bool = False
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The canonical document, and notes `{path, message}` of what was understood how.

    With `imported`, fields that another system keeps for itself (ids, owners, counters) are left out with a note;
    without, they are unknown fields. Normalising a canonical document changes nothing.

    Raises:
        Refused: with every problem of shape and of meaning at once, at the paths of the document as it was given.
    """
    canonical, findings = inspect(document, actions=actions, imported=imported)
    if findings.problems or canonical is None:
        raise Refused(findings.problems)
    return canonical, findings.notes


def inspect(
    document: Any, *, actions: Mapping[str, ActionShape], imported: bool = False
) -> tuple[dict[str, Any] | None, Findings]:
    """Like `normalise`, but never raises: the canonical document as far as it could be read, and the findings."""
    findings = Findings()
    given = as_object(document)
    if given is None:
        findings.problem("", "an automation is an object with text keys", "wrong_type")
        return None, findings
    try:
        size = len(msgspec.json.encode(given))
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        findings.problem("", f"is not JSON: {error}", "not_json")
        return None, findings
    if size > DOCUMENT_BYTES_MAX:
        findings.problem(
            "",
            f"is {size:,} bytes long; a document has at most {DOCUMENT_BYTES_MAX:,}",
            "too_large",
        )
        return None, findings
    canonical = _read_document(given, actions, findings, imported=imported)
    findings.add_translated(examine(canonical, actions=actions)[1])
    return canonical, findings


def _read_document(
    given: dict[str, Any],
    actions: Mapping[str, ActionShape],
    findings: Findings,
    *,
    imported: bool,
) -> dict[str, Any]:
    fields = Fields(given, "", findings)
    canonical: dict[str, Any] = {}
    name, path = fields.take_with_path("name", "title", "label")
    findings.came_from("name", path)
    canonical["name"] = "" if name is ABSENT else name
    description = fields.take("description")
    if description not in (ABSENT, None, ""):
        canonical["description"] = description
    canonical["trigger"], conditions = read_trigger(fields, findings, imported=imported)
    priority = fields.take("priority")
    canonical["priority"] = PRIORITY_DEFAULT if priority in (ABSENT, None) else priority
    canonical["condition"] = _read_conditions(fields, conditions, findings)
    canonical["steps"] = _read_steps(fields, actions, findings)
    for option in ("on_failure", "timeout"):
        given_option = fields.take(option)
        if given_option not in (ABSENT, None):
            canonical[option] = given_option
    folder = fields.take("folder", "category", "group") if imported else fields.take("folder")
    if folder not in (ABSENT, None, ""):
        canonical["folder"] = folder
    tags = fields.take("tags", "labels") if imported else fields.take("tags")
    if tags not in (ABSENT, None, []):
        canonical["tags"] = tags
    flow = fields.take("flow")
    if flow not in (ABSENT, None, {}):
        canonical["flow"] = _read_flow(flow)
    queue = fields.take("queue")
    if queue not in (ABSENT, None, "", QUEUE):
        canonical["queue"] = queue
    cancel_on, path = fields.take_with_path("cancel_on")
    if cancel_on not in (ABSENT, None, []):
        findings.came_from("cancel_on" if isinstance(cancel_on, list) else "cancel_on[0]", path)
        canonical["cancel_on"] = canonical_cancel_on(cancel_on)
    _read_endings(fields, canonical, findings)
    if _read_status(fields, findings):
        canonical["status"] = "active"
    if imported:
        fields.leave_out(_BOOKKEEPING, "left out: the engine keeps its own")
    fields.refuse_rest(FIELDS)
    return canonical


def _read_endings(fields: Fields, canonical: dict[str, Any], findings: Findings) -> None:
    for name in ("goal", "exit"):
        value, path = fields.take_with_path(name)
        if value in (ABSENT, None, [], {}):
            continue
        try:
            canonical[name] = normalise_condition(value, path)
        except Refused as refused:
            findings.problems.extend(refused.problems)
        else:
            if always_holds(canonical[name]):
                said = "holds always, so no step would ever begin; leave it out, or say when a run is to end"
                findings.problem(path, said, "bad_condition")
        findings.came_from(name, path)


def _read_conditions(fields: Fields, others: list[tuple[Any, str]], findings: Findings) -> dict[str, Any] | None:
    found = list(others)
    for name in _CONDITION_NAMES:
        if name in fields:
            value, path = fields.take_with_path(name)
            if name != "condition":
                findings.note(path, "read as `condition`")
            found.append((value, path))
    read: list[dict[str, Any]] = []
    for value, path in found:
        if value in (None, [], {}):
            continue
        try:
            read.append(normalise_condition(value, path))
        except Refused as refused:
            findings.problems.extend(refused.problems)
        findings.came_from("condition", path)
    read = [condition for condition in read if not always_holds(condition)]
    if not read and not findings.problems and (empty := [path for value, path in found if value is not None]):
        findings.note(empty[0], RUNS_ON_EVERY_EVENT)
    if len(read) > 1:
        findings.note(
            found[0][1],
            "and the other conditions must all hold: joined into one `condition`",
        )
        return normalise_condition({"combinator": "and", "rules": [_anonymous(each) for each in read]}, "condition")
    return read[0] if read else None


def _anonymous(condition: Any) -> Any:
    # Each of the joined conditions numbered its parts from one; joined, they are numbered anew.
    if isinstance(condition, list):
        return [_anonymous(item) for item in cast("list[Any]", condition)]
    if isinstance(condition, dict):
        fields = cast("dict[str, Any]", condition)
        return {
            name: part if name == "value" else _anonymous(part)
            for name, part in fields.items()
            if name not in ("id", "v")
        }
    return condition


def _read_steps(fields: Fields, actions: Mapping[str, ActionShape], findings: Findings) -> list[dict[str, Any]]:
    steps, path = fields.take_first_set("steps")
    if "actions" in fields:
        listed, listed_path = fields.take_with_path("actions")
        if steps is ABSENT or (steps == [] and listed):
            steps, path = listed, listed_path
            findings.note(path, "read as `steps`: one action after the other")
        elif listed:
            findings.problem(
                listed_path,
                "an automation holds `steps` or a list of `actions`, not both",
                "unknown_field",
            )
    findings.came_from("steps", path)
    if steps is ABSENT:
        return []
    items = as_list(steps)
    if items is None:
        findings.problem(path, "must be a list of steps", "wrong_type")
        return []
    return StepReader(actions, findings).read(items, path)


def _read_flow(flow: Any) -> Any:
    """Its fields in snake_case; `max` and the like that are null are left out."""
    given = as_object(flow)
    if given is None:
        return flow
    read: dict[str, Any] = {}
    for name, value in given.items():
        fields = as_object(value)
        if fields is not None:
            value = {snake(key): part for key, part in fields.items() if part is not None}  # noqa: PLW2901 - it is read
        if value is not None:
            read[snake(name)] = value
    return read


def _read_status(fields: Fields, findings: Findings) -> bool:
    is_active = False
    status, path = fields.take_with_path("status")
    if isinstance(status, str) and status.lower() in _ACTIVE:
        is_active = True
        if status != "active":
            findings.note(path, 'read as "active"')
    elif isinstance(status, str) and status.lower() in _NOT_ACTIVE:
        findings.note(path, "it stays a draft until it is published")
    elif status not in (ABSENT, None):
        findings.problem(path, 'must be "active" or "draft"', "bad_status")
    enabled, path = fields.take_with_path("enabled", "is_active", "is_enabled", "active")
    if enabled is True:
        findings.note(path, 'read as "status": "active"')
        return True
    if enabled is False:
        findings.note(path, "it stays a draft until it is published")
        return False
    if enabled not in (ABSENT, None):
        findings.problem(path, "must be true or false", "wrong_type")
    return is_active
