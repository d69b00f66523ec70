"""Every hot statement finds its rows by an index, on both databases and without statistics: an engine's first hour is on tables
that nobody has analysed."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import BigInteger, Connection, Integer, event, insert, text

import upshot.store
from upshot.store import outbox, row_security, schema, workers
from upshot.store.database import Database
from upshot.store.fair import Waiting
from upshot.store.migrate import migrate
from upshot.store.rows import Prepared

RARE = {"events._own_waiting", "calls._asleep"}
"""Statements that read something hot and small whole: the table `unmatched`, once in 15 s while it is not empty, since an index
would cost every event one more write; and the index of waits that were met, once a second, which are gone a moment later."""
SMALL = {"upshot_workers", "upshot_tenants"}
"""Tables that hold a handful of rows, which may be read whole."""


OF_SERVERS = ("row_security.", "hints.")
"""Modules whose statements, of roles and NOTIFY, are PostgreSQL's."""
NOT_TABLES = {"json_each", "CONSTANT"}
"""What SQLite scans that is none: the rows that a statement was given."""
IN_WHOLE = {
    "workers.free": {"upshot_unmatched"},
    "workers.free_unowned": {"upshot_unmatched"},
}
"""Where a table is read whole, as is known: `unmatched`, hot and small, when a worker is gone and once in a round."""


def hot_statements() -> dict[str, Prepared]:
    """The prepared statements of the store's modules, and those of its claims."""
    found: dict[str, Prepared] = {}
    for module in pkgutil.iter_modules(upshot.store.__path__):
        if module.ispkg or module.name == "sqlite":  # BEGIN reads nothing, and has no plan
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
    for line in plan:  # SQLite says SCAN for an index that is read whole too, and the alias where there is one
        scanned += re.findall(r"^SCAN (\w+)", line)
    named = set(re.findall(r"(?:CO-ROUTINE|MATERIALIZE) (\w+)", text))  # of the statement itself
    return set(scanned) - SMALL - NOT_TABLES - named


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (kind, name)
        for name in sorted(STATEMENTS.keys() - RARE)
        for kind in ("sqlite", "postgresql")
        if kind == "postgresql" or not name.startswith(OF_SERVERS)
    ],
)
def test_a_hot_statement_reads_no_table_whole(databases: dict[str, Database], kind: str, name: str) -> None:
    with databases[kind].reading() as connection:
        plan = plan_of(connection, STATEMENTS[name])
    assert whole_tables(plan) == set(), f"{name}\n" + "\n".join(plan)


