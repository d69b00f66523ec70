"""The controlling side of `upshot.runs`: cancel, pause, resume and retry, one run or all that a filter names."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.app.announce import announce
from upshot.app.changing import change
from upshot.core.errors import Conflict, NotFound
from upshot.core.instants import from_text, to_text
from upshot.engine import control
from upshot.engine.control import Action
from upshot.store import audit, event_pages, run_pages
from upshot.store.run_pages import Filter

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

BATCH_MAX: Final = 500
"""Runs that one batch acts on at most."""
PROBLEMS_MAX: Final = 20
_DONE: Final[dict[Action, str]] = {
    "cancel": "cancelled",
    "pause": "paused",
    "resume": "resumed",
    "retry": "retried",
}


class BulkRuns(msgspec.Struct, frozen=True, kw_only=True):
    """What one batch did: `count` were found, `left` are left after it. `next` and `until` are for the next batch; `problems`
    tell of up to 20 that were refused."""

    count: int
    done: int = 0
    refused: int = 0
    left: int
    until: str
    next: str | None = None
    problems: list[dict[str, str]] = []


class _Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What to do to which runs: those that `said` names, created up to `until`, after the run `after`."""

    tenant_id: str
    action: Action
    said: dict[str, Any]
    until: int
    after: str
    limit: int
    actor: str
    now: int

    def count(self, connection: Connection) -> BulkRuns:
        """How many there are."""
        left = self._left(connection, self._filter(connection), self.after)
        return BulkRuns(count=left, left=left, until=to_text(self.until))

    def act(self, connection: Connection) -> tuple[BulkRuns, control.Moved]:
        """Do it to the next of them."""
        wanted, statuses = self._filter(connection), control.actionable(self.action)
        chosen = run_pages.batch(connection, self.tenant_id, wanted, statuses, self.after, self.until, self.limit)
        moved = control.act(connection, self.tenant_id, chosen, self.action, self.actor, self.now)
        left = self._left(connection, wanted, chosen[-1]) if chosen else 0
        if moved.done:
            self._audit(connection, moved.done)
        told = BulkRuns(
            count=len(chosen) + left,
            done=len(moved.done),
            refused=len(moved.refused),
            left=left,
            until=to_text(self.until),
            next=chosen[-1] if left else None,
            problems=[{"id": run_id, "reason": why} for run_id, why in list(moved.refused.items())[:PROBLEMS_MAX]],
        )
        return told, moved

    def _filter(self, connection: Connection) -> Filter:
        event = self.said["event"]
        found = event_pages.read(connection, self.tenant_id, event) if event is not None else None
        return Filter(
            event_id=found.id if found is not None else None,
            event_name=event if found is None else None,
            automation_id=self.said["automation"],
            status=self.said["status"],
            entity=self.said["entity"],
            replay_id=self.said["replay"],
        )

    def _left(self, connection: Connection, wanted: Filter, after: str) -> int:
        statuses = control.actionable(self.action)
        return run_pages.number_left(connection, self.tenant_id, wanted, statuses, after, self.until)

    def _audit(self, connection: Connection, done: dict[str, str]) -> None:
        entity = self.said["entity"]
        about = {"type": entity[0], "id": entity[1]} if entity is not None else None
        named = {name: value for name, value in {**self.said, "entity": about}.items() if value is not None}
        audit.add(
            connection,
            self.tenant_id,
            new_id(self.now),
            self.now,
            self.actor,
            f"bulk_{self.action}",
            "run",
            self.said["automation"] or self.said["event"] or self.said["replay"] or "all",
            {"status": done},
            {"count": len(done), "filter": named},
        )


