"""The doctor says what is the matter, with what to do about it, on both databases."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.operations.conftest import Past
from tests.stores import store
from upshot import Upshot
from upshot.app.doctor import examine
from upshot.app.settings import Settings
from upshot.store.health import postgresql
from upshot.store.health.sqlite import NETWORK, file_system_of

EITHER = {
    "settings", "secret_key", "database", "schema", "workers", "queues", "outbox", "timers", "dead_letters", "definitions",
    "sandbox",
}  # fmt: skip
OF_SQLITE = {"sqlite", "copy", "file_system", "disk", "file_settings", "wal", "file", "integrity"}
OF_POSTGRESQL = {
    "postgresql", "durability", "timeouts", "planning", "clock", "transactions", "connections", "size", "row_security",
}  # fmt: skip
LETTER = (
    "INSERT INTO upshot_dead_letters (tenant_id, id, kind, noun_id, error, strikes, status, created_at) "
    "VALUES ('default', 'letter', 'event', 'x', 'it broke', 5, 'open', 0)"
)


def found(upshot: Upshot, **more: Any) -> dict[str, Any]:
    """Each finding by its name; no name is given twice."""
    findings = examine(upshot, **more)
    by_name = {finding.name: finding for finding in findings}
    assert len(by_name) == len(findings)
    assert [one for one in findings if one.status != "ok" and not one.remedy] == [], "what is wrong has a remedy"
    return by_name


def write(upshot: Upshot, statement: str) -> None:
    upshot.commit.run(lambda connection: connection.execute(text(statement)))


def test_it_looks_at_everything_of_each_database(past: Past) -> None:
    seen = found(past.upshot)
    assert set(seen) == EITHER | (OF_SQLITE if past.upshot.database.is_sqlite else OF_POSTGRESQL)
    assert {name: one.detail for name, one in seen.items() if one.status == "failed"} == {}


def test_work_that_lies_is_named(past: Past) -> None:
    past.upshot.tenants.change("default", status="suspended")
    with past.upshot.database.writing() as connection:
        past.upshot.emit("test/unheard", {}, id="waiting", connection=connection)
    write(past.upshot, "UPDATE upshot_outbox SET created_at = 1")
    write(past.upshot, LETTER)
    seen = found(past.upshot)
    assert {name for name in ("outbox", "dead_letters") if seen[name].status == "warning"} == {"outbox", "dead_letters"}
    assert seen["outbox"].detail.startswith("1 rows wait")


def test_runs_that_nobody_drives_are_named(past: Past) -> None:
    past.automation({"id": "later", "delay": "1 day"}, {"id": "note", "action": "note", "with": {}})
    past.emit("test/happened")
    past.stopped()
    assert found(past.upshot)["workers"].status == "ok", "a sleeping run needs none"
    write(past.upshot, "UPDATE upshot_active SET parked = 0")
    write(past.upshot, "UPDATE upshot_timers SET due_at = 1")
    seen = found(past.upshot)
    assert (seen["workers"].status, seen["timers"].status) == ("warning", "warning")
    assert "upshot worker" in seen["workers"].remedy


def test_a_queue_that_no_live_worker_serves_is_named(past: Past) -> None:
    past.automation({"id": "note", "action": "note", "with": {}}, name="Nightly", queue="night-batch")
    assert found(past.upshot)["queues"].detail == "Every queue is served."
    write(past.upshot, "UPDATE upshot_workers SET queues = 'automation,mails'")
    past.emit("test/happened")
    seen = found(past.upshot)["queues"]
    assert seen.status == "warning"
    assert seen.detail == "No live worker serves the queue 'night-batch' of automation 'Nightly' (tenant default)."
    assert "`upshot worker --queues night-batch`" in seen.remedy
    write(past.upshot, "UPDATE upshot_workers SET queues = 'night-batch'")
    assert found(past.upshot)["queues"].detail == "Every queue that is used is served: night-batch."
    past.stopped()
    assert found(past.upshot)["queues"].status == "ok", "that nobody works is told under workers"


def test_runs_in_a_queue_that_nobody_serves_are_named(past: Past) -> None:
    past.automation({"id": "note", "action": "note", "with": {}})
    past.upshot.engine.process.limits.queues = frozenset({"mails"})
    write(past.upshot, "UPDATE upshot_workers SET queues = 'mails'")
    past.emit("test/happened")
    seen = found(past.upshot)["queues"]
    assert (seen.status, seen.detail.endswith(" Runs wait in automation.")) == ("warning", True)


def test_definitions_that_cannot_run_here_are_named(past: Past) -> None:
    past.automation({"id": "note", "action": "note", "with": {}})
    assert found(past.upshot)["definitions"].status == "ok"
    without = Upshot(past.url, settings=Settings())
    unknown = found(without)["definitions"]
    assert (unknown.status, "'note'" in unknown.detail) == ("failed", True)
    assert "--app" in found(without, knows_host=False)["definitions"].remedy
    write(past.upshot, "UPDATE upshot_automation_versions SET document = '{\"steps\": 5}'")
    without.close()
    later = Upshot(past.url, settings=Settings())
    assert "cannot read" in found(later)["definitions"].detail
    later.close()


def test_definitions_of_sleeping_runs_count_though_their_automation_is_paused(past: Past) -> None:
    identity = past.automation({"id": "later", "delay": "1 day"}, {"id": "note", "action": "note", "with": {}})
    past.emit("test/happened")
    past.upshot.automations.pause("default", identity)
    without = Upshot(past.url, settings=Settings())
    assert found(without)["definitions"].status == "failed"
    past.advance(timedelta(days=2))
    assert found(without)["definitions"].status == "ok"
    without.close()


def test_a_secret_key_is_asked_for(tmp_path: Path) -> None:
    for key, status in (("", "warning"), ("a secret key of tests", "ok")):
        upshot = Upshot(f"sqlite:///{tmp_path}/a.db", settings=Settings(secret_key=key))
        upshot.migrate()
        assert found(upshot)["secret_key"].status == status
        upshot.close()


def doctor(database: str, *more: str) -> tuple[int, dict[str, Any]]:
    """The command, as a process of its own: its exit code and each finding by its name."""
    command = [sys.executable, "-m", "upshot.cli", "doctor", "--json", "--database", database, *more]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    told = json.loads(ended.stdout)
    return ended.returncode, {finding["name"]: finding for finding in told["findings"]}


def test_a_damaged_file_fails(tmp_path: Path) -> None:
    upshot = Upshot(f"sqlite:///{tmp_path}/a.db")
    upshot.migrate()
    for number in range(300):
        upshot.emit("test/happened", {"text": "x" * 400}, id=f"{number}")
    upshot.close()
    assert doctor(f"sqlite:///{tmp_path}/a.db", "--deep")[0] == 0
    path = tmp_path / "a.db"
    content = bytearray(path.read_bytes())
    content[-40_000:] = os.urandom(40_000)
    path.write_bytes(content)
    code, seen = doctor(f"sqlite:///{path}", "--deep")
    assert code == 1
    assert any(one["status"] == "failed" and "backup" in one["remedy"] for one in seen.values())


def test_a_file_that_never_shrinks_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE host_table (id INTEGER)")
    connection.close()
    upshot = Upshot(f"sqlite:///{path}")
    upshot.migrate()
    assert found(upshot)["file_settings"].status == "warning"
    upshot.close()


def test_what_is_not_there_fails_with_what_to_do(tmp_path: Path) -> None:
    code, seen = doctor(f"sqlite:///{tmp_path}/none.db")
    assert (code, seen["database"]["status"]) == (1, "failed")
    assert "upshot migrate" in seen["database"]["remedy"]


def test_a_network_file_system_is_known_by_its_mount() -> None:
    mounts = "dev / ext4 rw 0 0\nserver:/x /data nfs4 rw 0 0\ndev /data/local\\040disk xfs rw 0 0\n"
    assert file_system_of(Path("/data/upshot.db"), mounts) in NETWORK
    assert file_system_of(Path("/data/local disk/upshot.db"), mounts) == "xfs"
    assert file_system_of(Path("/database/upshot.db"), mounts) == "ext4"
    assert file_system_of(Path("/x"), "") == ""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Upshot]:
    """An Upshot on PostgreSQL, of which there is more to say."""
    with store("postgresql", tmp_path) as url:
        upshot = Upshot(url)
        yield upshot
        upshot.close()


@pytest.mark.parametrize(("ahead", "said"), [(-60, "behind"), (60, "ahead of")])
def test_a_clock_that_is_wrong_is_named(server: Upshot, ahead: int, said: str) -> None:
    with server.database.reading() as connection:
        now = postgresql.server_now(connection) + ahead * 1_000_000
        (clock,) = [finding for finding in postgresql.findings(connection, now) if finding.name == "clock"]
    assert (clock.status, said in clock.detail) == ("warning", True)


def test_a_server_that_forgets_commits_fails(server: Upshot) -> None:
    write(server, f"ALTER DATABASE {server.database.url.database} SET synchronous_commit = off")
    anew = Upshot(server.database.url.render_as_string(hide_password=False))
    seen = found(anew)
    anew.close()
    assert (seen["durability"].status, seen["timeouts"].status) == ("failed", "ok")


def test_what_a_pooler_does_not_carry_is_named_with_what_sets_it(server: Upshot) -> None:
    url = server.database.url.render_as_string(hide_password=False)
    pooled = Upshot(url, settings=Settings(database_direct_url=url))
    seen = found(pooled)
    pooled.close()
    for name, setting in (("timeouts", "lock_timeout = '5s'"), ("planning", "enable_seqscan = 'off'")):
        assert (found(server)[name].status, seen[name].status) == ("ok", "warning")
        assert f"ALTER ROLE postgres SET {setting}" in seen[name].remedy


def test_a_table_without_row_security_is_named(server: Upshot) -> None:
    assert found(server)["row_security"].status == "ok"
    write(server, "ALTER TABLE upshot_runs DISABLE ROW LEVEL SECURITY")
    security = found(server)["row_security"]
    assert (security.status, "upshot_runs" in security.detail, "upshot_events" in security.detail) == (
        "failed",
        True,
        False,
    )
