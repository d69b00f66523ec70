"""Timekeep: fires timers. A heap in memory over the indexed `due_at`, loaded by window; the store is the truth."""

import heapq
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.core import advance
from upshot.core.errors import Busy
from upshot.core.instants import MINUTE, SECOND
from upshot.core.journal import WHOLE
from upshot.core.queues import EVERY, serves
from upshot.engine.process import Process
from upshot.engine.record import encode_error
from upshot.engine.recover import Recover
from upshot.engine.run import Run
from upshot.store import counts, hints, journal, runs, waits
from upshot.store.journal import KeptStep, Timer

log = logging.getLogger("upshot.engine")

WINDOW = MINUTE
"""Timers due within this time are held in memory (microseconds)."""
LOAD_MAX = 20_000
GRACE = SECOND // 4
"""How much later than their due instant (microseconds) a worker fires timers that are another's to fire first."""
FIRE_MAX = 1_000
BUSY_PAUSE_SECONDS = 0.2

MET = "met"
"""The kind of a timer that fired of a call whose run was over: the run that waited is read again."""

Key = tuple[str, str]
"""Tenant and run id."""
TimerRow = tuple[str, str, str, str, int, int]
Entry = tuple[int, str, str, str]
"""Due instant, run, tenant, step."""


class Fired(msgspec.Struct, frozen=True):
    """A timer that fired here: its run is now held under `epoch`."""

    tenant_id: str
    run_id: str
    step_id: str
    kind: str
    epoch: int


