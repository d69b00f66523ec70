"""Runs and their journal (history), and what drives them: `active` and `timers` stay small."""

from sqlalchemy import Column, Index, Integer, UniqueConstraint, text

from upshot.core import statuses
from upshot.store.columns import count, instant, keyed_table, maybe, one_of, words

runs = keyed_table(
    "runs",
    words("tenant_id"),
    words("id"),
    words("automation_id"),
    Column("version", Integer, nullable=False),
    words("event_id"),
    maybe("entity_type"),
    maybe("entity_id"),
    words("status"),
    count("priority", 5),
    count("test"),
    maybe("facts"),
    instant("created_at"),
    instant("finished_at", nullable=True),
    maybe("error"),
    maybe("place"),
    maybe("waits_for"),
    maybe("entry"),
    maybe("reason"),
    maybe("ended_by"),
    maybe("replay_id"),
    UniqueConstraint("tenant_id", "event_id", "automation_id"),
    one_of("status", statuses.RUN),
    Index(None, "tenant_id", "automation_id", "id"),
    Index(
        "ix_upshot_runs_entity",
        "tenant_id",
        "entity_type",
        "entity_id",
        "id",
        sqlite_where=text("entity_type IS NOT NULL"),
        postgresql_where=text("entity_type IS NOT NULL"),
    ),
    Index(
        "ix_upshot_runs_trouble",
        "tenant_id",
        "status",
        "id",
        sqlite_where=text("status IN ('failed', 'partial', 'cancelled')"),
        postgresql_where=text("status IN ('failed', 'partial', 'cancelled')"),
    ),
    Index(
        "ix_upshot_runs_replay",
        "tenant_id",
        "replay_id",
        "id",
        sqlite_where=text("replay_id IS NOT NULL"),
        postgresql_where=text("replay_id IS NOT NULL"),
    ),
    Index(
        "ix_upshot_runs_ended_by",
        "tenant_id",
        "ended_by",
        sqlite_where=text("ended_by IS NOT NULL"),
        postgresql_where=text("ended_by IS NOT NULL"),
    ),
    *(
        Index(
            f"ix_upshot_runs_{name}",
            "tenant_id",
            "automation_id",
            name,
            *order,
            "id",
            sqlite_where=text(f"{name} IS NOT NULL AND finished_at IS NULL"),
            postgresql_where=text(f"{name} IS NOT NULL AND finished_at IS NULL"),
        )
        for name, order in (("place", ()), ("waits_for", (text("priority DESC"),)), ("entry", ()))
    ),
    key=("tenant_id", "id"),
)

active = keyed_table(
    "active",
    words("tenant_id"),
    words("run_id"),
    maybe("worker_id"),
    count("epoch", 1),
    count("strikes"),
    count("progress"),
    count("parked"),
    count("priority", 5),
    words("queue", server_default=text("'automation'")),
    Index(
        "ix_upshot_active_ready",
        "queue",
        "tenant_id",
        text("priority DESC"),
        "run_id",
        sqlite_where=text("worker_id IS NULL AND parked = 0"),
        postgresql_where=text("worker_id IS NULL AND parked = 0"),
    ),
    Index(
        "ix_upshot_active_worker",
        "worker_id",
        sqlite_where=text("worker_id IS NOT NULL"),
        postgresql_where=text("worker_id IS NOT NULL"),
    ),
    key=("tenant_id", "run_id"),
)

steps = keyed_table(
    "steps",
    words("tenant_id"),
    words("run_id"),
    Column("seq", Integer, nullable=False),
    words("step_id"),
    words("kind"),
    words("status"),
    count("attempt", 1),
    instant("started_at"),
    instant("finished_at"),
    maybe("input"),
    maybe("output"),
    maybe("error"),
    maybe("log"),
    one_of("status", sorted(statuses.final_statuses("step"))),
    key=("tenant_id", "run_id", "seq"),
)

attempts = keyed_table(
    "attempts",
    words("tenant_id"),
    words("run_id"),
    words("step_id"),
    Column("attempt", Integer, nullable=False),
    instant("started_at"),
    instant("finished_at"),
    maybe("input"),
    maybe("error"),
    maybe("log"),
    key=("tenant_id", "run_id", "step_id", "attempt"),
)

timers = keyed_table(
    "timers",
    words("tenant_id"),
    words("run_id"),
    words("step_id"),
    words("kind"),
    Column("seq", Integer, nullable=False),
    instant("set_at"),
    instant("due_at"),
    one_of("kind", ("delay", "retry", "timeout", "limit", "wait", "call")),
    Index(None, "due_at"),
    key=("tenant_id", "run_id", "step_id"),
)
