"""The dead letters noun: what was given up on, and what people do about it: look, retry, replay, discard, one or many."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.app.announce import announce
from upshot.app.changing import change
from upshot.app.letter_batches import AFTER, BATCH_MAX, NOUN, Action, Batch, Bulk
from upshot.app.letter_shapes import group_item, letter_item
from upshot.app.listed import Listed, cut
from upshot.app.replaying import Replaying, present, source_of
from upshot.core.dead_letters import REASON_MAX
from upshot.core.errors import Busy, Conflict, NotFound, Refused
from upshot.core.instants import SECOND, from_text
from upshot.core.statuses import DEAD_LETTER
from upshot.engine import letters
from upshot.store import audit
from upshot.store import letter_pages as store
from upshot.store.letter_pages import LetterRow

if TYPE_CHECKING:
    from upshot.app.upshot import Upshot

RETRIES_PER_SECOND = 1_000
"""How fast a tenant's letters are retried in bulk, so that what just failed is not run over again."""
_DONE = {"retry": "retried", "discard": "discarded"}


class DeadLetters(Replaying):
    """`upshot.dead_letters`. Every change is audited in its own transaction."""

    def __init__(self, upshot: "Upshot") -> None:
        super().__init__(upshot)
        self._next_retry_at: dict[str, int] = {}

    # --- looking --------------------------------------------------------------------------------------------------------

    def page(
        self,
        tenant_id: str,
        *,
        limit: int = 50,
        after: Any = None,
        kind: str | None = None,
        status: str | None = None,
        fingerprint: str | None = None,
        automation: str | None = None,
    ) -> Listed:
        """Letters, those that failed last first. `automation` is an automation's id."""
        wanted = store.Filter(kind, status, fingerprint, automation)
        with self._upshot.database.reading(tenant_id) as connection:
            found = store.page(connection, tenant_id, _place(after), limit + 1, wanted)
        shown, has_more = cut(found, limit)
        place = [shown[-1].last_at, shown[-1].id] if has_more else None
        return Listed([letter_item(letter) for letter in shown], place)

    def groups(
        self,
        tenant_id: str,
        *,
        limit: int = 50,
        after: Any = None,
        kind: str | None = None,
        status: str | None = "open",
        automation: str | None = None,
    ) -> Listed:
        """Letters by fingerprint, the group that failed last first; the open ones, or of another status."""
        wanted = store.Filter(kind, status, None, automation)
        with self._upshot.database.reading(tenant_id) as connection:
            found = store.groups(connection, tenant_id, _place(after), limit + 1, wanted)
        shown, has_more = cut(found, limit)
        place = [shown[-1].last_at, shown[-1].fingerprint] if has_more else None
        return Listed([group_item(group) for group in shown], place)

    def get(self, tenant_id: str, letter_id: str) -> dict[str, Any]:
        """One letter with what it is about, the attempts that were made, and what keeps it from being retried, if anything.

        Raises:
            NotFound: there is no such letter.
        """
        with self._upshot.database.reading(tenant_id) as connection:
            letter = present(connection, tenant_id, letter_id)
            source = source_of(connection, tenant_id, letter)
            blocked = letters.unretryable(connection, tenant_id, [letter]).get(letter_id)
        may = "retrying" in DEAD_LETTER[letter.status]
        return {
            **letter_item(letter),
            "data": source.data,
            "payload": source.text,
            "tries": self._tries(tenant_id, letter),
            "blocked": blocked if may else None,
        }

    def _tries(self, tenant_id: str, letter: LetterRow) -> list[dict[str, Any]]:
        if letter.kind != "run" or letter.step_id is None:
            return []
        try:
            steps = self._upshot.runs.get(tenant_id, letter.noun_id)["steps"]
        except NotFound:
            return []
        return [attempt for step in steps if step["id"] == letter.step_id for attempt in step["attempts"]]

    # --- one ------------------------------------------------------------------------------------------------------------

    def retry(self, tenant_id: str, letter_id: str, *, actor: str = "host") -> dict[str, Any]:
        """Try it again: a run goes on at the step that failed, under the same idempotency key, an event is matched again, an
        outbox row is relayed again. Twice is once: what is under way again is answered as it is.

        Raises:
            NotFound: there is no such letter.
            Conflict: it is resolved, or what it is about cannot be tried again; the message says why.
        """
        now = self._upshot.clock.now()

        def act(connection: Connection, letter: LetterRow) -> letters.Moved:
            return letters.retry(connection, tenant_id, [letter], actor, now)

        return self._act(tenant_id, letter_id, "retry", act, actor, None)

    def discard(self, tenant_id: str, letter_id: str, reason: str, *, actor: str = "host") -> dict[str, Any]:
        """Close it for a reason, 1 to 500 characters. What it is about stays as it is.

        Raises:
            NotFound: there is no such letter.
            Conflict: it is resolved, or under way again.
            Refused: the reason is empty or too long.
        """
        now, why = self._upshot.clock.now(), _reason(reason)

        def act(connection: Connection, letter: LetterRow) -> letters.Moved:
            return letters.discard(connection, tenant_id, [letter], actor, why, now)

        return self._act(tenant_id, letter_id, "discard", act, actor, why)

    def _act(
        self,
        tenant_id: str,
        letter_id: str,
        action: Action,
        act: Callable[[Connection, LetterRow], letters.Moved],
        actor: str,
        why: str | None,
    ) -> dict[str, Any]:
        now = self._upshot.clock.now()

        def write(connection: Connection) -> None:
            letter = present(connection, tenant_id, letter_id, is_locked=True)
            if letter.status == AFTER[action]:
                return
            moved = act(connection, letter)
            if moved.refused:
                raise Conflict(f"Dead letter {letter_id!r} cannot be {_DONE[action]}: {moved.refused[letter_id]}.")
            before: dict[str, Any] = {"status": letter.status, "reason": letter.why}
            after = {"status": AFTER[action], "reason": why}
            audit.add(connection, tenant_id, new_id(now), now, actor, action, NOUN, letter_id, before, after)

        change(self._upshot, tenant_id, write)
        self._upshot.engine.claim_soon()
        announce(self._upshot, tenant_id, NOUN, id=letter_id, status=AFTER[action])
        return self.get(tenant_id, letter_id)

    # --- many -----------------------------------------------------------------------------------------------------------

    def bulk(
        self,
        tenant_id: str,
        fingerprint: str,
        action: Action,
        *,
        reason: str | None = None,
        dry_run: bool = True,
        until: str | None = None,
        after: str | None = None,
        limit: int = BATCH_MAX,
        actor: str = "host",
    ) -> Bulk:
        """Act on the open letters of one fingerprint, up to `limit` (at most 500) in one transaction; what was done, and how
        many are left after it. A dry run counts and changes nothing.

        Call it again with the answer's `until` and `next` until `next` is None: `until` leaves out what fails meanwhile, so
        that the work ends however it goes.

        Raises:
            Refused: a discard without a reason, or a retry with one.
            Busy: the batch before was retried less than its share of a second ago.
        """
        if action == "retry" and reason is not None:
            raise Refused.at("reason", "is of a discard; a retry takes none", "unknown_field")
        now = self._upshot.clock.now()
        batch = Batch(
            tenant_id=tenant_id,
            fingerprint=fingerprint,
            action=action,
            actor=actor,
            now=now,
            until=min(from_text(until, "until"), now) if until is not None else now,
            after=after or "",
            limit=limit,
            why=_reason(reason) if action == "discard" and not dry_run else None,
        )
        if dry_run:
            with self._upshot.database.reading(tenant_id) as connection:
                return batch.count(connection)
        if action == "retry":
            self._wait_for_share(tenant_id, now)
        did = change(self._upshot, tenant_id, batch.act, is_alone=True)
        if action == "retry" and did.done:
            self._next_retry_at[tenant_id] = now + did.done * SECOND // RETRIES_PER_SECOND
            did = msgspec.structs.replace(did, wait_seconds=did.done / RETRIES_PER_SECOND)
            self._upshot.engine.claim_soon()
        announce(self._upshot, tenant_id, NOUN, fingerprint=fingerprint, status=AFTER[action])
        return did

    def _wait_for_share(self, tenant_id: str, now: int) -> None:
        if now < self._next_retry_at.get(tenant_id, 0):
            raise Busy(
                f"Dead letters are retried at {RETRIES_PER_SECOND} a second for each tenant, and the batch before has not "
                "used up its time. Send it again in a moment."
            )


def _place(after: Any) -> store.Place | None:
    return (after[0], after[1]) if after is not None else None


def _reason(reason: str | None) -> str:
    why = " ".join((reason or "").split())
    if not 1 <= len(why) <= REASON_MAX:
        raise Refused.at("reason", f"is required: 1 to {REASON_MAX} characters that say why", "missing")
    return why
