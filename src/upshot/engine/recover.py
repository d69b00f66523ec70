"""Recover: takes runs that nobody drives (their worker is gone, or there was no room) and drives them on from the journal.

A loop over state, not a pass at start: it does not matter why a run was left.
"""

import logging
from collections import Counter
from collections.abc import Callable

from sqlalchemy import Connection

from upshot.core.advance import OutOfOrder
from upshot.core.commands import StepError
from upshot.core.errors import Refused
from upshot.core.instants import MINUTE
from upshot.core.program import Program
from upshot.engine.live_run import LiveRun
from upshot.engine.process import Process
from upshot.engine.record import encode_error
from upshot.engine.run import Run
from upshot.store import counts, dead_letters, journal, runs
from upshot.store.database import DatabaseUnavailable
from upshot.store.journal import KeptRun, Timer
from upshot.store.runs import Claimed

log = logging.getLogger("upshot.engine")

POLL_SECONDS = 1.0
CLAIM_MAX = 500

Held = tuple[str, str, int]
"""Tenant, run, and the epoch under which this process holds it."""


class Recover:
    """The service that brings runs back."""

    name = "recover"

    def __init__(self, process: Process, run: Run) -> None:
        self._process, self._run = process, run
        self._owed: list[tuple[list[Held], bool]] = []
        self.on_timer: Callable[[Timer], bool] = lambda _: False

    async def poll(self) -> float:
        """Claim what is ready or orphaned, as far as there is room."""
        process = self._process
        await self._release()
        limit = min(CLAIM_MAX, self._run.room)
        if limit <= 0:
            self._run.claim_wanted = True
            return POLL_SECONDS
        now = process.clock.now()
        claimed = await process.commit.run_async(lambda c: claim(c, process.worker_id, now, limit))
        hopeless = [c for c in claimed if c.strikes > process.limits.strikes_max]
        if hopeless:
            await process.commit.run_async(lambda c: give_up(c, hopeless, process.worker_id, process.clock.now()))
        await self.bring_back([(c.tenant_id, c.run_id, c.epoch) for c in claimed if c not in hopeless])
        if len(claimed) == limit:
            self._run.claim_wanted = True
            return 0.0 if self._run.room else POLL_SECONDS
        return POLL_SECONDS

    async def bring_back(self, held: list[Held]) -> None:
        """Read these runs, which this process holds, and drive them on. One that cannot be read holds up no other."""
        if not held:
            return
        epochs = {(tenant_id, run_id): epoch for tenant_id, run_id, epoch in held}
        try:
            found = await self._process.reads.run(journal.load, list(epochs))
        except Exception as error:
            is_strike = not isinstance(error, DatabaseUnavailable)
            if is_strike and len(held) > 1:
                middle = len(held) // 2
                await self.bring_back(held[:middle])
                await self.bring_back(held[middle:])
                return
            log.exception("%s runs could not be read; they are handed back", len(held))
            self._owed.append((held, is_strike))
            return
        for kept in found:
            await self._bring_back_one(kept, epochs[kept.tenant_id, kept.run_id])

    async def _bring_back_one(self, kept: KeptRun, epoch: int) -> None:
        process, held = self._process, (kept.tenant_id, kept.run_id, epoch)
        try:
            known = await process.definitions.of(kept.tenant_id)
            program = self._program(kept)
            run, command = LiveRun.kept(kept, program, known.zone, epoch)
        except (Refused, OutOfOrder) as error:
            log.warning("run %s waits for a release that can drive it: %s", kept.run_id, error)
            now = process.clock.now()
            timer = Timer(kept.tenant_id, kept.run_id, f"version {kept.version}", "retry", 0, now, now + MINUTE)
            if await process.commit.run_async(lambda c: set_aside(c, timer, epoch, process.worker_id, now)):
                self.on_timer(timer)
            return
        except Exception as error:
            log.exception("run %s could not be brought back; it is handed back", kept.run_id)
            self._owed.append(([held], not isinstance(error, DatabaseUnavailable)))
            return
        self._run.reserve_always()
        self._run.take(run, command)

    def _program(self, kept: KeptRun) -> Program:
        if kept.document is None:
            raise Refused.at("version", f"version {kept.version} of its automation is gone", "missing_version")
        return self._process.definitions.program(kept.tenant_id, kept.automation_id, kept.version, kept.document)

    async def _release(self) -> None:
        """Hand back what could not be brought back."""
        process = self._process
        while self._owed:
            held, is_strike = self._owed[-1]
            await process.commit.run_async(
                lambda c, h=held, s=is_strike: runs.release_held(c, h, process.worker_id, is_strike=s)
            )
            self._owed.pop()


def set_aside(connection: Connection, timer: Timer, epoch: int, worker_id: str, now: int) -> bool:
    """Let this run wait until it is looked at again; False when it is not held any more."""
    key = (timer.tenant_id, timer.run_id)
    if not runs.held(connection, [(*key, epoch)], worker_id):
        return False
    runs.park(connection, [key])
    journal.set_timers(connection, [timer])
    counts.add(connection, Counter({(key[0], "runs", "", "running"): -1, (key[0], "runs", "", "waiting"): 1}), now)
    return True


def claim(connection: Connection, worker_id: str, now: int, limit: int) -> list[Claimed]:
    """Take runs that are ready or orphaned, and count those that only now begin."""
    claimed = runs.claim(connection, worker_id, now, limit)
    changes: Counter[counts.Key] = Counter()
    for run in claimed:
        changes[run.tenant_id, "runs", "", run.was] -= 1
        changes[run.tenant_id, "runs", "", "running"] += 1
    counts.add(connection, changes, now)
    return claimed


def give_up(connection: Connection, hopeless: list[Claimed], worker_id: str, now: int) -> None:
    """Runs that were claimed again and again without keeping a step: they fail, and are kept as dead letters."""
    ours = runs.held(connection, [(c.tenant_id, c.run_id, c.epoch) for c in hopeless], worker_id)
    changes: Counter[counts.Key] = Counter()
    for claimed in hopeless:
        if claimed.run_id not in ours:
            continue  # it was cancelled meanwhile
        error = StepError("gave_up", f"Given up after {claimed.strikes - 1} claims in which no step could be kept.")
        runs.finish(connection, [(claimed.tenant_id, claimed.run_id)], "failed", now, encode_error(error))
        dead_letters.add(connection, claimed.tenant_id, "run", claimed.run_id, error.message, claimed.strikes, now)
        changes[claimed.tenant_id, "runs", "", "running"] -= 1
        changes[claimed.tenant_id, "runs", "", "failed"] += 1
        if not claimed.test:
            changes[claimed.tenant_id, "automation", claimed.automation_id, "failed"] += 1
    counts.add(connection, changes, now)
