"""The snapshot of an installation: what it counts, on both databases, and that no history is read for it."""

from typing import Any

import psycopg
import pytest
from sqlalchemy import event, text

from upshot import Upshot
from upshot.app.settings import Settings
from upshot.core.instants import SECOND
from upshot.store import snapshot
from upshot.store.health import postgresql as health
from upshot.store.postgresql import BACKUP_NAME
from upshot.testing import Harness

HISTORY = ("upshot_events", "upshot_runs", "upshot_steps", "upshot_attempts", "upshot_outbox", "upshot_dead_letters")
DOCUMENT = {
    "name": "x",
    "trigger": {"event": "test/happened"},
    "steps": [{"id": "a", "action": "create_task", "with": {"title": "x"}}],
    "status": "active",
}


@pytest.fixture
def upshot(url: str):
    made = Upshot(url, settings=Settings(secret_key="k" * 32))
    made.migrate()
    yield made
    made.close()


def read(upshot: Upshot, later: int = 0) -> snapshot.Snapshot:
    with upshot.database.reading() as connection:
        return snapshot.read(connection, upshot.database.path, upshot.clock.now() + later)


def test_an_empty_installation_has_nothing_to_tell(upshot: Upshot) -> None:
    seen = read(upshot)
    assert (seen.outbox_pending, seen.unmatched, seen.held, seen.workers, seen.timers_overdue) == (0, 0, 0, 0, 0)
    assert (seen.outbox_oldest_at, seen.unmatched_oldest_at, seen.open_letters_at, seen.queues) == (
        None,
        None,
        None,
        {},
    )
    assert seen.database_bytes > 0
    is_server = upshot.database.path is None
    assert (seen.wal_bytes is None) is (seen.disk_free_bytes is None) is is_server
    assert (seen.dead_rows is None) is (seen.oldest_transaction_seconds is None) is not is_server


def test_what_waits_is_counted_from_when_it_came(upshot: Upshot) -> None:
    before = upshot.clock.now()
    automation = upshot.automations.create("default", DOCUMENT)
    with upshot.database.writing() as connection:
        for name in ("first", "second"):
            upshot.emit("test/happened", connection=connection, id=name)
    upshot.emit("test/happened")
    upshot.runs.start_by_hand("default", automation["id"], data={}, actor="test")
    seen = read(upshot)
    assert (seen.outbox_pending, seen.unmatched) == (2, 1)
    assert (seen.queues["automation"].ready, seen.counts["runs"]["pending"]) == (1, 1)
    for since in (seen.outbox_oldest_at, seen.unmatched_oldest_at, seen.queues["automation"].oldest_at):
        assert since is not None
        assert before <= since <= seen.at


@pytest.mark.parametrize(
    ("flow", "reason"),
    [
        ({"concurrency": {"limit": 1}}, "held_by_concurrency"),
        ({"throttle": {"limit": 1, "per": "1h"}}, "throttled"),
    ],
)
def test_runs_that_flow_control_keeps_back_are_counted_by_reason_and_open_waits_beside(
    url: str, flow: dict[str, Any], reason: str
) -> None:
    wait = {"id": "w", "wait_for_event": "test/answered"}
    with Harness(url=url) as harness:
        harness.upshot.automations.create("default", {**DOCUMENT, "steps": [wait], "flow": flow})
        assert (read(harness.upshot).kept_back, read(harness.upshot).waits) == (
            {"throttled": 0, "held_by_concurrency": 0},
            0,
        )
        for _ in range(3):
            harness.emit("test/happened")
        seen = read(harness.upshot)
    assert (seen.kept_back[reason], sum(seen.kept_back.values()), seen.waits, seen.queues) == (2, 2, 1, {})


def test_what_was_refused_or_is_of_a_suspended_tenant_is_no_sign_that_nobody_relays(upshot: Upshot) -> None:
    with upshot.database.writing() as connection:
        upshot.emit("test/happened", connection=connection, id="unreadable")
        connection.execute(text("UPDATE upshot_outbox SET format = 99"))
    upshot.outbox.publish()
    assert (read(upshot).outbox_pending, read(upshot).outbox_oldest_at) == (1, None)
    upshot.tenants.create("idle", name="Idle")
    upshot.tenants.change("idle", status="suspended")
    with upshot.database.writing() as connection:
        upshot.emit("test/happened", connection=connection, tenant="idle")
    assert (read(upshot).outbox_pending, read(upshot).outbox_oldest_at) == (2, None)
    before = upshot.clock.now()
    with upshot.database.writing() as connection:
        upshot.emit("test/happened", connection=connection)
    oldest_at = read(upshot).outbox_oldest_at
    assert oldest_at is not None
    assert oldest_at >= before


def test_a_timer_and_a_dead_letter_are_told_with_their_instant(upshot: Upshot) -> None:
    due = upshot.clock.now() + SECOND
    with upshot.database.writing() as connection:
        timer = "INSERT INTO upshot_timers VALUES ('default', 'r', 's', 'delay', 0, 0, :due)"
        connection.execute(text(timer), {"due": due})
        letter = (
            "INSERT INTO upshot_dead_letters (tenant_id, id, kind, noun_id, error, status, created_at, last_at) "
            "VALUES ('default', 'event:e', 'event', 'e', 'x', 'open', 5, 7)"
        )
        connection.execute(text(letter))
        connection.execute(
            text(
                "INSERT INTO upshot_counts (tenant_id, noun, subject, status, minute, delta) "
                "VALUES ('default', 'dead_letters', '', 'open', 0, 1)"
            )
        )
    assert read(upshot).timers_overdue == 0
    late = read(upshot, later=5 * SECOND)
    assert (late.timers_overdue, late.timers_overdue_at) == (1, due)
    assert late.open_letters_at == 7


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_the_transaction_of_a_backup_is_not_one_that_somebody_forgot(
    upshot: Upshot, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LONG_SECONDS", 0)
    for name, is_told in ((BACKUP_NAME, False), ("of a host", True)):
        with psycopg.connect(url, application_name=name) as connection:
            connection.execute("SELECT 1")
            assert bool(read(upshot).oldest_transaction_seconds) is is_told
            with upshot.database.reading() as reading:
                (found,) = [one for one in health.findings(reading, 0) if one.name == "transactions"]
            assert (name in found.detail) is is_told


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_no_history_is_scanned(upshot: Upshot) -> None:
    automation = upshot.automations.create("default", DOCUMENT)
    upshot.emit("test/happened")
    upshot.runs.start_by_hand("default", automation["id"], data={}, actor="test")
    asked: list[tuple[str, Any]] = []
    event.listen(
        upshot.database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, parameters, *_: asked.append((statement, parameters)),
    )
    read(upshot)
    plans: list[str] = []
    with upshot.database.reading() as connection:
        for statement, parameters in list(asked):
            if statement.lstrip().startswith("SELECT"):
                explained = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                plans += [row[3] for row in explained]
    assert len(plans) > 8
    scans = [plan for plan in plans if plan.startswith("SCAN") and any(table in plan for table in HISTORY)]
    assert [plan for plan in scans if "ix_upshot_outbox_pending" not in plan] == []
