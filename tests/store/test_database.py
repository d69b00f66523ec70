"""What a connection is, whoever opens it and whenever."""

from pathlib import Path

import pytest
from sqlalchemy import text

from upshot.store import migrate
from upshot.store.database import Database


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


def test_a_reading_keeps_nothing(database: Database) -> None:
    with database.reading() as connection:
        columns = "id, host, pid, started_at, expires_at"
        connection.execute(text(f"INSERT INTO upshot_workers ({columns}) VALUES ('w', 'host', 1, 1, 1)"))
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM upshot_workers")).scalar() == 0
