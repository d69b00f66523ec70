"""What tables are made of: how an instant, a count, a status or a key is said, once for all of them."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def words(name: str, **more: Any) -> Column[str]:
    """Text that is always there."""
    return Column(name, Text, nullable=more.pop("nullable", False), **more)


def maybe(name: str) -> Column[str]:
    """Text that may be absent."""
    return Column(name, Text, nullable=True)


def instant(name: str, *, nullable: bool = False) -> Column[int]:
    """Microseconds UTC."""
    return Column(name, BigInteger, nullable=nullable)


def count(name: str, default: int = 0) -> Column[int]:
    """A whole number with a default."""
    return Column(name, Integer, nullable=False, server_default=text(str(default)))


def one_of(column: str, values: Any) -> CheckConstraint:
    """The database refuses any other value."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def keyed_table(name: str, *parts: Any, key: tuple[str, ...]) -> Table:
    """A table that is stored by its key."""
    return Table(f"upshot_{name}", metadata, *parts, PrimaryKeyConstraint(*key), sqlite_with_rowid=False)


def numbered_table(name: str, *parts: Any) -> Table:
    """A table whose rows are numbered, and no number is ever used again."""
    seq = Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    return Table(f"upshot_{name}", metadata, seq, *parts, sqlite_autoincrement=True)
