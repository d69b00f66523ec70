"""Plays scenarios: on the real engine, with time moved from one instant at which something is due to the next."""

import contextlib
import tomllib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.app.upshot import DEFAULT_TENANT, Upshot
from upshot.core.action import Action
from upshot.core.automations.fields import as_list, as_object
from upshot.core.errors import NotFound, Problem, Refused
from upshot.core.instants import SECOND, from_text, to_text
from upshot.core.packs import with_instants
from upshot.core.scenarios import (
    Check,
    GivenEntity,
    Observed,
    Scenario,
    ScenarioEvent,
    differences,
    envelope_of,
    read_scenario,
)
from upshot.core.schedules import schedule_of
from upshot.store import flow, schedules
from upshot.testing.clock import START, VirtualClock
from upshot.testing.harness import PAGE, Harness

SUFFIXES = (".toml", ".json")


def scenario_files(path: str | Path) -> list[Path]:
    """The scenario files at this path: itself, or all `.toml` and `.json` files in the folder and below, by name.

    Raises:
        Refused: there is none.
    """
    given = Path(path)
    found = [given] if given.is_file() else sorted(one for one in given.rglob("*") if one.suffix in SUFFIXES)
    if not found:
        raise Refused.at(str(path), "holds no scenario: a .toml or .json file, or a folder of them", "not_found")
    return found


def load_scenario(path: str | Path) -> Scenario:
    """The scenario of this file, with the documents of the `files` that it names.

    Raises:
        Refused: a file cannot be read, or is no scenario; the problems name the file and the place.
    """
    file = Path(path)
    try:
        scenario = read_scenario(_read(file))
        beside = [document for name in scenario.files for document in _documents(_read(file.parent / name), name)]
    except Refused as refused:
        raise Refused([Problem(f"{file}: {p.path}", p.message, p.code) for p in refused.problems]) from refused
    return msgspec.structs.replace(scenario, automations=[*scenario.automations, *beside])


def check_scenario(path: str | Path, *, build: Callable[[str, VirtualClock], Upshot] | None = None) -> None:
    """Play the scenario of this file on a database of its own; for a test of pytest. `build` makes the application's Upshot
    with its actions, as for `Harness`.

    Raises:
        AssertionError: not all is as it says; each difference is a line.
        Refused: it cannot be played.
    """
    told = play_alone(load_scenario(path), build=build)
    if told:
        raise AssertionError("\n".join([f"{path} does not come out as it says:", *told]))


def play_alone(
    scenario: Scenario,
    *,
    build: Callable[[str, VirtualClock], Upshot] | None = None,
    pack: str | None = None,
    actions: Iterable[Action] = (),
) -> list[str]:
    """Play the scenario on a database of its own with what it installs, and with this pack and these actions; what was not
    as it says, one sentence each.

    Raises:
        Refused: an automation, entity or event of the scenario is not acceptable.
        NotFound: there is no such pack.
    """
    start = from_text(scenario.start) if scenario.start is not None else START
    with Harness(build, now=start) as harness:
        for action in actions:
            harness.upshot.actions.add(action, replace=True)
        if scenario.zone != "UTC":
            harness.upshot.tenants.change(DEFAULT_TENANT, settings={"zone": scenario.zone})
        for name in dict.fromkeys(name for name in (pack, scenario.pack) if name is not None):
            harness.upshot.packs.install(DEFAULT_TENANT, name)
        for segment in scenario.segments:
            harness.upshot.segments.create(DEFAULT_TENANT, **msgspec.structs.asdict(segment))
        harness.settle()
        if scenario.automations:
            wanted = [{**document, "status": "active"} for document in scenario.automations]
            harness.upshot.automations.import_documents(DEFAULT_TENANT, wanted, mode="copy")
        return play(scenario, harness)


