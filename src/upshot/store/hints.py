"""Hints between processes on PostgreSQL: NOTIFY says that something may wait. It is never the truth: a lost hint costs a poll's
delay and nothing else. On SQLite, where one process runs the engine, there is nobody to tell."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import URL, Connection, bindparam, func, select

from upshot.store.rows import TEXT, Sent

CHANNEL = "upshot"
EVENTS, RUNS, WAITS, CHANGED = "events", "runs", "waits", "changed"
"""What a hint says: an event waits that nobody holds, a run does, what a run waits for has come, or something of the tenants
named after it changed."""
TEXT_MAX = 7_500
"""PostgreSQL carries payloads below 8,000 bytes."""
LISTEN_SECONDS = 1.0

_notify = Sent(select(func.pg_notify(bindparam("channel", type_=TEXT), bindparam("hint", type_=TEXT))))


def send(connection: Connection, hint: str) -> None:
    """Tell every listening process when this transaction commits; the same hint twice in a transaction is told once."""
    if connection.dialect.name == "postgresql":
        _notify(connection, channel=CHANNEL, hint=hint)


def listen(url: URL, told: Callable[[str], None], is_over: Callable[[], bool]) -> None:
    """Hand each hint to `told` until `is_over`, on a connection of its own; `told("")` when listening begins, since what
    was said before is lost. Raises what the driver raises when the connection breaks."""
    import psycopg  # noqa: PLC0415 - slow to import, and a host on SQLite has no use for it

    with psycopg.connect(autocommit=True, **_parameters(url)) as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        told("")
        while not is_over():
            for notice in connection.notifies(timeout=LISTEN_SECONDS, stop_after=1):
                told(notice.payload)


def _parameters(url: URL) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "dbname": url.database,
        "keepalives_idle": 10,
        **{name: value for name, value in url.query.items() if isinstance(value, str)},
        "connect_timeout": 10,
    }
    return {name: value for name, value in parts.items() if value is not None}
