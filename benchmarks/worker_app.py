"""The host's side of the worker processes that are measured: `upshot worker --app worker_app:upshot`.

With `UPSHOT_BENCH_TRACE` its actions write what they do into that folder (see `peers/tracing.py`).
"""

import os

from measured_engine import declare
from peers.tracing import Tracing

from upshot import Upshot


def performed(_step: str, _key: str) -> None:
    """Nobody asks."""


upshot = Upshot()
folder = os.environ.get("UPSHOT_BENCH_TRACE")
declare(upshot, (lambda step, key: tracing.note(key, step)) if folder and (tracing := Tracing(folder)) else performed)