def play(scenario: Scenario, harness: Harness, *, tenant: str = DEFAULT_TENANT) -> list[str]:
    """Play the scenario to its last check; what was not as it says, one sentence each.

    What the scenario needs (a pack, automations) is installed before. Up to 200 runs and events are looked at.

    Raises:
        Refused: an entity or event of the scenario is not acceptable.
    """
    start = harness.clock.now()
    for entity in scenario.given:
        _create(entity, harness, tenant, start)
    told: list[str] = []
    for instant, one in scenario.timeline(start):
        _move_to(instant, harness, tenant)
        if isinstance(one, Check):
            told += differences(one, _observed(one, harness, tenant))
        else:
            _emit(scenario, one, harness, tenant, start)
    return told


def _read(file: Path) -> Any:
    try:
        text = file.read_text(encoding="utf-8")
        return tomllib.loads(text) if file.suffix == ".toml" else msgspec.json.decode(text)
    except (OSError, ValueError) as error:
        raise Refused.at("", f"{file.name} cannot be read: {error}", "unreadable") from error


def _documents(read: Any, name: str) -> list[dict[str, Any]]:
    """The automations in a file: one, a list of them, or `{"automations": [...]}` as an export writes them."""
    one = as_object(read)
    listed: Sequence[Any] = as_list(one.get("automations", [one]) if one is not None else read) or ()
    documents = [document for document in map(as_object, listed) if document is not None]
    if not documents or len(documents) != len(listed):
        raise Refused.at("files", f"{name} holds no automations", "wrong_type")
    return documents


def _create(entity: GivenEntity, harness: Harness, tenant: str, start: int) -> None:
    fields = with_instants(entity.fields, start)
    harness.upshot.entities.create(tenant, entity.type, id=entity.id, fields=fields, tags=entity.tags)
    harness.settle()


def _emit(scenario: Scenario, event: ScenarioEvent, harness: Harness, tenant: str, start: int) -> None:
    placed = msgspec.structs.replace(event, data=with_instants(event.data, start))
    harness.upshot.events.accept(tenant, [envelope_of(scenario, placed)])
    harness.settle()


def _move_to(instant: int, harness: Harness, tenant: str) -> None:
    """What is due on the way happens when it is due, so that what follows from it is due when it would be."""
    while (due := _next_due(harness, tenant)) is not None and due <= instant:
        harness.advance(max(due - harness.clock.now(), 0) / SECOND)
        if _next_due(harness, tenant) == due:
            raise AssertionError(f"what was due at {to_text(due)} did not happen")
    harness.advance((instant - harness.clock.now()) / SECOND)


def _next_due(harness: Harness, tenant: str) -> int | None:
    waiting = harness.upshot.runs.page(tenant, limit=PAGE, status="waiting").items
    due = [from_text(run["waiting_until"]) for run in waiting if run["waiting_until"] is not None]
    with harness.upshot.database.reading() as connection:
        released = flow.ahead(connection, 0).due_at
        due += _schedules_due(connection, harness, tenant)
    return min(due if released is None else [*due, released], default=None)


def _schedules_due(connection: Connection, harness: Harness, tenant: str) -> list[int]:
    """When the schedules are due. One that queues behind its own run only looks again and again: it is due when that ends."""
    listed = schedules.page(connection, tenant, None, PAGE)
    causes = [(tenant, one.kept.last_event_id or "", one.kept.automation_id) for one in listed]
    unfinished = schedules.unfinished(connection, causes)
    due: list[int] = []
    for one in listed:
        kept, schedule = one.kept, schedule_of(one.document)
        queues = schedule is not None and schedule.overlap == "queue" and (tenant, kept.last_event_id) in unfinished
        if kept.due_at is not None and not (queues and (kept.occurrence_at or 0) <= harness.clock.now()):
            due.append(kept.due_at)
    return due


def _observed(check: Check, harness: Harness, tenant: str) -> Observed:
    entities: list[dict[str, Any]] = []
    for type_ in sorted({expected.type for expected in check.all_entities}):
        entities += harness.entities(type_, tenant=tenant)
    explained: dict[str, list[dict[str, Any]]] = {}
    for one in check.explained:
        with contextlib.suppress(NotFound):
            explained[one.event] = harness.upshot.events.explain(tenant, one.event)["automations"]
    return Observed(harness.runs(tenant=tenant), entities, harness.events(tenant=tenant), explained)
