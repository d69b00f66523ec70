"""Every status and every allowed move, in one table. The state diagrams in the docs are drawn from it.

A status that allows no move is final: nothing ever leaves it. A run that failed is over, but not final: a person may
retry it, and it goes on at the step that failed. A run that is paused while a step is in flight may end with that step.
"""

from typing import Final

RUN: Final[dict[str, frozenset[str]]] = {
    "pending": frozenset({"running", "paused", "cancelled"}),
    "running": frozenset({"waiting", "paused", "completed", "partial", "failed", "cancelled"}),
    "waiting": frozenset({"pending", "running", "paused", "failed", "cancelled"}),
    "paused": frozenset({"pending", "running", "completed", "partial", "failed", "cancelled"}),
    "completed": frozenset(),
    "partial": frozenset(),
    "failed": frozenset({"pending"}),
    "cancelled": frozenset(),
}
RUN_OVER: Final = frozenset({"completed", "partial", "failed", "cancelled"})
"""Runs of these statuses have an end, and nobody drives them."""

STEP: Final[dict[str, frozenset[str]]] = {
    "pending": frozenset({"ready", "skipped", "cancelled"}),
    "ready": frozenset({"running", "skipped", "cancelled"}),
    "running": frozenset({"waiting", "completed", "failed", "cancelled", "unknown"}),
    "waiting": frozenset({"running", "completed", "failed", "skipped", "cancelled"}),
    "completed": frozenset(),
    "failed": frozenset(),
    "skipped": frozenset(),
    "cancelled": frozenset(),
    "unknown": frozenset(),
}

AUTOMATION: Final[dict[str, frozenset[str]]] = {
    "draft": frozenset({"active", "archived"}),
    "active": frozenset({"paused", "archived"}),
    "paused": frozenset({"active", "archived"}),
    "archived": frozenset({"active", "paused"}),
}

OUTBOX: Final[dict[str, frozenset[str]]] = {
    "pending": frozenset({"published", "failed"}),
    "published": frozenset(),
    "failed": frozenset({"pending"}),
}

DEAD_LETTER: Final[dict[str, frozenset[str]]] = {
    "open": frozenset({"retrying", "resolved", "discarded"}),
    "retrying": frozenset({"open", "resolved"}),
    "resolved": frozenset({"open"}),
    "discarded": frozenset({"open", "retrying", "resolved"}),
}

REPLAY: Final[dict[str, frozenset[str]]] = {
    "running": frozenset({"paused", "completed", "cancelled"}),
    "paused": frozenset({"running", "cancelled"}),
    "completed": frozenset(),
    "cancelled": frozenset(),
}

TABLES: Final = {
    "run": RUN,
    "step": STEP,
    "automation": AUTOMATION,
    "outbox": OUTBOX,
    "dead_letter": DEAD_LETTER,
    "replay": REPLAY,
}


def may_move(noun: str, before: str, after: str) -> bool:
    """Whether `after` may directly follow `before` for this noun."""
    return after in TABLES[noun][before]


def is_final(noun: str, status: str) -> bool:
    """Whether nothing follows this status."""
    return not TABLES[noun][status]


def final_statuses(noun: str) -> frozenset[str]:
    """The statuses of this noun that nothing follows."""
    return frozenset(status for status, moves in TABLES[noun].items() if not moves)


def diagram(noun: str) -> str:
    """The Mermaid state diagram of one noun, as it stands in the docs."""
    lines = ["stateDiagram-v2"]
    lines += [f"    {before} --> {after}" for before, moves in TABLES[noun].items() for after in sorted(moves)]
    lines += [f"    {status} --> [*]" for status in TABLES[noun] if is_final(noun, status)]
    return "\n".join(lines)