class Timekeep:
    """The service that wakes sleeping runs, never early and once each."""

    name = "timekeep"

    def __init__(self, process: Process, run: Run, recover: Recover) -> None:
        self._process, self._run, self._recover = process, run, recover
        self._heap: list[Entry] = []
        self._window_end = 0
        self._last_loaded = (0, "")
        self._is_stale = False
        self.wake = lambda: None
        self.is_own: Callable[[str], bool] = lambda _: True
        """Whether a run's timers, found in the store, are this worker's to fire first."""

    def add(self, timer: Timer) -> bool:
        """A timer was set by this process; whether it falls into the window and is held in memory."""
        if timer.due_at > self._window_end:
            return False
        is_next = not self._heap or timer.due_at < self._heap[0][0]
        heapq.heappush(self._heap, (timer.due_at, timer.run_id, timer.tenant_id, timer.step_id))
        if is_next:
            self.wake()
        return True

    def reload(self) -> None:
        """Read the window from the store again: another worker, which knew of timers in it, is gone, or something was written
        and nobody knows whether it was kept."""
        self._is_stale = True
        self.wake()

    def next_due_at(self) -> int | None:
        """The earliest instant in memory."""
        return self._heap[0][0] if self._heap else None

    async def poll(self) -> float:
        """Load the next window when this one ends, and fire what is due."""
        now = self._process.clock.now()
        if self._is_stale:  # not in `reload` itself: a window may be on its way just then
            self._is_stale, self._window_end, self._last_loaded = False, 0, (0, "")
        if now + WINDOW // 2 >= self._window_end:
            await self._load(now)
        due = self._due(now)
        if due and not await self._fire(due, now):
            return BUSY_PAUSE_SECONDS
        if self._heap and self._heap[0][0] <= self._process.clock.now():
            return 0.0 if self._run.room > 0 else 0.05
        return self._delay(self._process.clock.now())

    async def _load(self, now: int) -> None:
        """Read the timers of the next window. The window is moved first: a timer set meanwhile is then added by its setter,
        and one that comes both ways fires once all the same."""
        until, before = now + WINDOW, self._window_end
        self._window_end = until
        try:
            while True:
                found = await self._process.reads.run(journal.due_timers, self._last_loaded, until, LOAD_MAX)
                for entry in found:
                    heapq.heappush(self._heap, entry if self.is_own(entry[1]) else (entry[0] + GRACE, *entry[1:]))
                if len(found) < LOAD_MAX:
                    self._last_loaded = (until, "\U0010ffff")
                    return
                self._last_loaded = found[-1][:2]
                if found[-1][0] > now + SECOND:
                    self._window_end = found[-1][0]
                    return
        except BaseException:
            self._window_end = before
            raise

    def _due(self, now: int) -> list[Entry]:
        due: list[Entry] = []
        room = min(FIRE_MAX, self._run.room)
        while self._heap and self._heap[0][0] <= now and len(due) < room:
            due.append(heapq.heappop(self._heap))
        return due

    async def _fire(self, due: list[Entry], now: int) -> bool:
        """Fire these, one of a run; False when the store could not take it now. One that cannot be fired holds up no other."""
        limits = [entry for entry in due if entry[3] == WHOLE]
        if limits and not await self._fire_limits(limits, now):
            self._push([entry for entry in due if entry[3] != WHOLE])
            return False
        due = self._one_of_each([entry for entry in due if entry[3] != WHOLE])
        if not due:
            return True
        keys = [(tenant_id, run_id, step_id) for _, run_id, tenant_id, step_id in due]
        woken = {key[:2] for key in keys}
        self._run.on_the_way |= woken
        try:
            return await self._fire_chosen(due, keys, now)
        finally:
            self._run.on_the_way -= woken

    async def _fire_chosen(self, due: list[Entry], keys: list[tuple[str, str, str]], now: int) -> bool:
        process = self._process
        try:
            fired = await process.commit.run_async(
                lambda c: fire(c, keys, now, process.worker_id, process.limits.queues), "fire"
            )
        except Busy:
            self._push(due)
            return False
        except Exception:
            if len(due) == 1:
                log.exception("a timer of run %s could not be fired; it is tried again in a minute", due[0][1])
                self._push([(now + MINUTE, *due[0][1:])])
                return True
            middle = len(due) // 2
            halves = [await self._fire(half, now) for half in (due[:middle], due[middle:])]
            return all(halves)
        process.metrics.fired([entry[0] for entry in due], now)
        absent: list[Fired] = []
        for timer in fired:
            run = self._run.sleeping.pop((timer.tenant_id, timer.run_id), None)
            if run is None or run.epoch + 1 != timer.epoch or timer.kind == MET:
                absent.append(timer)
            else:
                self._run.take_room(timer.tenant_id)
                self._run.awake(run, timer.kind, timer.step_id, timer.epoch)
        if len(fired) < len(due):
            for _, run_id, tenant_id, _ in due:  # cancelled meanwhile; what sleeps on by another timer is read again
                self._run.sleeping.pop((tenant_id, run_id), None)
        if absent:
            await self._recover.bring_back([(t.tenant_id, t.run_id, t.epoch) for t in absent])
        return True

    async def _fire_limits(self, due: list[Entry], now: int) -> bool:
        """The time of these runs is over: they are taken from whoever drives them, and go on to fail here. False when the store
        could not take it now."""
        process = self._process
        keys = [(tenant_id, run_id) for _, run_id, tenant_id, _ in due]
        try:
            fired, paused = await process.commit.run_async(
                lambda c: fire_limits(c, keys, now, process.worker_id, process.limits.queues), "fire"
            )
        except Busy:
            self._push(due)
            return False
        except Exception:
            log.exception("the time limits of %s runs could not be set off; they are tried again in a minute", len(due))
            self._push([(now + MINUTE, *entry[1:]) for entry in due])
            return True
        process.metrics.fired([entry[0] for entry in due if (entry[2], entry[1]) not in paused], now)
        self._push([(now + MINUTE, *entry[1:]) for entry in due if (entry[2], entry[1]) in paused])
        for timer in fired:
            self._run.drop((timer.tenant_id, timer.run_id))
        await self._recover.bring_back([(t.tenant_id, t.run_id, t.epoch) for t in fired])
        return True

    def _one_of_each(self, due: list[Entry]) -> list[Entry]:
        """The first of each run that is not driven here. Runs that are see to their timers themselves; the second of a run
        comes when the first has woken it."""
        chosen: dict[tuple[str, str], Entry] = {}
        for entry in due:
            _, run_id, tenant_id, step_id = entry
            if self._run.ring((tenant_id, run_id), step_id):
                self._run.sleeping.pop((tenant_id, run_id), None)  # as which it was left by a hold that was lost
                continue
            if (tenant_id, run_id) in chosen:
                heapq.heappush(self._heap, entry)
            else:
                chosen[tenant_id, run_id] = entry
        return list(chosen.values())

    def _push(self, entries: list[Entry]) -> None:
        for entry in entries:
            heapq.heappush(self._heap, entry)

    def _delay(self, now: int) -> float:
        until = self._window_end - WINDOW // 2
        if self._heap:
            until = min(until, self._heap[0][0])
        return max(until - now, 0) / SECOND


