"""The signals that ask a process to stop."""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

STOPPING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping(handler: Callable[[int, Any], None]) -> Generator[None]:
    """Within this, the signals that ask a process to stop call `handler` and do nothing else."""
    before = {number: signal.signal(number, handler) for number in STOPPING}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
