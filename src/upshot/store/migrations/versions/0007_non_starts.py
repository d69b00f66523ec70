"""What held an automation back from starting on an event."""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision = "0006"
OUTCOMES = ("debounced", "batched", "throttled", "rate_limited", "duplicate_key", "held_by_concurrency", "loop_stopped")


def upgrade() -> None:
    """Bring the schema forward."""
    listed = ", ".join(f"'{outcome}'" for outcome in OUTCOMES)
    op.create_table(
        "upshot_non_starts",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("tenant_id", "event_id", "automation_id", "outcome", "key", "reason")
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(f"outcome IN ({listed})", name=op.f("ck_upshot_non_starts_outcome")),
        sa.PrimaryKeyConstraint("tenant_id", "event_id", "automation_id", name=op.f("pk_upshot_non_starts")),
        sqlite_with_rowid=False,
    )
