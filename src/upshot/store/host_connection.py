"""One INSERT on a host's own connection, through the host's own driver. Nothing else of ours ever touches it: SQLAlchemy
laid over another library's connection was seen to break its transaction."""

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

from upshot.core.errors import Refused

SAVEPOINT = "upshot_emit"


def execute(connection: Any, insert_text: Callable[[str], str], values: tuple[Any, ...], *, is_guarded: bool) -> None:
    """Run the INSERT in the host's open transaction. Guarded, a failure is rolled back to before it, so that the host's
    transaction stays usable, and then raised.

    `connection` is a SQLAlchemy Connection or Session, a Django connection, or a DBAPI connection.

    Raises:
        Refused: it is none of these.
    """
    _raise_unless_connection(connection)
    if _is_sqlalchemy(connection):
        _on_sqlalchemy(connection, insert_text, values, is_guarded=is_guarded)
        return
    cursor = connection.cursor()
    try:
        if is_guarded:
            cursor.execute(f"SAVEPOINT {SAVEPOINT}")
        try:
            cursor.execute(insert_text(_placeholder(connection)), values)
        except Exception:
            if is_guarded:
                cursor.execute(f"ROLLBACK TO SAVEPOINT {SAVEPOINT}")
            raise
        if is_guarded:
            cursor.execute(f"RELEASE SAVEPOINT {SAVEPOINT}")
    finally:
        cursor.close()


def _raise_unless_connection(connection: object) -> None:
    """Hold what a host gave to be a connection: an async one would take the INSERT and never perform it."""
    given = type(connection)
    kind = f"{given.__module__}.{given.__qualname__}"
    if any(iscoroutinefunction(getattr(given, name, None)) for name in ("commit", "execute", "cursor")):
        raise Refused.at(
            "connection",
            f"is a {kind}, whose calls are asynchronous. Hand over the synchronous one within: with SQLAlchemy "
            "`await session.run_sync(lambda inner: upshot.emit(..., connection=inner))`",
            "wrong_type",
        )
    wanted = ("exec_driver_sql", "connection") if _is_sqlalchemy(connection) else ("cursor",)
    if isinstance(connection, type) or not any(callable(getattr(connection, name, None)) for name in wanted):
        raise Refused.at(
            "connection",
            f"is a {kind}. It takes a SQLAlchemy Connection or Session, a Django connection or a DBAPI connection: hand over "
            "the open one whose transaction makes your change, or leave it away to emit at once",
            "wrong_type",
        )


def _is_sqlalchemy(connection: Any) -> bool:
    return any(kind.__module__.partition(".")[0] == "sqlalchemy" for kind in type(connection).__mro__)


def _on_sqlalchemy(
    connection: Any, insert_text: Callable[[str], str], values: tuple[Any, ...], *, is_guarded: bool
) -> None:
    """Through the host's own SQLAlchemy, so that its transaction begins and ends as the host expects."""
    if not hasattr(connection, "exec_driver_sql"):
        connection = connection.connection()  # a Session gives its Connection
    text = insert_text("?" if connection.dialect.paramstyle == "qmark" else "%s")
    if is_guarded:
        with connection.begin_nested():
            connection.exec_driver_sql(text, values)
    else:
        connection.exec_driver_sql(text, values)


def _placeholder(connection: Any) -> str:
    """`?` for sqlite3, `%s` for psycopg and for Django's cursors of any database."""
    if hasattr(connection, "settings_dict"):
        return "%s"
    return "?" if "sqlite3" in type(connection).__module__ else "%s"
