"""The signals that ask a process to stop, and the promise that it then does."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

STOPPING = (signal.SIGINT, signal.SIGTERM)
END_SECONDS = 4.7
LATE = "upshot: something did not end in time and was cut off; it is taken up again at the next start"


@contextmanager
def stopping(handler: Callable[[int, Any], None], *, ends_process: bool = False) -> Generator[None]:
    """Within this, the signals that ask a process to stop call `handler` and do nothing else.

    With `ends_process` the process is over less than five seconds after the first of them, whatever an action does: a step
    that neither ends nor lets itself be cancelled is cut off, which is as safe as a crash.
    """
    watch = threading.Timer(END_SECONDS, _cut_off)
    watch.daemon = True

    def handle(number: int, frame: Any) -> None:
        if ends_process and watch.ident is None:
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
