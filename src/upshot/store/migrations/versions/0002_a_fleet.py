"""A fleet: queues, and claims that give each tenant its share."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | Sequence[str] | None = "0001"


def upgrade() -> None:
    """Bring the schema forward."""
    queue = sa.text("'automation'")
    ready = sa.text("worker_id IS NULL AND parked = 0")
    free = sa.text("worker_id IS NULL")
    op.add_column("upshot_active", sa.Column("queue", sa.Text(), server_default=queue, nullable=False))
    place = sa.Column("place", sa.Text(), server_default=sa.text("''"), nullable=False)
    op.add_column("upshot_workers", place)
    op.add_column("upshot_workers", sa.Column("queues", sa.Text(), server_default=queue, nullable=False))
    op.add_column("upshot_workers", sa.Column("concurrency", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.drop_index("ix_upshot_active_ready", "upshot_active")
    op.create_index(
        "ix_upshot_active_ready",
        "upshot_active",
        ["queue", "tenant_id", sa.text("priority DESC"), "run_id"],
        sqlite_where=ready,
        postgresql_where=ready,
    )
    op.create_index(
        "ix_upshot_unmatched_free",
        "upshot_unmatched",
        ["tenant_id", "event_id"],
        sqlite_where=free,
        postgresql_where=free,
    )
