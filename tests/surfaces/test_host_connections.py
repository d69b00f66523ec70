"""`emit(connection=...)`: what is no connection is refused with what it is, what is taken, and what to do."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import Session, sessionmaker

from tests.surfaces.conftest import Surface
from upshot import Refused
from upshot.testing.harness import new_file


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The hosts of these tests write into the file by their own drivers."""
    return new_file(tmp_path)


class OfAnAsyncDriver:
    """What an asynchronous driver gives: its calls answer with something to await."""

    def cursor(self) -> Any: ...

    async def commit(self) -> None: ...


WRONG: dict[str, Callable[[], Any]] = {
    "object": object,
    "text": lambda: "sqlite:///host.db",
    "number": lambda: 5,
    "mapping": dict,
    "class": lambda: sqlite3.Connection,
    "cursor": lambda: sqlite3.connect(":memory:").cursor(),
    "engine": lambda: create_engine("sqlite://"),
    "sessionmaker": lambda: sessionmaker(create_engine("sqlite://")),
    "asynchronous driver": OfAnAsyncDriver,
    "asynchronous session": AsyncSession,
    "asynchronous connection": lambda: AsyncConnection.__new__(AsyncConnection),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_connection_is_refused_with_cause_and_remedy(surface: Surface, what: str) -> None:
    given = WRONG[what]()
    for emit in (
        lambda: surface.upshot.emit("x", {}, tenant="alpha", connection=given),
        lambda: surface.upshot.emit_many([{"name": "x"}], tenant="alpha", connection=given),
    ):
        with pytest.raises(Refused) as refused:
            emit()
        (problem,) = refused.value.problems
        assert (problem.path, problem.code) == ("connection", "wrong_type")
        assert type(given).__qualname__ in problem.message
        assert "run_sync" in problem.message if what.startswith("async") else "DBAPI connection" in problem.message
    assert surface.upshot.emit("x", {}, tenant="alpha", connection=given, on_error="log") is None
    assert surface.get("/outbox").json()["pending"] == 0


def test_what_is_a_connection_is_taken(surface: Surface) -> None:
    engine = create_engine(surface.upshot.database.url)
    with engine.begin() as connection:
        surface.upshot.emit("x", {}, tenant="alpha", connection=connection)
    with Session(engine) as session, session.begin():
        surface.upshot.emit("x", {}, tenant="alpha", connection=session)
    host = sqlite3.connect(str(surface.upshot.database.path))
    surface.upshot.emit("x", {}, tenant="alpha", connection=host)
    host.commit()
    host.close()
    assert surface.get("/outbox").json()["pending"] == 3
