"""PostgreSQL: timeouts that are set before a connection is first used (a worker that is cut off inside a transaction keeps its
row locks until the server gives up on it, and a timeout set afterwards does not help), plans by index, reads in one snapshot.
"""

import os
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, text
from sqlalchemy import Connection as _Connection

CONNECT_SECONDS = 10
UNANSWERED_MILLISECONDS = 15_000
"""How long the network may leave a packet unanswered before the connection is given up (`tcp_user_timeout`)."""
SESSION = {
    "lock_timeout": "5s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "15s",
    "TimeZone": "UTC",
}
NETWORK = {"tcp_user_timeout": "15s", "tcp_keepalives_idle": "10s", "tcp_keepalives_interval": "5s"}
"""What the server does about a client that is gone or reads no more: while it sends an answer no timeout of the session counts.
On a local socket they mean nothing; to a pooler's sessions, the pooler's own do."""
PLANNING = {"enable_seqscan": "off", "jit": "off"}
"""Every statement of ours looks its rows up by an index. To read a table whole is the better plan only while it is small, but
plans are kept: in a new database each step soon read all runs."""
BACKUP_NAME = "upshot backup"
"""What the connection of a backup is called, whose long transaction is no mistake."""
OF_OTHERS = (
    "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' "
    f"AND application_name <> '{BACKUP_NAME}'"
)
"""Whose open transactions are told of, as a condition on `pg_stat_activity`: those of people and programs, not of a vacuum or a
backup."""
READING: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""Execution options of a connection that reads: several statements see one snapshot."""


def engine(url: URL, is_pooled: bool) -> Engine:
    """An engine whose connections are all as said above. Through a transaction pooler (PgBouncer) a session has no settings
    and no prepared statements of its own: there the role has its timeouts by `ALTER ROLE ... SET`; `upshot doctor` looks."""
    arguments: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "tcp_user_timeout": UNANSWERED_MILLISECONDS,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "application_name": url.query.get("application_name", f"upshot {os.getpid()}"),
    }
    if is_pooled:
        arguments["prepare_threshold"] = None
    made = create_engine(url, connect_args=arguments, pool_size=8, max_overflow=32, pool_pre_ping=False)
    if not is_pooled:
        event.listen(made, "connect", _set_up)
    return made


def _set_up(connection: Any, _record: Any) -> None:
    set_for_session(connection, SESSION | NETWORK | PLANNING)


def set_for_session(driver: Any, settings: dict[str, str]) -> None:
    """Set these on the driver's connection, which is in no transaction, for as long as it lives."""
    listed = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in settings.items())
    was, driver.autocommit = driver.autocommit, True
    try:
        driver.execute(f"SELECT {listed}")
    finally:
        driver.autocommit = was


def plan_anew(connection: _Connection) -> None:
    """Forget the plans that this connection's prepared statements keep. A server plans by the size a table has then, and looks
    again by itself only when its statistics are taken, a minute later."""
    driver: Any = connection.connection.driver_connection
    driver.execute("DISCARD PLANS")


OUTLAST_LOOKS = 1_500
_EARLIER = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND usename = current_user AND backend_type = 'client backend' AND state <> 'idle'"
    " AND xact_start < to_timestamp(:before / 1000000.0)"
)


def outlast(engine: Engine) -> None:
    """Wait until no transaction of this role is open that is older than this call."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        before = server_time(connection)
        for _ in range(OUTLAST_LOOKS):
            if not connection.execute(_EARLIER, {"before": before}).scalar_one():
                return
            connection.execute(text("SELECT pg_sleep(0.01)"))


def server_time(connection: _Connection) -> int:
    """What the server's clock says (microseconds UTC)."""
    return int(
        connection.execute(text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")).scalar_one()
    )
