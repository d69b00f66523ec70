"""Pipelining: a statement whose answer nobody reads goes to PostgreSQL together with the next that is read, or with COMMIT.

Each answer that is waited for is a round trip: the network, and two processes that wake each other. While a connection keeps a
pipeline open it waits only where something is read. A statement that SQLAlchemy runs itself is read at once, which a pipeline
does not give: the pipeline is left before it.

While a server waits for the next statement of a pipeline it does not call the session idle, so no
`idle_in_transaction_session_timeout` frees what a worker had locked that was stopped there. `transaction_timeout` does, which
servers have from 17 on: with an earlier one there are no pipelines.

https://www.postgresql.org/docs/current/libpq-pipeline-mode.html
https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-TRANSACTION-TIMEOUT
"""

from contextlib import ExitStack, suppress
from typing import Any

from sqlalchemy import Connection, Engine, event

from upshot.store.postgresql import set_for_session

SINCE = 170_000
"""The first version of a server with which there are pipelines, as libpq numbers them."""
BOUND = {"transaction_timeout": "60s"}
"""What a transaction in a pipeline may take in all, which is as much as a statement may: beyond that the server ends it."""
_OPEN, _IS_BOUND = "upshot_pipeline", "upshot_is_bound"


class _Pipeline(ExitStack):
    """Open on one connection until it is closed."""

    def __init__(self, driver: Any) -> None:
        super().__init__()
        self.sync = self.enter_context(driver.pipeline()).sync


def may_enter(engine: Engine) -> None:
    """The connections of this engine leave their pipeline before each statement of SQLAlchemy's own, before a rollback, and
    before they are given up."""

    def before(connection: Connection, *_: Any) -> None:
        leave(connection)

    def given_up(driver: Any, record: Any, _error: Any) -> None:
        driver.close()  # so that leaving waits for nobody
        _give_up(record.info)

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "rollback", abandon)
    event.listen(engine, "invalidate", given_up)


def enter(connection: Connection) -> None:
    """Before a transaction: wait no longer for answers that nobody reads, until the pipeline is left."""
    info = connection.info
    driver: Any = connection.connection.driver_connection
    if _OPEN in info or driver.info.server_version < SINCE:
        return
    with suppress(connection.dialect.loaded_dbapi.Error):  # what is wrong with it, its first statement tells
        if _IS_BOUND not in info:
            set_for_session(driver, BOUND)
            info[_IS_BOUND] = True
        info[_OPEN] = _Pipeline(driver)


def sync(connection: Connection) -> None:
    """Wait for all that was sent. Whatever is wrong with one of these statements is raised here, as the driver says it."""
    if is_open := connection.info.get(_OPEN):
        is_open.sync()


def leave(connection: Connection) -> None:
    """The same, and wait for each statement from now on."""
    _close(connection.info)


def abandon(connection: Connection) -> None:
    """Leave after an error, which has been told already."""
    if not connection.invalidated:  # else it is left, with the connection
        _give_up(connection.info)


def _close(info: dict[str, Any]) -> None:
    if is_open := info.pop(_OPEN, None):
        is_open.close()


def _give_up(info: dict[str, Any]) -> None:
    with suppress(Exception):  # it is the driver's, and what is lost with the connection is told elsewhere
        _close(info)


def has_failed(connection: Connection) -> bool:
    """After an error of a commit: whether a statement before it had failed, so that the commit was never carried out."""
    if connection.invalidated:  # it is gone, and with it what it knew
        return False
    abandon(connection)
    driver: Any = connection.connection.driver_connection
    return driver.info.transaction_status.name == "INERROR"
