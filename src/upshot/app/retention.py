"""The retention noun: giving up what is over and old, now rather than when the engine comes to it."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from upshot.core.errors import Refused
from upshot.engine.prune import Done, Wanted, go

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot
    from upshot.store.retention import Size


class Retaining:
    """`upshot.retention`: how long things are kept, and pruning."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot

    def prune(
        self,
        *,
        older_than: timedelta | None = None,
        tenant: str | None = None,
        is_dry_run: bool = False,
        actor: str = "host",
        told: Callable[[str, str, int], None] | None = None,
    ) -> dict[str, Any]:
        """Give up what is over and older than the settings say, or than `older_than`: then runs, events, closed dead letters
        and published outbox rows only. Blocks. The engine does this by itself a few times a day.

        What has yet to happen, or is needed by it, is kept whatever its age; ids are remembered as long as the settings say;
        what a tenant has days of its own for is kept for those. `is_dry_run` only counts. `told(tenant, kind, rows)` is
        called after each small piece. A `prune` broken off is taken up by the next.

        Raises:
            Refused: `older_than` is not positive.
            NotFound: there is no such tenant.
            Busy: the store took no writes; what was done stays done.
        """
        if older_than is not None and older_than <= timedelta(0):
            raise Refused.at("older_than", "is more than nothing, like 90 days", "out_of_range")
        if tenant is not None:
            self._upshot.tenants.get(tenant)
        engine = self._upshot.engine
        age = older_than // timedelta(microseconds=1) if older_than is not None else None
        wanted = Wanted(age, tenant, is_dry_run=is_dry_run, actor=actor, free_share=0.0)
        removed: defaultdict[str, Counter[str]] = defaultdict(Counter)

        def note(done: Done) -> None:
            removed[done.tenant_id].update(done.removed)
            if told is not None:
                told(done.tenant_id, done.kind, sum(done.removed.values()))

        async def prune() -> tuple["Size | None", "Size | None"]:
            before = await engine.prune.size()
            await go(engine.prune.go_through(wanted), note)
            return before, await engine.prune.size()

        if engine.loop is not None:
            sizes = asyncio.run_coroutine_threadsafe(prune(), engine.loop).result()
        else:
            sizes = asyncio.run(prune())
        everyones = removed.pop("", Counter())
        return {
            "dry_run": is_dry_run,
            "tenants": [{"id": tenant_id, "removed": dict(rows)} for tenant_id, rows in removed.items() if rows],
            "outbox": everyones["outbox"],
            "bytes": None if sizes[0] is None else {"before": _bytes(sizes[0]), "after": _bytes(sizes[1])},
        }


def _bytes(size: "Size | None") -> int:
    return size.total * size.page_bytes if size is not None else 0
