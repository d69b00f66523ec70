"""Segments, and who is in them."""

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "upshot_segments",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", "id", "name")),
        sa.Column("description", sa.Text(), nullable=False, server_default=sa.text("''")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("entity_type", "kind")),
        sa.Column("condition", sa.Text(), nullable=True),
        sa.Column("follows_clock", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("1")),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("is_silent", sa.Integer(), nullable=False, server_default=sa.text("0")),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("begun_at", "due_at", "computed_at")),
        sa.Column("created_by", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("created_at", "updated_at")),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('dynamic', 'manual')", name=op.f("ck_upshot_segments_kind")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_upshot_segments")),
        sqlite_with_rowid=False,
    )
    is_there, has_work = sa.text("deleted_at IS NULL"), sa.text("due_at IS NOT NULL")
    op.create_index(
        "uq_upshot_segments_name",
        "upshot_segments",
        ["tenant_id", "name"],
        unique=True,
        sqlite_where=is_there,
        postgresql_where=is_there,
    )
    op.create_index(
        "ix_upshot_segments_due", "upshot_segments", ["due_at"], sqlite_where=has_work, postgresql_where=has_work
    )
    op.create_index("ix_upshot_segments_tenant_id_entity_type", "upshot_segments", ["tenant_id", "entity_type"])
    op.create_table(
        "upshot_segment_members",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", "segment_id", "entity_id")),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "segment_id", "entity_id", name=op.f("pk_upshot_segment_members")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_upshot_segment_members_tenant_id_entity_id", "upshot_segment_members", ["tenant_id", "entity_id"]
    )
