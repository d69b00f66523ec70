"""What is over and old goes; what has yet to happen, or is needed by it, stays, whatever its age."""

import os
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.operations.conftest import Past
from upshot import NotFound, Refused
from upshot.adapters.clock import ids_from
from upshot.app.replays import Wanted as ReplayWanted
from upshot.core.instants import DAY, to_text
from upshot.store import retention
from upshot.store.database import Database
from upshot.store.migrate import migrate

NOTE = {"id": "note", "action": "note", "with": {"what": "{{ what }}"}}
RETRIED = {"id": "retried", "action": "fail_once", "with": {}, "on_error": "retry", "retries": 1}
EVERYTHING = ("events", "event_keys", "runs", "steps", "attempts", "outbox")


def prune(past: Past, **more: Any) -> Counter[str]:
    """Prune; how many rows of each table went."""
    told = past.upshot.retention.prune(**more)
    removed = sum((Counter(tenant["removed"]) for tenant in told["tenants"]), Counter[str]())
    removed["outbox"] += told["outbox"]
    return +removed


def test_what_is_over_and_old_goes_with_all_that_hangs_on_it(past: Past) -> None:
    past.automation(NOTE, RETRIED)
    for number in range(7):
        past.emit("test/happened", {"what": number}, id=f"old-{number}")
    past.advance(timedelta(minutes=5))
    past.advance(timedelta(days=60))
    for number in range(3):
        past.emit("test/happened", {"what": number}, id=f"new-{number}")
    past.advance(timedelta(minutes=5))
    before = past.numbers(*EVERYTHING)
    assert before == [10, 10, 10, 20, 10, 0]

    counted = prune(past, older_than=timedelta(days=30), is_dry_run=True)
    assert past.numbers(*EVERYTHING) == before, "a dry run removes nothing"
    removed = prune(past, older_than=timedelta(days=30))
    assert removed == {"runs": 7, "steps": 14, "attempts": 7, "events": 7}
    assert counted == {"runs": 7, "events": 7}
    assert past.numbers(*EVERYTHING) == [3, 10, 3, 6, 3, 0]
    assert prune(past, older_than=timedelta(days=30)) == {}
    past.check()


def test_a_replay_goes_after_its_runs(past: Past) -> None:
    past.emit("test/happened", {"what": 1})
    past.advance(timedelta(hours=1))
    automation = past.automation(NOTE)
    since = past.clock.now() - DAY
    past.upshot.replays.start("default", automation, ReplayWanted(since=since))
    past.settle()
    assert past.numbers("runs", "replays") == [1, 1]
    past.advance(timedelta(days=80))
    assert prune(past) == {}
    past.advance(timedelta(days=20))
    assert prune(past) == {"events": 1, "runs": 1, "steps": 1, "replays": 1}
    assert past.numbers("replays") == [0]


def test_a_replay_that_is_not_over_stays(past: Past) -> None:
    past.emit("test/happened", {"what": 1})
    past.advance(timedelta(hours=1))
    automation = past.automation(NOTE)
    replay = past.upshot.replays.start("default", automation, ReplayWanted(since=past.clock.now() - DAY))["id"]
    past.upshot.replays.pause("default", replay)
    past.advance(timedelta(days=300))
    assert "replays" not in prune(past)
    assert past.numbers("replays") == [1]


def test_an_id_is_known_long_after_its_event_is_gone(past: Past) -> None:
    past.automation(NOTE)
    past.emit("test/happened", {"what": 1}, id="seen")
    past.advance(timedelta(days=100))
    prune(past)
    assert past.numbers("events", "runs", "event_keys") == [0, 0, 1]
    past.emit("test/happened", {"what": 1}, id="seen")
    assert past.numbers("events", "runs") == [0, 0], "a repetition is no other event"

    past.advance(timedelta(days=100))
    assert prune(past) == {"event_keys": 1}
    past.emit("test/happened", {"what": 1}, id="seen")
    assert past.numbers("events", "runs") == [1, 1]


def test_what_has_yet_to_happen_is_kept_whatever_its_age(past: Past) -> None:
    past.automation(NOTE, {"id": "later", "delay": "400 days"}, {**NOTE, "id": "then"})
    past.emit("test/happened", {"what": 1}, id="long")
    past.emit("test/unheard", {}, id="unheard")
    past.advance(timedelta(days=399))
    prune(past)
    prune(past, older_than=timedelta(seconds=1))
    assert [row["source_id"] for row in past.rows("events")] == ["long"]
    assert past.numbers("event_keys", "runs", "steps", "timers") == [1, 1, 1, 1], (
        "nor is an id forgotten before its event"
    )
    past.check()

    past.advance(timedelta(days=2))
    (run,) = past.runs()
    assert run["status"] == "completed"
    prune(past, older_than=timedelta(days=30))
    assert past.numbers("events", "runs") == [1, 1], "it ended just now, old as it is"


