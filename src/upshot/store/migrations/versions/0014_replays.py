"""Replays of past events, the runs that they start, and up to when runs may have been pruned."""

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "upshot_replays",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", "id", "automation_id")),
        sa.Column("version", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("since", "until")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("entity_type", "entity_id", "condition")),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("runs_max", sa.Integer(), nullable=True),
        sa.Column("with_dropped", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False, server_default=sa.text("0")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("counts", "created_by")),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "status IN ('running', 'paused', 'completed', 'cancelled')", name=op.f("ck_upshot_replays_status")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_upshot_replays")),
        sqlite_with_rowid=False,
    )
    is_running, is_under_way = sa.text("status = 'running'"), sa.text("status IN ('running', 'paused')")
    op.create_index(
        "ix_upshot_replays_due", "upshot_replays", ["due_at"], sqlite_where=is_running, postgresql_where=is_running
    )
    op.create_index(
        "uq_upshot_replays_under_way",
        "upshot_replays",
        ["tenant_id", "automation_id"],
        unique=True,
        sqlite_where=is_under_way,
        postgresql_where=is_under_way,
    )
    op.create_index(
        "ix_upshot_replays_tenant_id_automation_id_id", "upshot_replays", ["tenant_id", "automation_id", "id"]
    )
    op.add_column("upshot_runs", sa.Column("replay_id", sa.Text(), nullable=True))
    is_replayed = sa.text("replay_id IS NOT NULL")
    op.create_index(
        "ix_upshot_runs_replay",
        "upshot_runs",
        ["tenant_id", "replay_id", "id"],
        sqlite_where=is_replayed,
        postgresql_where=is_replayed,
    )
    op.add_column("upshot_tenants", sa.Column("runs_pruned_until", sa.BigInteger(), nullable=True))
