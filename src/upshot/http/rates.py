"""How many requests a caller may make: token buckets in memory, one for each key, tenant and stranger's address."""

from collections import OrderedDict
from typing import Final

from upshot.adapters.clock import Clock
from upshot.core.instants import SECOND
from upshot.http.problems import TooManyRequests

BURST_SECONDS: Final = 2
BUCKETS_MAX: Final = 20_000
STRANGERS_PER_SECOND: Final = 5


class Rates:
    """The buckets of one process. What is not asked about for long is forgotten, which only ever fills its bucket."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def spend(self, kind: str, name: str, per_second: int) -> None:
        """Count one request against this bucket of `per_second` tokens a second and twice as many at once.

        Raises:
            TooManyRequests: it is empty.
        """
        now, most = self._clock.now(), per_second * BURST_SECONDS
        tokens, at = self._buckets.get((kind, name), (float(most), now))
        tokens = min(most, tokens + (now - at) * per_second / SECOND)
        if tokens < 1:
            raise TooManyRequests(
                f"More than {per_second} requests a second by this {kind}. Slow down, then send it again."
            )
        self._buckets[kind, name] = (tokens - 1, now)
        self._buckets.move_to_end((kind, name))
        if len(self._buckets) > BUCKETS_MAX:
            self._buckets.popitem(last=False)

    def look(self, kind: str, name: str) -> None:
        """Raise if this bucket of strangers is empty, and take nothing from it."""
        tokens, at = self._buckets.get((kind, name), (1.0, 0))
        if tokens + (self._clock.now() - at) * STRANGERS_PER_SECOND / SECOND < 1:
            raise TooManyRequests("Too many attempts with keys that do not work. Wait a little, then try again.", 2)
