"""The active automations in memory, compiled and indexed, per tenant.

Each copy carries the revision it was read at; a match is written only if the tenant's revision is still that one.
"""

import logging
import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.core.automations import read as read_document
from upshot.core.automations.action_shape import ActionShape
from upshot.core.automations.document import ActionStep
from upshot.core.conditions import MatchIndex
from upshot.core.errors import Refused
from upshot.core.event_payloads import EntityBinding, PayloadSchema, compile_schema
from upshot.core.program import Program
from upshot.core.queues import QUEUE
from upshot.core.watches import Shape
from upshot.engine.reads import Reads
from upshot.store import definitions as store
from upshot.store.database import Database

log = logging.getLogger("upshot.engine")

PROGRAMS_MAX = 20_000


class Listener(msgspec.Struct, frozen=True):
    """One active automation version, ready to start runs."""

    automation_id: str
    version: int
    priority: int
    queue: str
    program: Program


class Listeners:
    """The automations that listen to one event name, highest priority first, then in the order of their creation."""

    __slots__ = ("by_id", "index", "reads_entity")

    def __init__(self, listeners: list[Listener]) -> None:
        ordered = sorted(listeners, key=lambda listener: -listener.priority)
        self.by_id = {listener.automation_id: listener for listener in ordered}
        self.index = MatchIndex([(x.automation_id, rank, x.program.condition) for rank, x in enumerate(ordered)])
        beside = (part for x in ordered for part in (x.program.asking, x.program.watching))
        self.reads_entity = self.index.reads_entity or any(part is not None and part.reads_entity for part in beside)


class EventType(msgspec.Struct, frozen=True):
    """A declared event type, compiled: the schema its data must meet and the entity it is about."""

    name: str
    schema: PayloadSchema | None
    binding: EntityBinding | None
    is_strict: bool


class TenantDefinitions(msgspec.Struct, frozen=True):
    """One tenant's definitions at one revision."""

    revision: int
    is_suspended: bool
    zone: str
    limits: dict[str, Any]
    listeners: dict[str, Listeners]
    event_types: dict[str, EventType]
    awaited: dict[str, tuple[Shape, ...]]
    """The events that runs may wait for, or be cancelled by: how they are compared, by the name of the event."""
    unreadable: tuple[tuple[str, int], ...] = ()
    """Active automations, with their versions, that this release cannot read."""


class Definitions:
    """The process's copy of every tenant's definitions, read when first needed and again after a change. Thread-safe."""

    def __init__(self, database: Database, reads: Reads, shapes: Mapping[str, ActionShape]) -> None:
        self._database, self._reads, self._shapes = database, reads, shapes
        self._tenants: dict[str, TenantDefinitions] = {}
        self._changes: Counter[str] = Counter()
        self._programs: OrderedDict[tuple[str, str, int], Program] = OrderedDict()
        self._lock = threading.Lock()
        self.queues: frozenset[str] = frozenset({QUEUE})
        """The queues of the versions that were compiled here."""

    def known(self, tenant_id: str) -> TenantDefinitions | None:
        """This tenant's definitions if they are in memory."""
        return self._tenants.get(tenant_id)

    async def of(self, tenant_id: str) -> TenantDefinitions:
        """This tenant's definitions, read if they are not in memory.

        Raises:
            NotFound: there is no such tenant.
        """
        while (found := self._tenants.get(tenant_id)) is None:
            await self._reads.run(self._read, tenant_id)
        return found

    def of_now(self, tenant_id: str) -> TenantDefinitions:
        """`of`, for a thread that may block."""
        while (found := self._tenants.get(tenant_id)) is None:
            with self._database.reading() as connection:
                self._read(connection, tenant_id)
        return found

    def forget(self, tenant_id: str) -> None:
        """The tenant's definitions changed: read them again when next needed."""
        self._changes[tenant_id] += 1
        self._tenants.pop(tenant_id, None)

    def unrunnable(self) -> list[tuple[str, str, int]]:
        """Active automations `(tenant, automation, version)` of the tenants in memory that this process cannot run to their
        end: this release cannot read them, or a step's action is not here."""
        found: list[tuple[str, str, int]] = []
        for tenant_id, known in list(self._tenants.items()):
            found += [(tenant_id, *unreadable) for unreadable in known.unreadable]
            for listeners in known.listeners.values():
                for listener in listeners.by_id.values():
                    steps = listener.program.steps.values()
                    if any(isinstance(step, ActionStep) and step.action not in self._shapes for step in steps):
                        found.append((tenant_id, listener.automation_id, listener.version))
        return found

    async def refresh(self) -> None:
        """Forget what another process changed."""
        present = await self._reads.run(store.revisions, list(self._tenants))
        for tenant_id, known in list(self._tenants.items()):
            if present.get(tenant_id) != known.revision:
                self.forget(tenant_id)

    def program(self, tenant_id: str, automation_id: str, version: int, document: str) -> Program:
        """The program of one version, compiled at most once while it is in use. An action that this process lacks does not
        matter here: its step waits for it.

        Raises:
            Refused: this release cannot read that version.
        """
        key = (tenant_id, automation_id, version)
        with self._lock:
            program = self._programs.get(key)
            if program is not None:
                self._programs.move_to_end(key)
                return program
        program = Program(read_document(msgspec.json.decode(document)), self._shapes)
        with self._lock:
            self._programs[key] = program
            self.queues |= {program.automation.queue}
            if len(self._programs) > PROGRAMS_MAX:
                self._programs.popitem(last=False)
        return program

    def _read(self, connection: Connection, tenant_id: str) -> None:
        """Read and compile a tenant's definitions, on a thread: thousands take seconds. Kept unless they changed meanwhile."""
        changes = self._changes[tenant_id]
        compiled = self._compile(store.load(connection, tenant_id))
        if self._changes[tenant_id] == changes:
            self._tenants[tenant_id] = compiled

    def _compile(self, stored: store.Definitions) -> TenantDefinitions:
        by_event: dict[str, list[Listener]] = {}
        unreadable: list[tuple[str, int]] = []
        for live in stored.active:
            try:
                program = self.program(stored.tenant_id, live.automation_id, live.version, live.document)
            except Exception as error:  # noqa: BLE001 - the others must not be hurt
                unreadable.append((live.automation_id, live.version))
                log.error("automation %s version %s cannot run here: %s", live.automation_id, live.version, error)  # noqa: TRY400 - the reason is told, its traceback tells nothing more
                continue
            automation = program.automation
            listener = Listener(live.automation_id, live.version, automation.priority, automation.queue, program)
            by_event.setdefault(automation.listens_to(live.automation_id), []).append(listener)
        return TenantDefinitions(
            revision=stored.revision,
            is_suspended=stored.status != "active",
            zone=stored.settings.get("zone", "UTC"),
            limits=stored.settings.get("limits", {}),
            listeners={name: Listeners(found) for name, found in by_event.items()},
            awaited=stored.awaited,
            event_types={declared.name: _event_type(declared) for declared in stored.event_types},
            unreadable=tuple(unreadable),
        )


def _event_type(declared: store.DeclaredType) -> EventType:
    binding = msgspec.json.decode(declared.entity, type=EntityBinding) if declared.entity is not None else None
    schema = None
    if declared.schema is not None:
        try:
            schema = compile_schema(msgspec.json.decode(declared.schema))
        except Refused as refused:  # kept by a release that read it otherwise; its events must not be held up
            log.error("event type %s is not checked, its schema cannot be read: %s", declared.name, refused)  # noqa: TRY400 - the reason is told, its traceback tells nothing more
    return EventType(declared.name, schema, binding, declared.on_invalid == "refuse")
