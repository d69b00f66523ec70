"""Whoever outgrows one machine puts a backup of the file into PostgreSQL, and what is under way goes on there."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.operations.conftest import Past, rows
from tests.stores import store
from upshot import Conflict, Upshot
from upshot.store.schema import metadata

DAY = 86_400
CHANGED = {"workers", "audit"}
"""Tables that are not the same afterwards: no worker goes along, and the restore is noted."""
HALF = len(metadata.tables) // 2


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A PostgreSQL without tables."""
    with store("postgresql", tmp_path, migrated=False) as url:
        yield url


def give(past: Past) -> None:
    """Runs that are over, have failed, sleep, wait, and are held back; and much else that a tenant has."""
    upshot = past.upshot
    upshot.entities.create("default", "thing", id="one", fields={"state": "open"}, tags=["new"])
    upshot.segments.create(
        "default", name="open", entity_type="thing", condition={"field": "state", "operator": "equals", "value": "open"}
    )
    upshot.keys.create("default", name="mine", role="viewer")
    past.automation({"id": "later", "delay": "1 day"}, name="sleeps")
    past.automation({"id": "now", "delay": "0s"}, name="ends")
    each = {"schedule": {"run_at": "2099-01-01T08:00:00Z", "each": "thing"}}
    past.automation({"id": "now", "delay": "0s"}, name="each", trigger=each)
    heard = {"id": "hear", "wait_for_event": "test/answered", "timeout": "30 days"}
    past.automation(heard, name="waits")
    past.automation({"id": "later", "delay": "1 day"}, name="one by one", flow={"concurrency": {"limit": 1}})
    past.automation({"id": "broken", "action": "emit_event", "with": {"name": "{{ nothing }}"}}, name="fails")
    for number in range(3):
        past.emit("test/happened", {"text": f"«{number}» \t\\N\n"}, id=f"event {number}")


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """Of a file that a host has a table of its own in."""
    made = tmp_path / "backup.db"
    with Past(f"sqlite:///{tmp_path}/live.db") as past:
        give(past)
        with past.upshot.database.writing() as connection:
            connection.execute(text("CREATE TABLE host (id INTEGER PRIMARY KEY AUTOINCREMENT)"))
            connection.execute(text("INSERT INTO host DEFAULT VALUES"))
        past.upshot.backups.write(made)
    return made


def content(database: str | sqlite3.Connection) -> dict[str, list[dict[str, Any]]]:
    """The rows of every table, freed of who holds them, in no order."""
    found: dict[str, list[dict[str, Any]]] = {}
    upshot = Upshot(database) if isinstance(database, str) else None
    for name in (name.removeprefix("upshot_") for name in metadata.tables):
        if upshot is not None:
            listed = rows(upshot, name)
        else:
            assert isinstance(database, sqlite3.Connection)
            cursor = database.execute(f"SELECT * FROM upshot_{name}")
            listed = [dict(zip([one[0] for one in cursor.description], row, strict=True)) for row in cursor]
        found[name] = sorted(listed, key=repr)
    if upshot is not None:
        upshot.close()
    return found


def test_every_row_is_the_same_on_both(backup: Path, server: str) -> None:
    told: list[tuple[int, int]] = []
    made = Upshot(server).backups.restore(backup, told=lambda done, total: told.append((done, total)))
    with closing(sqlite3.connect(backup)) as connection:
        before = content(connection)
    after = content(server)
    assert {name: found for name, found in after.items() if name not in CHANGED} == {
        name: found for name, found in before.items() if name not in CHANGED
    }
    assert {run["status"] for run in before["runs"]} == {"completed", "failed", "waiting", "pending"}
    assert len([name for name, found in before.items() if found]) > HALF
    assert after["workers"] == []
    assert [one["action"] for one in after["audit"] if one not in before["audit"]] == ["restore"]
    assert told[-1][0] == told[-1][1] == sum(len(found) for name, found in before.items() if name != "workers")
    assert made["accepted_until"] is not None


def test_what_is_under_way_goes_on(backup: Path, server: str) -> None:
    Upshot(server).backups.restore(backup)
    with Past(server) as past:
        past.emit("test/answered")
        for _ in range(4):
            past.advance(DAY)
        of = {run["id"]: run["automation"]["name"] for run in past.runs()}
        ended = Counter((of[run["id"]], run["status"]) for run in past.runs())
        assert ended == {(name, "completed"): 3 for name in ("sleeps", "ends", "waits", "one by one")} | {
            ("fails", "failed"): 3
        }
        past.emit("test/happened", id="event 1")
        assert len([event for event in past.rows("events") if event["source_id"] == "event 1"]) == 1
        past.check()


