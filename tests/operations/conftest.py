"""An Upshot with a past: time that the test moves, and looks at what is left."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from upshot import Upshot
from upshot.adapters.clock import ids_from
from upshot.app.settings import Settings
from upshot.core.invariants import Snapshot, violations
from upshot.testing import Harness, VirtualClock
from upshot.testing.clock import START

TABLES = ("events", "unmatched", "runs", "active", "steps", "timers", "waits")


class Past(Harness):
    """What the tests of operations need of one Upshot."""

    def __init__(self, url: str, *, prune_every_hours: int = 0, now: int = START) -> None:
        self._settings = Settings(prune_every_hours=prune_every_hours)
        super().__init__(self._make, url=url, now=now)

    def automation(self, *steps: dict[str, Any], tenant: str = "default", **more: Any) -> str:
        """An active automation of `test/happened`; its id."""
        document = {"name": "test", "trigger": {"event": "test/happened"}, "steps": list(steps), "status": "active"}
        return self.upshot.automations.create(tenant, {**document, **more})["id"]

    def stopped(self) -> None:
        """Go on without an engine, as a host's or a command's process beside none."""
        self.upshot.stop()
        self.upshot = self._make(self.url, self.clock)

    def _make(self, url: str, clock: VirtualClock) -> Upshot:
        made = Upshot(url, clock=clock, settings=self._settings)
        _declare(made)
        return made

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table."""
        return rows(self.upshot, table)

    def numbers(self, *tables: str) -> list[int]:
        """How many rows each table has."""
        return [len(self.rows(table)) for table in tables]

    def check(self) -> None:
        """Every invariant of the store holds."""
        assert violations(Snapshot(**{table: self.rows(table) for table in TABLES})) == []


def rows(upshot: Upshot, table: str) -> list[dict[str, Any]]:
    """All rows of a table."""
    with upshot.database.reading() as connection:
        return [dict(row) for row in connection.execute(text(f"SELECT * FROM upshot_{table}")).mappings()]


def _declare(upshot: Upshot) -> None:

    @upshot.action("note")
    async def note(args: dict, context: Any) -> dict[str, Any]:  # type: ignore[type-arg] - an action may take plain arguments
        return {"noted": args}

    @upshot.action("fail_once")
    async def fail_once(args: dict, context: Any) -> None:  # type: ignore[type-arg] - as above
        if context.attempt == 1:
            raise RuntimeError("not yet")


@pytest.fixture
def past(url: str) -> Iterator[Past]:
    with ids_from(os.urandom), Past(url) as made:  # else ids go on from where another test moved its time to
        yield made
