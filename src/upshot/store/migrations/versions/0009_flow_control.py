"""Flow control: what is kept for each key, what it did to an event, and the places that runs hold."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | Sequence[str] | None = "0008"

CONTROLS = "'once', 'rate_limit', 'throttle', 'debounce', 'batch', 'concurrency', 'reentry'"
OUTCOMES = (
    "'duplicate_key', 'rate_limited', 'already_running', 'throttled', 'held_by_concurrency', 'debounced', 'batched', "
    "'restarted', 'loop_stopped'"
)


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "upshot_flow_keys",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", "automation_id", "control", "key")),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("places", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("waits", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(f"control IN ({CONTROLS})", name=op.f("ck_upshot_flow_keys_control")),
        sa.PrimaryKeyConstraint("tenant_id", "automation_id", "control", "key", name=op.f("pk_upshot_flow_keys")),
        sqlite_with_rowid=False,
    )
    _partial("flow_keys_due", "flow_keys", ["due_at"], "due_at IS NOT NULL")
    _partial("flow_keys_waits", "flow_keys", ["waits"], "waits > 0")
    op.create_index("ix_upshot_flow_keys_expires_at", "upshot_flow_keys", ["expires_at"])
    op.create_table(
        "upshot_flow_outcomes",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("tenant_id", "event_id", "automation_id", "outcome", "key")
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("window_id", sa.Text(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(f"outcome IN ({OUTCOMES})", name=op.f("ck_upshot_flow_outcomes_outcome")),
        sa.PrimaryKeyConstraint("tenant_id", "event_id", "automation_id", name=op.f("pk_upshot_flow_outcomes")),
        sqlite_with_rowid=False,
    )
    _partial("flow_outcomes_due", "flow_outcomes", ["due_at"], "due_at IS NOT NULL")
    _partial("flow_outcomes_window", "flow_outcomes", ["tenant_id", "window_id", "event_id"], "window_id IS NOT NULL")
    listed = "tenant_id, event_id, automation_id, outcome, key, at, reason"
    op.execute(f"INSERT INTO upshot_flow_outcomes ({listed}) SELECT {listed} FROM upshot_non_starts")  # noqa: S608 - names of ours
    op.drop_table("upshot_non_starts")
    for name in ("place", "waits_for", "entry"):
        op.add_column("upshot_runs", sa.Column(name, sa.Text(), nullable=True))
    for name, order in (("place", ()), ("waits_for", (sa.text("priority DESC"),)), ("entry", ())):
        columns = ["tenant_id", "automation_id", name, *order, "id"]
        _partial(f"runs_{name}", "runs", columns, f"{name} IS NOT NULL AND finished_at IS NULL")


def _partial(name: str, table: str, columns: Sequence[str | sa.TextClause], where: str) -> None:
    is_wanted = sa.text(where)
    op.create_index(f"ix_upshot_{name}", f"upshot_{table}", columns, sqlite_where=is_wanted, postgresql_where=is_wanted)
