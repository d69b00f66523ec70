"""When each automation with a schedule is due next."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | Sequence[str] | None = "0004"


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "upshot_schedules",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("automation_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("occurrence_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.Column("last_event_id", sa.Text(), nullable=True),
        sa.Column("skipped_at", sa.BigInteger(), nullable=True),
        sa.Column("skipped_why", sa.Text(), nullable=True),
        sa.CheckConstraint("skipped_why IN ('missed', 'overlap')", name=op.f("ck_upshot_schedules_skipped_why")),
        sa.PrimaryKeyConstraint("tenant_id", "automation_id", name=op.f("pk_upshot_schedules")),
        sqlite_with_rowid=False,
    )
    has_due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "ix_upshot_schedules_due", "upshot_schedules", ["due_at"], sqlite_where=has_due, postgresql_where=has_due
    )
