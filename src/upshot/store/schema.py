"""Every table. Hot rows (`unmatched`, `active`, `timers`) live apart from history (`events`, `runs`, `steps`).

Instants are BIGINT microseconds UTC, JSON is canonical text, ids are uuid7 text, and every key starts with the tenant.
Tables that are keyed by tenant and id are stored by that key (`WITHOUT ROWID` on SQLite).
"""

from sqlalchemy import BigInteger, Column, Index, Integer, UniqueConstraint, text

from upshot.core import statuses
from upshot.store.columns import (
    count,
    instant,
    keyed_table,
    maybe,
    metadata,
    numbered_table,
    one_of,
    words,
)

__all__ = ["metadata"]

# --- who ----------------------------------------------------------------------------------------------------------------

tenants = keyed_table(
    "tenants",
    words("id"),
    words("name"),
    words("status"),
    words("settings"),
    Column("definitions_revision", BigInteger, nullable=False, server_default=text("0")),
    instant("created_at"),
    one_of("status", ("active", "suspended")),
    key=("id",),
)

api_keys = keyed_table(
    "api_keys",
    words("tenant_id"),
    words("id"),
    words("name"),
    words("role"),
    words("prefix"),
    words("hash"),
    words("created_by"),
    instant("created_at"),
    instant("last_used_at", nullable=True),
    instant("expires_at", nullable=True),
    instant("revoked_at", nullable=True),
    UniqueConstraint("prefix"),
    one_of("role", ("viewer", "editor", "operator", "admin", "emitter")),
    key=("tenant_id", "id"),
)

audit = keyed_table(
    "audit",
    words("tenant_id"),
    words("id"),
    instant("at"),
    words("actor"),
    words("action"),
    words("noun"),
    words("noun_id"),
    maybe("before"),
    maybe("after"),
    Index(None, "tenant_id", "noun", "noun_id"),
    key=("tenant_id", "id"),
)

idempotency = keyed_table(
    "idempotency",
    words("tenant_id"),
    words("key"),
    words("route"),
    words("body_hash"),
    Column("status", Integer, nullable=True),
    maybe("response"),
    instant("created_at"),
    instant("expires_at"),
    key=("tenant_id", "key"),
)

# --- events -------------------------------------------------------------------------------------------------------------

event_types = keyed_table(
    "event_types",
    words("tenant_id"),
    words("name"),
    words("title"),
    words("description"),
    maybe("schema"),
    maybe("entity"),
    words("on_invalid"),
    maybe("sample"),
    instant("created_at"),
    instant("updated_at"),
    one_of("on_invalid", ("refuse", "warn")),
    key=("tenant_id", "name"),
)

events = keyed_table(
    "events",
    words("tenant_id"),
    words("id"),
    maybe("source_id"),
    words("name"),
    words("data"),
    instant("ts"),
    instant("accepted_at"),
    maybe("entity_type"),
    maybe("entity_id"),
    maybe("marks"),
    words("root_id"),
    count("depth"),
    maybe("cause_run_id"),
    maybe("cause_step_id"),
    count("test"),
    Index(None, "tenant_id", "name", "id"),
    Index(
        "ix_upshot_events_entity",
        "tenant_id",
        "entity_type",
        "entity_id",
        "id",
        sqlite_where=text("entity_type IS NOT NULL"),
        postgresql_where=text("entity_type IS NOT NULL"),
    ),
    key=("tenant_id", "id"),
)

event_keys = keyed_table(
    "event_keys",
    words("tenant_id"),
    words("source_id"),
    words("event_id"),
    instant("accepted_at"),
    key=("tenant_id", "source_id"),
)

unmatched = keyed_table(
    "unmatched",
    words("tenant_id"),
    words("event_id"),
    maybe("worker_id"),
    count("strikes"),
    key=("tenant_id", "event_id"),
)

outbox = numbered_table(
    "outbox",
    words("id"),
    words("tenant_id"),
    count("format", 1),
    words("payload"),
    words("status", server_default=text("'pending'")),
    count("attempts"),
    instant("created_at"),
    instant("next_attempt_at"),
    instant("published_at", nullable=True),
    maybe("error"),
    one_of("status", statuses.OUTBOX),
    Index(
        "ix_upshot_outbox_pending",
        "next_attempt_at",
        "seq",
        sqlite_where=text("status = 'pending'"),
        postgresql_where=text("status = 'pending'"),
    ),
)

# --- automations --------------------------------------------------------------------------------------------------------

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

# --- runs ---------------------------------------------------------------------------------------------------------------

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
    Index(
        "ix_upshot_active_ready",
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
    one_of("kind", ("delay", "retry")),
    Index(None, "due_at"),
    key=("tenant_id", "run_id", "step_id"),
)

workers = keyed_table(
    "workers",
    words("id"),
    words("host"),
    Column("pid", Integer, nullable=False),
    instant("started_at"),
    instant("expires_at"),
    key=("id",),
)

dead_letters = keyed_table(
    "dead_letters",
    words("tenant_id"),
    words("id"),
    words("kind"),
    words("noun_id"),
    words("error"),
    count("strikes"),
    words("status"),
    instant("created_at"),
    one_of("kind", ("event", "run", "delivery")),
    one_of("status", ("open", "resolved", "discarded")),
    key=("tenant_id", "id"),
)

# Insert-only deltas, one row per commit, tenant, noun, status and subject; rolled up in the background.
counts = numbered_table(
    "counts",
    words("tenant_id"),
    words("noun"),
    words("subject"),
    words("status"),
    instant("minute"),
    Column("delta", BigInteger, nullable=False),
    Index(None, "tenant_id", "noun", "subject", "status"),
)

# --- entities -----------------------------------------------------------------------------------------------------------

entity_types = keyed_table(
    "entity_types",
    words("tenant_id"),
    words("name"),
    words("title"),
    maybe("schema"),
    maybe("allowed_fields"),
    instant("updated_at"),
    key=("tenant_id", "name"),
)

entities = keyed_table(
    "entities",
    words("tenant_id"),
    words("type"),
    words("id"),
    words("fields"),
    words("tags"),
    count("revision", 1),
    instant("created_at"),
    instant("updated_at"),
    Index(None, "tenant_id", "type", "updated_at", "id"),
    key=("tenant_id", "type", "id"),
)
