"""The signals that ask a process to stop, and the promise that it then does."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

STOPPING = (signal.SIGINT, signal.SIGTERM)
LATE = "upshot: something did not end in time and was cut off; it is taken up again at the next start"


@contextmanager
def stopping(handler: Callable[[int, Any], None], *, ends_after: float | None = None) -> Generator[None]:
    """Within this, the signals that ask a process to stop call `handler` and do nothing else.

    With `ends_after` the process is over so many seconds after the first of them, whatever an action does: a step that
    neither ends nor lets itself be cancelled is cut off, which is as safe as a crash.
    """
    watch = threading.Timer(ends_after or 0, _cut_off)
    watch.daemon = True

    def handle(number: int, frame: Any) -> None:
        if ends_after is not None and watch.ident is None:
            watch.start()
        handler(number, frame)

    before = {number: signal.signal(number, handle) for number in STOPPING}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _cut_off() -> None:
    print(LATE, file=sys.stderr, flush=True)
    os._exit(1)
