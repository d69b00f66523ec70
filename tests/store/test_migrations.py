"""The migrations make exactly the schema that the code is written for."""

import importlib
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import text

from tests.stores import store
from upshot import Refused
from upshot.core.entities import CreateEntity
from upshot.store import entities, migrate
from upshot.store.database import Database
from upshot.store.schema import metadata

MIGRATION = importlib.import_module("upshot.store.migrations.versions.0006_schedules")
DATES = "upshot_entity_dates"
VERSIONS = Path(migrate.__file__).parent / "migrations" / "versions"


def schema_of(database: Database) -> dict[str, list[str]]:
    """Each table's and index's words; constraints may stand in another order."""
    with database.reading() as connection:
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE name LIKE '%upshot%' AND sql > ''"))
        made = {name: sorted(re.findall(r"[^\s,()\"]+", sql)) for name, sql in rows}
    return {name: words for name, words in made.items() if migrate.VERSION_TABLE not in name}


def test_the_migrations_make_the_schema(tmp_path: Path) -> None:
    migrated, declared = Database(f"sqlite:///{tmp_path / 'a.db'}"), Database(f"sqlite:///{tmp_path / 'b.db'}")
    assert migrate.migrate(migrated) is True
    assert migrate.migrate(migrated) is False
    metadata.create_all(declared.engine)
    assert schema_of(migrated) == schema_of(declared)


CATALOGUE = (
    """SELECT table_name || '.' || column_name, data_type, is_nullable, column_default, collation_name, is_identity,
        identity_generation, is_generated FROM information_schema.columns WHERE table_schema = 'public'""",
    """SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace""",
    "SELECT tablename || '.' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
)
"""What a PostgreSQL server keeps of columns, of constraints and of indexes, each by its table and name."""


def catalogue_of(database: Database) -> dict[str, tuple[Any, ...]]:
    with database.reading() as connection:
        rows = [row for query in CATALOGUE for row in connection.execute(text(query))]
    return {name: tuple(rest) for name, *rest in rows if not name.startswith(migrate.VERSION_TABLE)}


def test_the_migrations_make_the_schema_on_a_server(tmp_path: Path) -> None:
    with (
        store("postgresql", tmp_path, migrated=False) as first,
        store("postgresql", tmp_path, migrated=False) as second,
        closing(Database(first)) as migrated,
        closing(Database(second)) as declared,
    ):
        migrate.migrate(migrated)
        metadata.create_all(declared.engine)
        made, wanted = catalogue_of(migrated), catalogue_of(declared)
        assert {name: made.get(name) for name in wanted} == wanted
        assert made.keys() == wanted.keys()
        assert len(made) > 300


def test_the_release_knows_its_newest_migration() -> None:
    assert max(path.name.split("_")[0] for path in VERSIONS.glob("0*.py")) == migrate.HEAD


def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    migrate.migrate(database)
    with database.writing() as connection:
        connection.execute(text(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9999'"))
    assert migrate.migrate(database) is False
    with database.reading() as connection:
        assert migrate.present_version(connection) == "9999"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/db", "no url at all"])
def test_a_database_that_cannot_serve_is_refused_with_a_reason(url: str) -> None:
    with pytest.raises(Refused) as refused:
        Database(url)
    assert refused.value.problems[0].path == "database_url"


def test_the_dates_of_what_is_kept_already_are_indexed(url: str) -> None:
    database = Database(url)
    migrate.migrate(database)
    made = [
        CreateEntity(
            "member", f"m{n}", {"on": f"2027-01-{n % 28 + 1:02}", "at": "2027-01-01T00:30:00+02:00", "no": "x"}
        )
        for n in range(1_100)
    ]
    with database.writing() as connection:
        assert metadata.tables["upshot_entity_dates"].primary_key
        wanted = [entities.Wanted(n, "default", one) for n, one in enumerate(made)]
        entities.apply(connection, wanted, 1, {})
        indexed = connection.execute(text(f"SELECT * FROM {DATES} ORDER BY 1, 2, 3, 4, 5")).all()
        connection.execute(text(f"DELETE FROM {DATES}"))
        with Operations.context(MigrationContext.configure(connection)):
            MIGRATION._index_dates()
        assert connection.execute(text(f"SELECT * FROM {DATES} ORDER BY 1, 2, 3, 4, 5")).all() == indexed
    assert len(indexed) == 2_200
    database.close()


def test_what_the_release_before_publishes_is_of_the_queue_of_all(url: str) -> None:
    """It knows of no queue, and goes on while this release's processes come."""
    database = Database(url)
    migrate.migrate(database)
    with database.writing() as connection:
        listed = "tenant_id, automation_id, version, document, published_at, published_by"
        connection.execute(
            text(f"INSERT INTO upshot_automation_versions ({listed}) VALUES ('default', 'a', 1, '{{}}', 1, 'ann')")
        )
        assert connection.execute(text("SELECT queue FROM upshot_automation_versions")).scalar_one() == "automation"
    database.close()
