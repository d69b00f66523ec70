"""An Upshot under test: a real database, the engine on a real thread, and time that the test moves."""

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pydantic

from upshot.app.upshot import DEFAULT_TENANT, Upshot
from upshot.store.database import Database
from upshot.store.migrate import migrate
from upshot.testing.clock import START, VirtualClock

SETTLE_SECONDS = 30.0
PAGE = 200


class Harness:
    """Runs one Upshot for a test; a context manager.

    `build(url, clock)` makes the application's Upshot with its actions: pass both on as `Upshot(url, clock=clock)`. Without
    it there are the built-in actions only. The store is a SQLite file in a folder of its own, gone afterwards, unless `url`
    names another: an empty database of the test's own.

    Nothing here waits for a clock: `emit`, `advance` and `settle` return when the engine has done all that can be done at
    the present instant, so a test needs no sleeps.
    """

    def __init__(
        self,
        build: Callable[[str, VirtualClock], Upshot] | None = None,
        *,
        url: str | None = None,
        now: int = START,
    ) -> None:
        self._build = build or _plain
        self._folder = tempfile.TemporaryDirectory(prefix="upshot-") if url is None else None
        self.url = url or new_file(Path(self._folder.name if self._folder else ""))
        self.clock = VirtualClock(now)
        self.upshot = self._build(self.url, self.clock)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Migrate the database and run the engine on a background thread."""
        self.upshot.migrate()
        self.upshot.start()

    def stop(self) -> None:
        """Stop the engine in order, and remove the file if it is the harness's own."""
        self.upshot.stop()
        if self._folder is not None:
            self._folder.cleanup()

    def restart(self) -> None:
        """Stop the engine in order and start another Upshot on the same database, as a restarted process would."""
        self.upshot.stop()
        self.upshot = self._build(self.url, self.clock)
        self.start()
        self.settle()

    def settle(self) -> None:
        """Return when all that can be done now is done: events are matched, and runs are over or wait for an instant.

        Raises:
            TimeoutError: the engine is not idle after half a minute, as when an action never ends.
        """
        engine = self.upshot.engine
        if engine.loop is None:
            raise RuntimeError("The engine does not run. Use the harness as a context manager, or call start().")
        asyncio.run_coroutine_threadsafe(engine.idle(), engine.loop).result(SETTLE_SECONDS)

    def advance(self, by: float | timedelta) -> None:
        """Move time on by so many seconds or by a duration, and settle: what became due is done."""
        self.clock.advance(by)
        loop = self.upshot.engine.loop
        if loop is not None:
            loop.call_soon_threadsafe(self.upshot.engine.wake)
        self.settle()

    def emit(
        self,
        event: "str | pydantic.BaseModel",
        data: Mapping[str, Any] | None = None,
        *,
        tenant: str = DEFAULT_TENANT,
        id: str | None = None,  # noqa: A002 - the event's own field name
    ) -> str:
        """Emit one event and settle; the event's id."""
        event_id = self.upshot.emit(event, data, tenant=tenant, id=id)
        self.settle()
        return event_id or ""

    def runs(self, *, tenant: str = DEFAULT_TENANT, automation: str | None = None) -> list[dict[str, Any]]:
        """The latest 200 runs with their steps and attempts, oldest first; all, or one automation's."""
        listed = self.upshot.runs.page(tenant, limit=PAGE, automation=automation).items
        return [self.upshot.runs.get(tenant, run["id"]) for run in reversed(listed)]

    def events(self, name: str | None = None, *, tenant: str = DEFAULT_TENANT) -> list[dict[str, Any]]:
        """The latest 200 events, newest first; all, or those of one name."""
        from upshot.store.event_pages import Filter  # noqa: PLC0415 - not part of the kit

        return self.upshot.events.page(tenant, limit=PAGE, wanted=Filter(name=name)).items

    def entities(self, type_: str, *, tenant: str = DEFAULT_TENANT) -> list[dict[str, Any]]:
        """Up to 200 entities of this type, last changed first: what draft and store actions made."""
        return self.upshot.entities.page(tenant, type_, limit=PAGE).items


def new_file(folder: Path) -> str:
    """The URL of a new SQLite file in this folder, migrated."""
    (folder / "upshot.db").write_bytes(_migrated())
    return f"sqlite:///{folder}/upshot.db"


@cache
def _migrated() -> bytes:
    """The file of a database after all migrations, which take longer than most tests: made once per process."""
    with tempfile.TemporaryDirectory(prefix="upshot-") as folder:
        database = Database(f"sqlite:///{folder}/upshot.db")
        migrate(database)
        database.close()
        return (Path(folder) / "upshot.db").read_bytes()


def _plain(url: str, clock: VirtualClock) -> Upshot:
    return Upshot(url, clock=clock)
