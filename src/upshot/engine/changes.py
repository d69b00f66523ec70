"""Who is told what changed: live pages, and tests that wait for a named signal. A hint, never the truth."""

import asyncio
from collections import defaultdict
from typing import Any

QUEUE_MAX = 1_000


class Changes:
    """Hands each change to the tenant's subscribers on the engine's event loop."""

    def __init__(self) -> None:
        self._queues: dict[str, set[asyncio.Queue[dict[str, Any]]]] = defaultdict(set)

    def wanted(self, tenant_id: str) -> bool:
        """Whether anybody listens: without listeners nothing need be made."""
        return bool(self._queues.get(tenant_id))

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
        for queue in self._queues.get(tenant_id, ()):
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait({"kind": "resync"})
            queue.put_nowait({"kind": kind, **facts})
