"""Room: one tenant's storm leaves the others theirs, also while runs are on their way from the store."""

from hypothesis import given
from hypothesis import strategies as st

from upshot.engine.process import Limits
from upshot.engine.room import TENANT_SHARE, Room


@given(st.integers(8, 400), st.lists(st.tuples(st.sampled_from(["reserve", "claim", "end"]), st.integers(1, 400))))
def test_a_storm_leaves_room_for_others(runs_max: int, storm: list[tuple[str, int]]) -> None:
    room = Room(Limits(runs_max=runs_max))
    for what, number in storm:
        if what == "reserve":
            for _ in range(number):
                room.reserve("storm")
        elif what == "end":
            for _ in range(min(number, room.driven("storm"))):
                room.give_back_room("storm")
        else:
            claimed = max(0, min(number, room.room_to_claim))
            room.set_aside(claimed)
            while room.reserve("storm"):  # meanwhile
                pass
            for _ in range(claimed):
                room.reserve_always("storm")
            room.set_aside(0)
        assert room.driven("storm") <= runs_max * TENANT_SHARE + 1
        assert room.reserve("neighbour")
        room.give_back_room("neighbour")


def test_what_is_set_aside_and_not_needed_is_free_again() -> None:
    room = Room(Limits(runs_max=100))
    room.set_aside(50)
    assert room.room == 50
    room.reserve_always("a")
    assert room.room == 50
    room.set_aside(0)
    assert room.room == 99
