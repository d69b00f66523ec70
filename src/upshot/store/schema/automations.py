"""Automations, their published versions, when each was active, and when those with a schedule are due next."""

from sqlalchemy import Column, Index, Integer, text

from upshot.core import statuses
from upshot.store.columns import count, instant, keyed_table, maybe, one_of, words

automations = keyed_table(
    "automations",
    words("tenant_id"),
    words("id"),
    words("name"),
    words("status"),
    count("priority", 5),
    Column("version", Integer, nullable=True),
    words("draft"),
    count("draft_revision", 1),
    count("published_revision"),
    words("created_by"),
    instant("created_at"),
    instant("updated_at"),
    instant("deleted_at", nullable=True),
    one_of("status", statuses.AUTOMATION),
    key=("tenant_id", "id"),
)

automation_versions = keyed_table(
    "automation_versions",
    words("tenant_id"),
    words("automation_id"),
    Column("version", Integer, nullable=False),
    words("document"),
    instant("published_at"),
    words("published_by"),
    words("queue", server_default=text("'automation'")),
    key=("tenant_id", "automation_id", "version"),
)

automation_states = keyed_table(
    "automation_states",
    words("tenant_id"),
    words("automation_id"),
    instant("at"),
    words("status"),
    Column("version", Integer, nullable=True),
    key=("tenant_id", "automation_id", "at"),
)

_is_due_sometime = text("due_at IS NOT NULL")
schedules = keyed_table(
    "schedules",
    words("tenant_id"),
    words("automation_id"),
    Column("version", Integer, nullable=False),
    instant("occurrence_at", nullable=True),
    instant("due_at", nullable=True),
    instant("last_at", nullable=True),
    maybe("last_event_id"),
    instant("skipped_at", nullable=True),
    maybe("skipped_why"),
    instant("sweep_at", nullable=True),
    maybe("sweep_after"),
    one_of("skipped_why", ("missed", "overlap")),
    Index("ix_upshot_schedules_due", "due_at", sqlite_where=_is_due_sometime, postgresql_where=_is_due_sometime),
    key=("tenant_id", "automation_id"),
)
