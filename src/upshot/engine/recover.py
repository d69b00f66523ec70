"""Recover: takes runs that nobody drives (their worker is gone, or there was no room) and drives them on from the journal.

A loop over state, not a pass at start: it does not matter why a run was left.
"""

import logging
from collections import Counter

from sqlalchemy import Connection

from upshot.core.advance import OutOfOrder
from upshot.core.commands import StepError
from upshot.core.errors import Refused
from upshot.engine.live_run import LiveRun
from upshot.engine.process import Process
from upshot.engine.record import encode_error
from upshot.engine.run import Run
from upshot.store import counts, dead_letters, journal, runs
from upshot.store.runs import Claimed

log = logging.getLogger("upshot.engine")

POLL_SECONDS = 1.0
CLAIM_MAX = 500


class Recover:
    """The service that brings runs back."""

    name = "recover"

    def __init__(self, process: Process, run: Run) -> None:
        self._process, self._run = process, run

    async def poll(self) -> float:
        """Claim what is ready or orphaned, as far as there is room."""
        process = self._process
        limit = min(CLAIM_MAX, self._run.room)
        if limit <= 0:
            self._run.claim_wanted = True
            return POLL_SECONDS
        now = process.clock.now()
        claimed = await process.commit.run_async(lambda c: claim(c, process.worker_id, now, limit))
        hopeless = [c for c in claimed if c.strikes > process.limits.strikes_max]
        if hopeless:
            await process.commit.run_async(lambda c: give_up(c, hopeless, process.clock.now()))
        await self.bring_back([(c.tenant_id, c.run_id, c.epoch) for c in claimed if c not in hopeless])
        if len(claimed) == limit:
            self._run.claim_wanted = True
            return 0.0 if self._run.room else POLL_SECONDS
        return POLL_SECONDS

    async def bring_back(self, held: list[tuple[str, str, int]]) -> None:
        """Read these runs, which this process holds, and drive them on."""
        if not held:
            return
        epochs = {(tenant_id, run_id): epoch for tenant_id, run_id, epoch in held}
        for kept in await self._process.reads.run(journal.load, list(epochs)):
            known = await self._process.definitions.of(kept.tenant_id)
            try:
                if kept.document is None:
                    raise Refused.at("version", f"version {kept.version} of its automation is gone", "missing_version")
                program = self._process.definitions.program(
                    kept.tenant_id, kept.automation_id, kept.version, kept.document
                )
                run, command = LiveRun.kept(kept, program, known.zone, epochs[kept.tenant_id, kept.run_id])
            except (Refused, OutOfOrder) as error:
                log.warning("run %s cannot be driven by this process and is left to others: %s", kept.run_id, error)
                continue
            self._run.reserve_always()
            self._run.take(run, command)


def claim(connection: Connection, worker_id: str, now: int, limit: int) -> list[Claimed]:
    """Take runs that are ready or orphaned, and count those that only now begin."""
    claimed = runs.claim(connection, worker_id, now, limit)
    changes: Counter[counts.Key] = Counter()
    for run in claimed:
        changes[run.tenant_id, "runs", "", run.was] -= 1
        changes[run.tenant_id, "runs", "", "running"] += 1
    counts.add(connection, changes, now)
    return claimed


def give_up(connection: Connection, hopeless: list[Claimed], now: int) -> None:
    """Runs that were claimed again and again without keeping a step: they fail, and are kept as dead letters."""
    changes: Counter[counts.Key] = Counter()
    for claimed in hopeless:
        error = StepError("gave_up", f"Given up after {claimed.strikes - 1} claims in which no step could be kept.")
        runs.finish(connection, [(claimed.tenant_id, claimed.run_id)], "failed", now, encode_error(error))
        dead_letters.add(connection, claimed.tenant_id, "run", claimed.run_id, error.message, claimed.strikes, now)
        changes[claimed.tenant_id, "runs", "", "running"] -= 1
        changes[claimed.tenant_id, "runs", "", "failed"] += 1
    counts.add(connection, changes, now)
