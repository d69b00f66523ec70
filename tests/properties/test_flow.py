"""What the controls decide, against models that remember everything."""

from hypothesis import given
from hypothesis import strategies as st

from upshot.core.flow import (
    Ask,
    Starts,
    Window,
    free_again_at,
    is_full,
    joined,
    kept_starts,
    next_start,
    told_again,
    used_up_until,
)

GAPS = st.lists(st.integers(0, 30), max_size=40)
NUMBERS, PERIODS = st.integers(1, 5), st.integers(1, 40)


def instants(gaps: list[int]) -> list[int]:
    at, found = 1_000, list[int]()
    for gap in gaps:
        at += gap
        found.append(at)
    return found


@given(GAPS, PERIODS)
def test_once_starts_when_the_last_start_is_long_ago(gaps: list[int], period: int) -> None:
    ask, last, started = Ask("once", "k", period=period), None, list[int]()
    for now in instants(gaps):
        until = free_again_at(ask, last, now)
        assert (until is None) == all(now - at >= period for at in started)
        if until is None:
            last = now
            started.append(now)
        else:
            assert now < until == started[-1] + period


@given(GAPS, NUMBERS, PERIODS)
def test_a_rate_limit_lets_in_what_fits_into_every_period(gaps: list[int], number: int, period: int) -> None:
    ask, kept, started = Ask("rate_limit", "k", number, period), list[int](), list[int]()
    for now in instants(gaps):
        until = used_up_until(ask, kept, now)
        recent = [at for at in started if at > now - period]
        assert (until is None) == (len(recent) < number)
        if until is None:
            kept = kept_starts(ask, kept, now)
            started.append(now)
        else:
            assert len([at for at in started if at > until - period]) < number
            assert len([at for at in started if at > until - 1 - period]) >= number
    assert len(kept) <= number


@given(GAPS, NUMBERS, PERIODS)
def test_a_throttle_gives_each_the_first_instant_that_fits(gaps: list[int], number: int, period: int) -> None:
    ask, started = Ask("throttle", "k", number, period), list[int]()
    starts: Starts | None = None

    def fits(at: int) -> bool:
        return at >= max(started, default=at) and len([other for other in started if other > at - period]) < number

    for now in instants(gaps):
        at, starts = next_start(ask, starts, now)
        assert at >= now
        assert fits(at)
        assert not any(fits(sooner) for sooner in range(now, at))
        started.append(at)


@given(GAPS, NUMBERS, PERIODS, NUMBERS, PERIODS)
def test_what_waits_under_a_throttle_is_told_anew_by_its_next_rule(
    gaps: list[int], number: int, period: int, other: int, others: int
) -> None:
    old, new = Ask("throttle", "k", number, period), Ask("throttle", "k", other, others)
    told, starts, now = list[int](), None, 1_000
    for now in instants(gaps):
        at, starts = next_start(old, starts, now)
        told.append(at)
    assert starts is None or starts.is_of(old)
    begun = [at for at in told if at <= now]
    again, starts = told_again(new, starts or Starts(number, period, []), told[len(begun) :], now)
    at, starts = next_start(new, starts, now)
    assert starts.is_of(new)
    known = [*begun[-number:], *again, at]
    assert known == sorted(known), "one that waits overtakes another"
    assert all(one >= now for one in (*again, at))
    for one in (*again, at):
        assert len([start for start in known if one - others < start <= one]) <= other


@given(GAPS, PERIODS, st.one_of(st.just(0), st.integers(0, 100)))
def test_a_debounce_ends_after_quiet_or_at_its_latest(gaps: list[int], period: int, more: int) -> None:
    ask = Ask("debounce", "k", 1, period, period + more if more else 0)
    windows: list[tuple[Window, list[int]]] = []
    for now in instants(gaps):
        last = windows[-1] if windows and windows[-1][0].due_at > now else None
        window = joined(ask, last[0] if last else None, f"w{now}", {"at": now}, 1, now)
        inside = [*(last[1] if last else []), now]
        windows = [*(windows[:-1] if last else windows), (window, inside)]
        quiet = now + period
        assert window.due_at == (min(quiet, inside[0] + ask.most) if ask.most else quiet)
        assert (window.run, window.count, window.first_at) == ({"at": now}, len(inside), inside[0])
    assert sum(len(inside) for _, inside in windows) == len(gaps)


@given(GAPS, st.integers(2, 5), PERIODS)
def test_a_batch_ends_when_it_is_full_or_its_time_is_over(gaps: list[int], size: int, period: int) -> None:
    ask = Ask("batch", "k", size, period)
    window: Window | None = None
    seen = 0
    for now in instants(gaps):
        if window is not None and (is_full(ask, window) or window.due_at <= now):
            window = None
        window = joined(ask, window, f"w{now}", {}, 10, now)
        seen += 1
        assert window.count <= size
        assert window.due_at == window.first_at + period
        assert window.bytes == 10 * window.count
        assert is_full(ask, window) == (window.count == size)
    assert seen == len(gaps)
