"""When each automation with a schedule is due next, and the dates among the fields of entities."""

import json
import re
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision = "0005"


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
        sa.Column("sweep_at", sa.BigInteger(), nullable=True),
        sa.Column("sweep_after", sa.Text(), nullable=True),
        sa.CheckConstraint("skipped_why IN ('missed', 'overlap')", name=op.f("ck_upshot_schedules_skipped_why")),
        sa.PrimaryKeyConstraint("tenant_id", "automation_id", name=op.f("pk_upshot_schedules")),
        sqlite_with_rowid=False,
    )
    has_due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "ix_upshot_schedules_due", "upshot_schedules", ["due_at"], sqlite_where=has_due, postgresql_where=has_due
    )
    op.create_table(
        DATES,
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", "type", "field", "on_day", "entity_id")),
        sa.PrimaryKeyConstraint(
            "tenant_id", "type", "field", "on_day", "entity_id", name=op.f("pk_upshot_entity_dates")
        ),
        sqlite_with_rowid=False,
    )
    _index_dates()


DATES = "upshot_entity_dates"
BATCH = 1_000
ENTITIES = sa.table("upshot_entities", *(sa.column(name) for name in ("tenant_id", "type", "id", "fields")))
INDEXED = sa.table(DATES, *(sa.column(name) for name in ("tenant_id", "type", "field", "on_day", "entity_id")))


def _index_dates() -> None:
    """What is kept already is indexed as every change will be."""
    connection, key = op.get_bind(), (ENTITIES.c.tenant_id, ENTITIES.c.type, ENTITIES.c.id)
    page = sa.select(*key, ENTITIES.c.fields).order_by(*key).limit(BATCH)
    found = connection.execute(page).all()
    while found:
        rows = [
            {"tenant_id": tenant_id, "type": type_, "field": name, "on_day": day, "entity_id": id_}
            for tenant_id, type_, id_, fields in found
            for name, value in json.loads(fields).items()
            if (day := _day(value)) is not None
        ]
        if rows:
            connection.execute(sa.insert(INDEXED), rows)
        after = sa.tuple_(*key) > sa.tuple_(*found[-1][:3])
        found = connection.execute(page.where(after)).all()


def _day(value: Any) -> str | None:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d([T ].{4,30})?", value):
        return None
    try:
        moment = datetime.fromisoformat(value)
        offset = moment.utcoffset()
        return (moment if offset is None else moment.replace(tzinfo=None) - offset).date().isoformat()
    except (ValueError, OverflowError):
        return None
