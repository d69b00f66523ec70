"""The sandbox of programs in Python: the interpreter Monty in a few worker processes of its own.

A program has no files, network, environment, clock or randomness: its clock stands still and its `random` begins at the same
place, so the same program and inputs give the same result, errors of time excepted. Whatever it does to its worker, this
process only loses the worker. Workers are started when the first program comes and end with this process; one that is
busy when this process is killed ends at its program's time limit.
"""

import asyncio
import os
import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from upshot.adapters import programs
from upshot.adapters.programs import ProgramFailed
from upshot.core.errors import ActionError, Busy, MissingPart
from upshot.store.forks import belongs_to_one_process

if TYPE_CHECKING:
    from pydantic_monty import Monty, OSPolicy, ResourceLimits

SECONDS_MAX: Final = 10
CHECK_SECONDS: Final = 2
ASIDE_MAX: Final = 2
"""Programs that people check or try out at once, beside those of steps."""
ASIDE_WAIT_SECONDS: Final = 15
PROGRAMS_PER_WORKER: Final = 1_000
REMEDY: Final = "Install it where Upshot runs: pip install 'upshot[code]'"
EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program gave, and what it printed."""

    result: Any
    printed: str


class Sandbox:
    """The workers of one process. Thread-safe, except `run_step`, which belongs to one event loop at a time."""

    def __init__(self) -> None:
        self.at_once = max(2, min(4, os.cpu_count() or 1))
        """Programs of steps that run at once. One tenant's leave room for another's."""
        self._lock = threading.Lock()
        self._pool: Monty | None = None
        self._aside = threading.BoundedSemaphore(ASIDE_MAX)
        self._running: dict[str, int] = {}
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}
        belongs_to_one_process(self)

    @property
    def is_installed(self) -> bool:
        """Whether the interpreter is there. It is not loaded to find out."""
        return find_spec("pydantic_monty") is not None

    def check(self, source: str) -> str | None:
        """What is wrong with a program before it runs, with its line; None when it can be read.

        Raises:
            MissingPart: the sandbox is not installed.
            ActionError: its worker went.
            Busy: people check or try too many programs at once.
        """
        try:
            self._aside_of_steps(programs.CHECK, programs.to_check(source), CHECK_SECONDS, lines_before=1)
        except ProgramFailed as error:
            return None if str(error).endswith(programs.IS_PARSED) else str(error)
        return None

    def run(self, source: str, inputs: dict[str, Any], seconds: float) -> Ran:
        """Run a program for a person who waits for it, in this thread.

        Raises:
            ProgramFailed: it failed, and will again.
            ActionError: its worker went.
            MissingPart: the sandbox is not installed.
            Busy: people check or try too many programs at once.
        """
        return _ran(self._aside_of_steps(programs.RUN, programs.to_run(source, inputs), seconds))

    async def run_step(self, tenant_id: str, source: str, inputs: dict[str, Any], seconds: float) -> Ran:
        """Run a program of a step, in turns by tenant. When nobody waits for it any more it goes on, and keeps its place, until
        its end or limit.

        Raises:
            As `run`, but Busy.
        """
        await self._turn(tenant_id)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Ran] = loop.create_future()

        def settle(ran: Ran | None, error: BaseException | None) -> None:
            self._leave(tenant_id)
            if ran is not None and not answer.done():
                answer.set_result(ran)
            elif error is not None and not answer.done():
                answer.set_exception(error)

        def work() -> None:
            ran, error = None, None
            try:
                ran = _ran(self._feed(programs.RUN, programs.to_run(source, inputs), seconds))
            except BaseException as caught:  # noqa: BLE001 - whatever it is belongs to the step
                error = caught
            try:
                loop.call_soon_threadsafe(settle, ran, error)
            except RuntimeError:  # the loop ended meanwhile
                self._leave(tenant_id)

        threading.Thread(target=work, name="upshot-code", daemon=True).start()
        return await answer

    def close(self) -> None:
        """End the workers: those at rest now, the others at their program's limit. What comes later starts new ones."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.__exit__(None, None, None)

    def begin_anew(self) -> None:
        """This process is a fork: the workers are the parent's. Its part of them is kept, since letting go would end them."""
        if self._pool is not None:
            _of_parents.append(self._pool)
        self._lock, self._aside, self._pool = threading.Lock(), threading.BoundedSemaphore(ASIDE_MAX), None
        self._running, self._lines = {}, {}

    def _aside_of_steps(self, program: str, given: dict[str, Any], seconds: float, lines_before: int = 0) -> "_Fed":
        if not self._aside.acquire(timeout=ASIDE_WAIT_SECONDS):
            raise Busy("Too many programs are being checked or tried out; try again in a moment.", 5)
        try:
            return self._feed(program, given, seconds, lines_before)
        finally:
            self._aside.release()

    def _feed(self, program: str, given: dict[str, Any], seconds: float, lines_before: int = 0) -> "_Fed":
        """The text that a program of ours gives. This waits for a worker, so it belongs on a thread."""
        pool, monty = self._started(), _monty()
        printed = monty.CollectString(programs.PRINTED_BYTES_MAX)
        try:
            with pool.checkout(script_name="program", limits=_limits(seconds), os_policy=_STILL) as session:
                return session.feed_run(program, inputs=given, print_callback=printed), printed.output
        except monty.MontyCrashedError as error:
            if error.timed_out:
                raise ProgramFailed(f"The program was stopped after {seconds:g} s.") from None
            raise ActionError(f"The process of the sandbox ended before the program did: {error}") from None
        except monty.MontyError as error:
            failed = ProgramFailed(programs.sentence(error, seconds=seconds, lines_before=lines_before))
            failed.printed = printed.output
            raise failed from None
        except TimeoutError:
            raise ActionError("No process of the sandbox was free for the program.") from None

    def _started(self) -> "Monty":
        with self._lock:
            if self._pool is None:
                self._pool = _pool(self.at_once + ASIDE_MAX)
            return self._pool

    async def _turn(self, tenant_id: str) -> None:
        """Take a place for this tenant, once there is one."""
        if self._has_room(tenant_id):
            self._running[tenant_id] = self._running.get(tenant_id, 0) + 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(tenant_id, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # its turn came as it was given up
                self._leave(tenant_id)
            raise

    def _leave(self, tenant_id: str) -> None:
        """Give a place back, and the room there is to those who wait: a tenant after the other."""
        self._running[tenant_id] = self._running.get(tenant_id, 0) - 1
        if self._running[tenant_id] <= 0:
            del self._running[tenant_id]
        for waiting in list(self._lines):
            line = self._lines.pop(waiting)
            while line and line[0].done():
                line.popleft()
            if line and self._has_room(waiting):
                self._running[waiting] = self._running.get(waiting, 0) + 1
                line.popleft().set_result(None)
            if line:
                self._lines[waiting] = line  # behind the others: its turn comes again

    def _has_room(self, tenant_id: str) -> bool:
        taken = sum(self._running.values())
        return taken < self.at_once and self._running.get(tenant_id, 0) < self.at_once - 1


_Fed = tuple[str, str]
_of_parents: "list[Monty]" = []
_started_by: Final[set[int]] = set()
"""The process that used the interpreter first: its threads are not there in a fork, and all would hang."""
_STILL: Final["OSPolicy"] = {
    "datetime": EPOCH,
    "timezone": "utc",
    "sleep": "zero",
    "process_time": "zero",
    "random_start": {"seed": 0},
}


def _monty():  # noqa: ANN202 - a module, whose type has no name
    try:
        import pydantic_monty  # noqa: PLC0415 - an optional extra, and slow to import
    except ImportError:
        raise MissingPart(f"The sandbox for programs is not installed. {REMEDY}.") from None
    return pydantic_monty


def _pool(processes: int) -> "Monty":
    if _started_by and os.getpid() not in _started_by:
        raise MissingPart(
            "This process was forked from one that had used the sandbox, and cannot use it. Start Upshot's processes anew, "
            "or check and run no programs before the fork."
        )
    pool = _monty().Monty(
        min_processes=0,
        max_processes=processes,
        checkout_timeout=ASIDE_WAIT_SECONDS,
        max_checkouts_per_worker=PROGRAMS_PER_WORKER,
    )
    try:
        pool.__enter__()
    except OSError as error:
        raise MissingPart(f"The sandbox for programs cannot be started: {error}. {REMEDY}.") from None
    _started_by.add(os.getpid())
    return pool


def _limits(seconds: float) -> "ResourceLimits":
    return {
        "max_feed_duration_secs": seconds,
        "max_memory": programs.MEMORY_BYTES_MAX,
        "max_recursion_depth": programs.RECURSION_MAX,
        "max_suspensions": 1,
        "max_total_sleep_secs": 0,
    }


def _ran(fed: "_Fed") -> Ran:
    return Ran(programs.result_of(fed[0]), fed[1])
