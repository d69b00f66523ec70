"""The disk of a PostgreSQL server is full: nothing is acknowledged that is not there, and all goes on when there is space.
Where tables cannot grow the server refuses what is written; where its log cannot, it dies, and must be started again."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.crash.ledgers import Look, accepted, check_end, check_now
from tests.crash.load import Work, prepare
from tests.crash.postgresql_server import Server
from tests.crash.processes import Processes, until
from tests.crash.server_kills import answers
from tests.crash.test_full_disk import REFUSALS, refusals, small_disk

pytestmark = [pytest.mark.xdist_group("own postgresql server"), pytest.mark.timeout(300)]
DISK_BYTES = 200 * 1024 * 1024
FILE_BYTES = 64 * 1024
"""A limit that the files of the server's log have passed."""
MORE = 40


class ServerDisk:
    """The disk that a server has its data on; or a limit to the size of its files."""

    def __init__(self, folder: Path, *, is_mounted: bool) -> None:
        self.filler, self.is_mounted = folder / "filler", is_mounted
        self.server = Server(folder=folder, max_wal_size="32MB", min_wal_size="32MB")

    def fill(self) -> None:
        """Nothing is left."""
        with self.filler.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while filler.write(bytes(65_536)):
                pass

    def give_back(self) -> None:
        """There is space again, and whoever watches over the server starts it if it has died."""
        self.filler.unlink(missing_ok=True)
        self.server.limit_files("unlimited")
        self.server.start()


@pytest.fixture
def disk() -> Iterator[ServerDisk]:
    folder = Path(tempfile.mkdtemp(prefix="upshot-pg-"))
    with small_disk(folder, DISK_BYTES) as is_mounted:
        made = ServerDisk(folder, is_mounted=is_mounted)
        try:
            yield made
        finally:
            made.server.close()
    shutil.rmtree(folder, ignore_errors=True)


def dies_of_its_log(server: Server) -> bool:
    """Whether the server ends all connections when its log goes on in another file."""
    try:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("SELECT pg_switch_wal()")
    except psycopg.OperationalError as error:
        return error.sqlstate is None or error.sqlstate.startswith("57P")
    return False


@pytest.mark.parametrize("what", ["tables", "its log", "a limit to the size of files"])
def test_a_full_disk_of_a_server_loses_nothing_and_the_engine_goes_on_by_itself(
    disk: ServerDisk, processes: Processes, tmp_path: Path, what: str
) -> None:
    """What cannot grow any more. Where no disk can be mounted (not root), all are tested by the limit."""
    server = disk.server
    work = Work(url=server.create("narrow"), folder=str(tmp_path), lease_seconds=2.0)
    prepare(work)
    look = Look(work.url)
    engine = processes.start(work.but(events=-1))
    engine.until(lambda: len(accepted(tmp_path)) > MORE, "events are accepted")
    look.close()
    if what == "a limit to the size of files" or not disk.is_mounted:
        server.limit_files(str(FILE_BYTES))
    else:
        disk.fill()
    if what == "its log" and disk.is_mounted:
        until(lambda: dies_of_its_log(server), "the server dies")
    engine.until(lambda: refusals(engine) >= REFUSALS, "events are refused")

    disk.give_back()
    until(lambda: answers(look, lambda: bool(check_now(look, tmp_path).runs)), "the database is back")
    before = len(accepted(tmp_path))
    engine.until(lambda: len(accepted(tmp_path)) >= before + MORE, "events are accepted again")
    engine.stop()
    last = processes.start(work.but(name="last"))
    last.until(lambda: answers(look, look.is_over), "all is over")
    last.stop()
    check_end(look, tmp_path)
    look.close()
