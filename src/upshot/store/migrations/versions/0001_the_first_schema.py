"""The first schema."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "upshot_active",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=True),
        sa.Column("epoch", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("strikes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("progress", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("parked", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("priority", sa.Integer(), server_default=sa.text("5"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "run_id", name=op.f("pk_upshot_active")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("upshot_active", schema=None) as batch_op:
        batch_op.create_index(
            "ix_upshot_active_ready",
            [sa.text("priority DESC"), "run_id"],
            unique=False,
            sqlite_where=sa.text("worker_id IS NULL AND parked = 0"),
            postgresql_where=sa.text("worker_id IS NULL AND parked = 0"),
        )
        batch_op.create_index(
            "ix_upshot_active_worker",
            ["worker_id"],
            unique=False,
            sqlite_where=sa.text("worker_id IS NOT NULL"),
            postgresql_where=sa.text("worker_id IS NOT NULL"),
        )

    op.create_table(
        "upshot_api_keys",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "role IN ('viewer', 'editor', 'operator', 'admin', 'emitter')", name=op.f("ck_upshot_api_keys_role")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_upshot_api_keys")),
        sa.UniqueConstraint("prefix", name=op.f("uq_upshot_api_keys_prefix")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upshot_attempts",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=False),
        sa.Column("input", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("log", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "run_id", "step_id", "attempt", name=op.f("pk_upshot_attempts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upshot_audit",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("noun", sa.Text(), nullable=False),
        sa.Column("noun_id", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_upshot_audit")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("upshot_audit", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_upshot_audit_tenant_id_noun_noun_id"), ["tenant_id", "noun", "noun_id"], unique=False
        )

    op.create_table(
        "upshot_automation_states",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("automation_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "automation_id", "at", name=op.f("pk_upshot_automation_states")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upshot_automation_versions",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("automation_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "automation_id", "version", name=op.f("pk_upshot_automation_versions")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upshot_automations",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), server_default=sa.text("5"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("draft", sa.Text(), nullable=False),
        sa.Column("draft_revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("published_revision", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "status IN ('draft', 'active', 'paused', 'archived')", name=op.f("ck_upshot_automations_status")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_upshot_automations")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upshot_counts",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("noun", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("delta", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_upshot_counts")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("upshot_counts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_upshot_counts_tenant_id_noun_subject_status"),
            ["tenant_id", "noun", "subject", "status"],
            unique=False,
        )

    op.create_table(
        "upshot_dead_letters",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("noun_id", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("strikes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('event', 'run', 'delivery')", name=op.f("ck_upshot_dead_letters_kind")),
        sa.CheckConstraint("status IN ('open', 'resolved', 'discarded')", name=op.f("ck_upshot_dead_letters_status")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_upshot_dead_letters")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upshot_entities",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "type", "id", name=op.f("pk_upshot_entities")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("upshot_entities", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_upshot_entities_tenant_id_type_updated_at_id"),
            ["tenant_id", "type", "updated_at", "id"],
            unique=False,
        )

    op.create_table(
        "upshot_entity_types",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=True),
        sa.Column("allowed_fields", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("pk_upshot_entity_types")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upshot_event_keys",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "source_id", name=op.f("pk_upshot_event_keys")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upshot_event_types",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=True),
        sa.Column("entity", sa.Text(), nullable=True),
        sa.Column("on_invalid", sa.Text(), nullable=False),
        sa.Column("sample", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("on_invalid IN ('refuse', 'warn')", name=op.f("ck_upshot_event_types_on_invalid")),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("pk_upshot_event_types")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upshot_events",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.Column("entity_type", sa.Text(), nullable=True),
        sa.Column("entity_id", sa.Text(), nullable=True),
        sa.Column("marks", sa.Text(), nullable=True),
        sa.Column("root_id", sa.Text(), nullable=False),
        sa.Column("depth", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cause_run_id", sa.Text(), nullable=True),
        sa.Column("cause_step_id", sa.Text(), nullable=True),
        sa.Column("test", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_upshot_events")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("upshot_events", schema=None) as batch_op:
        batch_op.create_index(
            "ix_upshot_events_entity",
            ["tenant_id", "entity_type", "entity_id", "id"],
            unique=False,
            sqlite_where=sa.text("entity_type IS NOT NULL"),
            postgresql_where=sa.text("entity_type IS NOT NULL"),
        )
        batch_op.create_index(
            batch_op.f("ix_upshot_events_tenant_id_name_id"), ["tenant_id", "name", "id"], unique=False
        )

    op.create_table(
        "upshot_idempotency",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("response", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_upshot_idempotency")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upshot_outbox",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("format", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("status IN ('pending', 'published', 'failed')", name=op.f("ck_upshot_outbox_status")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_upshot_outbox")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("upshot_outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_upshot_outbox_pending",
            ["next_attempt_at", "seq"],
            unique=False,
            sqlite_where=sa.text("status = 'pending'"),
            postgresql_where=sa.text("status = 'pending'"),
        )

    op.create_table(
        "upshot_runs",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("automation_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("entity_type", sa.Text(), nullable=True),
        sa.Column("entity_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), server_default=sa.text("5"), nullable=False),
        sa.Column("test", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("facts", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'waiting', 'paused', 'completed', 'partial', 'failed', 'cancelled')",
            name=op.f("ck_upshot_runs_status"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_upshot_runs")),
        sa.UniqueConstraint(
            "tenant_id", "event_id", "automation_id", name=op.f("uq_upshot_runs_tenant_id_event_id_automation_id")
        ),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("upshot_runs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_upshot_runs_entity",
            ["tenant_id", "entity_type", "entity_id", "id"],
            unique=False,
            sqlite_where=sa.text("entity_type IS NOT NULL"),
            postgresql_where=sa.text("entity_type IS NOT NULL"),
        )
        batch_op.create_index(
            batch_op.f("ix_upshot_runs_tenant_id_automation_id_id"), ["tenant_id", "automation_id", "id"], unique=False
        )
        batch_op.create_index(
            "ix_upshot_runs_trouble",
            ["tenant_id", "status", "id"],
            unique=False,
            sqlite_where=sa.text("status IN ('failed', 'partial', 'cancelled')"),
            postgresql_where=sa.text("status IN ('failed', 'partial', 'cancelled')"),
        )

    op.create_table(
        "upshot_steps",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=False),
        sa.Column("input", sa.Text(), nullable=True),
        sa.Column("output", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("log", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('cancelled', 'completed', 'failed', 'skipped', 'unknown')", name=op.f("ck_upshot_steps_status")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "run_id", "seq", name=op.f("pk_upshot_steps")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upshot_tenants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("definitions_revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("status IN ('active', 'suspended')", name=op.f("ck_upshot_tenants_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upshot_tenants")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upshot_timers",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('delay', 'retry')", name=op.f("ck_upshot_timers_kind")),
        sa.PrimaryKeyConstraint("tenant_id", "run_id", "step_id", name=op.f("pk_upshot_timers")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("upshot_timers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_upshot_timers_due_at"), ["due_at"], unique=False)

    op.create_table(
        "upshot_unmatched",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=True),
        sa.Column("strikes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "event_id", name=op.f("pk_upshot_unmatched")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "upshot_workers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upshot_workers")),
        sqlite_with_rowid=False,
    )
