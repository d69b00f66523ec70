"""What runs wait for, and what is waited for at all; a timer may be the timeout of a wait."""

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision = "0010"

NAME = "ck_upshot_timers_kind"
ALLOWED = "kind IN ('delay', 'retry', 'timeout', 'limit', 'wait')"


def upgrade() -> None:
    """Bring the schema forward."""
    _let_timers_be_of_waits()
    texts = ("tenant_id", "run_id", "kind", "step_id", "event_name", "match_key")
    op.create_table(
        "upshot_waits",
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("test", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("looked_back", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("taken", sa.Text(), nullable=True),
        sa.Column("met_by", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('step', 'cancel')", name=op.f("ck_upshot_waits_kind")),
        sa.PrimaryKeyConstraint("tenant_id", "run_id", "kind", "step_id", name=op.f("pk_upshot_waits")),
        sqlite_with_rowid=False,
    )
    for name, columns, where in (
        ("ix_upshot_waits_open", ["tenant_id", "event_name", "match_key"], sa.text("met_by IS NULL")),
        ("ix_upshot_waits_met", ["tenant_id", "run_id"], sa.text("met_by IS NOT NULL")),
    ):
        op.create_index(name, "upshot_waits", columns, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "upshot_awaited",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", "event_name", "fields")),
        sa.PrimaryKeyConstraint("tenant_id", "event_name", "fields", name=op.f("pk_upshot_awaited")),
        sqlite_with_rowid=False,
    )


def _let_timers_be_of_waits() -> None:
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
