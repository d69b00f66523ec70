"""Scenarios: these entities are there, these events happen at these times, and then this is so.

A scenario is a TOML document that reads like its own description, and is run on a real engine whose clock is moved:

    title = "A visit is followed by a question two hours later"

    [[given]]
    type = "patient"
    id = "p-1"
    fields = { phone = "+41446681800" }

    [[events]]
    at = "0s"
    id = "over"
    name = "crm/appointment.updated"
    data = { appointment = { id = "a-1", patientId = "p-1", status = "completed" } }

    [[then]]
    at = "1h"
    runs = [{ automation = "After the visit", event = "over", status = "waiting", steps = { "two hours" = "waiting" } }]

A scenario of its own (beside a pack's) also says what is installed: `pack`, `automations`, `webhooks`, `segments`; and when it
begins, in which zone: `start`, `zone`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from upshot.core.automations import durations
from upshot.core.errors import Problem, Refused
from upshot.core.instants import from_text
from upshot.core.local_time import zone_of
from upshot.core.webhooks import envelope_of as delivered
from upshot.core.webhooks import read_webhook


class GivenEntity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entity that is there before anything happens."""

    type: str
    id: str
    fields: dict[str, Any] = {}
    tags: list[str] = []


class GivenSegment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A segment that is there before."""

    name: str
    entity_type: str
    condition: dict[str, Any] | list[Any]


class ScenarioEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event, so long after the beginning or at an instant. Texts like `@+50h` in its data are instants from the
    beginning. One that names a `webhook` is a delivery to it whose signature fits, with these `headers` and `data` as its
    body: the webhook says what its event is called."""

    at: str
    name: str | None = None
    data: dict[str, Any] = {}
    id: str | None = None
    entity: dict[str, str] | None = None
    webhook: str | None = None
    headers: dict[str, str] = {}


class ExpectedRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many runs (one, unless said) of this automation, for this event where one is named; each of them as said.

    `error` is a part of the run's error message, `reason` one of why it ended early, `log` a part of one line that
    one of its steps wrote, `starts` the instants at which they began, all of them and in order; an empty list says that there
    are none.
    """

    automation: str
    event: str | None = None
    count: int = 1
    status: str | None = None
    steps: dict[str, str] = {}
    error: str | None = None
    reason: str | None = None
    log: str | None = None
    waiting_until: str | None = None
    starts: list[str] | None = None


class ExpectedEntity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many entities (one, unless said) of this type with at least these fields, tags and id."""

    type: str
    id: str | None = None
    fields: dict[str, Any] = {}
    tags: list[str] = []
    count: int = 1


class ExpectedEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many events (one, unless said) of this name have been accepted."""

    name: str
    count: int = 1


class ExpectedExplanation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of an event at one automation: its `outcome`, as `/events/{id}/explain` tells it, and a part of the
    reason."""

    event: str
    automation: str
    outcome: str
    reason: str = ""


