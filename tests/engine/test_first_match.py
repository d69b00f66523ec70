"""Of those who found the same wait open, the first that commits meets it; the others change nothing."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.engine.conftest import Bench
from tests.engine.test_calls import call, callee
from tests.engine.test_control_forks import WAIT_SECONDS, until
from tests.engine.test_waits import wait
from upshot.core.events import Event
from upshot.core.waits import RUN_ENDED
from upshot.engine.awaken import awaken
from upshot.engine.decide import Matched
from upshot.store import calls, waits
from upshot.store.database import Database
from upshot.store.waits import Wait

BLOCKED = """SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
             WHERE NOT granted AND datname = current_database()"""


@dataclass
class Waiting:
    """A run that waits for an event and one that waits for a run, in a store on which no engine runs any more."""

    database: Database
    event: Wait
    call: Wait

    def met_by(self, wait: Wait) -> str | None:
        """What has met it."""
        with self.database.reading() as connection:
            (found,) = waits.of_runs(connection, [(wait.tenant_id, wait.run_id)])
        return found.met_by


@pytest.fixture
def waiting(url: str) -> Iterator[Waiting]:
    with Bench(url) as bench:
        nap = callee(bench, {"id": "nap", "delay": "1d"})
        bench.automation(wait())
        bench.automation(call(nap))
        bench.happen({"number": 1})
        keys = [("default", run["id"]) for run in bench.runs()]
    database = Database(url)
    with database.reading() as connection:
        by_name = {found.event_name: found for found in waits.of_runs(connection, keys)}
    yield Waiting(database, by_name["test/replied"], by_name[RUN_ENDED])
    database.close()


def matched(wait: Wait, event_id: str) -> Matched:
    """An event that meets this wait, accepted after its run began."""
    data = {"number": 1}
    event = Event(
        tenant_id="default", id=f"~{event_id}", name=wait.event_name, data=data, text="{}", ts=0, root_id=event_id
    )
    return Matched(event, 1, "UTC", [], keys=(("step", wait.match_key),))


def test_who_found_a_wait_open_that_another_met_meanwhile_does_not_meet_it(waiting: Waiting) -> None:
    one = waiting.event
    place = (one.tenant_id, one.run_id, one.step_id)
    with waiting.database.writing() as connection:
        assert waits.meet(connection, [(*place, "first")]) == {place[:2]}
    with waiting.database.writing() as connection:
        assert waits.meet(connection, [(*place, "second")]) == set()
    assert waiting.met_by(one) == "first"


def test_a_called_run_that_ends_again_ended_as_it_did_first(waiting: Waiting) -> None:
    for status in ("failed", "completed"):
        with waiting.database.writing() as connection:
            calls.end(connection, [(waiting.call.tenant_id, waiting.call.match_key)], status)
    assert waiting.met_by(waiting.call) == "failed"


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)  # on SQLite one transaction writes at a time
def test_of_two_matchers_at_work_at_once_the_one_that_commits_first_wins(waiting: Waiting) -> None:
    database, first, second = waiting.database, matched(waiting.event, "first"), matched(waiting.event, "second")
    has_met: list[bool] = []

    def match_second() -> None:
        with database.writing() as connection:
            has_met.append(awaken(connection, [second]))

    def is_waited_for() -> bool:
        with database.reading() as connection:
            return bool(connection.exec_driver_sql(BLOCKED).scalar())

    other = threading.Thread(target=match_second)
    with database.writing() as connection:
        assert awaken(connection, [first])
        other.start()
        until(is_waited_for, "the second matcher, which has found the wait open")
    other.join(WAIT_SECONDS)
    assert has_met == [False]
    assert waiting.met_by(waiting.event) == first.event.id
