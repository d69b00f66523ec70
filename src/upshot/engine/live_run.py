"""A run in the memory of the worker that drives it. It is rebuilt from the store at any time; nothing here is the truth."""

from typing import Any

import msgspec

from upshot.core import advance
from upshot.core.automations.document import CALLED, ForEachStep
from upshot.core.automations.fields import as_object
from upshot.core.automations.places import item_place, list_place
from upshot.core.commands import Commands
from upshot.core.events import Event
from upshot.core.facts import Facts
from upshot.core.instants import to_text
from upshot.core.journal import WHOLE, Outcome
from upshot.core.program import Program
from upshot.store.journal import KeptRun, Timer
from upshot.store.runs import NewRun
from upshot.store.waits import Wait


class LiveRun:
    """One unfinished run: where it stands, what its steps gave, the hold (`epoch`) under which it may write, and the trace
    that its present step belongs to. Of a run with several open places also their timers, and when they
    began. `begun` are steps that were begun before it was taken up here; `is_limited` says that the timer of its time
    limit is set, or has fired. `waits` are those that are kept, `taken` the events that met earlier ones. `watches` are what
    the run itself watches for, as far as somebody may have to look back for it; None when none of that is kept."""

    __slots__ = (
        "_facts",
        "attempts",
        "automation_id",
        "began",
        "begun",
        "epoch",
        "event",
        "id",
        "is_limited",
        "outputs",
        "program",
        "seq",
        "state",
        "taken",
        "tenant_id",
        "test",
        "timers",
        "traceparent",
        "version",
        "waits",
        "watches",
    )

    def __init__(
        self, event: Event, run_id: str, automation_id: str, version: int, program: Program, zone: str
    ) -> None:
        self.tenant_id, self.id, self.event = event.tenant_id, run_id, event
        self.automation_id, self.version, self.program = automation_id, version, program
        self.test = event.test
        self.traceparent = event.traceparent
        self.epoch = 1
        self.seq = 0
        self.state = advance.State()
        self.outputs: dict[str, dict[str, Any]] = {}
        self.attempts: dict[str, int] = {}
        self.timers: dict[str, Timer] = {}
        self.began: dict[str, int] = {}
        self.begun: frozenset[str] = frozenset()
        self.is_limited = False
        self.waits: dict[str, Wait] = {}
        self.taken: list[str] = []
        self.watches: list[Wait] | None = None
        about = {"id": run_id, "test": event.test}
        self._facts = facts_of(event, now=event.ts, zone=zone, entity=None, steps=self.outputs, run=about)

    @classmethod
    def born(cls, event: Event, new: NewRun, program: Program, zone: str) -> "LiveRun":
        """A run that was just created by this process."""
        run = cls(event, new.id, new.automation_id, new.version, program, zone)
        if program.watching is not None:
            run.watches = new.waits(event.ts)
        return run

    @classmethod
    def kept(cls, kept: KeptRun, program: Program, zone: str, epoch: int) -> "tuple[LiveRun, Commands]":
        """A run brought back from its journal, and what it does next."""
        run = cls(kept.event, kept.run_id, kept.automation_id, kept.version, program, zone)
        run.epoch, run.attempts, run.seq = epoch, kept.attempts, len(kept.journal)
        for outcome in kept.journal:
            run.remember(outcome)
        run.begun, run.taken = kept.begun, kept.taken
        run.waits = {wait.step_id: wait for wait in kept.waits if wait.kind == "step"}
        run.watches = [wait for wait in kept.waits if wait.kind != "step"] or None
        is_over = any(outcome.step_id == WHOLE for outcome in kept.journal)
        run.is_limited = is_over or any(timer.step_id == WHOLE for timer in kept.timers)
        run.state, commands = advance.resume(program, kept.journal)
        run.timers.update((timer.step_id, timer) for timer in kept.timers if timer.step_id in run.state.open)
        return run, commands

    @property
    def key(self) -> tuple[str, str]:
        """Tenant and id."""
        return self.tenant_id, self.id

    @property
    def is_called(self) -> bool:
        """Whether a step of another run started it."""
        return self.event.name.startswith(CALLED)

    @property
    def is_forked(self) -> bool:
        """Whether several places are open."""
        return len(self.state.open) > 1

    def start(self) -> Commands:
        """The first commands of a new run."""
        self.state, commands = advance.start(self.program)
        return commands

    def remember(self, outcome: Outcome) -> None:
        """Keep in mind what this step gave, in its latest round. What the items of a `for_each` gave becomes one list when it
        is over."""
        name = self.program.steps.name_of(outcome.step_id) if self.program.keeps else outcome.step_id
        self.outputs[name] = root = as_root(outcome)
        if outcome.step_id == WHOLE or not self.program.forks or outcome.status == "skipped":
            return
        if isinstance(self.program.steps[outcome.step_id], ForEachStep):
            told = as_object(outcome.output)
            if told is not None and "count" in told and self.outputs.pop(list_place(name), None) is not None:
                places = (item_place(name, index) for index in range(told["count"]))
                results = [self.outputs.pop(place, {}).get("output") for place in places]
                root["output"] = {**told, "results": results}

    def facts(self, now: int, entity: dict[str, Any] | None, step_id: str = "") -> Facts:
        """What this run's conditions and templates read now; for one item of a list, `item` and `index` too."""
        facts = msgspec.structs.replace(self._facts, now=now, entity=entity)
        item = self.program.steps.item_of(step_id) if self.program.forks else None
        if item is None or item.index is None:
            return facts
        items = self.outputs[list_place(self.program.base(step_id))]["output"]["items"]
        return msgspec.structs.replace(facts, data={**facts.data, "item": items[item.index], "index": item.index})


def as_root(outcome: Outcome) -> dict[str, Any]:
    """A kept step as conditions and templates read it under `steps`."""
    if outcome.error is None:
        return {"output": outcome.output}
    return {"output": outcome.output, "error": {"code": outcome.error.code, "message": outcome.error.message}}


_NO_STEPS: dict[str, dict[str, Any]] = {}


def facts_of(
    event: Event,
    *,
    now: int,
    zone: str,
    entity: dict[str, Any] | None,
    steps: dict[str, dict[str, Any]] = _NO_STEPS,
    run: dict[str, Any] | None = None,
) -> Facts:
    """What the conditions of an event's listeners read. An entity change carries `previous` and `changed` in its data."""
    data = event.data
    previous, changed = data.get("previous"), data.get("changed")
    if not isinstance(previous, dict):
        previous = None
    if not isinstance(changed, list):
        changed = None
    tenant = {"id": event.tenant_id, "zone": zone}
    return Facts(data, event.as_root(), now, zone, entity, previous, changed, steps, run, tenant)  # pyright: ignore[reportUnknownArgumentType] - JSON's


def entity_root(type_: str, id_: str, fields: dict[str, Any], tags: list[str], updated_at: int) -> dict[str, Any]:
    """An entity as conditions and templates read it: its fields, with `id`, `type`, `tags` and `updated_at` beside them."""
    return {**fields, "id": id_, "type": type_, "tags": tags, "updated_at": to_text(updated_at)}
