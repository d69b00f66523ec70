"""Events cancel runs: what is watched for, what is being cancelled, and why a run ended."""

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision = "0012"

IS_UNLOOKED = sa.text("kind = 'cancel' AND looked_back = 0")
IS_ENDED = sa.text("ended_by IS NOT NULL")


def upgrade() -> None:
    """Bring the schema forward."""
    for name in ("reason", "ended_by"):
        op.add_column("upshot_runs", sa.Column(name, sa.Text(), nullable=True))
    for name, table, columns, where in (
        ("ix_upshot_runs_ended_by", "upshot_runs", ["tenant_id", "ended_by"], IS_ENDED),
        ("ix_upshot_waits_unlooked", "upshot_waits", ["tenant_id", "run_id"], IS_UNLOOKED),
    ):
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "upshot_cancelling",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", "event_id", "match_key", "event_name")),
        sa.Column("test", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("tenant_id", "event_id", "match_key", name=op.f("pk_upshot_cancelling")),
        sqlite_with_rowid=False,
    )
    _tell_apart_what_is_looked_for()


def _tell_apart_what_is_looked_for() -> None:
    kind = sa.Column("kind", sa.Text(), nullable=False, server_default=sa.text("'step'"))
    key, name = ["tenant_id", "event_name", "kind", "fields"], op.f("pk_upshot_awaited")
    if op.get_bind().dialect.name != "sqlite":
        op.add_column("upshot_awaited", kind)
        op.drop_constraint(name, "upshot_awaited", type_="primary")
        op.create_primary_key(name, "upshot_awaited", key)
        return
    # SQLite cannot change a key: the few rows move to a new table of the old one's name.
    op.rename_table("upshot_awaited", "upshot_awaited_before")
    op.create_table(
        "upshot_awaited",
        *(sa.Column(column, sa.Text(), nullable=False) for column in ("tenant_id", "event_name")),
        kind,
        sa.Column("fields", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(*key, name=name),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO upshot_awaited (tenant_id, event_name, fields) "
        "SELECT tenant_id, event_name, fields FROM upshot_awaited_before"
    )
    op.drop_table("upshot_awaited_before")
