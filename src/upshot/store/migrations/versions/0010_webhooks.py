"""Inbound webhooks."""

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "upshot_webhooks",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", "id", "settings")),
        sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("1")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("token_hash", "token_hint")),
        sa.Column("old_token_hash", sa.Text(), nullable=True),
        sa.Column("old_token_until", sa.BigInteger(), nullable=True),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("old_secret_until", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("created_at", "updated_at")),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("received_at", "refused_at")),
        sa.Column("refused_why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_upshot_webhooks")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_upshot_webhooks_token_hash")),
        sqlite_with_rowid=False,
    )
    is_changing = sa.text("old_token_hash IS NOT NULL")
    op.create_index(
        "ix_upshot_webhooks_old_token",
        "upshot_webhooks",
        ["old_token_hash"],
        sqlite_where=is_changing,
        postgresql_where=is_changing,
    )
