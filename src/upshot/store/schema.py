"""Every table. Hot rows (`unmatched`, `active`, `timers`) live apart from history (`events`, `runs`, `steps`).

Instants are BIGINT microseconds UTC, JSON is canonical text, ids are uuid7 text, and every key starts with the tenant.
Tables that are keyed by tenant and id are stored by that key (`WITHOUT ROWID` on SQLite).
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from upshot.core import statuses

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, **more: Any) -> Column[str]:
    return Column(name, Text, nullable=more.pop("nullable", False), **more)


def _maybe(name: str) -> Column[str]:
    return Column(name, Text, nullable=True)


def _instant(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _count(name: str, default: int = 0) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text(str(default)))


def _one_of(column: str, values: Any) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _table(name: str, *parts: Any, key: tuple[str, ...]) -> Table:
    return Table(f"upshot_{name}", metadata, *parts, PrimaryKeyConstraint(*key), sqlite_with_rowid=False)


def _numbered(name: str, *parts: Any) -> Table:
    seq = Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    return Table(f"upshot_{name}", metadata, seq, *parts, sqlite_autoincrement=True)


# --- who ----------------------------------------------------------------------------------------------------------------

tenants = _table(
    "tenants",
    _text("id"),
    _text("name"),
    _text("status"),
    _text("settings"),
    Column("definitions_revision", BigInteger, nullable=False, server_default=text("0")),
    _instant("created_at"),
    _one_of("status", ("active", "suspended")),
    key=("id",),
)

api_keys = _table(
    "api_keys",
    _text("tenant_id"),
    _text("id"),
    _text("name"),
    _text("role"),
    _text("prefix"),
    _text("hash"),
    _text("created_by"),
    _instant("created_at"),
    _instant("last_used_at", nullable=True),
    _instant("expires_at", nullable=True),
    _instant("revoked_at", nullable=True),
    UniqueConstraint("prefix"),
    _one_of("role", ("viewer", "editor", "operator", "admin", "emitter")),
    key=("tenant_id", "id"),
)

audit = _table(
    "audit",
    _text("tenant_id"),
    _text("id"),
    _instant("at"),
    _text("actor"),
    _text("action"),
    _text("noun"),
    _text("noun_id"),
    _maybe("before"),
    _maybe("after"),
    Index(None, "tenant_id", "noun", "noun_id"),
    key=("tenant_id", "id"),
)

idempotency = _table(
    "idempotency",
    _text("tenant_id"),
    _text("key"),
    _text("route"),
    _text("body_hash"),
    Column("status", Integer, nullable=True),
    _maybe("response"),
    _instant("created_at"),
    _instant("expires_at"),
    key=("tenant_id", "key"),
)

# --- events -------------------------------------------------------------------------------------------------------------

event_types = _table(
    "event_types",
    _text("tenant_id"),
    _text("name"),
    _text("title"),
    _text("description"),
    _maybe("schema"),
    _maybe("entity"),
    _text("on_invalid"),
    _maybe("sample"),
    _instant("created_at"),
    _instant("updated_at"),
    _one_of("on_invalid", ("refuse", "warn")),
    key=("tenant_id", "name"),
)

events = _table(
    "events",
    _text("tenant_id"),
    _text("id"),
    _maybe("source_id"),
    _text("name"),
    _text("data"),
    _instant("ts"),
    _instant("accepted_at"),
    _maybe("entity_type"),
    _maybe("entity_id"),
    _maybe("marks"),
    _text("root_id"),
    _count("depth"),
    _maybe("cause_run_id"),
    _maybe("cause_step_id"),
    _count("test"),
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

event_keys = _table(
    "event_keys",
    _text("tenant_id"),
    _text("source_id"),
    _text("event_id"),
    _instant("accepted_at"),
    key=("tenant_id", "source_id"),
)

unmatched = _table(
    "unmatched",
    _text("tenant_id"),
    _text("event_id"),
    _maybe("worker_id"),
    _count("strikes"),
    key=("tenant_id", "event_id"),
)

outbox = _numbered(
    "outbox",
    _text("id"),
    _text("tenant_id"),
    _count("format", 1),
    _text("payload"),
    _text("status", server_default=text("'pending'")),
    _count("attempts"),
    _instant("created_at"),
    _instant("next_attempt_at"),
    _instant("published_at", nullable=True),
    _maybe("error"),
    _one_of("status", statuses.OUTBOX),
    Index(
        "ix_upshot_outbox_pending",
        "next_attempt_at",
        "seq",
        sqlite_where=text("status = 'pending'"),
        postgresql_where=text("status = 'pending'"),
    ),
)

# --- automations --------------------------------------------------------------------------------------------------------

automations = _table(
    "automations",
    _text("tenant_id"),
    _text("id"),
    _text("name"),
    _text("status"),
    _count("priority", 5),
    Column("version", Integer, nullable=True),
    _text("draft"),
    _count("draft_revision", 1),
    _count("published_revision"),
    _text("created_by"),
    _instant("created_at"),
    _instant("updated_at"),
    _instant("deleted_at", nullable=True),
    _one_of("status", statuses.AUTOMATION),
    key=("tenant_id", "id"),
)

automation_versions = _table(
    "automation_versions",
    _text("tenant_id"),
    _text("automation_id"),
    Column("version", Integer, nullable=False),
    _text("document"),
    _instant("published_at"),
    _text("published_by"),
    key=("tenant_id", "automation_id", "version"),
)

automation_states = _table(
    "automation_states",
    _text("tenant_id"),
    _text("automation_id"),
    _instant("at"),
    _text("status"),
    Column("version", Integer, nullable=True),
    key=("tenant_id", "automation_id", "at"),
)

# --- runs ---------------------------------------------------------------------------------------------------------------

runs = _table(
    "runs",
    _text("tenant_id"),
    _text("id"),
    _text("automation_id"),
    Column("version", Integer, nullable=False),
    _text("event_id"),
    _maybe("entity_type"),
    _maybe("entity_id"),
    _text("status"),
    _count("priority", 5),
    _count("test"),
    _maybe("facts"),
    _instant("created_at"),
    _instant("finished_at", nullable=True),
    _maybe("error"),
    UniqueConstraint("tenant_id", "event_id", "automation_id"),
    _one_of("status", statuses.RUN),
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

active = _table(
    "active",
    _text("tenant_id"),
    _text("run_id"),
    _maybe("worker_id"),
    _count("epoch", 1),
    _count("strikes"),
    _count("progress"),
    _count("parked"),
    _count("priority", 5),
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

steps = _table(
    "steps",
    _text("tenant_id"),
    _text("run_id"),
    Column("seq", Integer, nullable=False),
    _text("step_id"),
    _text("kind"),
    _text("status"),
    _count("attempt", 1),
    _instant("started_at"),
    _instant("finished_at"),
    _maybe("input"),
    _maybe("output"),
    _maybe("error"),
    _maybe("log"),
    _one_of("status", sorted(statuses.final_statuses("step"))),
    key=("tenant_id", "run_id", "seq"),
)

attempts = _table(
    "attempts",
    _text("tenant_id"),
    _text("run_id"),
    _text("step_id"),
    Column("attempt", Integer, nullable=False),
    _instant("started_at"),
    _instant("finished_at"),
    _maybe("input"),
    _maybe("error"),
    _maybe("log"),
    key=("tenant_id", "run_id", "step_id", "attempt"),
)

timers = _table(
    "timers",
    _text("tenant_id"),
    _text("run_id"),
    _text("step_id"),
    _text("kind"),
    Column("seq", Integer, nullable=False),
    _instant("set_at"),
    _instant("due_at"),
    _one_of("kind", ("delay", "retry")),
    Index(None, "due_at"),
    key=("tenant_id", "run_id", "step_id"),
)

workers = _table(
    "workers",
    _text("id"),
    _text("host"),
    Column("pid", Integer, nullable=False),
    _instant("started_at"),
    _instant("expires_at"),
    key=("id",),
)

dead_letters = _table(
    "dead_letters",
    _text("tenant_id"),
    _text("id"),
    _text("kind"),
    _text("noun_id"),
    _text("error"),
    _count("strikes"),
    _text("status"),
    _instant("created_at"),
    _one_of("kind", ("event", "run", "delivery")),
    _one_of("status", ("open", "resolved", "discarded")),
    key=("tenant_id", "id"),
)

# Insert-only deltas, one row per commit, tenant, noun, status and subject; rolled up in the background.
counts = _numbered(
    "counts",
    _text("tenant_id"),
    _text("noun"),
    _text("subject"),
    _text("status"),
    _instant("minute"),
    Column("delta", BigInteger, nullable=False),
    Index(None, "tenant_id", "noun", "subject", "status"),
)

# --- entities -----------------------------------------------------------------------------------------------------------

entity_types = _table(
    "entity_types",
    _text("tenant_id"),
    _text("name"),
    _text("title"),
    _maybe("schema"),
    _maybe("allowed_fields"),
    _instant("updated_at"),
    key=("tenant_id", "name"),
)

entities = _table(
    "entities",
    _text("tenant_id"),
    _text("type"),
    _text("id"),
    _text("fields"),
    _text("tags"),
    _count("revision", 1),
    _instant("created_at"),
    _instant("updated_at"),
    Index(None, "tenant_id", "type", "updated_at", "id"),
    key=("tenant_id", "type", "id"),
)