def test_what_a_worker_held_that_was_killed_is_held_by_nobody(tmp_path: Path, server: str) -> None:
    with Past(f"sqlite:///{tmp_path}/live.db") as past:
        give(past)
    with closing(sqlite3.connect(tmp_path / "live.db")) as connection:  # as a kill leaves it
        connection.execute("UPDATE upshot_active SET worker_id = 'gone' WHERE parked = 0")
        assert connection.execute("SELECT count(*) FROM upshot_active WHERE worker_id = 'gone'").fetchone()[0]
        connection.commit()
    Upshot(server).backups.restore(tmp_path / "live.db")
    assert {row["worker_id"] for row in content(server)["active"]} == {None}


@pytest.mark.parametrize("at", ["the file", "the server"])
def test_nothing_is_moved_while_an_engine_runs(backup: Path, server: str, at: str) -> None:
    live = backup.parent / "live.db"
    with Past(server if at == "the server" else f"sqlite:///{live}") as past:
        with pytest.raises(Conflict, match="engine"):
            Upshot(server).backups.restore(backup if at == "the server" else live, is_forced=True)
        past.emit("test/happened", id="meanwhile")
        assert "meanwhile" in {event["source_id"] for event in past.rows("events")}


def test_what_was_being_gone_through_begins_anew(backup: Path, server: str) -> None:
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute("UPDATE upshot_segments SET place = 'Zoe'")
        connection.execute("UPDATE upshot_schedules SET sweep_at = 1, sweep_after = 'Zoe'")
        connection.commit()
    Upshot(server).backups.restore(backup)
    after = content(server)
    assert [row["place"] for row in after["segments"]] == [""]
    assert [(row["sweep_at"], row["sweep_after"]) for row in after["schedules"]] == [(1, "")]


def test_numbers_that_were_given_are_not_given_again(tmp_path: Path, server: str) -> None:
    live = Upshot(f"sqlite:///{tmp_path}/live.db")
    live.migrate()
    with live.database.writing() as connection:
        for _ in range(3):
            live.emit("test/happened", connection=connection)
        connection.execute(text("DELETE FROM upshot_outbox"))
    live.backups.write(tmp_path / "backup.db")
    live.close()
    Upshot(server).backups.restore(tmp_path / "backup.db")
    upshot = Upshot(server)
    with upshot.database.writing() as connection:
        upshot.emit("test/happened", connection=connection)
        assert connection.execute(text("SELECT seq FROM upshot_outbox")).scalars().all() == [4]
    upshot.close()


def test_a_database_that_has_something_in_it_is_refused_unless_it_may_go(backup: Path, server: str) -> None:
    present = Upshot(server)
    present.migrate()
    present.emit("test/happened", id="of the server")
    present.close()
    with pytest.raises(Conflict, match="--force"):
        Upshot(server).backups.restore(backup)
    assert [event["source_id"] for event in content(server)["events"]] == ["of the server"]
    Upshot(server).backups.restore(backup, is_forced=True)
    given = {event["source_id"] for event in content(server)["events"]}
    assert given >= {"event 0", "event 1", "event 2"}
    assert "of the server" not in given


def test_a_database_that_was_only_migrated_is_empty(backup: Path, server: str) -> None:
    present = Upshot(server)
    present.migrate()
    present.close()
    Upshot(server).backups.restore(backup)
    assert len(content(server)["events"]) >= 3


@pytest.mark.parametrize(
    "actor", ["'a' || char(0) || 'b'", "CAST(x'ff' AS TEXT)", "x'61'"], ids=["NUL", "no UTF-8", "bytes"]
)
def test_what_postgresql_cannot_keep_is_told_and_nothing_is_half_there(backup: Path, server: str, actor: str) -> None:
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute(f"UPDATE upshot_audit SET actor = {actor}")
        connection.commit()
    with pytest.raises(Conflict, match="upshot_audit"):
        Upshot(server).backups.restore(backup)
    assert {name for name, found in content(server).items() if found} <= {"tenants", "audit"}


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:20_000])


def of_an_older_release(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE upshot_schema_version SET version_num = '0015'")
        connection.commit()


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (cut_off, r"not whole|cannot be read"),
        (of_an_older_release, "upshot migrate"),
        (Path.unlink, "There is no file"),
    ],
)
def test_a_backup_that_is_not_fit_is_refused(
    backup: Path, server: str, damage: Callable[[Path], None], why: str
) -> None:
    damage(backup)
    with pytest.raises(Conflict, match=why):
        Upshot(server).backups.restore(backup)
