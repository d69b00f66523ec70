"""Named points at which a test kills the process, so that each edge of a transaction is seen to lose nothing. What only a
person, housekeeping or pruning writes shares the name `change`; a migration has none.

`UPSHOT_CRASH_AT=record.after_commit:3` ends the process with SIGKILL when that point is reached for the third time. Without
the variable a point costs one comparison.
"""

import os
import signal

EDGES = ("before_commit", "after_commit")
TRANSACTIONS = (
    "accept",
    "match",
    "strike",
    "begin",
    "record",
    "park",
    "ending",
    "call",
    "rouse",
    "fire",
    "schedule",
    "sweep",
    "segment",
    "replay",
    "release",
    "claim",
    "claim_events",
    "give_up",
    "cancel",
    "end",
    "hand_back",
    "register",
    "beat",
    "leave",
    "relay_claim",
    "relay_publish",
    "relay_fail",
    "change",
)
POINTS = frozenset(
    {f"{name}.{edge}" for name in TRANSACTIONS for edge in EDGES}
    | {"act.before_effect", "act.after_effect", "wait.before_look_back", "cancel.before_look_back"}
)
"""Every point there is; a test visits each one on each database."""


class _Armed:
    """The point that was asked for, and how often it is still to be passed."""

    name = ""
    left = 0


def arm(asked: str) -> None:
    """Ask for a point: `record.after_commit`, or `record.after_commit:3`; empty: none."""
    _Armed.name, _, count = asked.partition(":")
    _Armed.left = int(count or 1)


def reach(point: str) -> None:
    """Die here if this is the point and the time."""
    if _Armed.name != point:
        return
    _Armed.left -= 1
    if _Armed.left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def is_armed() -> bool:
    """Whether any point was asked for."""
    return bool(_Armed.name)


arm(os.environ.get("UPSHOT_CRASH_AT", ""))
