"""Replays: events of the past that start an automation, and how far each has come."""

from sqlalchemy import Column, Index, Integer, text

from upshot.core import statuses
from upshot.store.columns import count, instant, keyed_table, maybe, one_of, words

_is_running = text("status = 'running'")
_is_under_way = text("status IN ('running', 'paused')")

replays = keyed_table(
    "replays",
    words("tenant_id"),
    words("id"),
    words("automation_id"),
    Column("version", Integer, nullable=False),
    instant("since"),
    instant("until"),
    maybe("entity_type"),
    maybe("entity_id"),
    maybe("condition"),
    Column("per_minute", Integer, nullable=False),
    Column("runs_max", Integer, nullable=True),
    count("with_dropped"),
    words("status"),
    maybe("reason"),
    words("place", server_default=text("''")),
    instant("due_at"),
    count("total"),
    words("counts"),
    words("created_by"),
    instant("created_at"),
    instant("finished_at", nullable=True),
    one_of("status", statuses.REPLAY),
    Index("ix_upshot_replays_due", "due_at", sqlite_where=_is_running, postgresql_where=_is_running),
    Index(
        "uq_upshot_replays_under_way",
        "tenant_id",
        "automation_id",
        unique=True,
        sqlite_where=_is_under_way,
        postgresql_where=_is_under_way,
    ),
    Index(None, "tenant_id", "automation_id", "id"),
    key=("tenant_id", "id"),
)
