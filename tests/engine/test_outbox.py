"""An event emitted in the host's own transaction exists if and only if that transaction commits."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.orm import Session

from tests.engine.conftest import Bench
from upshot import Refused
from upshot.store import outbox


def relay(bench: Bench) -> None:
    """Move time past the relay's look, so that what is due is relayed, and wait for all that follows."""
    for _ in range(3):
        bench.advance(1)


@pytest.fixture
def host(bench: Bench) -> Iterator[Any]:
    """The host's own connection, which begins and ends its transactions itself."""
    if bench.upshot.database.is_sqlite:
        connection: Any = sqlite3.connect(make_url(bench.url).database or "", isolation_level=None)
        connection.execute("PRAGMA busy_timeout = 5000")
    else:
        connection = psycopg.connect(bench.url, autocommit=True)
    connection.execute("CREATE TABLE host_orders (id TEXT PRIMARY KEY)")
    yield connection
    connection.close()


def begin(host: Any) -> None:
    host.execute("BEGIN IMMEDIATE" if isinstance(host, sqlite3.Connection) else "BEGIN")


def orders(host: Any) -> list[Any]:
    return host.execute("SELECT id FROM host_orders").fetchall()


def test_a_committed_emit_is_delivered(bench: Bench, host: Any) -> None:
    bench.automation({"id": "one", "action": "note", "with": {"n": "{{ n }}"}})
    begin(host)
    host.execute("INSERT INTO host_orders VALUES ('o-1')")
    bench.upshot.emit("test/happened", {"n": 1}, connection=host)
    host.execute("COMMIT")
    relay(bench)
    assert bench.calls == [("one", {"n": 1})]
    assert bench.upshot.outbox.counts("default") == {"pending": 0, "published": 1, "failed": 0}


def test_a_rolled_back_emit_never_existed(bench: Bench, host: Any) -> None:
    bench.automation({"id": "one", "action": "note", "with": {}})
    begin(host)
    host.execute("INSERT INTO host_orders VALUES ('o-1')")
    bench.upshot.emit("test/happened", {}, connection=host)
    host.execute("ROLLBACK")
    relay(bench)
    assert bench.calls == [] == orders(host)
    assert bench.upshot.outbox.counts("default")["published"] == 0


@pytest.mark.parametrize("kind", ["connection", "session"])
def test_sqlalchemy_hosts_keep_their_own_transaction(bench: Bench, host: Any, kind: str) -> None:
    engine = create_engine(bench.upshot.database.url)
    opened = engine.connect() if kind == "connection" else Session(engine)
    with opened as connection:
        connection.execute(text("INSERT INTO host_orders VALUES ('kept')"))
        bench.upshot.emit("test/happened", {}, connection=connection)
        connection.commit()
        connection.execute(text("INSERT INTO host_orders VALUES ('dropped')"))
        bench.upshot.emit("test/happened", {}, connection=connection)
        connection.rollback()
    engine.dispose()
    relay(bench)
    assert orders(host) == [("kept",)]
    assert bench.upshot.outbox.counts("default")["published"] == 1


def test_an_emit_that_must_not_break_its_caller_leaves_the_transaction_usable(bench: Bench, host: Any) -> None:
    begin(host)
    host.execute("INSERT INTO host_orders VALUES ('o-1')")
    host.execute("ALTER TABLE upshot_outbox RENAME TO upshot_outbox_gone")
    assert bench.upshot.emit("test/happened", {}, connection=host, on_error="log") is None
    host.execute("ALTER TABLE upshot_outbox_gone RENAME TO upshot_outbox")
    host.execute("COMMIT")
    assert orders(host) == [("o-1",)]


def test_a_bad_event_is_refused_before_it_is_written(bench: Bench, host: Any) -> None:
    begin(host)
    with pytest.raises(Refused) as refused:
        bench.upshot.emit("", {}, connection=host)
    assert refused.value.problems[0].path == "name"
    host.execute("COMMIT")
    assert bench.upshot.outbox.counts("default")["pending"] == 0


def test_a_row_that_cannot_be_read_fails_after_its_last_attempt_and_holds_up_nobody(bench: Bench, host: Any) -> None:
    bench.automation({"id": "one", "action": "note", "with": {}})
    now = bench.clock.now()
    place = "?" if isinstance(host, sqlite3.Connection) else "%s"
    host.execute(outbox.insert_text(place), ("poison", "default", 1, '{"name": NaN', now, now))
    bench.upshot.emit("test/happened", {}, connection=host)
    relay(bench)
    assert len(bench.calls) == 1
    for _ in range(12):
        bench.advance(4000)
    assert bench.upshot.outbox.counts("default") == {"pending": 0, "published": 1, "failed": 1}


def test_a_row_that_is_relayed_twice_is_accepted_once(bench: Bench, host: Any) -> None:
    bench.automation({"id": "one", "action": "note", "with": {}})
    bench.upshot.emit("test/happened", {}, connection=host, id="once")
    relay(bench)
    host.execute("UPDATE upshot_outbox SET status = 'pending', next_attempt_at = 0")
    relay(bench)
    assert len(bench.calls) == 1


def test_many_events_go_with_the_hosts_transaction_or_not_at_all(bench: Bench, host: Any) -> None:
    bench.automation({"id": "one", "action": "note", "with": {"n": "{{ n }}"}})
    many = [{"name": "test/happened", "data": {"n": n}} for n in range(3)]
    begin(host)
    bench.upshot.emit_many(many, connection=host)
    host.execute("ROLLBACK")
    begin(host)
    with pytest.raises(Refused) as refused:
        bench.upshot.emit_many([*many, {"name": ""}], connection=host)
    assert refused.value.problems[0].path == "[3].name"
    assert len(set(bench.upshot.emit_many(many, connection=host))) == 3
    assert all("id" not in given for given in many), "what the host gave stays as it was"
    host.execute("COMMIT")
    relay(bench)
    assert sorted(call[1]["n"] for call in bench.calls) == [0, 1, 2]
    assert bench.upshot.outbox.counts("default") == {"pending": 0, "published": 3, "failed": 0}