class ExpectedNotification(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many messages (one, unless said) were drafted over this channel, with at least these fields."""

    channel: str
    fields: dict[str, Any] = {}
    count: int = 1

    @property
    def entity(self) -> ExpectedEntity:
        """A draft is an entity."""
        return ExpectedEntity("message_draft", fields={"channel": self.channel, **self.fields}, count=self.count)


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is so, so long after the beginning or at an instant, once everything due by then is done."""

    at: str = "0s"
    runs: list[ExpectedRun] = []
    entities: list[ExpectedEntity] = []
    events: list[ExpectedEvent] = []
    notifications: list[ExpectedNotification] = []
    explained: list[ExpectedExplanation] = []

    @property
    def all_entities(self) -> list[ExpectedEntity]:
        """Those named, and the drafts."""
        return [*self.entities, *(one.entity for one in self.notifications)]


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One scenario. `pack` and `automations` (documents of any understood shape) are installed before it begins, at `start` in
    the tenant's `zone`; `files` name more documents, beside the scenario's own file. `webhooks` are those that events may be
    deliveries to, `segments` those that automations may name."""

    title: str
    then: list[Check]
    events: list[ScenarioEvent] = []
    given: list[GivenEntity] = []
    start: str | None = None
    zone: str = "UTC"
    pack: str | None = None
    automations: list[dict[str, Any]] = []
    webhooks: list[dict[str, Any]] = []
    segments: list[GivenSegment] = []
    files: list[str] = []

    def timeline(self, start: int) -> list[tuple[int, ScenarioEvent | Check]]:
        """Events and checks with their instants, in order; at one instant what happens comes before what is then so."""
        placed = [(instant_of(one.at, start), one) for one in (*self.events, *self.then)]
        return sorted(placed, key=lambda one: (one[0], isinstance(one[1], Check)))


def envelope_of(scenario: Scenario, event: ScenarioEvent) -> dict[str, Any]:
    """What is accepted of this event, its data as they are written.

    Raises:
        Malformed: it is a delivery that does not say what its webhook needs.
    """
    if event.webhook is not None:
        settings = next(read_webhook(one) for one in scenario.webhooks if one.get("name") == event.webhook)
        headers = {name.lower(): value for name, value in event.headers.items()}
        return delivered(settings, event.webhook, headers, event.data)
    given = {"name": event.name, "data": event.data, "id": event.id, "entity": event.entity}
    return {field: value for field, value in given.items() if value is not None}


def instant_of(at: str, start: int, path: str = "at") -> int:
    """The instant that is said: a duration from the beginning, or an instant.

    Raises:
        Refused: it is neither, or before the beginning.
    """
    if not at[:4].isdigit() or "-" not in at:
        return start + durations.parse(at, path)
    instant = from_text(at, path)
    if instant < start:
        raise Refused.at(path, f"{at} lies before the beginning", "out_of_range")
    return instant


class Observed(msgspec.Struct, frozen=True):
    """What there is at one instant, in the shapes of the surfaces: runs with their steps, entities, events, and by their ids
    the explanations of those events that a check names."""

    runs: Sequence[Mapping[str, Any]]
    entities: Sequence[Mapping[str, Any]]
    events: Sequence[Mapping[str, Any]]
    explained: Mapping[str, Sequence[Mapping[str, Any]]] = {}


def read_scenario(document: Any) -> Scenario:
    """A scenario from its document.

    Raises:
        Refused: it is not of that form, a time is no duration, or it checks nothing.
    """
    try:
        scenario = msgspec.convert(document, Scenario)
    except msgspec.ValidationError as error:
        raise Refused.at("", str(error), "wrong_type") from error
    problems = [] if scenario.then else [Problem("then", "a scenario says what is so in the end", "required")]
    start = 0
    if scenario.start is not None:
        try:
            start = from_text(scenario.start, "start")
        except Refused as refused:
            problems += refused.problems
    if zone_of(scenario.zone) is None:
        problems.append(Problem("zone", f"{scenario.zone!r} is no time zone", "unknown_zone"))
    for noun, listed in (("events", scenario.events), ("then", scenario.then)):
        for index, one in enumerate(listed):
            try:
                instant_of(one.at, start, f"{noun}[{index}].at")
            except Refused as refused:
                problems += refused.problems
    problems += _webhook_problems(scenario)
    if problems:
        raise Refused(problems)
    return scenario


def _webhook_problems(scenario: Scenario) -> list[Problem]:
    """What is wrong with the webhooks, and with what the events say of them."""
    problems: list[Problem] = []
    for index, document in enumerate(scenario.webhooks):
        try:
            read_webhook(document)
        except Refused as refused:
            problems += [Problem(f"webhooks[{index}].{p.path}", p.message, p.code) for p in refused.problems]
    names = {one.get("name") for one in scenario.webhooks}
    for index, event in enumerate(scenario.events):
        at = f"events[{index}]"
        if (event.name is None) == (event.webhook is None):
            problems.append(Problem(at, "has a name, or names the webhook that it is a delivery to", "required"))
        elif event.webhook is not None and event.webhook not in names:
            problems.append(Problem(f"{at}.webhook", f"there is no webhook {event.webhook!r}", "not_found"))
    return problems


def differences(check: Check, observed: Observed) -> list[str]:
    """What is not as the check says, one sentence each; none when all is so."""
    told: list[str] = []
    for expected in check.runs:
        told += _run_differences(expected, observed.runs)
    for expected in check.all_entities:
        found = [entity for entity in observed.entities if _is_entity(expected, entity)]
        if len(found) != expected.count:
            like = [dict(entity["fields"]) for entity in observed.entities if entity["type"] == expected.type]
            wanted = {**expected.fields, **({"tags": expected.tags} if expected.tags else {})}
            told.append(
                f"{expected.count} {expected.type} with {wanted} expected, {len(found)} found; there are: {like}"
            )
    for expected in check.events:
        number = sum(event["name"] == expected.name for event in observed.events)
        if number != expected.count:
            told.append(f"{expected.count} events {expected.name} expected, {number} found")
    for expected in check.explained:
        told += _explained_differences(expected, observed.explained.get(expected.event, ()))
    return [f"at {check.at}: {one}" for one in told]


def _explained_differences(expected: ExpectedExplanation, explained: Sequence[Mapping[str, Any]]) -> list[str]:
    named = f"{expected.automation!r} for event {expected.event}"
    found = [one for one in explained if one["name"] == expected.automation]
    if any(one["outcome"] == expected.outcome and expected.reason in one["reason"] for one in found):
        return []
    wanted = f"{expected.outcome} ({expected.reason})" if expected.reason else expected.outcome
    told = [f"{one['outcome']} ({one['reason']})" for one in found] or "nothing"
    return [f"the explanation of {named} is {told}, not {wanted}"]


def _run_differences(expected: ExpectedRun, runs: Sequence[Mapping[str, Any]]) -> list[str]:
    found = [run for run in runs if _is_run(expected, run)]
    named = f"{expected.automation!r}" + (f" for event {expected.event}" if expected.event else "")
    if expected.starts is not None:
        began, wanted = [from_text(run["created_at"]) for run in found], [from_text(at) for at in expected.starts]
        if began != wanted:
            told = [run["created_at"] for run in found]
            return [f"the runs of {named} began at {told}, not at {expected.starts}"]
    elif len(found) != expected.count:
        return [f"{expected.count} runs of {named} expected, {len(found)} found"]
    told: list[str] = []
    for run in found:
        if expected.status is not None and run["status"] != expected.status:
            told.append(f"the run of {named} is {run['status']}, not {expected.status} ({run['error']})")
        statuses = {step["id"]: step["status"] for step in run["steps"]}
        for step_id, status in expected.steps.items():
            if statuses.get(step_id) != status:
                told.append(f"step {step_id!r} of {named} is {statuses.get(step_id)}, not {status}")
        for what in ("error", "reason"):
            message: str = run[what]["message"] if run[what] else ""
            part: str | None = getattr(expected, what)
            if part is not None and part not in message:
                told.append(f"the {what} of {named} is {message!r}, without {part!r}")
        lines = [line["text"] for step in run["steps"] for attempt in step["attempts"] for line in attempt["log"]]
        if expected.waiting_until is not None and not _is_instant(run["waiting_until"], expected.waiting_until):
            told.append(f"the run of {named} waits until {run['waiting_until']}, not {expected.waiting_until}")
        if expected.log is not None and not any(expected.log in line for line in lines):
            told.append(f"no step of {named} wrote {expected.log!r}; they wrote {lines}")
    return told


def _is_instant(shown: str | None, expected: str) -> bool:
    return shown is not None and from_text(shown) == from_text(expected)


def _is_run(expected: ExpectedRun, run: Mapping[str, Any]) -> bool:
    if run["automation"]["name"] != expected.automation:
        return False
    return expected.event is None or bool(run["event"] and run["event"]["id"] == expected.event)


def _is_entity(expected: ExpectedEntity, entity: Mapping[str, Any]) -> bool:
    if entity["type"] != expected.type or expected.id not in (None, entity["id"]):
        return False
    has_tags = set(expected.tags) <= set(entity["tags"])
    return has_tags and all(entity["fields"].get(name) == value for name, value in expected.fields.items())
