"""Decide: which automations an event starts, by the definitions in memory. What is decided is a proposal: it is kept only in
a transaction that finds the definitions unchanged, and its runs begin after that commit."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.core.events import Event
from upshot.core.flow import Ask
from upshot.core.queues import serves
from upshot.core.waits import event_key
from upshot.core.work import EVENT_STEPS_MAX
from upshot.engine.admit import admit
from upshot.engine.breaker import Breaker, without_loops
from upshot.engine.definitions import Listener, TenantDefinitions
from upshot.engine.live_run import LiveRun, facts_of
from upshot.engine.process import Process
from upshot.engine.run import Run
from upshot.store import counts, definitions, hints
from upshot.store import runs as run_store
from upshot.store.entities import read_roots

log = logging.getLogger("upshot.engine")

_encode = msgspec.json.Encoder().encode  # what is encoded here was held to strict JSON before


Entities = Mapping[tuple[str, str, str], dict[str, object]]
"""What is kept of entities, by tenant, type and id."""


class Matched(msgspec.Struct, frozen=True):
    """What one event will start, if the definitions are still those of `revision`."""

    event: Event
    revision: int
    zone: str
    started: list[tuple[Listener, run_store.NewRun]]
    steps: int = 0
    breaker: Breaker | None = None
    """Set where a run caused the event and the entity is known: loops are looked for before its runs are made."""
    keys: tuple[tuple[str, str], ...] = ()
    """By what runs may wait for this event, or be cancelled by it: the kind and the key."""


class Decide:
    """Decides for one process, which drives what it decides as far as it has room."""

    def __init__(self, process: Process, run: Run) -> None:
        self._process, self._run = process, run
        limits = process.limits
        self._breaker = Breaker(limits.loop_runs_max, limits.loop_window_seconds) if limits.loop_runs_max else None
        self.on_controlled: Callable[[], None] = lambda: None
        """Called when flow control decided about a run: it may be held back, or another one may be ready."""

    async def entities(self, events: Sequence[Event], known: Mapping[str, TenantDefinitions]) -> Entities:
        """The entities that the conditions of those who listen for these events read, by the definitions of their tenants."""
        wanted = [
            (event.tenant_id, event.entity.type, event.entity.id)
            for event in events
            if event.entity is not None
            and (listeners := known[event.tenant_id].listeners.get(event.name)) is not None
            and listeners.reads_entity
        ]
        return await self._process.reads.run(read_roots, wanted) if wanted else {}

    def of(self, event: Event, known: TenantDefinitions, entities: Entities, now: int) -> Matched:
        """What this event starts. Room is reserved for the runs that this process will drive: `begin` or `give_back` it.

        Raises:
            Overloaded: to decide it is more work than one event may cause.
        """
        listeners = known.listeners.get(event.name)
        if listeners is None:
            return Matched(event, known.revision, known.zone, [], keys=_keys(event, known))
        entity = entities.get((event.tenant_id, event.entity.type, event.entity.id)) if event.entity else None
        facts = facts_of(event, now=now, zone=known.zone, entity=entity)
        found = listeners.index.find(facts)
        if found.undecided:
            key, reason = next(iter(found.undecided.items()))
            count = len(found.undecided)
            self._process.metrics.condition_errors += count
            log.warning("event %s: %s conditions undecided; of automation %s: %s", event.id, count, key, reason)
        kept_facts = _encode({"entity": entity}).decode() if entity is not None else None
        started: list[tuple[Listener, run_store.NewRun]] = []
        for key in found.keys:
            listener = listeners.by_id[key]
            asking = listener.program.asking
            # A test takes no notice of flow control: it must not stand in the way of what is real, nor be gathered with it.
            asked = asking.of(facts, event.entity) if asking is not None and not event.test else None
            run = self._new_run(event, listener, kept_facts, asked, now)
            watching = listener.program.watching
            if watching is not None:
                run = msgspec.structs.replace(run, watches=watching.of(facts))
            started.append((listener, run))
        breaker = self._breaker if event.depth and event.entity is not None else None
        return Matched(
            event, known.revision, known.zone, started, EVENT_STEPS_MAX - facts.meter.left, breaker, _keys(event, known)
        )

    def begin(self, match: Matched, made: Collection[str]) -> None:
        """Drive those runs of this match that were made; its commit is done."""
        for listener, new in match.started:
            self._run.on_the_way.discard((new.tenant_id, new.id))
            if new.worker_id is None:
                self._run.wants_claim()
            elif new.id in made:
                self._run.begin(LiveRun.born(match.event, new, listener.program, match.zone))
            else:
                self._run.give_back_room(match.event.tenant_id)
            if new.asked is not None:
                self.on_controlled()
        if made:
            self._process.changes.tell(match.event.tenant_id, "event", id=match.event.public_id, name=match.event.name)

    def give_back(self, match: Matched) -> None:
        """Nothing comes of this match: its room is free again."""
        for _, new in match.started:
            self._run.on_the_way.discard((new.tenant_id, new.id))
            if new.worker_id is not None:
                self._run.give_back_room(match.event.tenant_id)

    def _new_run(
        self, event: Event, listener: Listener, facts: str | None, asked: dict[str, Ask] | None, now: int
    ) -> run_store.NewRun:
        run_id = new_id(now)
        is_driven_here = serves(self._process.limits.queues, listener.queue) and self._run.reserve(event.tenant_id)
        if is_driven_here:
            self._run.on_the_way.add((event.tenant_id, run_id))
        return run_store.NewRun(
            tenant_id=event.tenant_id,
            id=run_id,
            automation_id=listener.automation_id,
            version=listener.version,
            event_id=event.id,
            entity_type=event.entity.type if event.entity else None,
            entity_id=event.entity.id if event.entity else None,
            priority=listener.priority,
            test=event.test,
            facts=facts,
            worker_id=self._process.worker_id if is_driven_here else None,
            queue=listener.queue,
            asked=asked or None,
        )


def _keys(event: Event, known: TenantDefinitions) -> tuple[tuple[str, str], ...]:
    shapes = known.awaited.get(event.name)
    if shapes is None:
        return ()
    root = event.as_root()
    found = ((shape.kind, event_key(shape.fields, root)) for shape in shapes)
    return tuple({(kind, key): None for kind, key in found if key is not None})


def current(connection: Connection, matched: Sequence[Matched]) -> list[Matched]:
    """Those of these matches whose definitions are still the present ones."""
    if not matched:
        return []
    present = definitions.revisions(connection, sorted({m.event.tenant_id for m in matched}))
    return [m for m in matched if present.get(m.event.tenant_id) == m.revision]


def start(connection: Connection, matched: Sequence[Matched], now: int) -> set[str]:
    """Create the runs of these matches, but for loops, and count them; the ids of those that were made and that flow control
    does not hold back."""
    if any(m.breaker is not None for m in matched):
        wanted = without_loops(connection, matched, now)
    else:
        wanted = [run for m in matched for _, run in m.started]
    new = [run for run in wanted if run.asked is None]
    made = run_store.create(connection, new, now) if new else set[str]()
    if made:
        born = Counter(
            (run.tenant_id, "runs", "", "running" if run.worker_id else "pending") for run in new if run.id in made
        )
        counts.add(connection, born, now)
        if any(status == "pending" for _, _, _, status in born):
            hints.send(connection, hints.RUNS)
    if len(new) < len(wanted):
        events = {m.event.id: m.event for m in matched}
        made |= admit(connection, [(events[run.event_id], run) for run in wanted if run.asked is not None], now).driven
    return made
