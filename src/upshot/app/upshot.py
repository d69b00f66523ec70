"""The composition root: one object per process holds the store, the engine and the nouns."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pydantic

from upshot.adapters.actions import ActionCatalogue, built_in_actions
from upshot.adapters.clock import Clock, ServerClock, SystemClock, new_id
from upshot.adapters.outbound import OutboundClient
from upshot.adapters.sandbox import Sandbox
from upshot.app.audit import Audit
from upshot.app.automations import Automations
from upshot.app.backups import Backups
from upshot.app.dead_letters import DeadLetters
from upshot.app.entities import Entities
from upshot.app.event_types import EventTypes
from upshot.app.events import Events
from upshot.app.keys import Keys
from upshot.app.operations import Operations
from upshot.app.outbox import Outbox
from upshot.app.packs import Packs
from upshot.app.replays import Replays
from upshot.app.retention import Retaining
from upshot.app.runs import Runs
from upshot.app.schedules import Schedules
from upshot.app.segments import Segments
from upshot.app.settings import Settings
from upshot.app.stats import Stats
from upshot.app.tenants import Tenants
from upshot.app.webhooks import Webhooks
from upshot.engine.changes import Changes
from upshot.engine.commit import GroupCommit
from upshot.engine.definitions import Definitions
from upshot.engine.process import Limits, Process, Secrets
from upshot.engine.reads import Reads
from upshot.engine.worker import Engine
from upshot.store import migrate
from upshot.store.database import Database

DEFAULT_TENANT = "default"


class Upshot:
    """The automation engine of one application.

    Nothing is read or written before it is asked for: construct it at import time, `migrate()` at deploy, `start()` (or
    `await start_async()` on an existing event loop) where automations should run. `emit` works with or without a running
    engine: what no engine of this process matches, another process's engine does.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        settings: Settings | None = None,
        clock: Clock | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Connect lazily to `url` (`sqlite:///file.db`); `settings` default to the environment's.

        Raises:
            Refused: the URL or a setting is not usable; the problem names it.
        """
        self.settings = settings or Settings.from_environment()
        self.database = Database(url or self.settings.database_url, direct_url=self.settings.database_direct_url)
        self.clock: Clock = clock or (SystemClock() if self.database.is_sqlite else ServerClock())
        self.commit = GroupCommit(self.database, self.clock)
        self.sandbox = Sandbox()
        self.actions = ActionCatalogue(built_in_actions(self.sandbox))
        self.actions.load_entry_points()
        reads = Reads(self.database)
        process = Process(
            worker_id=new_id(0),  # unique all the same; a clock that is ahead is not asked before it is set right
            database=self.database,
            commit=self.commit,
            reads=reads,
            clock=self.clock,
            definitions=Definitions(self.database, reads, self.actions.shapes),
            actions=self.actions,
            outbound=OutboundClient(self.settings.outbound_policy()),
            secrets=Secrets(self.settings.secret_key_bytes()),
            limits=limits or limits_of(self.settings),
            changes=Changes(is_shared=self.database.is_shared),
            retention=self.settings.retention(),
            prune_every_hours=self.settings.prune_every_hours,
        )
        self.events = Events(self)
        # A row that brings the process down while it is matched must be struck as an event, not as a row of the outbox.
        self.engine = Engine(process, partial(self.events.accept_async, ahead=False))
        self.event_types, self.entities, self.segments = EventTypes(self), Entities(self), Segments(self)
        self.automations, self.runs = Automations(self), Runs(self)
        self.schedules, self.webhooks, self.replays = Schedules(self), Webhooks(self), Replays(self)
        self.tenants, self.keys, self.audit = Tenants(self), Keys(self), Audit(self)
        self.outbox, self.stats = Outbox(self), Stats(self)
        self.dead_letters = DeadLetters(self)
        self.packs, self.retention = Packs(self), Retaining(self)
        self.backups = Backups(self)
        self.operations = Operations(self)
        self._thread: threading.Thread | None = None

    # --- life -----------------------------------------------------------------------------------------------------------

    def migrate(self) -> bool:
        """Bring the database to this release's schema and make sure the tenant `default` is there; whether anything changed."""
        changed = migrate.migrate(self.database)
        self.tenants.ensure(DEFAULT_TENANT)
        return changed

    async def start_async(self) -> None:
        """Run the engine on the present event loop until `stop_async`."""
        await self.engine.start()

    async def stop_async(self) -> None:
        """Drain and stop the engine that runs on the present event loop."""
        await self.engine.stop()
        self.sandbox.close()

    def start(self) -> None:
        """Run the engine on a background thread until `stop`. Returns when it runs; raises what kept it from starting."""
        started: threading.Event = threading.Event()
        failure: list[BaseException] = []
        self._thread = threading.Thread(target=self._serve, args=(started, failure), name="upshot-engine", daemon=True)
        self._thread.start()
        started.wait()
        if failure:
            raise failure[0]

    def stop(self) -> None:
        """Drain and stop the engine of `start`, commit what is pending, and close the database."""
        if self._thread is not None and self.engine.loop is not None:
            asyncio.run_coroutine_threadsafe(self.engine.stop(), self.engine.loop).result()
            self._thread.join()
        self.close()

    def close(self) -> None:
        """Commit what is pending and close every connection."""
        self.sandbox.close()
        self.commit.close()
        self.engine.process.reads.close()
        self.database.close()

    def _serve(self, started: threading.Event, failure: list[BaseException]) -> None:
        async def serve() -> None:
            try:
                await self.engine.start()
            except BaseException as error:  # noqa: BLE001 - raised again in the thread that called start
                failure.append(error)
                return
            finally:
                started.set()
            await self.engine.stopped.wait()

        asyncio.run(serve())

    # --- the doors that hosts use most ----------------------------------------------------------------------------------

    def action(self, name: str, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare an action of this application: `@upshot.action("create_note")`."""
        return self.actions.declare(name, **options)

    def emit(
        self,
        event: "str | pydantic.BaseModel",
        data: Mapping[str, Any] | None = None,
        *,
        tenant: str = DEFAULT_TENANT,
        id: str | None = None,  # noqa: A002 - the event's own field name
        connection: Any = None,
        on_error: str = "raise",
    ) -> str | None:
        """Emit one event; its id. See `Events.emit`."""
        return self.events.emit(event, data, tenant=tenant, id=id, connection=connection, on_error=on_error)

    async def emit_async(
        self,
        event: "str | pydantic.BaseModel",
        data: Mapping[str, Any] | None = None,
        *,
        tenant: str = DEFAULT_TENANT,
        id: str | None = None,  # noqa: A002 - the event's own field name
    ) -> str:
        """`emit`, for an event loop."""
        return await self.events.emit_async(event, data, tenant=tenant, id=id)

    def emit_many(self, events: Sequence[Any], *, tenant: str = DEFAULT_TENANT, connection: Any = None) -> list[str]:
        """Emit up to 1,000 events in one commit, or in the host's own: all are accepted, or none."""
        return self.events.emit_many(events, tenant=tenant, connection=connection)


def limits_of(settings: Settings) -> Limits:
    """The bounds of one process that its settings give."""
    return Limits(
        runs_max=settings.worker_concurrency,
        queues=settings.worker_queues,
        drain_seconds=float(settings.drain_seconds),
        loop_runs_max=settings.loop_runs_max,
        loop_window_seconds=settings.loop_window_seconds,
    )
