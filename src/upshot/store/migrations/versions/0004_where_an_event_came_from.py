"""The trace that an event belongs to, so that what follows from it joins the trace of whoever emitted it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | Sequence[str] | None = "0003"


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column("upshot_events", sa.Column("traceparent", sa.Text(), nullable=True))
