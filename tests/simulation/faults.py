"""Which faults a seed has, and how often: each seed switches kinds on and off and draws their rates, so that some seeds are
calm and some meet many faults at once. Every part of the world draws from a stream of its own, so that one more draw in
one part does not shift the others.
"""

import json
from random import Random

RATES: dict[str, tuple[float, float]] = {
    "busy": (0.01, 0.3),  # of the writing transactions: the database is locked
    "error": (0.001, 0.02),  # of the statements: the transaction fails before its commit
    "cut": (0.01, 0.15),  # of the commits: the connection breaks, and nothing was committed
    "cut_applied": (0.01, 0.15),  # of the commits: the connection breaks, and everything was
    "slow": (0.01, 0.1),  # of the commits and reads: they take seconds
    "die_in_transaction": (0.0005, 0.003),  # of the statements of a transaction: the process dies there
    "die_at_commit": (0.002, 0.01),  # of the commits: the process dies right before or right after
    "effect_raises": (0.05, 0.5),  # of the calls: the provider answers with an error, done or not
    "effect_hangs": (0.02, 0.3),  # of the calls: no answer ever comes, done or not
    "effect_slow": (0.05, 0.5),  # of the calls: the answer takes up to 3 s
    "effect_junk": (0.01, 0.1),  # of the calls: the action returns what is not JSON
    "crash": (0.1, 1.0),  # a second, of some process
    "pause": (0.1, 0.6),  # a second, of some process, up to three times its lease
    "clock": (0.05, 0.5),  # a second: a process's wall clock jumps
    "drain": (0.05, 0.3),  # a second: a process is stopped in order and started again
    "cancel": (0.2, 2.0),  # a second: somebody cancels a run
    "edit": (0.2, 2.0),  # a second: somebody pauses, activates or publishes an automation
    "host_holds": (0.1, 0.5),  # of the host's transactions: it stays open for up to 2 s, and so does its write lock
    "host_rolls_back": (0.1, 0.5),  # of the host's transactions
    "deadly": (0.03, 0.15),  # of the events: performing their first step ends the process, every time
    "small": (1.0, 1.0),  # processes with room for a handful of runs
    "hold": (0.2, 2.0),  # a second: somebody pauses a run, and resumes it after up to 4 s
    "skip": (0.2, 2.0),  # a second: somebody skips a step of a run that nobody drives
    "again": (0.1, 1.0),  # a second: somebody runs a run again that is over
    "replay": (0.1, 1.0),  # a second: somebody lets an automation act on events of the past
    "retry": (0.2, 2.0),  # a second: somebody retries a run that failed, or skips the step that failed it
    "change": (0.1, 1.0),  # a second: somebody changes an entity
    "bulk": (0.05, 0.5),  # a second: somebody cancels, pauses, resumes or retries all runs that a filter names
    "segment": (0.2, 2.0),  # a second: somebody changes a segment, who is in one by hand, or when time turns one
}
KINDS = tuple(RATES)
SHARE = 0.4


class Faults:
    """The rates of one seed; a kind that is off has rate 0."""

    def __init__(self, rates: dict[str, float]) -> None:
        self._rates = rates
        self.is_active = True

    @classmethod
    def drawn(cls, seed: int) -> "Faults":
        """The faults of this seed."""
        draw = stream(seed, "faults")
        rates: dict[str, float] = {}
        for kind, (low, high) in RATES.items():
            is_on, rate = draw.random() < SHARE, low * (high / low) ** draw.random()
            if is_on:
                rates[kind] = rate
        return cls(rates)

    def rate(self, kind: str) -> float:
        """How often this happens now."""
        return self._rates.get(kind, 0.0) if self.is_active else 0.0

    @property
    def has_clocks_apart(self) -> bool:
        """Whether the clocks of processes ever differ."""
        return bool(self._rates.get("clock"))

    def turn(self, kind: str, *, rate: float) -> None:
        """From now on this happens so often."""
        self._rates[kind] = rate

    def as_json(self) -> str:
        """The rates as the command line takes them."""
        return json.dumps(self._rates)

    def __str__(self) -> str:
        return ", ".join(f"{kind} {rate:.4g}" for kind, rate in self._rates.items()) or "none"


def stream(seed: int, name: str) -> Random:
    """The random numbers of one part of one seed's world."""
    return Random(f"{seed}:{name}")
