"""Ids: in order, each its own, in a fork too."""

import os

from upshot.adapters.clock import new_id

NOW = 1_700_000_000_000_000
RANDOM_PART = slice(19, None)


def made(number: int) -> list[str]:
    return [new_id(NOW) for _ in range(number)]


def test_ids_come_in_order_and_once() -> None:
    ids = made(2_000)
    assert ids == sorted(set(ids))
    assert len({one[RANDOM_PART] for one in ids}) == 2_000


def test_a_fork_makes_others_than_its_parent() -> None:
    made(1)  # random bytes are left over from it
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, " ".join(one[RANDOM_PART] for one in made(50)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        of_child = set(pipe.read().split())
    assert os.waitpid(child, 0)[1] == 0
    assert len(of_child) == 50
    assert not of_child & {one[RANDOM_PART] for one in made(50)}
