"""SQLite: WAL, `synchronous=FULL` (NORMAL forgets acknowledged commits on power loss), `busy_timeout` before `journal_mode`,
`BEGIN IMMEDIATE` for every writing transaction (a deferred one that reads first fails at once when another wrote).
"""

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text

from upshot.store.rows import Prepared

BUSY_TIMEOUT_SECONDS = 5
_begin_writing, _begin_reading = Prepared(text("BEGIN IMMEDIATE")), Prepared(text("BEGIN"))


def engine(url: URL) -> Engine:
    """An engine whose connections are all as said above."""
    arguments = {"check_same_thread": False, "timeout": BUSY_TIMEOUT_SECONDS, "isolation_level": None}
    made = create_engine(url, connect_args=arguments, pool_size=8, max_overflow=32)
    event.listen(made, "connect", _set_up)
    event.listen(made, "begin", _begin)
    return made


def _set_up(connection: Any, _record: Any) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    if pages == 0:  # it writes to the file, so on one that is in use it would wait for the writer
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.executescript(
        "PRAGMA journal_mode = WAL;"
        "PRAGMA synchronous = FULL;"
        "PRAGMA foreign_keys = ON;"
        "PRAGMA temp_store = MEMORY;"
        "PRAGMA cache_size = -65536;"
        "PRAGMA trusted_schema = OFF;"
    )


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("upshot_writes", False)
    (_begin_writing if writes else _begin_reading)(connection)
