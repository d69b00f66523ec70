"""Recover: takes runs that nobody drives (their worker is gone, or there was no room) and drives them on from the journal.

A loop over state, not a pass at start: it does not matter why a run was left.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from upshot.core import dead_letters as letters
from upshot.core.advance import OutOfOrder
from upshot.core.commands import StepError
from upshot.core.errors import Refused
from upshot.core.instants import MINUTE, SECOND
from upshot.core.journal import WHOLE
from upshot.core.queues import EVERY, QUEUE
from upshot.engine.live_run import LiveRun
from upshot.engine.process import Process
from upshot.engine.record import encode_error
from upshot.engine.run import Run
from upshot.engine.suspects import Apart, apart
from upshot.store import calls, counts, dead_letters, journal, queues, runs, standing, waits
from upshot.store.database import DatabaseUnavailable
from upshot.store.journal import KeptRun, Timer
from upshot.store.runs import Claimed

log = logging.getLogger("upshot.engine")

POLL_SECONDS = 1.0
CLAIM_MAX = 500
SHARED_CLAIM_MAX = 100
"""A claim while several tenants give work: another's next step waits for it."""
CLAIM_PART = 20
"""No claim for less room than this part of all of it: a claim for one run costs as much as one for many."""
AT_A_STRETCH = 10  # runs brought back before other tasks of the loop have their turn
MISSING_LOOK = 5 * SECOND
"""How often what is held here is compared with what is driven here (microseconds)."""

QUEUES_LOOK = SECOND
"""How often at least a worker that serves every queue looks in which of them anything waits (microseconds)."""
TRIAL_SECONDS = 0.1

Held = tuple[str, str, int]
"""Tenant, run, and the epoch under which this process holds it."""


