"""Group commit: together when all is well, apart when something is not."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from upshot.adapters.clock import SystemClock
from upshot.core.errors import Busy, OutcomeUnknown
from upshot.engine.commit import SHARED_BATCH_MAX, GroupCommit
from upshot.store.database import Database


class Insert:
    """Writes numbers, many at once, and cannot write a negative one."""

    name = "change"

    def __init__(self) -> None:
        self.batches: list[int] = []

    def tenant_of(self, work: Any) -> str:
        return "one"

    def write(self, connection: Connection, work: Sequence[Any], now: int) -> Sequence[Any]:
        self.batches.append(len(work))
        for number in work:
            if number < 0:
                raise RuntimeError(f"cannot write {number}")
            connection.exec_driver_sql("INSERT INTO numbers VALUES (?)", (number,))
        return [number * 2 for number in work]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'numbers.db'}")
    with made.writing() as connection:
        connection.execute(text("CREATE TABLE numbers (n INTEGER PRIMARY KEY)"))
    yield made
    made.close()


def test_work_whose_transaction_has_no_name_among_the_crash_points_is_refused(database: Database) -> None:
    class Nameless(Insert):
        name = "nameless"

    commit = GroupCommit(database, SystemClock())
    with pytest.raises(LookupError, match="nameless"):
        commit.give_blocking(Nameless(), 1)
    with pytest.raises(LookupError, match="nameless"):
        commit.run(lambda _: None, "nameless")
    commit.close()
    assert kept(database) == []


def kept(database: Database) -> list[int]:
    with database.reading() as connection:
        return [row[0] for row in connection.execute(text("SELECT n FROM numbers ORDER BY n"))]


def give(database: Database, numbers: list[int]) -> tuple[list[Any], Insert]:
    commit, kind = GroupCommit(database, SystemClock()), Insert()

    async def work() -> list[Any]:
        return await asyncio.gather(*commit.give_all(kind, numbers), return_exceptions=True)

    try:
        return asyncio.run(work()), kind
    finally:
        commit.close()


def test_what_is_given_together_is_written_together(database: Database) -> None:
    answers, kind = give(database, list(range(100)))
    assert answers == [number * 2 for number in range(100)]
    assert kind.batches == [100]


def test_what_the_told_give_next_is_written_together(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are told a few at a time, and the writer waits for all of them."""
    monkeypatch.setattr("upshot.engine.commit.GATHER_SECONDS", 60)  # however slow the machine is
    commit, kind, rounds, givers = GroupCommit(database, SystemClock()), Insert(), 5, 300

    async def give_again_and_again(first: int) -> None:
        for turn in range(rounds):
            await commit.give(kind, first + turn * givers)

    async def work() -> None:
        await asyncio.gather(*(give_again_and_again(first) for first in range(givers)))

    try:
        asyncio.run(work())
    finally:
        commit.close()
    assert kept(database) == list(range(rounds * givers))
    assert len(kind.batches) <= rounds + 1, kind.batches  # the first giver's goes at once


def test_a_culprit_is_bisected_out_and_the_others_are_not_hurt(database: Database) -> None:
    answers, _ = give(database, [1, 2, 3, -4, 5, 6, 7])
    assert [a for a in answers if not isinstance(a, Exception)] == [2, 4, 6, 10, 12, 14]
    assert isinstance(answers[3], RuntimeError)
    assert kept(database) == [1, 2, 3, 5, 6, 7]


def test_a_function_that_raises_leaves_nothing_and_hurts_nobody(database: Database) -> None:
    commit = GroupCommit(database, SystemClock())

    def insert(connection: Connection, number: int) -> int:
        connection.exec_driver_sql("INSERT INTO numbers VALUES (?)", (number,))
        if number == 2:
            raise LookupError("two is not wanted")
        return number

    assert commit.run(lambda c: insert(c, 1)) == 1
    with pytest.raises(LookupError, match="two"):
        commit.run(lambda c: insert(c, 2))
    assert commit.run(lambda c: insert(c, 3)) == 3
    commit.close()
    assert kept(database) == [1, 3]


def test_closing_commits_what_is_pending(database: Database) -> None:
    commit = GroupCommit(database, SystemClock())
    commit.give_blocking(Insert(), 1)
    commit.close()
    assert kept(database) == [1]


def test_what_must_not_be_given_does_not_end_the_writer(database: Database) -> None:
    commit = GroupCommit(database, SystemClock())

    def leave(_connection: Connection) -> None:
        raise SystemExit(3)

    with pytest.raises(Busy, match="interrupted"):
        commit.run(leave)
    assert commit.run(lambda _: 1) == 1
    commit.close()


FAILS_AT_COMMIT = """
CREATE TABLE refused (n INT);
CREATE FUNCTION give_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no file' USING ERRCODE = 'XX000'; END $$;
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON refused DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION give_up();
"""


@pytest.mark.parametrize(
    "url", ["postgresql"], indirect=True
)  # SQLite says all that it says to a COMMIT as one kind of error
def test_whatever_the_server_says_to_a_commit_nobody_is_to_blame_and_the_next_is_written(url: str) -> None:
    """As a server that dies of its log does, it says something that is no `OperationalError`."""
    database = Database(url)
    with database.writing() as connection:
        connection.exec_driver_sql(FAILS_AT_COMMIT)
    commit = GroupCommit(database, SystemClock())
    unknown: list[bool] = []
    commit.writer.on_unknown = lambda: unknown.append(True)
    try:
        with pytest.raises(OutcomeUnknown, match="no file"):
            commit.run(lambda c: c.exec_driver_sql("INSERT INTO refused VALUES (1)"))
        assert unknown == [True]
        assert commit.run(lambda _: "written") == "written"
    finally:
        commit.close()
        database.close()


@dataclass(frozen=True)
class Given:
    """What a tenant gives."""

    tenant_id: str


class OfTenants:
    """Notes whose pieces it writes together."""

    name = "change"

    def __init__(self) -> None:
        self.batches: list[list[Given]] = []

    def tenant_of(self, work: Given) -> str:
        return work.tenant_id

    def write(self, connection: Connection, work: Sequence[Given], now: int) -> Sequence[Given]:
        self.batches.append(list(work))
        return work


def test_what_a_tenant_with_little_gives_is_written_before_anothers_storm(database: Database) -> None:
    commit, kind = GroupCommit(database, SystemClock()), OfTenants()
    storm, little = Given("storm"), Given("neighbour")
    work = [*[storm] * 400, little, little, *[storm] * 100]

    async def give() -> list[Any]:
        return await asyncio.gather(*commit.give_all(kind, work))

    try:
        assert asyncio.run(give()) == work
    finally:
        commit.close()
    assert kind.batches == [[little] * 2, *[[storm] * SHARED_BATCH_MAX] * (500 // SHARED_BATCH_MAX)]


@dataclass(frozen=True)
class Call(Given):
    """What a tenant gives at once."""

    size: int

    def __len__(self) -> int:
        return self.size


def test_one_large_call_is_a_storm(database: Database) -> None:
    commit, kind = GroupCommit(database, SystemClock()), OfTenants()
    large, little = Call("storm", 1_000), Given("neighbour")

    async def give() -> list[Any]:
        return await asyncio.gather(*commit.give_all(kind, [large, little]))

    try:
        assert asyncio.run(give()) == [large, little]
    finally:
        commit.close()
    assert kind.batches == [[little], [large]]
