"""What a step costs does not grow with what is kept, from the first minute of a new database on."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.engine.conftest import Bench
from tests.stores import store

READ = """
    SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname IN ('upshot_runs', 'upshot_steps', 'upshot_events'))
         + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname LIKE 'upshot_%')
"""
NOTE = {"id": "note", "action": "note", "with": {"n": "{{ n }}"}}


@pytest.fixture
def postgresql(tmp_path: Path) -> Iterator[Bench]:
    with store("postgresql", tmp_path) as url, Bench(url) as bench:
        yield bench


def rows_read(bench: Bench) -> int:
    """How many rows the statements of the engine's writer have read."""
    commit, database = bench.upshot.engine.process.commit, bench.upshot.database
    commit.run(lambda c: c.execute(text("SELECT pg_stat_force_next_flush()")))
    with database.reading() as connection:
        return int(connection.execute(text(READ)).scalar_one())


def test_a_server_plans_anew_as_tables_grow(postgresql: Bench) -> None:
    """Its first plans are made for empty tables and kept; statistics that would change its mind are taken after a minute."""
    bench = postgresql
    bench.automation(NOTE)
    for number in range(12):
        bench.happen({"n": number})
    for _ in range(3):
        bench.upshot.emit_many([{"name": "test/happened", "data": {"n": number}} for number in range(1_000)])
        bench.settle()
    deadline = time.monotonic() + 30
    while True:
        before = rows_read(bench)
        bench.happen({"n": 1})
        read = rows_read(bench) - before
        if read < 100:
            break
        assert time.monotonic() < deadline, f"one event reads {read} rows"
        bench.upshot.emit_many([{"name": "test/happened", "data": {"n": number}} for number in range(200)])
        bench.settle()
