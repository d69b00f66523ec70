"""Runs the migrations on the connection it is given, in that connection's transaction."""

from alembic import context

from upshot.store.migrate import VERSION_TABLE
from upshot.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
context.run_migrations()
