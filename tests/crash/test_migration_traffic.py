"""The schema is brought forward while hosts emit and others read; several try it at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config

from tests.crash.ledgers import Look, accepted, check_end
from tests.crash.load import AUTOMATIONS, TENANT, Work, build
from tests.crash.processes import Processes, until
from tests.stores import STORES, store
from upshot.store import migrate
from upshot.store.database import Database

HOST_ROWS, MIGRATORS = 200, 3


@pytest.fixture(params=STORES)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Work]:
    """A database with the first schema."""
    with store(request.param, tmp_path, migrated=False) as url:
        database = Database(url)
        config = Config()
        config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
        with database.writing() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "0001")
        database.close()
        yield Work(url=url, folder=str(tmp_path))


def migrate_once(url: str) -> bool:
    database = Database(url)
    try:
        return migrate.migrate(database)
    finally:
        database.close()


def test_a_migration_during_traffic_loses_nothing(old: Work, processes: Processes, tmp_path: Path) -> None:
    host = processes.start(old.but(name="host", host_rows=HOST_ROWS, runs_engine=False))
    host.until(lambda: len(accepted(tmp_path)) >= 20, "the host emits")
    with ThreadPoolExecutor(MIGRATORS) as pool:
        migrators = [pool.submit(migrate_once, old.url) for _ in range(MIGRATORS)]
        assert any(migrator.result() for migrator in migrators)
    host.wait_for("given")
    host.stop()
    assert migrate_once(old.url) is False

    upshot = build(old)
    upshot.tenants.ensure(TENANT)
    for document in AUTOMATIONS:
        upshot.automations.create(TENANT, document)
    upshot.close()
    look = Look(old.url)
    engine = processes.start(old)
    engine.until(look.is_over, "all is over")
    engine.stop()
    assert len(check_end(look, tmp_path).runs) == HOST_ROWS
    look.close()


@pytest.mark.parametrize("old", ["postgresql"], indirect=True)
def test_a_migration_waits_in_short_turns_for_whoever_reads_long(old: Work) -> None:
    """A dump, say, holds its tables for long. The migration lets others pass and tries again until the dump is done."""
    look = Look(old.url)
    waiting = """SELECT query_start::text || pid AS turn FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER%'"""
    turns: set[str] = set()
    with psycopg.connect(old.url) as dump, ThreadPoolExecutor(1) as pool:
        dump.execute("SELECT count(*) FROM upshot_active")
        migrating = pool.submit(migrate_once, old.url)

        def second_turn() -> bool:
            turns.update(row["turn"] for row in look.rows(waiting))
            return len(turns) >= 2

        until(second_turn, "it waits a second time")
        emitting = psycopg.connect(old.url)
        emitting.execute("SELECT count(*) FROM upshot_active")  # passes between two turns
        emitting.close()
        dump.rollback()
        assert migrating.result() is True
    look.close()
