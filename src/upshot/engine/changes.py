"""Who is told what changed: live pages, and tests that wait for a named signal. A hint, never the truth."""

import asyncio
from collections import defaultdict
from typing import Any

QUEUE_MAX = 1_000


class Changes:
    """Hands each change to the tenant's subscribers on the engine's event loop."""

    def __init__(self, *, is_shared: bool = False) -> None:
        """`is_shared`: other processes have subscribers too, and are told of the tenants `take_touched` gives."""
        self._is_shared = is_shared
        self._touched: set[str] = set()
        self._queues: dict[str, set[asyncio.Queue[dict[str, Any]]]] = defaultdict(set)

    def wanted(self, tenant_id: str) -> bool:
        """Whether anybody listens: without listeners nothing need be made."""
        return self._is_shared or bool(self._queues.get(tenant_id))

    def take_touched(self) -> set[str]:
        """The tenants that something changed of since this was last asked, for a store that other processes share."""
        touched, self._touched = self._touched, set()
        return touched

    def resync(self, tenant_id: str) -> None:
        """Have the tenant's subscribers read everything again: something changed elsewhere."""
        for queue in self._queues.get(tenant_id, ()):
            if not queue.full():
                queue.put_nowait({"kind": "resync"})

    def subscribe(self, tenant_id: str) -> "asyncio.Queue[dict[str, Any]]":
        """A queue that gets this tenant's changes until `unsubscribe`. One that is not read is emptied down to a
        single `resync`, after which the reader must read everything again."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(QUEUE_MAX)
        self._queues[tenant_id].add(queue)
        return queue

    def unsubscribe(self, tenant_id: str, queue: "asyncio.Queue[dict[str, Any]]") -> None:
        """Stop filling this queue."""
        self._queues[tenant_id].discard(queue)

    def tell(self, tenant_id: str, kind: str, **facts: Any) -> None:
        """Tell the tenant's subscribers that something changed."""
        if self._is_shared:
            self._touched.add(tenant_id)
        for queue in self._queues.get(tenant_id, ()):
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait({"kind": "resync"})
            queue.put_nowait({"kind": kind, **facts})