class Controlling:
    """What people do to runs that are there. Every change is audited in its own transaction."""

    def __init__(self, upshot: "Upshot") -> None:
        self._upshot = upshot

    def cancel(self, tenant_id: str, run_id: str, *, actor: str = "host") -> None:
        """Cancel a run that is not over. No further step starts; the outcome of a step in flight is dropped.

        Raises:
            NotFound: there is no such run.
            Conflict: it is over already.
        """
        self._act(tenant_id, run_id, "cancel", actor)

    def pause(self, tenant_id: str, run_id: str, *, actor: str = "host") -> None:
        """Pause a run. Steps in flight end and are kept, no further one starts, and timers that come due do nothing until it is
        resumed.

        Raises:
            NotFound: there is no such run.
            Conflict: it is over, or paused already.
        """
        self._act(tenant_id, run_id, "pause", actor)

    def resume(self, tenant_id: str, run_id: str, *, actor: str = "host") -> None:
        """Let a paused run go on where it stands.

        Raises:
            NotFound: there is no such run.
            Conflict: it is not paused.
        """
        self._act(tenant_id, run_id, "resume", actor)

    def retry(self, tenant_id: str, run_id: str, *, actor: str = "host") -> None:
        """Let a failed run go on at the step that failed, under the same idempotency key; its dead letter is under way again.

        Raises:
            NotFound: there is no such run.
            Conflict: it is not failed, or its version is gone.
        """
        self._act(tenant_id, run_id, "retry", actor)

    def bulk(
        self,
        tenant_id: str,
        action: Action,
        *,
        event: str | None = None,
        automation: str | None = None,
        status: str | None = None,
        entity: tuple[str, str] | None = None,
        replay: str | None = None,
        dry_run: bool = True,
        until: str | None = None,
        after: str | None = None,
        limit: int = BATCH_MAX,
        actor: str = "host",
    ) -> BulkRuns:
        """Act on the runs that this filter names and that the action can be done to, the oldest first, up to `limit` (at most
        500) in one transaction. The filter is that of `page`; an empty one names all. A dry run counts and changes nothing.

        Call it again with the answer's `until` and `next` until `next` is None: `until` leaves out what starts meanwhile.
        """
        now = self._upshot.clock.now()
        batch = _Batch(
            tenant_id=tenant_id,
            action=action,
            said={
                "event": event,
                "automation": automation,
                "status": status,
                "entity": entity,
                "replay": replay,
            },
            until=min(from_text(until, "until"), now) if until is not None else now,
            after=after or "",
            limit=min(limit, BATCH_MAX),
            actor=actor,
            now=now,
        )
        if dry_run:
            with self._upshot.database.reading(tenant_id) as connection:
                return batch.count(connection)
        told, moved = change(self._upshot, tenant_id, batch.act, is_alone=True)
        self._tell(tenant_id, moved, action)
        return told

    def bulk_all(self, tenant_id: str, action: Action, *, actor: str = "host", **named: Any) -> Iterator[BulkRuns]:
        """`bulk` over all that the filter names, batch after batch, for whoever waits for the end of it."""
        did = self.bulk(tenant_id, action, dry_run=False, actor=actor, **named)
        yield did
        while did.next is not None:
            did = self.bulk(tenant_id, action, dry_run=False, until=did.until, after=did.next, actor=actor, **named)
            yield did

    def _act(self, tenant_id: str, run_id: str, action: Action, actor: str) -> None:
        now = self._upshot.clock.now()

        def write(connection: Connection) -> control.Moved:
            moved = control.act(connection, tenant_id, [run_id], action, actor, now)
            why = moved.refused.get(run_id)
            if why == control.MISSING:
                raise NotFound("run", run_id)
            if why is not None:
                raise Conflict(f"Run {run_id!r} cannot be {_DONE[action]}: {why}.")
            before: dict[str, Any] = {"status": moved.done[run_id]}
            after = {"status": run_pages.status(connection, tenant_id, run_id)}
            audit.add(connection, tenant_id, new_id(now), now, actor, action, "run", run_id, before, after)
            return moved

        self._tell(tenant_id, change(self._upshot, tenant_id, write, is_alone=True), action)

    def _tell(self, tenant_id: str, moved: control.Moved, action: Action) -> None:
        """Wake who has something to do now, and tell live pages."""
        for run_id in moved.done:
            if action == "cancel":
                self._upshot.engine.dropped(tenant_id, run_id)
            announce(self._upshot, tenant_id, "run", id=run_id, status=control.BECOMES[action])
        if action in {"resume", "retry"}:
            self._upshot.engine.claim_soon()
