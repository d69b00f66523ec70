"""What the host application may do to the file that it shares with the engine: hold it, read it for long, fork."""

import os
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.crash.ledgers import Look, accepted, check_end, expected_runs
from tests.crash.load import TENANT, Work, build, event
from tests.crash.processes import Processes, until

EVENTS = 1_000
"""Given one by one they take seconds: the file is held long before the last of them."""


def test_a_host_that_holds_the_file_longer_than_anybody_waits_loses_no_event(
    embedded: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    engine = processes.start(embedded.but(events=EVENTS, batch=1))
    engine.until(lambda: len(accepted(tmp_path)) >= 8, "events are accepted")
    reader, writer = (sqlite3.connect(tmp_path / "upshot.db", isolation_level=None, timeout=30) for _ in range(2))
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM upshot_events").fetchone()
    writer.execute("BEGIN IMMEDIATE")
    engine.until(lambda: "refused Busy" in engine.said(), "the engine says that it cannot take events now")
    writer.execute("COMMIT")
    engine.wait_for("given")
    engine.until(look.is_over, "all is over, while somebody still reads what was before")
    reader.execute("COMMIT")
    for connection in (reader, writer):
        connection.close()
    engine.stop()
    assert len(check_end(look, tmp_path).runs) == expected_runs(EVENTS)


@pytest.mark.parametrize("had_been_used", [False, True])
def test_a_forked_process_emits_on_connections_of_its_own(
    work: Work, look: Look, tmp_path: Path, had_been_used: bool
) -> None:
    """As a server does that loads the application and then forks its workers. The parent's connections stay its own."""
    upshot = build(work)
    if had_been_used:
        upshot.events.accept(TENANT, [event(0, "crash/none")])
    children: list[int] = []
    for number in (1, 2):
        child = os.fork()
        if child == 0:
            is_done = False
            try:
                signal.alarm(30)  # a child that hangs ends
                upshot.events.accept(TENANT, [event(number, "crash/none")])
                is_done = True
            finally:
                os._exit(0 if is_done else 1)
        children.append(child)
    codes: dict[int, int] = {}

    def all_ended() -> bool:
        for child in set(children) - set(codes):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                codes[child] = status
        return len(codes) == len(children)

    until(all_ended, "the children ended")
    assert set(codes.values()) == {0}
    upshot.events.accept(TENANT, [event(3, "crash/none")])
    upshot.close()
    wanted = {"event-1", "event-2", "event-3"} | ({"event-0"} if had_been_used else set())
    assert {row["source_id"] for row in look.rows("SELECT source_id FROM upshot_events")} == wanted
    if work.url.startswith("sqlite"):
        assert look.rows("PRAGMA integrity_check") == [{"integrity_check": "ok"}]
