"""For hosts that keep their tables with SQLAlchemy and Alembic: the outbox as a table of theirs.

`upshot.emit(event, connection=connection)` writes one row into this table in the host's own transaction. When Upshot's
database is the host's, `upshot migrate` makes the table, and this tells the host's `alembic revision --autogenerate` to leave
it alone; the host may as well make it by its own migration.
"""

from sqlalchemy import MetaData, Table

from upshot.store import schema


def outbox_table(metadata: MetaData) -> Table:
    """The outbox, added to the host's metadata; the table that is there already when it was added before."""
    present = metadata.tables.get(schema.outbox.name)
    return present if present is not None else schema.outbox.to_metadata(metadata)