def test_what_a_person_has_yet_to_look_at_is_kept(past: Past) -> None:
    past.automation(NOTE)
    past.emit("test/happened", {"what": 1})
    (run,), now = past.rows("runs"), past.clock.now()
    values = f"'default', 'letter', 'run', '{run['id']}', 'it broke', 5, 'open', {now}, {now}"
    columns = "tenant_id, id, kind, noun_id, error, strikes, status, created_at, updated_at"
    past.upshot.commit.run(lambda c: c.execute(text(f"INSERT INTO upshot_dead_letters ({columns}) VALUES ({values})")))
    past.advance(timedelta(days=300))
    prune(past)
    assert past.numbers("events", "runs", "dead_letters") == [1, 1, 1]
    past.upshot.commit.run(lambda c: c.execute(text("UPDATE upshot_dead_letters SET status = 'resolved'")))
    assert prune(past) == {"events": 1, "runs": 1, "steps": 1, "dead_letters": 1}


def test_an_event_that_waits_to_be_matched_is_kept(past: Past) -> None:
    past.emit("test/happened", {"what": 1})
    (event,) = past.rows("events")
    values = f"'default', '{event['id']}', 'somebody'"
    past.stopped()
    past.upshot.commit.run(
        lambda c: c.execute(text(f"INSERT INTO upshot_unmatched (tenant_id, event_id, worker_id) VALUES ({values})"))
    )
    past.clock.advance(timedelta(days=300))
    assert prune(past) == {}
    past.upshot.commit.run(lambda c: c.execute(text("DELETE FROM upshot_unmatched")))
    assert prune(past) == {"events": 1}


@pytest.mark.parametrize(
    ("flow", "things"),
    [({"debounce": {"for": "10m"}}, ["b"]), ({"batch": {"size": 9, "within": "10m"}}, ["a", "b"])],
    ids=["debounce", "batch"],
)
def test_what_is_gathered_is_kept_until_its_run_is_over(past: Past, flow: dict[str, Any], things: list[str]) -> None:
    past.automation(NOTE, flow=flow)
    for what in "ab":
        past.emit("test/happened", {"what": what})
    past.stopped()
    past.clock.advance(timedelta(days=300))
    assert prune(past) == {}, "no worker was there to start it"
    past.start()
    past.settle()
    (run,) = past.runs()
    assert run["status"] == "completed"
    given = past.upshot.events.get("default", run["event"]["id"])["data"]
    assert [one["what"] for one in given.get("events", [given])] == things
    past.advance(timedelta(days=300))
    prune(past)
    assert past.numbers("events", "runs", "flow_outcomes") == [0, 0, 0]
    past.check()


@pytest.mark.parametrize("flow", [{"debounce": {"for": "10m"}}, {"batch": {"size": 9, "within": "10m"}}], ids=str)
def test_what_is_gathered_starts_nothing_when_its_event_is_gone(past: Past, flow: dict[str, Any]) -> None:
    past.automation(NOTE, flow=flow)
    past.emit("test/happened", {"what": "a"})
    past.stopped()
    past.upshot.commit.run(lambda c: c.execute(text("DELETE FROM upshot_events")))
    past.clock.advance(timedelta(days=1))
    past.start()
    past.settle()
    assert past.numbers("runs") == [0]
    past.emit("test/happened", {"what": "b"})
    past.advance(timedelta(minutes=10))
    (run,) = past.runs()
    assert run["status"] == "completed"


def test_a_tenant_keeps_what_it_has_days_of_its_own_for(past: Past) -> None:
    for tenant, own in (("long", {"runs_days": 400, "events_days": 0}), ("short", {"runs_days": 5, "events_days": 5})):
        past.upshot.tenants.create(tenant, name=tenant, settings={"retention": own})
    for tenant in ("default", "long", "short"):
        past.automation(NOTE, tenant=tenant)
        past.emit("test/happened", {"what": 1}, tenant=tenant)

    past.advance(timedelta(days=10))
    prune(past)
    assert sorted(row["tenant_id"] for row in past.rows("runs")) == ["default", "long"]
    prune(past, older_than=timedelta(days=1))
    assert [row["tenant_id"] for row in past.rows("runs")] == ["long"]
    past.advance(timedelta(days=400))
    prune(past)
    assert past.numbers("runs") == [0]
    assert [row["tenant_id"] for row in past.rows("events")] == ["long"]


