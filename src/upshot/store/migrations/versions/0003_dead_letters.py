"""Dead letters that can be grouped, retried, replayed and discarded."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | Sequence[str] | None = "0002"

TABLE = "upshot_dead_letters"


def upgrade() -> None:
    """Bring the schema forward."""
    empty, zero = sa.text("''"), sa.text("0")
    with op.batch_alter_table(
        TABLE, copy_from=_before(), recreate="auto", table_kwargs={"sqlite_with_rowid": False}
    ) as batch:
        batch.add_column(sa.Column("code", sa.Text(), server_default=empty, nullable=False))
        batch.add_column(sa.Column("fingerprint", sa.Text(), server_default=empty, nullable=False))
        batch.add_column(sa.Column("epoch", sa.Integer(), server_default=zero, nullable=False))
        for name in ("automation_id", "step_id", "event_id", "event_name", "who", "why", "replay_id"):
            batch.add_column(sa.Column(name, sa.Text(), nullable=True))
        batch.add_column(sa.Column("version", sa.Integer(), nullable=True))
        for name in ("last_at", "updated_at"):
            batch.add_column(sa.Column(name, sa.BigInteger(), server_default=zero, nullable=False))
        batch.drop_constraint(op.f("ck_upshot_dead_letters_status"), type_="check")
        batch.create_check_constraint(
            op.f("ck_upshot_dead_letters_status"), "status IN ('open', 'retrying', 'resolved', 'discarded')"
        )
    op.execute(f"UPDATE {TABLE} SET last_at = created_at, updated_at = created_at")  # noqa: S608 - a constant
    for columns in (("status", "last_at", "id"), ("fingerprint", "status", "id")):
        op.create_index(op.f(f"ix_{TABLE}_tenant_id_{'_'.join(columns)}"), TABLE, ["tenant_id", *columns])
    for name, column, where in (
        ("retrying", "id", sa.text("status = 'retrying'")),
        ("replay", "replay_id", sa.text("replay_id IS NOT NULL")),
    ):
        op.create_index(f"ix_{TABLE}_{name}", TABLE, ["tenant_id", column], sqlite_where=where, postgresql_where=where)


def _before() -> sa.Table:
    """The table as the first schema made it: SQLite copies it, and reflection would lose its checks."""
    return sa.Table(
        TABLE,
        sa.MetaData(),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("noun_id", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("strikes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('event', 'run', 'delivery')", name=op.f("ck_upshot_dead_letters_kind")),
        sa.CheckConstraint("status IN ('open', 'resolved', 'discarded')", name=op.f("ck_upshot_dead_letters_status")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_upshot_dead_letters")),
        sqlite_with_rowid=False,
    )
