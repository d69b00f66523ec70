"""Answers: what was written is told to those who wait for it, on their own event loop.

A call into a loop from outside is dear, so a batch is one call. Its tasks are woken a few at a time, those of tenants with
little first: a loop that has two thousand of one tenant's tasks to run would let another's wait behind them all.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Protocol

from upshot.engine.turns import Queued, Turns

AT_ONCE = 25
"""Tasks woken before the loop does what else it has to do."""
SHARED_AT_ONCE = 5
"""As many when several tenants have work."""
LIGHT_MAX = 10
"""How much of a tenant is told before another's much."""


class Answered(Queued, Protocol):
    """One piece of work that is over."""

    promise: "Future[Any] | asyncio.Future[Any]"
    answer: Any


class Answers:
    """The answers on their way. Thread-safe."""

    def __init__(
        self, on_all_told: Callable[[], None] = lambda: None, is_shared: Callable[[], bool] = lambda: True
    ) -> None:
        """`on_all_told` is called on a loop when those who wait there were told, and have done what follows at once.
        `is_shared` says whether several tenants have work."""
        self._on_all_told, self._is_shared = on_all_told, is_shared
        self._lock = threading.Lock()
        self._by_loop: dict[asyncio.AbstractEventLoop, Turns[Answered]] = {}
        self._telling: set[asyncio.AbstractEventLoop] = set()
        self._is_held = False

    @property
    def is_telling(self) -> bool:
        """Whether somebody on an event loop is yet to be told."""
        return bool(self._telling)

    def hold(self) -> None:
        """Tell nobody of many until `give` is called again: the little that is being written now has the interpreter, and the
        loop is free when it is over."""
        self._is_held = True

    def give(self, pieces: Iterable[Answered]) -> None:
        """Tell these."""
        self._is_held = False
        by_loop: dict[asyncio.AbstractEventLoop, list[Answered]] = {}
        for piece in pieces:
            if isinstance(piece.promise, asyncio.Future):
                by_loop.setdefault(piece.promise.get_loop(), []).append(piece)
            else:
                _resolve(piece)
        with self._lock:
            for loop, of_loop in by_loop.items():
                self._by_loop.setdefault(loop, Turns()).put(of_loop)
            loops = self._by_loop.keys() - self._telling
            self._telling |= loops
        for loop in loops:
            try:
                loop.call_soon_threadsafe(self._tell, loop)
            except RuntimeError:  # a loop that closed has nobody left who waits
                self._forget(loop)

    def _forget(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            self._telling.discard(loop)
            self._by_loop.pop(loop, None)

    def _tell(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            waiting = self._by_loop[loop]
            if self._is_held:
                pieces = waiting.take_little(LIGHT_MAX)
            else:
                at_once = SHARED_AT_ONCE if waiting.is_shared or self._is_shared() else AT_ONCE
                pieces = waiting.take_light(LIGHT_MAX) or waiting.take(at_once)
            if waiting and pieces:
                loop.call_soon(self._tell, loop)
            else:
                self._telling.discard(loop)
                if not waiting:
                    del self._by_loop[loop]
        for piece in pieces:
            if not piece.promise.done():  # a giver that went away does not withdraw its work
                _resolve(piece)
        if not self._telling:
            loop.call_soon(self._on_all_told)


def _resolve(piece: Answered) -> None:
    if isinstance(piece.answer, Exception):
        piece.promise.set_exception(piece.answer)
    else:
        piece.promise.set_result(piece.answer)
