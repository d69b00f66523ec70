"""A JSON parameter as rows, on both databases: the shape of every hot statement.

`rows(("id", Text), ("at", BigInteger))` is a FROM element with those columns, fed by one parameter named `rows` that holds
a JSON array of arrays. One statement with one parameter crosses the interpreter lock once, however many rows it carries
(a statement per row was measured at 84 ms a commit beside a busy thread, this shape at 3).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    BigInteger,
    Connection,
    FromClause,
    Integer,
    Table,
    Text,
    bindparam,
    column,
    delete,
    select,
    tuple_,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from upshot.store import pipeline

_encode, _decode = msgspec.json.Encoder().encode, msgspec.json.Decoder(list[tuple[Any, ...]]).decode

TEXT, BIGINT, INTEGER = Text(), BigInteger(), Integer()


class _JsonRows(FunctionElement[Any]):
    name = "json_rows"
    inherit_cache = False

    def __init__(self, columns: Sequence[tuple[str, TypeEngine[Any]]], parameter: str) -> None:
        self.fields = columns
        super().__init__(bindparam(parameter, type_=Text()))


@compiles(_JsonRows, "sqlite")
def _on_sqlite(element: _JsonRows, compiler: Any, **options: Any) -> str:
    listed = ", ".join(f"json_extract(value, '$[{index}]') AS {name}" for index, (name, _) in enumerate(element.fields))
    return f"(SELECT {listed} FROM json_each({compiler.process(element.clauses, **options)}))"  # noqa: S608 - names of ours


@compiles(_JsonRows, "postgresql")
def _on_postgresql(element: _JsonRows, compiler: Any, **options: Any) -> str:
    listed = ", ".join(
        f"(value ->> {index})::{compiler.dialect.type_compiler_instance.process(kind)} AS {name}"
        for index, (name, kind) in enumerate(element.fields)
    )
    parameter = compiler.process(element.clauses, **options)
    # OFFSET 0 keeps the subquery as it is, so that a comparison with it is one of columns. Under row-level security one with an
    # operator of JSON, which might tell of rows that are another tenant's, is no index condition: whole tables were read.
    return f"(SELECT {listed} FROM jsonb_array_elements(CAST({parameter} AS jsonb)) OFFSET 0)"  # noqa: S608 - names of ours


def rows(*columns: tuple[str, TypeEngine[Any]], alias: str = "r", parameter: str = "rows") -> FromClause:
    """The rows of the JSON array in the statement's parameter, as a FROM element with these columns in this order."""
    named = [column(name, kind) for name, kind in columns]
    return _JsonRows(columns, parameter).table_valued(*named, name=alias)


class Prepared:
    """A statement compiled once per database and run on the driver, without SQLAlchemy's work per execution.

    Parameters and results are plain values: text and integers. The rows of a `rows()` element are given as the first
    argument, other parameters by name. It runs in the transaction that the connection has open.
    """

    __slots__ = ("_compiled", "_statement")

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def __call__(self, connection: Connection, given: Sequence[Any] | None = None, /, **parameters: Any) -> Any:
        """Run it; `given` becomes the JSON of the parameter `rows`. The driver's cursor, over plain tuples."""
        dialect = connection.dialect
        return _run(self._compiled.get(dialect.name) or self._compile(dialect), connection, given, parameters)

    def all(self, connection: Connection, given: Sequence[Any] | None = None, /, **parameters: Any) -> list[Any]:
        """All rows of a SELECT of texts and integers, in no order. On SQLite they come as one value: at each row of a cursor
        the driver lets go of the interpreter, and has to wait for a thread that took it."""
        dialect = connection.dialect
        if dialect.name != "sqlite":
            return self(connection, given, **parameters).fetchall()
        compiled = self._compiled.get("all") or self._compile(dialect, as_one=True)
        return _decode(_run(compiled, connection, given, parameters).fetchone()[0])

    def _compile(self, dialect: Any, *, as_one: bool = False) -> "_Compiled":
        compiled = self._statement.compile(dialect=dialect)
        constants = {name: value for name, value in compiled.params.items() if not compiled.binds[name].required}
        order = tuple(compiled.positiontup) if compiled.positional else None
        text = str(compiled)
        if as_one:
            named = ", ".join(f"c{number}" for number in range(len(self._statement.selected_columns)))
            text = f"WITH found ({named}) AS ({text}) SELECT json_group_array(json_array({named})) FROM found"  # noqa: S608 - names of ours
        made = self._compiled["all" if as_one else dialect.name] = _Compiled(text, order, constants)
        return made


class Sent(Prepared):
    """The same for a statement whose answer nobody reads: a writer on PostgreSQL does not wait for it (`pipeline`). What is
    wrong with it is raised then by a later statement, or by the commit."""

    __slots__ = ()

    def __call__(self, connection: Connection, given: Sequence[Any] | None = None, /, **parameters: Any) -> None:
        """Send it; `given` becomes the JSON of the parameter `rows`."""
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name) or self._compile(dialect)
        _run(compiled, connection, given, parameters, is_read=False)


class Take:
    """Removes the rows that a condition says and gives them back. On SQLite they are read first, all at once: a writing
    transaction is alone there."""

    def __init__(self, table: Table, where: ColumnElement[bool], columns: Sequence[ColumnElement[Any]]) -> None:
        self._read, self._remove = Prepared(select(*columns).where(where)), Prepared(delete(table).where(where))
        self._take = Prepared(delete(table).where(where).returning(*columns))

    def __call__(self, connection: Connection, given: Sequence[Any], /, **parameters: Any) -> list[Any]:
        """The rows that were there, in no order; nobody else was given them."""
        if connection.dialect.name != "sqlite":
            return self._take(connection, given, **parameters).fetchall()
        found = self._read.all(connection, given, **parameters)
        if found:
            self._remove(connection, given, **parameters)
        return found


class _Compiled(NamedTuple):
    text: str
    order: tuple[str, ...] | None
    constants: dict[str, Any]


def _run(
    compiled: _Compiled,
    connection: Connection,
    given: Sequence[Any] | None,
    parameters: dict[str, Any],
    *,
    is_read: bool = True,
) -> Any:
    values = {**compiled.constants, **parameters} if compiled.constants else parameters
    if given is not None:
        values["rows"] = _encode(given).decode()
    bound = tuple(values[name] for name in compiled.order) if compiled.order is not None else values
    driver: Any = connection.connection.driver_connection
    dialect = connection.dialect
    try:
        cursor = driver.execute(compiled.text, bound)
        if is_read and dialect.name != "sqlite":
            pipeline.sync(connection)
    except dialect.loaded_dbapi.Error as error:  # as SQLAlchemy's own statements raise it, without the parameters
        pipeline.abandon(connection)
        raise DBAPIError.instance(
            compiled.text, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
        ) from error
    return cursor


def key_in(
    table_columns: Sequence[ColumnElement[Any]], source: FromClause, names: Sequence[str]
) -> ColumnElement[bool]:
    """`(a, b) IN (SELECT a, b FROM source)`: the form both databases plan as a lookup per row, without statistics."""
    return tuple_(*table_columns).in_(select(*(source.c[name] for name in names)))