def fire(
    connection: Connection,
    keys: list[tuple[str, str, str]],
    now: int,
    worker_id: str,
    queues: Collection[str] = (EVERY,),
) -> list[Fired]:
    """Fire those of these timers that are still set and due: their runs are taken, and a delay's step is kept, at once. Runs
    of a queue that is not among `queues` are left ready for a worker that serves it."""
    locked = runs.lock_parked(connection, [key[:2] for key in keys])
    gone = journal.fire(connection, [key for key in keys if key[:2] in locked], now)
    taken = {row[:2]: locked[row[:2]][1] + 1 for row in gone}
    runs.wake(connection, taken, worker_id)
    over = [row for row in gone if row[3] != "retry"]
    met = _met(connection, over)
    over = [row for row in over if row[:3] not in met]
    waits.remove(connection, [row[:3] for row in over if row[3] in {"wait", "call"}])
    if over:
        seqs = journal.next_seqs(connection, [row[:2] for row in over if row[4] == journal.SEQ_UNKNOWN])
        journal.keep(connection, [_kept(row, seqs.get(row[:2], row[4]), now) for row in over])
    changes: Counter[counts.Key] = Counter()
    for tenant_id, _ in taken:
        changes[tenant_id, "runs", "", "waiting"] -= 1
        changes[tenant_id, "runs", "", "running"] += 1
    counts.add(connection, changes, now)
    others = _left_to_others(connection, taken, locked, queues)
    return [
        Fired(
            tenant_id, run_id, step_id, MET if (tenant_id, run_id, step_id) in met else kind, taken[tenant_id, run_id]
        )
        for tenant_id, run_id, step_id, kind, _, _ in gone
        if (tenant_id, run_id) not in others
    ]


def _left_to_others(
    connection: Connection, taken: Iterable[Key], locked: Mapping[Key, tuple[str, Any]], queues: Collection[str]
) -> set[Key]:
    """Those of these runs, each with its queue, that this worker does not serve: they are ready for a worker that does."""
    others = {key for key in taken if not serves(queues, locked[key][0])}
    if others:
        runs.release(connection, others)
        hints.send(connection, hints.RUNS)
    return others


def _met(connection: Connection, over: list[TimerRow]) -> set[tuple[str, str, str]]:
    """The steps among these whose called run was over in time: its end is kept already, and counts."""
    keys = [row[:2] for row in over if row[3] == "call"]
    return {(one.tenant_id, one.run_id, one.step_id) for one in waits.met_of_runs(connection, keys)} if keys else set()


def fire_limits(
    connection: Connection,
    keys: list[tuple[str, str]],
    now: int,
    worker_id: str,
    queues: Collection[str] = (EVERY,),
) -> tuple[list[Fired], set[tuple[str, str]]]:
    """Keep that the time of those of these runs is over whose limit is due. Nobody else may write for them any more; what
    they wait for is forgotten. Also those that are paused: their limit waits until they go on."""
    locked = runs.lock(connection, keys)
    paused = {key for key, (_, status) in locked.items() if status == "paused"}
    gone = [row[:2] for row in journal.fire(connection, [(*key, WHOLE) for key in locked.keys() - paused], now)]
    if not gone:
        return [], paused
    taken = runs.take_over(connection, gone, worker_id)
    journal.clear_timers(connection, gone)
    waits.clear_steps(connection, gone)
    seqs = journal.next_seqs(connection, gone)
    error = encode_error(advance.out_of_time().error)
    journal.keep(connection, [_whole(key, seqs[key], error, now) for key in gone])
    changes: Counter[counts.Key] = Counter()
    for key in gone:
        changes[key[0], "runs", "", locked[key][1]] -= 1
        changes[key[0], "runs", "", "running"] += 1
    counts.add(connection, changes, now)
    others = _left_to_others(connection, gone, locked, queues)
    return [Fired(*key, WHOLE, "limit", taken[key]) for key in gone if key not in others], paused


def _whole(key: tuple[str, str], seq: int, error: str | None, now: int) -> KeptStep:
    return KeptStep(
        tenant_id=key[0],
        run_id=key[1],
        seq=seq,
        step_id=WHOLE,
        kind="run",
        status="failed",
        attempt=1,
        started_at=now,
        finished_at=now,
        error=error,
    )


def _kept(row: TimerRow, seq: int, now: int) -> KeptStep:
    tenant_id, run_id, step_id, kind, _, set_at = row
    outcome = advance.fired(step_id, kind)
    return KeptStep(
        tenant_id=tenant_id,
        run_id=run_id,
        seq=seq,
        step_id=step_id,
        kind={"timeout": "parallel", "wait": "wait_for_event"}.get(kind, kind),
        status=outcome.status,
        attempt=1,
        started_at=set_at,
        finished_at=now,
        error=encode_error(outcome.error),
    )
