"""Every hot statement finds its rows by an index, on both databases and without statistics: an engine's first hour is on tables
that nobody has analysed."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import BigInteger, Connection, Integer

import upshot.store
from upshot.store.database import Database
from upshot.store.fair import Waiting
from upshot.store.migrate import migrate
from upshot.store.rows import Prepared

RARE = {"events._own_waiting", "calls._asleep"}
"""Statements that read something hot and small whole: the table `unmatched`, once in 15 s while it is not empty, since an index
would cost every event one more write; and the index of waits that were met, once a second, which are gone a moment later."""
SMALL = {"upshot_workers", "upshot_tenants"}
"""Tables that hold a handful of rows, which may be read whole."""


def hot_statements() -> dict[str, Prepared]:
    """The prepared statements of the store's modules, and those of its claims."""
    found: dict[str, Prepared] = {}
    for module in pkgutil.iter_modules(upshot.store.__path__):
        if module.ispkg:
            continue
        for name, value in vars(importlib.import_module(f"upshot.store.{module.name}")).items():
            if isinstance(value, Prepared):
                found[f"{module.name}.{name}"] = value
            elif isinstance(value, Waiting):
                found[f"{module.name}.{name}.tenants"] = value._tenants
                found[f"{module.name}.{name}.rows"] = value._rows
    return found


STATEMENTS = hot_statements()


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Database]]:
    from tests.stores import STORES, store

    made: dict[str, Database] = {}
    stores = [store(kind, tmp_path_factory.mktemp(kind)) for kind in STORES]
    for kind, opened in zip(STORES, stores, strict=True):
        made[kind] = Database(opened.__enter__())
        migrate(made[kind])
    yield made
    for database, opened in zip(made.values(), stores, strict=True):
        database.close()
        opened.__exit__(None, None, None)


def plan_of(connection: Connection, statement: Prepared) -> list[str]:
    """What the database would do, a line per node."""
    dialect = connection.dialect
    compiled = statement._statement.compile(dialect=dialect)
    values: dict[str, Any] = {}
    for name, bound in compiled.binds.items():
        is_number = isinstance(bound.type, Integer | BigInteger)
        values[name] = "[]" if name == "rows" else bound.value if not bound.required else 1 if is_number else "x"
    driver: Any = connection.connection.driver_connection
    if dialect.name == "sqlite":
        plan = driver.execute(f"EXPLAIN QUERY PLAN {compiled}", [values[name] for name in compiled.positiontup])
        return [row[3] for row in plan]
    return [row[0] for row in driver.execute(f"EXPLAIN {compiled}", values)]


def whole_tables(plan: list[str]) -> set[str]:
    """The tables of ours that are read whole."""
    text = "\n".join(plan)
    scanned = re.findall(r"Seq Scan on (upshot_\w+)", text)
    for line in plan:  # SQLite says SCAN for an index that is read whole too
        scanned += re.findall(r"^SCAN (upshot_\w+)", line)
    return set(scanned) - SMALL


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (kind, name)
        for name in sorted(STATEMENTS.keys() - RARE)
        for kind in ("sqlite", "postgresql")
        if kind == "postgresql" or not name.startswith(("row_security.", "hints."))  # roles and NOTIFY are PostgreSQL's
    ],
)
def test_a_hot_statement_reads_no_table_whole(databases: dict[str, Database], kind: str, name: str) -> None:
    with databases[kind].reading() as connection:
        plan = plan_of(connection, STATEMENTS[name])
    assert whole_tables(plan) == set(), "\n".join(plan)


def test_a_statement_without_an_index_would_be_seen(databases: dict[str, Database]) -> None:
    from sqlalchemy import select

    from upshot.store.schema import steps

    for database in databases.values():
        with database.reading() as connection:
            plan = plan_of(connection, Prepared(select(steps.c.output).where(steps.c.kind == "delay")))
        assert whole_tables(plan) == {"upshot_steps"}