MANY = 50_000_000
COST_MAX = 100_000
"""PostgreSQL's unit is a page read in sequence; to walk so many rows costs five times as much."""


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A server that believes each of our tables to hold very many rows, all different; in truth it is one of each."""
    from tests.stores import store

    tables = [table for table in schema.metadata.sorted_tables if table.name not in SMALL]
    checks = text("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = to_regclass(:name)")
    grow = text("UPDATE pg_class SET relpages = 1, reltuples = :many WHERE oid = to_regclass(:name)")
    filler = {"text": "x", "boolean": False}
    with store("postgresql", tmp_path_factory.mktemp("grown")) as url:
        database = Database(url)
        with database.writing() as connection:
            for table in tables:
                for name in connection.execute(checks, {"name": table.name}).scalars().all():
                    connection.exec_driver_sql(f"ALTER TABLE {table.name} DROP CONSTRAINT {name}")
                needed = [column for column in table.columns if not column.nullable and not column.identity]
                connection.execute(insert(table), {c.name: filler.get(str(c.type).lower(), 1) for c in needed})
            connection.exec_driver_sql("ANALYZE")
            connection.execute(grow, [{"many": MANY, "name": table.name} for table in tables])
        yield database
        database.close()


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - RARE - {"flow._forget"}))  # that removes all that is old
def test_where_a_server_keeps_tenants_apart_a_statement_looks_up_all_the_same(grown: Database, name: str) -> None:
    """Under row-level security an index condition is made only of what can tell nobody anything about a row that is not theirs:
    of columns, and of no operator of JSON."""
    with grown.reading() as connection:
        row_security.enter(connection, "x")
        plan = plan_of(connection, STATEMENTS[name])
    found = re.search(r"cost=[\d.]+\.\.([\d.]+)", plan[0])
    assert found is not None
    assert float(found.group(1)) < COST_MAX, "\n".join(plan)


WHOLE_TENANTS = {
    "cancelling._spread.rows",
    "events._free.rows",
    "in_flight._batch",
    "in_flight._count",
    "segments._standing",
    "throttled._waiting",
}
"""Statements that read all that a tenant has of something small: what is to be matched or spread, its segments, and, when
people publish or change a throttle, its runs that are not over."""


@pytest.mark.parametrize(
    "name", sorted(name for name in STATEMENTS.keys() - RARE - WHOLE_TENANTS if not name.startswith(OF_SERVERS))
)
def test_on_a_file_a_hot_statement_reads_not_all_that_a_tenant_has(databases: dict[str, Database], name: str) -> None:
    """A server knows from its statistics that there is more than one row of a tenant; a file has to be told."""
    with databases["sqlite"].reading() as connection:
        plan = plan_of(connection, STATEMENTS[name])
    found = [line for line in plan if re.search(r"SEARCH upshot_\w+ .*\(tenant_id=\?( AND \w+[<>]\?)?\)", line)]
    assert not found, "\n".join(plan)


BUILT: dict[str, Callable[[Connection], object]] = {
    "outbox.has_due": lambda c: outbox.has_due(c, 1),
    "outbox.claim": lambda c: outbox.claim(c, 1, 100, lambda _: 1),
    "workers.free": lambda c: workers.free(c, ["w"]),
    "workers.free_unowned": workers.free_unowned,
}
"""What is built where it is executed, and executed all the time."""


@pytest.mark.parametrize("name", BUILT)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_is_built_where_it_is_executed_reads_no_table_whole(
    databases: dict[str, Database], kind: str, name: str
) -> None:
    with databases[kind].writing() as connection:
        plans = plans_of(connection, BUILT[name])
    assert plans
    for plan in plans:
        assert whole_tables(plan) - IN_WHOLE.get(name, set()) == set(), "\n".join(plan)


def plans_of(connection: Connection, call: Callable[[Connection], object]) -> list[list[str]]:
    """What the database does in this call, a plan for each statement that SQLAlchemy executes."""
    executed: list[tuple[str, Any]] = []
    words = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"

    def note(_connection: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
        executed.append((statement, given))

    event.listen(connection, "before_cursor_execute", note)
    call(connection)
    event.remove(connection, "before_cursor_execute", note)
    driver: Any = connection.connection.driver_connection
    return [[row[-1] for row in driver.execute(f"{words} {one}", given)] for one, given in executed]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("name", ["outbox.has_due", "outbox.claim"])
def test_years_of_published_rows_are_not_read_to_find_the_few_that_are_due(
    databases: dict[str, Database], kind: str, name: str
) -> None:
    with databases[kind].writing() as connection:
        _relay_years(connection)
        plans = plans_of(connection, BUILT[name])
        connection.rollback()
    for plan in plans:
        said = "\n".join(plan)
        assert re.search(r"ix_upshot_outbox_pending", said), said
        assert not re.search(r"SCAN|Seq Scan|pk_upshot_outbox|Sort|TEMP B-TREE", said), said


def _relay_years(connection: Connection) -> None:
    """Many rows that are published, and few that are due."""
    old = {"tenant_id": "t", "format": 1, "payload": "{}" * 50, "created_at": 0, "next_attempt_at": 0}
    rows = [{**old, "id": str(number), "status": "published"} for number in range(20_000)]
    connection.execute(insert(schema.outbox), rows)
    connection.execute(
        insert(schema.outbox), [{**old, "id": f"due {number}", "status": "pending"} for number in range(5)]
    )
    if connection.dialect.name == "postgresql":
        connection.execute(text("ANALYZE upshot_outbox"))


def test_a_statement_without_an_index_would_be_seen(databases: dict[str, Database]) -> None:
    from sqlalchemy import select

    from upshot.store.schema import steps

    for database in databases.values():
        with database.reading() as connection:
            plan = plan_of(connection, Prepared(select(steps.c.output).where(steps.c.kind == "delay")))
        assert whole_tables(plan) == {"upshot_steps"}
    own = steps.alias("own")
    with databases["sqlite"].reading() as connection:
        assert whole_tables(plan_of(connection, Prepared(select(own.c.output).where(own.c.kind == "delay")))) == {"own"}
