"""What automations call: written by id or by name, kept by id, and told by name where a document goes elsewhere."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.core.automations import ActionShape, CallStep, ForEachStep, cycles, read
from upshot.core.errors import Conflict, Problem, Refused
from upshot.store import automations as store
from upshot.store.automations import Named

ActionShapes = Mapping[str, ActionShape]

IS_CALLED = "is_called"
CALLERS_SHOWN = 5


class Beside(msgspec.Struct, frozen=True):
    """An automation that comes in the same import: its id, and whether there will be something to run."""

    id: str
    will_run: bool


def calls_any(document: Mapping[str, Any]) -> bool:
    """Whether this canonical document has a step that calls."""
    return any("call" in step for step in document["steps"])


def resolved(
    connection: Connection,
    tenant_id: str,
    document: dict[str, Any],
    automation_id: str,
    beside: Mapping[str, Beside],
) -> tuple[dict[str, Any], list[Problem]]:
    """The document of this automation with the id of each that it calls, and what is wrong with what it calls. A name is looked
    for `beside` it first, among what comes in the same import."""
    wanted = sorted({step["call"] for step in document["steps"] if "call" in step} - beside.keys())
    found = store.named(connection, tenant_id, wanted)
    ids: dict[str, str] = {}
    problems: list[Problem] = []
    for index, step in enumerate(document["steps"]):
        if "call" not in step:
            continue
        called, at = step["call"], f"steps[{index}].call"
        if called in beside:
            ids[called] = beside[called].id
            if document.get("status") == "active" and not beside[called].will_run:
                said = f"“{called}” comes with it and does not become active, so there would be nothing to run"
                problems.append(Problem(at, said, "not_callable"))
            continue
        known = _meant(called, found)
        if len(known) == 1:
            ids[called] = known[0].id
            why = _wrong(known[0]) if known[0].id != automation_id else None
            problems += [Problem(at, why, "not_callable")] if why is not None else []
        elif known:
            said = f"{len(known)} automations are called {called!r}; give the id of the one that is meant"
            problems.append(Problem(at, said, "ambiguous_name"))
        else:
            said = f"no automation has the id or the name {called!r}"
            problems.append(Problem(at, said, "unknown_automation"))
    return with_calls(document, ids), problems


def with_calls(document: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The document with each automation that it calls under the other name that is given for it, if there is one."""
    if not names:
        return document
    steps = [
        {**step, "call": names.get(step["call"], step["call"])} if "call" in step else step
        for step in document["steps"]
    ]
    return {**document, "steps": steps}


def told_by_name(connection: Connection, tenant_id: str, documents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """These documents with the names of what they call, as far as no two automations have the same."""
    ids = sorted({step["call"] for document in documents for step in document["steps"] if "call" in step})
    if not ids:
        return list(documents)
    names = {
        one.id: one.name for one in store.named(connection, tenant_id, ids) if one.id in ids and not one.is_deleted
    }
    others = store.named(connection, tenant_id, sorted(set(names.values())))
    number = Counter(one.name for one in others if not one.is_deleted)
    single = {id_: name for id_, name in names.items() if number[name] == 1}
    return [with_calls(document, single) for document in documents]


def raise_if_called(connection: Connection, tenant_id: str, automation_id: str, verb: str) -> None:
    """Hold what is about to be put away to nobody calling it.

    Raises:
        Conflict: active automations call it (code `is_called`); it names them.
    """
    callers = [
        f"“{name}”"
        for other_id, name, document in store.live_with(connection, tenant_id, automation_id)
        if other_id != automation_id and automation_id in _callees(document)
    ]
    if callers:
        listed = ", ".join(callers[:CALLERS_SHOWN]) + (" and others" if len(callers) > CALLERS_SHOWN else "")
        error = Conflict(
            f"The automation cannot be {verb}: {listed} would call it in vain. Change or pause those first."
        )
        error.code = IS_CALLED
        raise error


def raise_if_endless(
    connection: Connection, tenant_id: str, automation_id: str, document: dict[str, Any], actions: ActionShapes
) -> None:
    """Hold what is about to be live to waiting for no run of itself, by itself or through others that are live in this
    transaction. Where changes of a tenant are made one after another, no two of them can close a circle.

    Raises:
        Refused: it does; the problems name its calls.
    """
    own = cycles.part_of(read(document), automation_id, actions)
    if not any(emitted.holds for emitted in own.emits):
        return
    live = store.live_with(connection, tenant_id, '"call":')
    others = [cycles.part_of(read(kept), id_, actions) for id_, _, kept in live if id_ != automation_id]
    problems = [Problem(path, message, "cycle") for path, message in cycles.endless_calls(own, others)]
    if problems:
        raise Refused(problems)


def _callees(document: dict[str, Any]) -> Iterable[str]:
    performed = (step.each if isinstance(step, ForEachStep) else step for step in read(document).steps)
    return {each.automation for each in performed if isinstance(each, CallStep)}


def _meant(called: str, found: Sequence[Named]) -> list[Named]:
    """The automation of that id; else those of that name that are not deleted."""
    by_id = [one for one in found if one.id == called]
    return by_id or [one for one in found if one.name == called and not one.is_deleted]


def _wrong(callee: Named) -> str | None:
    """Why this automation cannot be called."""
    if callee.is_deleted:
        return f"“{callee.name}” was deleted"
    if callee.status == "archived":
        return f"“{callee.name}” is archived: activate it first"
    if callee.version is None:
        return f"“{callee.name}” was never published, so there would be nothing to run: publish it first"
    return None
