"""Events: history, dedup keys, what has yet to be matched, and the outbox that hosts write to."""

from sqlalchemy import Index, text

from upshot.core import statuses
from upshot.store.columns import count, instant, keyed_table, maybe, numbered_table, one_of, words

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
    maybe("traceparent"),
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
    Index(
        "ix_upshot_unmatched_free",
        "tenant_id",
        "event_id",
        sqlite_where=text("worker_id IS NULL"),
        postgresql_where=text("worker_id IS NULL"),
    ),
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
