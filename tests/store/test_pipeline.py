"""What is sent and not waited for: its order, where what is wrong with it is told, and that a commit is then no riddle."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, bindparam, insert, select, text
from sqlalchemy.exc import IntegrityError

from upshot.adapters.clock import SystemClock
from upshot.core.errors import Busy
from upshot.engine.commit import GroupCommit
from upshot.store import pipeline
from upshot.store.database import Database, DatabaseUnavailable
from upshot.store.rows import Prepared, Sent

numbers = Table("numbers", MetaData(), Column("n", BigInteger, primary_key=True))
put = Sent(insert(numbers).values(n=bindparam("n", type_=BigInteger())))
look = Prepared(select(numbers.c.n).order_by(numbers.c.n))

on_postgresql = pytest.mark.parametrize("url", ["postgresql"], indirect=True)
GIVE_UP_OUR_SESSION = "SELECT pg_terminate_backend(pg_backend_pid())"
REFUSED_ONCE = """
CREATE SEQUENCE tried;
CREATE FUNCTION refuse_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('tried') = 1 THEN RAISE 'overtaken' USING ERRCODE = '40001'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON numbers FOR EACH ROW EXECUTE FUNCTION refuse_once();
"""


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    made = Database(url)
    numbers.create(made.engine)
    yield made
    made.close()


class Put:
    """Sends its numbers, and reads nothing. After 12 it raises."""

    name = "change"

    def tenant_of(self, work: int) -> str:
        return "one"

    def write(self, connection: Connection, work: Sequence[int], now: int) -> Sequence[int]:
        for number in work:
            put(connection, n=number)
            if number == 12:
                raise LookupError("no dozen")
        return work


def kept(database: Database) -> list[int]:
    with database.reading() as connection:
        return [row[0] for row in look(connection)]


def test_what_was_sent_is_there_for_whatever_comes_after(database: Database) -> None:
    with database.writer() as connection:
        database.hurry(connection)
        connection.begin()
        put(connection, n=2)
        put(connection, n=1)
        assert look.all(connection) == [(1,), (2,)]
        put(connection, n=3)
        assert connection.execute(select(numbers.c.n).where(numbers.c.n == 3)).scalar() == 3
        put(connection, n=4)  # the pipeline was left
        assert look(connection).fetchall() == [(1,), (2,), (3,), (4,)]
        connection.commit()
    assert kept(database) == [1, 2, 3, 4]


@pytest.mark.parametrize("then", ["a statement", "one of SQLAlchemy's", "one that is sent", "the commit"])
def test_what_is_wrong_with_it_is_raised_at_the_latest_by_the_commit_and_nothing_is_kept(
    database: Database, then: str
) -> None:
    with database.writer() as connection:
        database.hurry(connection)
        with pytest.raises(IntegrityError), connection.begin():
            put(connection, n=1)
            put(connection, n=1)
            if then == "a statement":
                look.all(connection)
            elif then == "one of SQLAlchemy's":
                connection.execute(text("SELECT 1"))
            elif then == "one that is sent":
                put(connection, n=2)
        connection.invalidate()
    assert kept(database) == []


def test_a_culprit_that_the_commit_finds_is_bisected_out_and_the_others_are_kept(database: Database) -> None:
    """It is known then that the whole was not kept: nobody is told to look."""
    commit, unknown = GroupCommit(database, SystemClock()), list[bool]()
    commit.writer.on_unknown = lambda: unknown.append(True)

    async def give() -> list[Any]:
        return await asyncio.gather(*commit.give_all(Put(), [1, 2, 7, 3]), return_exceptions=True)

    try:
        commit.give_blocking(Put(), 7)
        answers = asyncio.run(give())
    finally:
        commit.close()
    assert [type(answer) for answer in answers] == [int, int, IntegrityError, int]
    assert (kept(database), unknown) == ([1, 2, 3, 7], [])


def test_what_is_raised_is_told_not_what_is_wrong_with_a_statement_that_nobody_read(database: Database) -> None:
    commit = GroupCommit(database, SystemClock())
    try:
        with database.writing() as connection:
            connection.execute(insert(numbers), {"n": 12})
        commit.give_blocking(Put(), 1)
        with pytest.raises((LookupError, IntegrityError)) as raised:
            commit.give_blocking(Put(), 12)
        assert raised.type is (IntegrityError if database.is_sqlite else LookupError)
        assert commit.give_blocking(Put(), 2) == 2
    finally:
        commit.close()
    assert kept(database) == [1, 2, 12]


@on_postgresql
def test_a_connection_that_is_lost_is_told_as_such(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable), database.reading() as connection:
        connection.exec_driver_sql(GIVE_UP_OUR_SESSION)
    with pytest.raises(DatabaseUnavailable), database.writer() as connection:
        database.hurry(connection)
        with connection.begin():
            put(connection, n=1)
            connection.exec_driver_sql(GIVE_UP_OUR_SESSION)
    commit, tries = GroupCommit(database, SystemClock()), list[int]()

    def lose(connection: Connection) -> None:
        tries.append(1)
        connection.exec_driver_sql(GIVE_UP_OUR_SESSION)

    try:
        with pytest.raises(Busy, match="Nothing was written"):
            commit.run(lose)
        assert commit.give_blocking(Put(), 1) == 1
    finally:
        commit.close()
    assert (len(tries), kept(database)) == (1, [1])


@on_postgresql
def test_where_a_transaction_cannot_be_bound_there_is_no_pipeline_and_it_is_one_transaction(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pipeline.BOUND, "no_such_setting", "1")
    with database.writer() as connection:
        for number in (1, 2):
            database.hurry(connection)
            with connection.begin() as transaction:
                put(connection, n=number)
                transaction.rollback()
        with pytest.raises(IntegrityError), connection.begin():
            put(connection, n=3)
            put(connection, n=3)
    assert kept(database) == []


@on_postgresql  # SQLite has one writer
def test_what_was_overtaken_is_done_again_when_the_commit_finds_it(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql(REFUSED_ONCE)
    commit = GroupCommit(database, SystemClock())
    try:
        assert commit.give_blocking(Put(), 1) == 1
    finally:
        commit.close()
    assert kept(database) == [1]
