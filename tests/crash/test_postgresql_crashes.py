"""PostgreSQL dies and comes back, connections are cut, hints are lost: the workers go on by themselves, and nothing is lost or
doubled."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.crash.cutting_proxy import CuttingProxy
from tests.crash.ledgers import Kept, Look, Provider, check_end, expected_runs
from tests.crash.load import TENANT, Work, build, event, prepare
from tests.crash.postgresql_server import Server
from tests.crash.processes import Engine, Processes, until
from tests.crash.server_kills import answers, die
from upshot.core.errors import OutcomeUnknown

pytestmark = [pytest.mark.xdist_group("own postgresql server"), pytest.mark.timeout(180)]
EVENTS = 600


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as started:
        yield started


@pytest.fixture
def work(server: Server, request: pytest.FixtureRequest, tmp_path: Path) -> Work:
    url = server.create(f"faults_{len(request.node.name)}_{abs(hash(request.node.name)) % 10**8}")
    work = Work(url=url, folder=str(tmp_path), lease_seconds=2.0)
    prepare(work)
    return work


def two_workers(processes: Processes, work: Work, url: str | None = None) -> list[Engine]:
    """Two workers, each of which accepts half of the events."""
    half = EVENTS // 2
    both = work.but(url=url or work.url, direct_url=work.url, events=half, batch=2)
    return [processes.start(both.but(name=f"worker-{slot}", first=slot * half)) for slot in range(2)]


def end_well(engines: list[Engine], look: Look, folder: Path) -> None:
    """Wait until all is given and done, stop every worker in order, and compare the ledgers."""
    for engine in engines:
        engine.wait_for("given")
    engines[0].until(lambda: answers(look, look.is_over), "all is over")
    for engine in engines:
        engine.stop()
    snapshot = check_end(look, folder)
    assert len(snapshot.runs) == expected_runs(EVENTS)
    look.close()


@pytest.mark.parametrize("how", ["stop_at_once", "kill", "kill_a_backend"])
def test_a_server_that_dies_under_load_loses_nothing(server: Server, work: Work, tmp_path: Path, how: str) -> None:
    look, provider = Look(work.url), Provider(tmp_path)
    with Processes() as processes:
        engines = two_workers(processes, work)
        kept: list[Kept] = []
        for _ in range(3):
            calls = len(provider.calls()) + 100
            until(lambda calls=calls: len(provider.calls()) >= calls, "steps are performed")
            die(server, how)
            server.start()
            look.close()
            until(lambda: answers(look, lambda: kept.append(Kept(look, tmp_path))), "the database is back")
        end_well(engines, look, tmp_path)
        for earlier in kept:
            earlier.raise_if_called_again()


def behind(proxy: CuttingProxy, server: Server, work: Work) -> str:
    """The same database, through the proxy."""
    return server.url(str(make_url(work.url).database), proxy.folder)


def test_a_connection_cut_at_commit_is_looked_into_and_nothing_doubles(
    server: Server, work: Work, tmp_path: Path
) -> None:
    look = Look(work.url)
    with CuttingProxy(server.folder) as proxy, Processes() as processes:
        engines = two_workers(processes, work, behind(proxy, server, work))
        for engine in engines:
            engine.wait_for("ready")
        proxy.cut(*(["after", "before"] * 10), passing=7)
        until(lambda: len(proxy.done) == 20, "twenty connections are cut")
        end_well(engines, look, tmp_path)


def test_an_emit_that_was_cut_at_commit_says_so_and_is_sent_again_safely(
    server: Server, work: Work, tmp_path: Path
) -> None:
    look = Look(work.url)
    with CuttingProxy(server.folder) as proxy:
        upshot = build(work.but(url=behind(proxy, server, work)))
        upshot.emit(
            "crash/three", {"number": 0}, id="before-all"
        )  # the connection is open, and the definitions are read
        for cut, is_kept in (("after", 1), ("before", 0)):
            proxy.cut(cut)
            with pytest.raises(OutcomeUnknown):
                upshot.emit("crash/three", {"number": 1}, id=cut)
            query = f"SELECT count(*) FROM upshot_events WHERE source_id = '{cut}'"
            assert look.number(query) == is_kept
            accepted = upshot.events.accept(TENANT, [{**event(1), "id": cut}])
            assert accepted[0].duplicate is bool(is_kept)
            assert look.number(query) == 1
        upshot.close()
    look.close()


@pytest.mark.parametrize("how", ["killed again and again", "not running"])
def test_without_hints_polls_find_everything(server: Server, work: Work, tmp_path: Path, how: str) -> None:
    look = Look(work.url)
    with Processes() as processes:
        without = ("listen",) if how == "not running" else ()
        engines = two_workers(processes, work.but(without=without))
        for engine in engines:
            engine.wait_for("ready")
        if how == "killed again and again":
            for _ in range(3):
                until(lambda: server.backends("LISTEN%"), "somebody listens")
                for backend in server.backends("LISTEN%"):
                    look.rows(f"SELECT pg_terminate_backend({backend})")
        else:
            assert server.backends("LISTEN%") == []
        emitter = build(work)
        emitter.emit("crash/three", {"number": -1}, id="of-nobody")  # no engine holds it: a poll must find it
        emitter.close()
        for engine in engines:
            engine.wait_for("given")
        engines[0].until(lambda: answers(look, look.is_over), "all is over")
        for engine in engines:
            engine.stop()
        assert len(check_end(look, tmp_path).runs) == expected_runs(EVENTS) + 1
    look.close()