class Recover:
    """The service that brings runs back."""

    name = "recover"

    def __init__(self, process: Process, run: Run) -> None:
        self._process, self._run = process, run
        self._owed: list[tuple[list[Held], bool]] = []
        self._claimed_up_to: dict[str, str] = {}
        self._missing: set[Held] = set()
        self._coming: set[Held] = set()
        """What is being read in this moment, to be driven on."""
        self._on_trial: dict[tuple[str, str], int] = {}
        self._next_look_at = self._next_queues_at = 0
        self._waiting = {QUEUE}
        """Where every queue is served: those to claim of."""
        self._turn = 0
        self.on_timer: Callable[[Timer], bool] = lambda _: False

    async def poll(self) -> float:
        """Claim what is ready, as far as there is room; and now and then look for what is held here and not driven."""
        await self._release()
        if self._process.clock.now() >= self._next_look_at:
            await self._bring_back_missing()
        if not self._limit():
            self._run.claim_wanted = True
            return POLL_SECONDS
        if await self._claim_of_all():
            self._run.claim_wanted = True
            return 0.0
        return TRIAL_SECONDS if self._on_trial else POLL_SECONDS

    def _limit(self) -> int:
        """How many runs may be claimed at once; 0 while there is too little room for any."""
        most = SHARED_CLAIM_MAX if self._process.commit.is_shared else CLAIM_MAX
        limit = min(most, self._run.room_to_claim)
        return limit if limit >= max(1, self._process.limits.runs_max // CLAIM_PART) else 0

    async def _claim_of_all(self) -> bool:
        """Claim of each queue that is served, as far as there is room, and of another one first each time, so that where one
        could take all the room each has its turn; whether more may be claimed at once."""
        served, is_more = sorted(await self._queues()), False
        self._turn += 1
        for at in range(len(served)):
            limit = self._limit()
            if not limit:
                return True
            self._run.set_aside(limit)
            try:
                is_more |= await self._claim(served[(at + self._turn) % len(served)], limit)
            finally:
                self._run.set_aside(0)
        return is_more

    async def _queues(self) -> Collection[str]:
        """The queues to claim of. Who serves every queue looks in which of them anything waits: each time once it knows of an
        automation that has its own, and now and then since others may."""
        process = self._process
        if EVERY not in process.limits.queues:
            return process.limits.queues
        now = process.clock.now()
        if now >= self._next_queues_at or len(process.definitions.queues) > 1:
            self._next_queues_at = now + QUEUES_LOOK
            self._waiting = {QUEUE, *await process.reads.run(queues.ready_queues)}
        return self._waiting

    async def _claim(self, queue: str, limit: int) -> bool:
        """Claim of this queue; whether more may be claimed at once."""
        process = self._process
        now, after = process.clock.now(), self._claimed_up_to.get(queue, "")
        trial = {key: left for key, left in self._on_trial.items() if self._run.is_driving(key)}
        most = process.limits.strikes_max
        taken = await process.commit.run_async(
            lambda c: claim(c, process.worker_id, queue, now, limit, after, strikes_max=most, on_trial=trial), "claim"
        )
        found = taken.found
        self._claimed_up_to[queue], self._on_trial = taken.last, found.on_trial
        hopeless = [_struck(one) for one in found.hopeless]
        if hopeless:
            await process.commit.run_async(
                lambda c: give_up(c, hopeless, process.worker_id, process.clock.now()), "give_up"
            )
        self._run.set_aside(len(found.tried))
        await self.bring_back([(c.tenant_id, c.run_id, c.epoch) for c in found.tried])
        return taken.is_more and not found.later

    def look(self) -> None:
        """Look soon for what this worker holds and does not drive: nobody knows whether something written was kept."""
        self._next_look_at = 0

    async def _bring_back_missing(self) -> None:
        """Bring back what the store says this worker holds and what is not driven here. Seen twice before it is believed: what
        was committed a moment ago may be on its way into memory."""
        process = self._process
        present = await process.reads.run(runs.holds, process.worker_id)
        missing = {
            held
            for held in present.keys() - self._coming
            if not self._run.is_driving(held[:2]) and held[:2] not in self._run.on_the_way
        }
        believed, self._missing = missing & self._missing, missing
        if believed:
            log.warning("%s runs were held here and not driven; they are brought back", len(believed))
            self._missing -= believed
            paused = [held[:2] for held in sorted(believed) if present[held]]
            if paused:
                await process.commit.run_async(lambda c: standing.release_paused(c, paused), "hand_back")
            await self.bring_back([held for held in sorted(believed) if not present[held]])
        rest = MISSING_LOOK if not missing else SECOND
        self._next_look_at = process.clock.now() + rest

    async def bring_back(self, held: list[Held]) -> None:
        """Read these runs, which this process holds, and drive them on. One that cannot be read holds up no other, and none is
        brought twice at once."""
        fresh = [one for one in held if one not in self._coming]
        self._coming.update(fresh)
        try:
            await self._bring_back(fresh)
        finally:
            self._coming.difference_update(fresh)

    async def _bring_back(self, held: list[Held]) -> None:
        if not held:
            return
        epochs = {(tenant_id, run_id): epoch for tenant_id, run_id, epoch in held}
        try:
            found = await self._process.reads.run(journal.load, list(epochs))
        except Exception as error:
            is_strike = not isinstance(error, DatabaseUnavailable)
            if is_strike and len(held) > 1:
                middle = len(held) // 2
                await self._bring_back(held[:middle])
                await self._bring_back(held[middle:])
                return
            log.exception("%s runs could not be read; they are handed back", len(held))
            self._owed.append((held, is_strike))
            return
        for number, kept in enumerate(found, 1):
            if number % AT_A_STRETCH == 0:
                await asyncio.sleep(0)
            await self._bring_back_one(kept, epochs[kept.tenant_id, kept.run_id])

    async def _bring_back_one(self, kept: KeptRun, epoch: int) -> None:
        process, held = self._process, (kept.tenant_id, kept.run_id, epoch)
        if kept.document is None:
            lost = _without_version(kept, epoch)
            await process.commit.run_async(
                lambda c: give_up(c, [lost], process.worker_id, process.clock.now()), "give_up"
            )
            return
        try:
            known = await process.definitions.of(kept.tenant_id)
            program = process.definitions.program(kept.tenant_id, kept.automation_id, kept.version, kept.document)
            run, commands = LiveRun.kept(kept, program, known.zone, epoch)
        except (Refused, OutOfOrder) as error:
            log.warning("run %s waits for a release that can drive it: %s", kept.run_id, error)
            now = process.clock.now()
            timer = Timer(kept.tenant_id, kept.run_id, f"version {kept.version}", "retry", 0, now, now + MINUTE)
            if await process.commit.run_async(lambda c: set_aside(c, timer, epoch, process.worker_id, now), "park"):
                self.on_timer(timer)
            return
        except Exception as error:
            log.exception("run %s could not be brought back; it is handed back", kept.run_id)
            self._owed.append(([held], not isinstance(error, DatabaseUnavailable)))
            return
        for timer in kept.timers:
            if timer.step_id in run.timers or timer.step_id == WHOLE:
                self.on_timer(timer)
        self._run.drop(run.key)  # its hold was lost and is new: of what was under way nothing can be kept any more
        self._run.reserve_always(kept.tenant_id)
        self._run.take(run, commands)

    async def _release(self) -> None:
        """Hand back what could not be brought back."""
        process = self._process
        while self._owed:
            held, is_strike = self._owed[-1]
            await process.commit.run_async(
                lambda c, h=held, s=is_strike: runs.release_held(c, h, process.worker_id, is_strike=s), "hand_back"
            )
            self._owed.pop()


def set_aside(connection: Connection, timer: Timer, epoch: int, worker_id: str, now: int) -> bool:
    """Let this run wait until it is looked at again; False when it is not held any more, or was paused."""
    key = (timer.tenant_id, timer.run_id)
    ours = runs.held(connection, [(*key, epoch)], worker_id)
    if ours.get(timer.run_id):
        standing.release_paused(connection, [key])
    if ours.get(timer.run_id, True):
        return False
    runs.park(connection, [key])
    journal.remove_timers(
        connection, [(*key, timer.step_id)]
    )  # it may sleep by others, and be looked at again too early
    journal.set_timers(connection, [timer])
    counts.add(connection, Counter({(key[0], "runs", "", "running"): -1, (key[0], "runs", "", "waiting"): 1}), now)
    return True


class Taken(NamedTuple):
    """What one claim took, as a `Share`, and what becomes of it."""

    rows: list[Claimed]
    last: str
    is_more: bool
    found: Apart[Claimed]


def claim(
    connection: Connection,
    worker_id: str,
    queue: str,
    now: int,
    limit: int,
    after: str = "",
    *,
    strikes_max: int,
    on_trial: Mapping[tuple[str, str], int],
) -> Taken:
    """Take runs of this queue that are ready, and count those that only now begin. Suspects that are too many at once beside
    those `on_trial` are handed back at once."""
    share = runs.claim(connection, worker_id, queue, limit, after)
    changes: Counter[counts.Key] = Counter()
    for run in share.rows:
        changes[run.tenant_id, "runs", "", run.was] -= 1
        changes[run.tenant_id, "runs", "", "running"] += 1
    counts.add(connection, changes, now)
    found = apart(share.rows, lambda run: (run.tenant_id, run.run_id), strikes_max, on_trial)
    if found.later:
        runs.release(connection, [(run.tenant_id, run.run_id) for run in found.later])
    return Taken(share.rows, share.last, share.is_more, found)


class Hopeless(msgspec.Struct, frozen=True):
    """A run that this worker holds and that will not be driven on, and why."""

    tenant_id: str
    run_id: str
    epoch: int
    automation_id: str
    test: bool
    strikes: int
    error: StepError


def _struck(claimed: Claimed) -> Hopeless:
    why = f"Given up after {claimed.strikes - 1} claims in which no step could be kept."
    return Hopeless(
        claimed.tenant_id,
        claimed.run_id,
        claimed.epoch,
        claimed.automation_id,
        claimed.test,
        claimed.strikes,
        StepError("gave_up", why),
    )


def _without_version(kept: KeptRun, epoch: int) -> Hopeless:
    why = f"Version {kept.version} of its automation is not in the store any more, so nobody knows what comes next."
    error = StepError("missing_version", why)
    return Hopeless(kept.tenant_id, kept.run_id, epoch, kept.automation_id, kept.test, 1, error)


def give_up(connection: Connection, hopeless: list[Hopeless], worker_id: str, now: int) -> None:
    """These runs fail, as far as this worker still holds them, and are kept as dead letters."""
    ours = runs.held(connection, [(c.tenant_id, c.run_id, c.epoch) for c in hopeless], worker_id)
    changes: Counter[counts.Key] = Counter()
    given_up: list[letters.Letter] = []
    for run in hopeless:
        if run.run_id not in ours:
            continue  # it was cancelled meanwhile
        runs.finish(connection, [(run.tenant_id, run.run_id)], "failed", now, encode_error(run.error))
        changes[run.tenant_id, "runs", "", "paused" if ours[run.run_id] else "running"] -= 1
        if not run.test:
            changes[run.tenant_id, "runs", "", "failed"] += 1
            changes[run.tenant_id, "automation", run.automation_id, "failed"] += 1
            given_up.append(_letter(run))
    ended = [(run.tenant_id, run.run_id) for run in hopeless if run.run_id in ours]
    journal.clear_timers(connection, ended)
    waits.clear(connection, ended)
    calls.end(connection, ended, "failed")
    if given_up:
        dead_letters.add_many(connection, given_up, now)
    counts.add(connection, changes, now)


def _letter(run: Hopeless) -> letters.Letter:
    return letters.of_run(
        run.tenant_id,
        run.run_id,
        run.automation_id,
        run.error.code,
        run.error.message,
        run.strikes,
        step_id=None,
        epoch=run.epoch,
    )
