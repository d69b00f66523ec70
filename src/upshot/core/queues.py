"""Queues: each run stands in that of its automation, and a worker drives runs of the queues it serves. Pure."""

import re
from collections.abc import Collection
from typing import Any, Final

from upshot.core.errors import Problem
from upshot.core.field_problems import text_problems

QUEUE: Final = "automation"
"""The queue of an automation that names none."""
EVERY: Final = "*"
"""What a worker serves that serves every queue. No queue is called so."""
HELD: Final = ",held"
"""The queue of runs that wait for a place."""
THROTTLED: Final = ",throttled"
"""The queue of runs that wait for their instant."""
WAITING: Final = frozenset({HELD, THROTTLED})
"""Queues that no worker serves: its own are separated by commas, so none is called so."""
QUEUE_CHARACTERS_MAX: Final = 64
QUEUE_PATTERN: Final = "^[a-z0-9_-]+$"


def serves(queues: Collection[str], queue: str) -> bool:
    """Whether a worker that serves these queues drives runs of this one."""
    return queue in queues or (EVERY in queues and queue not in WAITING)


def served_problems(queues: Collection[str], at: str) -> list[Problem]:
    """What is wrong with the names of the queues that a worker is to serve."""
    if not queues:
        return [Problem(at, "names at least one queue, like automation, or * for every queue", "missing")]
    return [problem for name in sorted(queues) if name != EVERY for problem in queue_problems(name, at)]


def queue_problems(value: Any, at: str) -> list[Problem]:
    """What is wrong with the name of a queue."""
    if isinstance(value, str) and value in WAITING:
        said = (
            f"{value!r} is the engine's own: runs that flow control keeps back stand there, and no worker drives them"
        )
        return [Problem(at, f"{said}; choose another name", "reserved_name")]
    problems = text_problems(value, at, QUEUE_CHARACTERS_MAX, needed="is not empty; leave it out for `automation`")
    if not problems and re.fullmatch(QUEUE_PATTERN, value) is None:
        said = "is lower-case letters, digits, - and _, like notifications or night-batch"
        problems.append(Problem(at, f"{said}, not {value!r}", "bad_text"))
    return problems
