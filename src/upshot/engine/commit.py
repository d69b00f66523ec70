"""Group commit: everything pending in one transaction. While a transaction syncs, the next batch gathers, in turns by tenant,
and while answers are told, what they lead to. A promise resolves only after COMMIT."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import Connection

from upshot.adapters.clock import Clock, ticks
from upshot.core.errors import Busy
from upshot.core.instants import SECOND
from upshot.engine.answers import Answers
from upshot.engine.turns import Turns
from upshot.engine.work import FUNCTIONS, Kind, Piece
from upshot.engine.writer import Writer
from upshot.store.database import Database
from upshot.store.forks import belongs_to_one_process

T = TypeVar("T")

BATCH_MAX = 2_000
GATHERED = 400
"""A batch this large is written though many of the answers before it are yet to be told."""
GATHER_SECONDS = 0.03
"""How long it waits for them at most."""
SHARED_BATCH_MAX = 20
"""A batch while several tenants give work, and for a second after: what one of them gives waits for the batch before."""
LIGHT_MAX = 10
"""How much of a tenant is committed by itself, before another tenant's storm: what follows from it is known sooner."""
FOLLOWS_SECONDS = 0.0015
"""How long a storm then waits for what follows: the next step of a run is given at once."""
LIGHT_IN_A_ROW_MAX = 4
"""Such commits after which a storm has its turn."""
PENDING_MAX = 100_000


class GroupCommit:
    """The process's one writer, on a thread of its own that starts with the first piece of work."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self.writer = Writer(database, clock)
        self.begin_anew()
        belongs_to_one_process(self)

    def begin_anew(self) -> None:
        """Without work, thread or connection: at first, and in a fork, where what was given to the parent is the parent's."""
        self.writer.begin_anew()
        self._pending: Turns[Piece] = Turns()
        self._answers = Answers(self._all_told, lambda: self.is_shared)
        self._wake = threading.Condition()
        self._shared_until = self._light_in_a_row = 0
        self._has_started = self._closing = self._is_gathering = False

    @property
    def is_shared(self) -> bool:
        """Whether several tenants gave work at once within the last second."""
        return self._clock.now() < self._shared_until

    # --- giving work ----------------------------------------------------------------------------------------------------

    def run(self, function: Callable[[Connection], T], name: str = "change") -> T:
        """Run `function` inside the next transaction and wait for its commit. What it raises is raised here, and nothing
        of it is kept. It may be run more than once when the transaction has to be begun anew. `name` is its transaction's
        among the crash points. Thread-safe; never call it on an event loop.

        Raises:
            OutcomeUnknown: the connection was lost while it was committed.
            Busy: the database could not take it; nothing was written.
        """
        promise: Future[T] = Future()
        self._give([Piece(FUNCTIONS[name], function, promise)])
        return promise.result()

    async def run_async(self, function: Callable[[Connection], T], name: str = "change") -> T:
        """`run`, for an event loop."""
        return await self.give(FUNCTIONS[name], function)

    def give(self, kind: Kind, work: Any) -> "asyncio.Future[Any]":
        """Hand over one piece of work; the future resolves with its answer after COMMIT. Call it on an event loop."""
        promise: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._give([Piece(kind, work, promise)])
        return promise

    def give_blocking(self, kind: Kind, work: Any) -> Any:
        """Hand over one piece of work from a thread and wait for its commit; its answer."""
        promise: Future[Any] = Future()
        self._give([Piece(kind, work, promise)])
        return promise.result()

    def give_all(self, kind: Kind, work: Sequence[Any]) -> "list[asyncio.Future[Any]]":
        """Hand over several pieces at once."""
        loop = asyncio.get_running_loop()
        pieces = [Piece(kind, piece, loop.create_future()) for piece in work]
        self._give(pieces)
        return [piece.promise for piece in pieces]  # pyright: ignore[reportReturnType] - made on the line above

    def close(self) -> None:
        """Commit what is pending, then stop."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self.writer.join()

    def _give(self, pieces: list[Piece]) -> None:
        if pieces and pieces[0].kind.name not in FUNCTIONS:
            raise LookupError(f"No crash point is named {pieces[0].kind.name!r}: add it to crash_points.TRANSACTIONS.")
        with self._wake:
            if self._closing:
                raise Busy("The engine is stopping and takes no more work. Send it again after the restart.")
            pending = self._pending
            if pending.weight + sum(piece.weight for piece in pieces) > PENDING_MAX:
                raise Busy(f"{pending.weight} writes are waiting; no more than {PENDING_MAX} are held.")
            pending.put(pieces)
            if not self._has_started:
                self._has_started = True
                self.writer.start(self._next, self._answers.give)
            if not self._is_gathering or pending.weight >= GATHERED or pending.is_shared:
                self._wake.notify()

    # --- the writer's thread --------------------------------------------------------------------------------------------

    def _next(self) -> list[Piece]:
        """Wait for a batch; none: there is nothing left to do."""
        with self._wake:
            while not self._pending and not self._closing:
                self._wake.wait()
            if 0 < self._light_in_a_row < LIGHT_IN_A_ROW_MAX:
                self._wait_for_what_follows()
            else:
                self._gather()
            return self._take()

    def _gather(self) -> None:
        """Wait for what the answers that are being told lead to: much of a transaction's cost does not depend on its size."""
        until = ticks() + int(GATHER_SECONDS * SECOND)
        self._is_gathering = True
        while self._gathers and self._answers.is_telling and (now := ticks()) < until:
            self._wake.wait((until - now) / SECOND)
        self._is_gathering = False

    @property
    def _gathers(self) -> bool:
        """Whether nobody minds that the batch grows."""
        pending = self._pending
        return pending.weight < GATHERED and not (self._closing or pending.is_shared or self.is_shared)

    def _all_told(self) -> None:
        if self._is_gathering:
            with self._wake:
                self._wake.notify()

    def _wait_for_what_follows(self) -> None:
        until = ticks() + int(FOLLOWS_SECONDS * SECOND)
        while self._pending.is_storm(LIGHT_MAX) and not self._closing and (now := ticks()) < until:
            self._wake.wait((until - now) / SECOND)

    def _take(self) -> list[Piece]:
        if self._pending.is_shared:
            self._shared_until = self._clock.now() + SECOND
        light = self._pending.take_light(LIGHT_MAX) if self._light_in_a_row < LIGHT_IN_A_ROW_MAX else []
        if light:
            self._light_in_a_row += 1
            self._answers.hold()
            return light
        self._light_in_a_row = 0
        return self._pending.take(SHARED_BATCH_MAX if self.is_shared else BATCH_MAX)
