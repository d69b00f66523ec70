"""The pure parts of a replay: its pace, and what becomes of each event."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from upshot.core.conditions import compile_condition
from upshot.core.facts import Facts
from upshot.core.instants import MINUTE
from upshot.core.replays import PER_MINUTE_MAX, Choosing, Counts, at_once, rest_after

PACES = st.integers(1, PER_MINUTE_MAX)


@given(PACES, st.lists(st.tuples(st.floats(0, 1), st.integers(0, 5_000_000)), min_size=1, max_size=300))
def test_no_minute_has_more_runs_than_were_asked_for(per_minute: int, pages: list[tuple[float, int]]) -> None:
    """However many of a page start, and however late the next one comes."""
    starts: list[tuple[int, int]] = []
    now = 0
    for share, late in pages:
        number = round(share * at_once(per_minute))
        starts.append((now, number))
        now += rest_after(per_minute, number) + late
    for begin, _ in starts:
        assert sum(number for at, number in starts if begin <= at < begin + MINUTE) <= per_minute


@given(PACES)
def test_a_replay_is_about_as_fast_as_it_may(per_minute: int) -> None:
    number, now, pages = at_once(per_minute), 0, 0
    while now < MINUTE:
        now += rest_after(per_minute, number)
        pages += 1
    assert pages * number >= 0.95 * per_minute


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_an_event_starts_where_both_conditions_hold(number: int, low: int, high: int) -> None:
    above = compile_condition({"field": "n", "operator": "greater_than_or_equal", "value": low})
    below = compile_condition({"field": "n", "operator": "less_than_or_equal", "value": high})
    facts = Facts(data={"n": number}, event={"name": "x"}, now=0)
    told = {
        (has_own, has_condition): Choosing(above if has_condition else None, below if has_own else None).refusal(facts)
        for has_own in (False, True)
        for has_condition in (False, True)
    }
    assert told[False, False] is None
    assert told[False, True] == (None if number >= low else "not_met")
    assert told[True, False] == (None if number <= high else "left_out")
    assert told[True, True] == ("left_out" if number > high else "not_met" if number < low else None)


@given(st.lists(st.sampled_from(Counts.__struct_fields__)))
def test_what_is_counted_adds_up(kinds: list[str]) -> None:
    counts = Counts()
    for kind in kinds:
        counts = counts.plus({kind: 1})
    assert counts == Counts().plus(Counter(kinds))
    assert counts.events == len(kinds)
