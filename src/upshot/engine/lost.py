"""Lost: what a worker is told that writes for a run which it does not hold any more."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from upshot.engine.live_run import LiveRun
from upshot.store import runs


class LeaseLost(Exception):
    """Another worker holds the run, or it is over (cancelled, say): what was about to be written was dropped."""


class TakenOver(LeaseLost):
    """Another worker holds the run: this one was as good as dead for a while, and did not know it."""


def lost(
    connection: Connection, written: Sequence[LiveRun], ours: Collection[str], worker_id: str
) -> dict[str, LeaseLost]:
    """What the writer of each of these runs is told that is not ours any more."""
    keys = [run.key for run in written if run.id not in ours]
    elsewhere = runs.held_elsewhere(connection, keys, worker_id) if keys else ()
    return {run_id: (TakenOver if run_id in elsewhere else LeaseLost)(run_id) for _, run_id in keys}
