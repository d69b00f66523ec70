"""An event loop of one simulated process: asyncio's contract (callbacks in the order they were given), but no selector, no
thread and no clock of its own. The world says what time it is and runs one callback at a time.
"""

import asyncio
import math
from asyncio import events
from collections import deque
from collections.abc import Callable
from typing import Any

SECOND = 1_000_000

At = Callable[[int, Callable[[], None]], None]
"""Has something done at an instant of the world (microseconds)."""


class SimulatedLoop(asyncio.AbstractEventLoop):
    """What tasks, futures, events, semaphores and timeouts need of a loop."""

    def __init__(self, now: Callable[[], int], at: At, broke: Callable[[dict[str, Any]], None]) -> None:
        self._now, self._at, self._broke = now, at, broke
        self._began = now()
        self.ready: deque[asyncio.Handle] = deque()
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._is_over = False

    def run_one(self) -> None:
        """Run the callback that has waited longest."""
        handle = self.ready.popleft()
        if handle.cancelled():
            return
        events._set_running_loop(self)
        try:
            handle._run()
        finally:
            events._set_running_loop(None)

    def end(self) -> None:
        """The process is gone: no callback runs any more and no coroutine goes on."""
        self._is_over = True
        self.ready.clear()
        events._set_running_loop(self)
        try:
            for task in list(self._tasks):
                task._log_destroy_pending = False  # pyright: ignore[reportAttributeAccessIssue] - as asyncio.gather sets it
                coroutine = task.get_coro()
                assert coroutine is not None
                coroutine.close()
        finally:
            events._set_running_loop(None)
        self.ready.clear()
        self._tasks.clear()

    # --- what asyncio calls ---------------------------------------------------------------------------------------------

    def time(self) -> float:
        return (self._now() - self._began) / SECOND

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        if not self._is_over:
            self.ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)

        def due() -> None:
            if not (self._is_over or handle.cancelled()):
                self.ready.append(handle)

        self._at(max(self._began + math.ceil(when * SECOND), self._now() + 1), due)  # a timer takes some time
        return handle

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> "asyncio.Future[Any]":
        """What a thread would do is done at once, and its answer comes a little later."""
        promise = self.create_future()
        answer = func(*args)
        self.call_later(0.0, lambda: None if promise.done() else promise.set_result(answer))
        return promise

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: Any = None, context: Any = None) -> "asyncio.Task[Any]":
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, name=name, context=context)
        self._tasks[task] = None
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.pop(task, None)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return events._get_running_loop() is self

    def is_closed(self) -> bool:
        return self._is_over

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self._is_over:
            self._broke(context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A cancelled timer is passed over when its instant comes."""
