"""Packs: ready event types, entity types, actions and automations of one field, read from their files.

A pack is data: `pack.toml`, and JSON documents in `event_types/`, `actions/`, `automations/`, `samples/`, with TOML in
`scenarios/`. What is wrong in any of them is told at once, by file and path.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

import msgspec

from upshot.core.entities import check_key
from upshot.core.errors import Problem, Refused
from upshot.core.event_payloads import compile_schema, read_binding
from upshot.core.instants import DAY, HOUR, MINUTE, to_text
from upshot.core.scenarios import Scenario, read_scenario
from upshot.core.strict_json import decode

MANIFEST: Final = "pack.toml"
DEMO: Final = "demo.json"

_MOMENT: Final = re.compile(r"@([+-]\d{1,5})([mhd])")
_UNITS: Final = {"m": MINUTE, "h": HOUR, "d": DAY}
_Form = TypeVar("_Form")


class EventTypeForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event type: the schema of its data and the entity it is about."""

    name: str
    title: str
    schema: dict[str, Any]
    entity: dict[str, str] | None = None
    description: str = ""
    on_invalid: str = "refuse"
    sample: dict[str, Any] | None = None


class EntityTypeForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entity type; `allowed_fields` are those that steps may set, all of them when it is left out."""

    name: str
    title: str
    allowed_fields: list[str] | None = None


class ActionForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"with_": "with"}):
    """An action that is another one (`over`) under the pack's name, with some of its arguments already given."""

    name: str
    title: str
    over: str
    with_: dict[str, Any]
    arguments: dict[str, dict[str, Any]]
    required: list[str]
    description: str = ""
    icon: str | None = None


class DemoEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event of the sample data. Its id makes it happen once."""

    id: str
    name: str
    data: dict[str, Any]


class DemoEntity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entity of the sample data."""

    type: str
    id: str
    fields: dict[str, Any]
    tags: list[str] = []


class Demo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sample data: the entities there are first, then what happens. Texts like `@+50h` are instants from now."""

    entities: list[DemoEntity] = []
    events: list[DemoEvent] = []


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    title: str
    description: str
    entity_types: list[EntityTypeForm] = []


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack, read and checked. `automations`, `samples` and `scenarios` are by the name of their file."""

    name: str
    title: str
    description: str
    event_types: tuple[EventTypeForm, ...] = ()
    entity_types: tuple[EntityTypeForm, ...] = ()
    actions: tuple[ActionForm, ...] = ()
    automations: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    samples: dict[str, Any] = field(default_factory=dict[str, Any])
    scenarios: dict[str, Scenario] = field(default_factory=dict[str, Scenario])
    demo: Demo = field(default_factory=Demo)


def read_pack(files: Mapping[str, str]) -> Pack:
    """The pack that these files (paths inside its folder, and their texts) say.

    Automations are checked where the actions are known: when the pack is installed.

    Raises:
        Refused: with every problem; each path begins with its file.
    """
    problems: list[Problem] = []
    manifest = _toml(files, MANIFEST, _Manifest, problems)
    event_types = tuple(_listed(files, "event_types/", EventTypeForm, problems).values())
    actions = tuple(_listed(files, "actions/", ActionForm, problems).values())
    automations = _listed(files, "automations/", dict[str, Any], problems)
    samples = _listed(files, "samples/", Any, problems)
    demo = _json(files[DEMO], DEMO, Demo, problems) if DEMO in files else None
    scenarios = _scenarios(files, problems)
    for one in event_types:
        problems += _event_type_problems(one)
    for name, document in automations.items():
        if not document.get("name"):
            problems.append(Problem(f"automations/{name}.json: name", "is required", "required"))
    for one in manifest.entity_types if manifest is not None else []:
        problems += [Problem(f"{MANIFEST}: {one.name}", p.message, p.code) for p in check_key(one.name, "x")]
    problems += _doubles("event_types/", [one.name for one in event_types])
    problems += _doubles("actions/", [one.name for one in actions])
    problems += _doubles("automations/", [str(document.get("name")) for document in automations.values()])
    if problems or manifest is None:
        raise Refused(problems)
    return Pack(
        name=manifest.name,
        title=manifest.title,
        description=manifest.description,
        event_types=event_types,
        entity_types=tuple(manifest.entity_types),
        actions=actions,
        automations=automations,
        samples=samples,
        scenarios=scenarios,
        demo=demo or Demo(),
    )


def with_instants(value: Any, now: int) -> Any:
    """The same JSON with each text like `@+50h`, `@-30m` or `@+6d` replaced by the instant so far from `now`."""
    if isinstance(value, str):
        moment = _MOMENT.fullmatch(value)
        return to_text(now + int(moment[1]) * _UNITS[moment[2]]) if moment else value
    if isinstance(value, list):
        return [with_instants(item, now) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {name: with_instants(item, now) for name, item in cast("dict[str, Any]", value).items()}
    return value


def _listed(files: Mapping[str, str], folder: str, form: type[_Form] | Any, problems: list[Problem]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for path in sorted(files):
        if path.startswith(folder) and path.endswith(".json"):
            found = _json(files[path], path, form, problems)
            if found is not None:
                read[path.removeprefix(folder).removesuffix(".json")] = found
    return read


def _json(text: str, path: str, form: Any, problems: list[Problem]) -> Any:
    try:
        return _converted(decode(text), path, form, problems)
    except Refused as refused:
        problems += [Problem(f"{path}: {p.path}", p.message, p.code) for p in refused.problems]
    return None


def _toml(files: Mapping[str, str], path: str, form: type[_Form], problems: list[Problem]) -> _Form | None:
    if path not in files:
        problems.append(Problem(path, "is missing", "required"))
        return None
    try:
        return _converted(tomllib.loads(files[path]), path, form, problems)
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(path, f"is not TOML: {error}", "bad_toml"))
    return None


def _converted(document: Any, path: str, form: Any, problems: list[Problem]) -> Any:
    try:
        return msgspec.convert(document, form)
    except msgspec.ValidationError as error:
        problems.append(Problem(path, str(error), "wrong_type"))
    return None


def _scenarios(files: Mapping[str, str], problems: list[Problem]) -> dict[str, Scenario]:
    read: dict[str, Scenario] = {}
    for path in sorted(files):
        if path.startswith("scenarios/") and path.endswith(".toml"):
            try:
                read[path.removeprefix("scenarios/").removesuffix(".toml")] = read_scenario(tomllib.loads(files[path]))
            except tomllib.TOMLDecodeError as error:
                problems.append(Problem(path, f"is not TOML: {error}", "bad_toml"))
            except Refused as refused:
                problems += [Problem(f"{path}: {p.path}", p.message, p.code) for p in refused.problems]
    return read


def _event_type_problems(form: EventTypeForm) -> list[Problem]:
    problems: list[Problem] = []
    at = f"event_types/ {form.name}"
    try:
        schema = compile_schema(form.schema)
        if form.sample is not None:
            problems += [Problem(f"{at}: sample.{p.path}", p.message, p.code) for p in schema.problems(form.sample)]
        if form.entity is not None:
            binding = read_binding(form.entity)
            if form.sample is not None and binding.entity_of(form.sample) is None:
                problems.append(Problem(f"{at}: entity.id", "leads to nothing in the sample", "bad_binding"))
    except Refused as refused:
        problems += [Problem(f"{at}: {p.path}", p.message, p.code) for p in refused.problems]
    return problems


def _doubles(folder: str, names: list[str]) -> list[Problem]:
    twice = sorted({name for name in names if names.count(name) > 1})
    return [Problem(f"{folder} {name}", "is there twice", "duplicate_id") for name in twice]
