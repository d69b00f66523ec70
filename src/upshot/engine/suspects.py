"""Suspects: what was claimed again and again, each time by a worker that vanished, is tried a few at a time and then alone, so
that what ends its process takes few others with it, and none of them is given up that was not alone."""

from collections.abc import Callable, MutableMapping, Sequence
from typing import Protocol, TypeVar

Key = tuple[str, str]

TOGETHER = (1, 10, 50)
"""How many are tried at once that have 0, 1 or 2 more strikes before they are given up."""


class Struck(Protocol):
    """What was claimed, this time too a strike."""

    @property
    def strikes(self) -> int:
        """How often."""
        ...


S = TypeVar("S", bound=Struck)


def apart(
    claimed: Sequence[S], key: Callable[[S], Key], strikes_max: int, on_trial: MutableMapping[Key, int]
) -> tuple[list[S], list[S]]:
    """Of these, those to try now and those to hand back: the least suspicious first, since those are soon no longer suspected.
    `on_trial` are the suspects being tried, with the strikes each has left; those to try now are added."""
    tried: list[S] = []
    later: list[S] = []
    for one in sorted(claimed, key=lambda one: one.strikes):
        left = max(0, strikes_max - one.strikes)
        if left < len(TOGETHER):
            most = min([TOGETHER[left], *(TOGETHER[other] for other in on_trial.values())])
            if len(on_trial) >= most:
                later.append(one)
                continue
            on_trial[key(one)] = left
        tried.append(one)
    return tried, later
