"""Many dead letters of one fingerprint, a batch at a time: one transaction, one entry of the audit."""

from typing import Any, Literal

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.core.instants import to_text
from upshot.engine import letters
from upshot.store import audit
from upshot.store import letter_pages as store

Action = Literal["retry", "discard"]

NOUN = "dead_letter"
AFTER = {"retry": "retrying", "discard": "discarded"}
BATCH_MAX = 500
"""Letters that one batch acts on at most."""
PROBLEMS_MAX = 20


class Bulk(msgspec.Struct, frozen=True, kw_only=True):
    """What one batch did: `count` were found, `left` are left after it. `next` and `until` are for the next batch, which
    comes after `wait_seconds`; `problems` tell of up to 20 that were refused."""

    count: int
    done: int = 0
    refused: int = 0
    left: int
    until: str
    next: str | None = None
    wait_seconds: float = 0.0
    problems: list[dict[str, str]] = []


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What to do about the open letters of one fingerprint that failed up to `until`, after the letter `after`. `why` is the
    reason of a discard."""

    tenant_id: str
    fingerprint: str
    action: Action
    actor: str
    now: int
    until: int
    after: str = ""
    limit: int = BATCH_MAX
    why: str | None = None

    def count(self, connection: Connection) -> Bulk:
        """How many there are."""
        left = self._left(connection, self.after)
        return Bulk(count=left, left=left, until=to_text(self.until))

    def act(self, connection: Connection) -> Bulk:
        """Do it to the next of them."""
        limit = min(self.limit, BATCH_MAX)
        chosen = store.batch(connection, self.tenant_id, self.fingerprint, self.after, self.until, limit)
        if not chosen:
            return Bulk(count=0, left=0, until=to_text(self.until))
        if self.why is not None:
            moved = letters.discard(connection, self.tenant_id, chosen, self.actor, self.why, self.now)
        else:
            moved = letters.retry(connection, self.tenant_id, chosen, self.actor, self.now)
        if moved.done:
            self._audit(connection, moved.done)
        left = self._left(connection, chosen[-1].id)
        return Bulk(
            count=len(chosen) + left,
            done=len(moved.done),
            refused=len(moved.refused),
            left=left,
            until=to_text(self.until),
            next=chosen[-1].id if left else None,
            problems=[{"id": key, "reason": why} for key, why in list(moved.refused.items())[:PROBLEMS_MAX]],
        )

    def _left(self, connection: Connection, after: str) -> int:
        return store.number_left(connection, self.tenant_id, self.fingerprint, after, self.until)

    def _audit(self, connection: Connection, done: list[str]) -> None:
        before = {"status": "open", "ids": done}
        after: dict[str, Any] = {"status": AFTER[self.action], "count": len(done), "reason": self.why}
        audit.add(
            connection,
            self.tenant_id,
            new_id(self.now),
            self.now,
            self.actor,
            f"bulk_{self.action}",
            NOUN,
            self.fingerprint,
            before,
            after,
        )
