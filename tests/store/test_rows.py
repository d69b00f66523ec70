"""Rows: what is given as one value, and what comes as one, is what a cursor would give."""

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from upshot.store.database import Database
from upshot.store.rows import BIGINT, TEXT, Prepared, Take, key_in, rows
from upshot.store.schema import workers

TEXTS = st.none() | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.none() | st.integers(-(2**63), 2**63 - 1)


def test_all_rows_at_once_are_those_of_a_cursor(url: str) -> None:
    source = rows(("text", TEXT), ("number", BIGINT))
    echo = Prepared(select(source.c.text, source.c.number))
    with Database(url).reading() as connection:

        @settings(deadline=None)
        @given(st.lists(st.tuples(TEXTS, NUMBERS), max_size=10))
        def hold(listed: list[tuple[str | None, int | None]]) -> None:
            assert sorted(echo.all(connection, listed), key=repr) == sorted(listed, key=repr)
            assert sorted(echo(connection, listed).fetchall(), key=repr) == sorted(listed, key=repr)

        hold()


def test_what_is_taken_is_told_once_and_nothing_else_goes(url: str) -> None:
    wanted = rows(("id", TEXT))
    take = Take(workers, key_in([workers.c.id], wanted, ["id"]), [workers.c.id, workers.c.expires_at])
    listed = [{"id": name, "host": "", "pid": 1, "started_at": 1, "expires_at": at} for at, name in enumerate("abc")]
    with Database(url).writing() as connection:
        connection.execute(insert(workers), listed)
        assert sorted(take(connection, [("a",), ("c",), ("d",)])) == [("a", 0), ("c", 2)]
        assert take(connection, [("a",), ("c",)]) == []
        assert connection.execute(select(workers.c.id)).scalars().all() == ["b"]
