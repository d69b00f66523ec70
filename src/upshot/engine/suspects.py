"""Suspects: what was claimed again and again, each time by a worker that vanished, is tried a few at a time and then alone, so
that what ends its process takes few others with it, and none of them is given up that was not alone.

What is not to be tried now is handed back in the transaction that claims it: a worker that vanishes right after is no strike
for it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

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


class Apart(NamedTuple, Generic[S]):
    """What becomes of what was claimed: to give up, to try now, to hand back; and the suspects being tried, with the strikes
    each has left."""

    hopeless: list[S]
    tried: list[S]
    later: list[S]
    on_trial: dict[Key, int]


def apart(claimed: Sequence[S], key: Callable[[S], Key], strikes_max: int, on_trial: Mapping[Key, int]) -> Apart[S]:
    """Tell these apart while the suspects `on_trial` are being tried: the least suspicious are tried first, since those are
    soon no longer suspected."""
    found: Apart[S] = Apart([], [], [], dict(on_trial))
    for one in sorted(claimed, key=lambda one: one.strikes):
        left = strikes_max - one.strikes
        if left < 0:
            found.hopeless.append(one)
            continue
        if left < len(TOGETHER):
            most = min([TOGETHER[left], *(TOGETHER[other] for other in found.on_trial.values())])
            if len(found.on_trial) >= most:
                found.later.append(one)
                continue
            found.on_trial[key(one)] = left
        found.tried.append(one)
    return found
