"""Flow control as values: what an author asked for, and what it asks of one event."""

from typing import Any, Final, Literal

import msgspec

Name = Literal["once", "rate_limit", "throttle", "debounce", "batch", "concurrency"]
Reentry = Literal["allow", "skip", "restart"]

CONTROLS: Final[tuple[Name, ...]] = ("once", "rate_limit", "throttle", "debounce", "batch", "concurrency")
"""The controls that have a key, in the order in which documents are written."""
BATCHES: Final = "system.batch."
"""How the names of the events begin that batches make; the automation's id follows. Hosts cannot emit such names."""


class Control(msgspec.Struct, frozen=True):
    """One control. `key` is the template whose value says what belongs together; without it, all events of the automation do.

    `number` is how many: runs for each period (`rate_limit`, `throttle`), at once (`concurrency`), or events of a batch.
    `period` is how long (microseconds): `per`, a debounce's `for`, a batch's `within`; `most` is a debounce's `max`.
    """

    name: Name
    key: str | None = None
    number: int = 1
    period: int = 0
    most: int = 0


class Flow(msgspec.Struct, frozen=True):
    """The flow control of one automation. `document` is as its author wrote it."""

    document: dict[str, Any]
    controls: tuple[Control, ...]
    reentry: Reentry = "allow"


class Ask(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one control asks of one event: the control, with the value of its key. `mode` is what a rule of re-entry does."""

    control: str
    key: str
    number: int = 1
    period: int = 0
    most: int = 0
    mode: str = ""
