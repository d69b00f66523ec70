"""The one shape of every background service: `poll()` does what there is to do and returns the delay to the next poll."""

import asyncio
import contextlib
import logging
from typing import Protocol

from upshot.adapters.clock import ticks
from upshot.core.errors import Busy

log = logging.getLogger("upshot.engine")

PAUSE_AFTER_ERROR_SECONDS = 1.0


class Service(Protocol):
    """One loop of the engine."""

    name: str

    async def poll(self) -> float:
        """Do what there is to do now; the seconds until it is worth looking again (0: at once)."""
        ...


class Loop:
    """Polls one service until it is stopped; `wake` ends the present delay. A poll that raises is logged and tried again:
    the state is in the store, so nothing is lost by trying again."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._woken = asyncio.Event()
        self._stopping = False
        self._is_waiting = False
        self.succeeded_at = self.failed_at = 0
        """By the process's ticks; 0: not yet."""
        self.failures = 0
        self.failure = ""
        """What the last poll that raised raised: its type, since its words may hold anything."""
        self._task: asyncio.Task[None] | None = None

    @property
    def is_resting(self) -> bool:
        """Whether the service found nothing more to do and waits."""
        return self._is_waiting and not self._woken.is_set()

    def start(self) -> None:
        """Begin polling on the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"upshot-{self.service.name}")

    def wake(self) -> None:
        """Poll again without waiting for the rest of the delay."""
        self._woken.set()

    async def stop(self) -> None:
        """Let the present poll end, then stop."""
        self._stopping = True
        self.wake()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                delay = await self.service.poll()
                self.succeeded_at = ticks()
            except Exception as error:
                self.failed_at, self.failure, self.failures = ticks(), type(error).__name__, self.failures + 1
                if isinstance(error, Busy):  # what there is to say is in it
                    log.warning("service %s has to wait: %s", self.service.name, error)
                else:
                    log.exception(
                        "service %s failed; it is tried again in %s s", self.service.name, PAUSE_AFTER_ERROR_SECONDS
                    )
                delay = PAUSE_AFTER_ERROR_SECONDS
            if delay <= 0:
                await asyncio.sleep(0)
            elif not self._stopping:
                self._is_waiting = True
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await self._woken.wait()
                self._is_waiting = False
