"""The server's clock as a process knows it: never ahead of the server, and behind by little, however slow an answer was."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upshot.adapters import clock as clocks
from upshot.adapters.clock import ServerClock

HOUR = 3_600_000_000


class Machine:
    """A machine whose monotonic clock the test moves, and a server whose answers take their time on both ways."""

    def __init__(self, ahead: int, ways: list[tuple[int, int]]) -> None:
        self.ticks, self.ahead, self._ways = 10 * HOUR, ahead, ways

    def server_now(self) -> int:
        return self.ticks + self.ahead

    def ask(self) -> int:
        there, back = self._ways.pop(0) if self._ways else (0, 0)
        self.ticks += there
        answered = self.server_now()
        self.ticks += back
        return answered


@contextmanager
def machine(ahead: int, ways: list[tuple[int, int]]) -> Iterator[Machine]:
    made = Machine(ahead, list(ways))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clocks, "ticks", lambda: made.ticks)
        yield made


WAYS = st.lists(st.tuples(st.integers(0, 2_000_000), st.integers(0, 2_000_000)), min_size=3, max_size=9)


@given(st.integers(-HOUR, HOUR), WAYS)
def test_it_is_never_ahead_of_the_server_and_behind_by_at_most_a_round_trip(
    ahead: int, ways: list[tuple[int, int]]
) -> None:
    with machine(ahead, ways) as made:
        clock = ServerClock()
        clock.measure(made.ask)
        assert 0 <= made.server_now() - clock.now() <= min(there + back for there, back in ways[:3])
        made.ticks += HOUR
        clock.measure(made.ask)
        assert clock.now() <= made.server_now()


def test_a_slow_answer_does_not_replace_a_quick_one() -> None:
    with machine(HOUR, [(0, 0)] * 3 + [(0, 50_000)] * 3) as made:
        clock = ServerClock()
        clock.measure(made.ask)
        clock.measure(made.ask)
        assert clock.now() == made.server_now()


@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_a_server_whose_clock_was_set_is_followed(by: int) -> None:
    with machine(0, []) as made:
        clock = ServerClock()
        clock.measure(made.ask)
        said = clock.now()
        made.ahead = by
        clock.measure(made.ask)
        assert clock.now() == max(said, made.server_now())
