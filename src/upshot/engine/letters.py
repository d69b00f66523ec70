"""Letters: what people do with dead letters, and what becomes of those that are under way again.

Each is one transaction. Two people who press the same button do it once: a letter moves by compare-and-set.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection

from upshot.core.statuses import DEAD_LETTER
from upshot.store import dead_letters, reopening
from upshot.store.letter_pages import LetterRow

if TYPE_CHECKING:
    from upshot.engine.process import Process

SETTLE_MAX = 1_000


class Moved(msgspec.Struct, frozen=True):
    """What became of the letters given: ids that moved, and why others did not."""

    done: list[str]
    refused: dict[str, str]


def retry(connection: Connection, tenant_id: str, letters: Sequence[LetterRow], who: str, now: int) -> Moved:
    """Let what these letters are about be tried again: a run goes on at the step that failed, under the same idempotency
    key; an event is matched again; an outbox row is relayed again."""
    refused = {letter.id: _wrong_status(letter) for letter in letters if "retrying" not in DEAD_LETTER[letter.status]}
    possible = [letter for letter in letters if letter.id not in refused]
    refused |= unretryable(connection, tenant_id, possible)
    wanted = [letter.id for letter in possible if letter.id not in refused]
    moved = dead_letters.move(connection, tenant_id, wanted, "retrying", now, who=who)
    refused |= {letter_id: "somebody else moved it meanwhile" for letter_id in wanted if letter_id not in moved}
    again = [letter for letter in possible if letter.id in moved]
    reopening.reopen_runs(connection, [_failed_run(tenant_id, one) for one in again if one.kind == "run"], now)
    reopening.put_back_events(connection, [(tenant_id, one.noun_id) for one in again if one.kind == "event"])
    reopening.relay_again(connection, [(tenant_id, int(one.noun_id)) for one in again if one.kind == "delivery"], now)
    return Moved([letter.id for letter in again], refused)


def unretryable(connection: Connection, tenant_id: str, letters: Sequence[LetterRow]) -> dict[str, str]:
    """Those of these letters that cannot be retried as things are, each with the reason."""
    refused: dict[str, str] = {}
    runs = reopening.run_states(connection, [(tenant_id, one.noun_id) for one in letters if one.kind == "run"])
    events = reopening.present_events(connection, [(tenant_id, one.noun_id) for one in letters if one.kind == "event"])
    rows = reopening.failed_rows(
        connection, [(tenant_id, int(one.noun_id)) for one in letters if one.kind == "delivery"]
    )
    for letter in letters:
        if letter.kind == "run":
            status, has_version = runs.get(letter.noun_id, (None, False))
            if status is None:
                refused[letter.id] = "its run was removed from history"
            elif status != "failed":
                refused[letter.id] = f"its run is {status}; only a failed run is retried"
            elif not has_version:
                refused[letter.id] = "the version of the automation that its run is on is gone; replay it instead"
        elif letter.kind == "event" and letter.noun_id not in events:
            refused[letter.id] = "its event was removed from history"
        elif letter.kind == "delivery" and int(letter.noun_id) not in rows:
            refused[letter.id] = "its outbox row is not failed any more"
    return refused


def discard(
    connection: Connection, tenant_id: str, letters: Sequence[LetterRow], who: str, why: str, now: int
) -> Moved:
    """Close these letters for a reason. What they are about stays as it is."""
    moved = dead_letters.move(
        connection, tenant_id, [letter.id for letter in letters], "discarded", now, who=who, why=why
    )
    refused = {letter.id: _wrong_status(letter) for letter in letters if letter.id not in moved}
    return Moved([letter.id for letter in letters if letter.id in moved], refused)


async def settle(process: "Process") -> None:
    """Resolve the letters under way again whose trouble is over. Cheap when there is none under way."""
    keys = await process.reads.run(dead_letters.settled, SETTLE_MAX)
    if not keys:
        return
    done = await process.commit.run_async(lambda c: dead_letters.resolve(c, keys, process.clock.now()))
    for tenant_id in {tenant_id for tenant_id, _ in done}:
        process.changes.tell(tenant_id, "dead_letter", status="resolved")


def _failed_run(tenant_id: str, letter: LetterRow) -> reopening.FailedRun:
    return reopening.FailedRun(tenant_id, letter.noun_id, letter.step_id, letter.epoch)


def _wrong_status(letter: LetterRow) -> str:
    return f"it is {letter.status}"
