"""Fills a store with copies of one run, by set-based SQL: millions of rows that the engine itself would need many minutes for.

A run that the engine made is the pattern: each of its rows in `events`, `runs`, `active`, `steps`, `timers` and `waits` is
copied, column by column, so the rows are as wide as real ones and the schema may change. Only ids differ, a sleeper's due
instant, and what a run waits for.
"""

import time
from collections.abc import Callable
from typing import Any

import sqlalchemy
from figures import say

from upshot.adapters.clock import new_id
from upshot.app.upshot import Upshot
from upshot.store.schema import metadata

AT_ONCE = 100_000
TABLES = ("events", "runs", "active", "steps", "timers", "waits")
HOUR = 3_600_000_000
NUMBERS = """
    WITH RECURSIVE numbers(n) AS (SELECT CAST(:first AS bigint) UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)
"""


def copy_run(
    upshot: Upshot,
    run_id: str,
    count: int,
    due_at: Callable[[str], str] | None = None,
    match_key: Callable[[str], str] | None = None,
) -> None:
    """Copy this run, and all that belongs to it, so many times. `due_at` makes the SQL of a timer's due instant, and
    `match_key` of what a run waits for, from that of the copy's number (from 1). On PostgreSQL the tables are analysed at the
    end, as its autovacuum would do in time."""
    with upshot.database.reading() as connection:
        query = sqlalchemy.text("SELECT tenant_id, event_id FROM upshot_runs WHERE id = :run_id")
        tenant_id, event_id = connection.execute(query, {"run_id": run_id}).one()
    is_sqlite = upshot.database.is_sqlite
    tail = "printf('%012x', n)" if is_sqlite else "lpad(to_hex(n), 12, '0')"
    now = upshot.clock.now()
    ids = {name: f"'{new_id(now - HOUR)[:24]}' || {tail}" for name in ("run", "event")}
    given = {"tenant_id": tenant_id, "run_id": run_id, "event_id": event_id}
    made = {"due_at": due_at, "match_key": match_key}
    changed = {column: make("n") for column, make in made.items() if make is not None}
    statements = [sqlalchemy.text(_statement(name, ids, changed)) for name in TABLES]
    began = said = time.monotonic()
    for first in range(1, count + 1, AT_ONCE):
        numbers = {"first": first, "last": min(first + AT_ONCE - 1, count)}
        with upshot.database.writing() as connection:
            if not is_sqlite:
                connection.execute(sqlalchemy.text("SET LOCAL statement_timeout = 0"))
            for statement in statements:
                wanted = statement.compile().params.keys()
                parameters = {**given, **numbers}
                connection.execute(statement, {name: parameters[name] for name in wanted})
        if time.monotonic() - said > 10:
            said = time.monotonic()
            say(f"{numbers['last']:,} of {count:,} copies after {said - began:.0f} s")
    with upshot.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        _settle(connection, is_sqlite)
    say(f"{count:,} copies made in {time.monotonic() - began:.0f} s")


def _statement(name: str, ids: dict[str, str], more: dict[str, str]) -> str:
    table: Any = metadata.tables[f"upshot_{name}"]
    changed = {"run_id": ids["run"], "event_id": ids["event"], "root_id": ids["event"], **more}
    changed["id"] = ids["event"] if name == "events" else ids["run"]
    columns = [column.name for column in table.columns]
    values = ", ".join(changed.get(column, f"pattern.{column}") for column in columns)
    own = {"events": "id = :event_id", "runs": "id = :run_id"}.get(name, "run_id = :run_id")
    listed = ", ".join(columns)
    pattern = f"(SELECT * FROM {table.name} WHERE tenant_id = :tenant_id AND {own}) pattern"
    return f"INSERT INTO {table.name} ({listed}) {NUMBERS} SELECT {values} FROM numbers, {pattern}"


def _settle(connection: sqlalchemy.Connection, is_sqlite: bool) -> None:
    if is_sqlite:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    connection.exec_driver_sql("SET statement_timeout = 0")
    for name in TABLES:
        connection.exec_driver_sql(f"VACUUM ANALYZE upshot_{name}")
    connection.exec_driver_sql("CHECKPOINT")
