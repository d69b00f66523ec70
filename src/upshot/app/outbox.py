"""The outbox as people see it: how much waits, and moving it on now."""

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from upshot.store import outbox

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot
    from upshot.engine.relay import Relayed


class Outbox:
    """What hosts wrote into the outbox in their own transactions."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot

    def counts(self, tenant_id: str) -> dict[str, int]:
        """How many of the tenant's rows are `pending`, `published` and `failed`."""
        with self._upshot.database.reading(tenant_id) as connection:
            return outbox.by_status(connection, tenant_id)

    def refused(self, *, limit: int = 100) -> list[dict[str, Any]]:
        """Every tenant's rows that were refused and are tried again, each with its `error`. For whoever runs the installation.
        Blocks."""
        with self._upshot.database.reading() as connection:
            return [msgspec.to_builtins(row) for row in outbox.refused(connection, limit)]

    def publish(self) -> dict[str, int]:
        """Relay every tenant's rows that are due, now; how many were `published` and `failed`. Blocks.

        The relay of a running engine does this by itself; a cron call may do it where none runs.
        """
        engine = self._upshot.engine
        if engine.loop is not None:
            relayed: Relayed = asyncio.run_coroutine_threadsafe(engine.relay.relay_all(), engine.loop).result()
        else:
            relayed = asyncio.run(engine.relay.relay_all())
        return {"published": relayed.published, "failed": relayed.failed}
