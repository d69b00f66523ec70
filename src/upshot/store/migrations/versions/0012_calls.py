"""Calls: a timer may be the timeout of a call that is awaited."""

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision = "0011"

NAME = "ck_upshot_timers_kind"
ALLOWED = "kind IN ('delay', 'retry', 'timeout', 'limit', 'wait', 'call')"


def upgrade() -> None:
    """Bring the schema forward."""
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f(NAME), "upshot_timers", type_="check")
        op.create_check_constraint(op.f(NAME), "upshot_timers", ALLOWED)
        return
    # SQLite cannot change a constraint: the timers move to a new table of the old one's name.
    op.rename_table("upshot_timers", "upshot_timers_before")
    op.drop_index("ix_upshot_timers_due_at", "upshot_timers_before")
    op.create_table(
        "upshot_timers",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(ALLOWED, name=op.f(NAME)),
        sa.PrimaryKeyConstraint("tenant_id", "run_id", "step_id", name=op.f("pk_upshot_timers")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_upshot_timers_due_at", "upshot_timers", ["due_at"])
    op.execute("INSERT INTO upshot_timers SELECT * FROM upshot_timers_before")
    op.drop_table("upshot_timers_before")
