"""What a connection is, whoever opens it and whenever."""

from pathlib import Path

import pytest
from sqlalchemy import text

from upshot.store import migrate
from upshot.store.database import Database
from upshot.store.rows import Prepared


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path / 'a.db'}")
    migrate.migrate(made)
    return made


def test_a_connection_opens_and_reads_while_another_writes(database: Database) -> None:
    insert = text("INSERT INTO upshot_workers (id, host, pid, started_at, expires_at) VALUES ('w', 'host', 1, 1, 1)")
    count = text("SELECT count(*) FROM upshot_workers")
    with database.writing() as writing:
        writing.execute(insert)
        with Database(str(database.url)).reading() as reading:
            assert reading.execute(count).scalar() == 0
    with database.reading() as reading:
        assert reading.execute(count).scalar() == 1


@pytest.mark.parametrize(
    ("setting", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("auto_vacuum", 2), ("busy_timeout", 5000)],
)
def test_every_connection_is_durable_and_patient(database: Database, setting: str, value: str | int) -> None:
    with database.reading() as connection:
        assert connection.execute(text(f"PRAGMA {setting}")).scalar() == value


def test_a_reading_that_failed_half_way_leaves_its_view_to_nobody(database: Database) -> None:
    insert = "INSERT INTO upshot_workers (id, host, pid, started_at, expires_at) VALUES ('{}', 'host', 1, 1, 1)"
    every = Prepared(text("SELECT id FROM upshot_workers"))
    with database.writing() as writing:
        for name in ("a", "b"):
            writing.exec_driver_sql(insert.format(name))
    with pytest.raises(ValueError, match="unreadable"), database.reading() as reading:
        cursor = every(reading)
        raise ValueError(f"row {cursor.fetchone()} is unreadable")
    with Database(str(database.url)).writing() as writing:
        writing.exec_driver_sql(insert.format("c"))
    with database.reading() as reading:
        assert [row[0] for row in every(reading)] == ["a", "b", "c"]
    del cursor  # until here somebody has it, as the traceback of an error has


def test_a_reading_keeps_nothing(database: Database) -> None:
    with database.reading() as connection:
        columns = "id, host, pid, started_at, expires_at"
        connection.execute(text(f"INSERT INTO upshot_workers ({columns}) VALUES ('w', 'host', 1, 1, 1)"))
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM upshot_workers")).scalar() == 0
