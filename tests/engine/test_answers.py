"""Answers: each is told once, a tenant's many leave the loop to others, and wait while another's little is written."""

import asyncio
from typing import Any

from upshot.engine.answers import AT_ONCE, Answers


class Written:
    """A piece of work that is over."""

    weight = 1

    def __init__(self, tenant_id: str, answer: object) -> None:
        self.tenant_id, self.answer = tenant_id, answer
        self.promise: Any = asyncio.get_running_loop().create_future()


def test_the_answers_of_a_tenant_with_little_are_told_first_and_anothers_many_wait_for_them() -> None:
    async def tell() -> list[str]:
        told: list[str] = []
        answers = Answers()

        def written(tenant_id: str, number: int) -> list[Written]:
            pieces = [Written(tenant_id, number) for _ in range(number)]
            for piece in pieces:
                piece.promise.add_done_callback(lambda _, whose=tenant_id: told.append(whose))
            return pieces

        storm, little = written("storm", 40 * AT_ONCE), written("neighbour", 2)
        answers.give(storm)
        await asyncio.wait([storm[0].promise])
        answers.hold()
        for _ in range(100):
            await asyncio.sleep(0)
        before = len(told)
        assert before < len(storm)
        answers.give(little)
        await asyncio.gather(*(piece.promise for piece in [*storm, *little]))
        await asyncio.sleep(0)  # for the last callbacks
        assert told[before : before + 2] == ["neighbour"] * 2
        assert [piece.promise.result() for piece in storm] == [len(storm)] * len(storm)
        return told

    told = asyncio.run(tell())
    assert told.count("storm") == 40 * AT_ONCE
    assert told.count("neighbour") == 2


def test_what_is_little_is_told_also_while_many_are_held_and_nobody_else_waits() -> None:
    async def tell() -> list[object]:
        answers = Answers()
        little = [Written("neighbour", number) for number in range(2)]
        answers.give(little)
        answers.hold()  # before the loop has come to tell them: the next little is being written already
        async with asyncio.timeout(10):
            return await asyncio.gather(*(piece.promise for piece in little))

    assert asyncio.run(tell()) == [0, 1]


def test_what_went_wrong_is_raised_where_it_was_given_and_a_giver_that_went_away_stops_nobody() -> None:
    async def tell() -> list[object]:
        answers = Answers()
        pieces = [Written("a", ValueError("no")), Written("a", 2), Written("a", 3)]
        pieces[1].promise.cancel()
        answers.give(pieces)
        return await asyncio.gather(*(piece.promise for piece in pieces), return_exceptions=True)

    failed, gone, third = asyncio.run(tell())
    assert isinstance(failed, ValueError)
    assert isinstance(gone, asyncio.CancelledError)
    assert third == 3


def test_that_all_were_told_is_said_once_they_have_done_what_follows() -> None:
    async def tell() -> tuple[list[str], bool, bool]:
        done: list[str] = []
        answers = Answers(lambda: done.append("all told"))
        pieces = [Written("a", number) for number in range(3 * AT_ONCE)]

        async def wait(piece: Written) -> None:
            done.append(str(await piece.promise))

        waiting = asyncio.gather(*(wait(piece) for piece in pieces))
        await asyncio.sleep(0)
        answers.give(pieces)
        is_telling = answers.is_telling
        await waiting
        await asyncio.sleep(0)
        return done, is_telling, answers.is_telling

    done, was_telling, is_telling = asyncio.run(tell())
    assert done == [*(str(number) for number in range(3 * AT_ONCE)), "all told"]
    assert was_telling
    assert not is_telling