def test_one_tenant_alone(past: Past) -> None:
    past.upshot.tenants.create("other", name="Other")
    for tenant in ("default", "other"):
        past.emit("test/unheard", {}, tenant=tenant)
    past.advance(timedelta(days=200))
    assert prune(past, tenant="other") == {"events": 1}
    assert [row["tenant_id"] for row in past.rows("events")] == ["default"]
    with pytest.raises(NotFound):
        prune(past, tenant="nobody")
    with pytest.raises(Refused, match="older_than"):
        prune(past, older_than=timedelta(0))


def test_relayed_outbox_rows_go_and_one_that_is_not_keeps_its_id(past: Past) -> None:
    with past.upshot.database.writing() as connection:
        past.upshot.emit("test/unheard", {}, id="relayed", connection=connection)
    past.upshot.outbox.publish()
    past.settle()
    past.advance(timedelta(days=8))
    assert prune(past) == {"outbox": 1}
    past.upshot.tenants.change("default", status="suspended")
    with past.upshot.database.writing() as connection:
        past.upshot.emit("test/unheard", {}, id="waiting", connection=connection)
    past.clock.advance(timedelta(days=300))
    assert prune(past) == {"events": 1, "event_keys": 1}
    past.clock.advance(timedelta(days=60))
    assert prune(past) == {"audit": 1}, "the suspension is more than a year ago"
    assert past.numbers("outbox") == [1]


def test_what_was_pruned_is_audited_and_the_audit_itself_grows_old(past: Past) -> None:
    past.emit("test/unheard", {})
    past.advance(timedelta(days=91))
    prune(past, actor="somebody")
    first, last = reversed(past.upshot.audit.page("default", noun="tenant").items[:2])
    assert (first["actor"], first["action"]) == (last["actor"], last["action"]) == ("somebody", "prune")
    assert first["after"]["until"]["events"] == to_text(past.clock.now() - 90 * DAY)
    assert last["after"] == {"removed": {"events": 1}}
    past.advance(timedelta(days=500))
    assert prune(past)["audit"] >= 2
    assert all(row["at"] > past.clock.now() - 365 * DAY for row in past.rows("audit"))


def test_two_at_once_beside_a_running_engine_do_no_harm(past: Past) -> None:
    past.automation(NOTE, {"id": "later", "delay": "1 day"}, {**NOTE, "id": "then"})
    past.upshot.emit_many([{"name": "test/happened", "data": {"what": number}} for number in range(300)])
    past.settle()
    past.advance(timedelta(days=2))
    past.advance(timedelta(days=120))
    told: list[Counter[str]] = []
    threads = [threading.Thread(target=lambda: told.append(prune(past))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(20):
        past.upshot.emit("test/happened", {"what": number}, id=f"meanwhile-{number}")
    for thread in threads:
        thread.join()
    assert sum((one for one in told), Counter[str]())["runs"] == 300
    past.settle()
    assert {row["status"] for row in past.rows("runs")} == {"waiting"}
    past.advance(timedelta(days=2))
    assert Counter(run["status"] for run in past.runs()) == {"completed": 20}
    assert past.numbers("events", "runs", "steps") == [20, 20, 60]
    past.check()


def test_every_look_and_every_removal_uses_an_index_to_the_row(tmp_path: Path) -> None:
    """Without statistics, as a file has none: a lookup by the tenant alone would read all of it for each row."""
    database = Database(f"sqlite:///{tmp_path}/a.db")
    migrate(database)
    until = {kind.name: 1 for kind in (*retention.OF_TENANT, *retention.OF_ALL)}
    statements: list[str] = []
    with database.writing() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(statements.append)
        for kind in (*retention.OF_TENANT, *retention.OF_ALL):
            kind.look(connection, "default", until, kind.first, 100)
            kind.remove(connection, "default", until, [kind.first])
        driver.set_trace_callback(None)
        asked = [one for one in statements if one.startswith(("SELECT upshot", "DELETE"))]
        assert len(asked) >= 14
        for statement in asked:
            plan = [row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {statement}")]
            assert [line for line in plan if line.startswith("SCAN upshot")] == [], statement
            alone = [line for line in plan if line.endswith("(tenant_id=?)")]
            assert alone == [], f"{statement}\n{plan}"
    database.close()


@pytest.mark.timeout(60)
def test_the_engine_prunes_by_itself(url: str) -> None:
    with ids_from(os.urandom), Past(url, prune_every_hours=6) as past:
        past.automation(NOTE)
        past.emit("test/happened", {"what": 1})
        past.advance(timedelta(days=91))
        while past.numbers("events", "runs", "steps") != [0, 0, 0]:
            past.settle()
        past.check()
