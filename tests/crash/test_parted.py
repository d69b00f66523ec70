"""A worker that is parted from the server in the middle of a transaction holds no row for long: the server gives it up."""

import select
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, text

from tests.crash.cutting_proxy import CuttingProxy
from tests.crash.postgresql_server import Server
from tests.crash.processes import until
from upshot.adapters.clock import SystemClock
from upshot.core.errors import OutcomeUnknown
from upshot.engine.commit import GroupCommit
from upshot.store import pipeline, postgresql
from upshot.store.database import Database, DatabaseError
from upshot.store.rows import Prepared, Sent

pytestmark = pytest.mark.xdist_group("own postgresql server")
TAKE = "UPDATE held SET n = n + 1 WHERE id = 1"
COUNT = "SELECT n FROM held"
LONG_ANSWER = b"SELECT repeat('x', 1000000) FROM generate_series(1, 200)"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Server(port) as started:
        yield started


@pytest.fixture
def network_url(server: Server) -> str:
    """A database with one row, over the network."""
    with Database(server.url()).writing() as connection:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS held (id INT, n INT)")
        connection.exec_driver_sql("TRUNCATE held")
        connection.exec_driver_sql("INSERT INTO held VALUES (1, 0)")
    return server.url(host="127.0.0.1")


def test_every_connection_has_the_timeouts_at_the_server_and_here(network_url: str) -> None:
    database = Database(network_url)
    with database.reading() as connection:
        wanted = postgresql.SESSION | postgresql.NETWORK
        shown = {name: connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in wanted}
        driver: Any = connection.connection.driver_connection
        with socket.socket(fileno=driver.fileno()) as own:
            here = {
                name: own.getsockopt(level, getattr(socket, name))
                for level, name in [
                    (socket.SOL_SOCKET, "SO_KEEPALIVE"),
                    (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT"),
                    (socket.IPPROTO_TCP, "TCP_KEEPIDLE"),
                    (socket.IPPROTO_TCP, "TCP_KEEPINTVL"),
                ]
            }
            own.detach()
    database.close()
    assert shown == {
        "lock_timeout": "5s", "statement_timeout": "1min", "idle_in_transaction_session_timeout": "15s", "TimeZone": "UTC",
        "tcp_user_timeout": "15000", "tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5",
    }  # fmt: skip
    assert here == {"SO_KEEPALIVE": 1, "TCP_USER_TIMEOUT": 15_000, "TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5}


def is_free(looking: Connection) -> bool:
    """Whether another worker can have the row."""
    with looking.begin():
        return bool(looking.exec_driver_sql("SELECT id FROM held FOR UPDATE SKIP LOCKED").all())


@pytest.fixture
def parted(
    server: Server, network_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[CuttingProxy, Database]]:
    """The same database through a proxy; the server gives up a worker that is silent in a transaction for half a second."""
    del network_url
    monkeypatch.setitem(postgresql.SESSION, "idle_in_transaction_session_timeout", "500ms")
    monkeypatch.setitem(pipeline.BOUND, "transaction_timeout", "700ms")
    with CuttingProxy(server.folder, server.socket_name) as proxy:
        database = Database(server.url(host=proxy.folder))
        yield proxy, database
        database.close()


@pytest.fixture
def looking(server: Server, network_url: str) -> Iterator[Connection]:
    """Another worker's connection."""
    del network_url
    direct = Database(server.url())
    with direct.writer() as connection:
        yield connection
    direct.close()


def part_for_too_long(connection: Connection, proxy: CuttingProxy, looking: Connection) -> None:
    """Part this worker from the server until that has given it up, and join them again: the worker is told."""
    driver: Any = connection.connection.driver_connection
    proxy.part()
    try:
        assert not is_free(looking)
        until(lambda: is_free(looking), "the row is free")
    finally:
        proxy.join()
    until(lambda: select.select([driver], [], [], 0)[0], "the worker is told")


def test_the_row_of_a_worker_that_is_parted_in_a_transaction_falls_free_and_its_commit_is_refused(
    parted: tuple[CuttingProxy, Database], looking: Connection
) -> None:
    proxy, database = parted
    with pytest.raises(DatabaseError, match="idle-in-transaction"), database.writing() as connection:
        connection.exec_driver_sql(TAKE)
        part_for_too_long(connection, proxy, looking)
    assert looking.exec_driver_sql(COUNT).scalar_one() == 0


def test_a_statement_that_nobody_reads_is_not_waited_for(
    parted: tuple[CuttingProxy, Database], looking: Connection
) -> None:
    proxy, database = parted
    look, take, rejoin = Prepared(text(COUNT)), Sent(text(TAKE)), threading.Timer(60, proxy.join)
    with database.writer() as connection:
        database.hurry(connection)
        with connection.begin():
            assert look.all(connection) == [(0,)]
            proxy.part()
            rejoin.start()
            take(connection)
            assert rejoin.is_alive()  # nothing was carried meanwhile
            rejoin.cancel()
            proxy.join()
    assert looking.exec_driver_sql(COUNT).scalar_one() == 1


def test_what_an_engine_was_writing_when_it_was_parted_is_written_once_when_it_is_back(
    parted: tuple[CuttingProxy, Database], looking: Connection
) -> None:
    proxy, database = parted
    times: list[int] = []

    def write(connection: Connection) -> str:
        connection.exec_driver_sql(TAKE)
        times.append(len(times))
        if len(times) == 1:
            part_for_too_long(connection, proxy, looking)
        return "written"

    commit = GroupCommit(database, SystemClock())
    try:
        assert commit.run(write) == "written"
    finally:
        commit.close()
    assert (len(times), looking.exec_driver_sql(COUNT).scalar_one()) == (2, 1)


class Taking:
    """Takes the row without waiting for it. The first time, its worker is parted then for too long."""

    name = "change"

    def __init__(self, part: Callable[[Connection], None]) -> None:
        self._take, self._part, self._is_first = Sent(text(TAKE)), part, True

    def tenant_of(self, work: None) -> str:
        return "one"

    def write(self, connection: Connection, work: Sequence[None], now: int) -> Sequence[None]:
        self._take(connection)
        if self._is_first:
            self._is_first = False
            self._part(connection)
        return work


def test_the_row_of_a_worker_that_is_parted_between_two_statements_of_a_pipeline_falls_free(
    parted: tuple[CuttingProxy, Database], looking: Connection
) -> None:
    """The server waits for the next statement then, and does not call that idle."""
    proxy, database = parted

    def part(connection: Connection) -> None:
        until(lambda: not is_free(looking), "the row is held")
        part_for_too_long(connection, proxy, looking)

    commit, kind = GroupCommit(database, SystemClock()), Taking(part)
    try:
        with pytest.raises(OutcomeUnknown):  # its COMMIT went with it
            commit.give_blocking(kind, None)
        assert looking.exec_driver_sql(COUNT).scalar_one() == 0
        commit.give_blocking(kind, None)
    finally:
        commit.close()
    assert looking.exec_driver_sql(COUNT).scalar_one() == 1


def test_the_row_of_a_worker_that_reads_no_more_falls_free(
    network_url: str, looking: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is sending its answer then, so it is not idle, and no timeout of a statement ends that."""
    monkeypatch.setitem(postgresql.NETWORK, "tcp_user_timeout", "500ms")
    stopped = Database(network_url)
    connection = stopped.writer()
    connection.begin()
    connection.exec_driver_sql(TAKE)
    driver: Any = connection.connection.driver_connection
    assert not is_free(looking)
    driver.pgconn.send_query(LONG_ANSWER)
    until(lambda: is_free(looking), "the row is free")
    assert looking.exec_driver_sql(COUNT).scalar_one() == 0
    connection.invalidate()
    connection.close()
    stopped.close()
