"""Segments, and who is in them."""

from sqlalchemy import Index, text

from upshot.store.columns import count, instant, keyed_table, maybe, one_of, words

_is_there = text("deleted_at IS NULL")
_has_work = text("due_at IS NOT NULL")

segments = keyed_table(
    "segments",
    words("tenant_id"),
    words("id"),
    words("name"),
    words("description", server_default=text("''")),
    words("entity_type"),
    words("kind"),
    maybe("condition"),
    count("follows_clock"),
    count("revision", 1),
    maybe("place"),
    count("is_silent"),
    instant("begun_at", nullable=True),
    instant("due_at", nullable=True),
    instant("computed_at", nullable=True),
    words("created_by"),
    instant("created_at"),
    instant("updated_at"),
    instant("deleted_at", nullable=True),
    one_of("kind", ("dynamic", "manual")),
    Index(
        "uq_upshot_segments_name", "tenant_id", "name", unique=True, sqlite_where=_is_there, postgresql_where=_is_there
    ),
    Index("ix_upshot_segments_due", "due_at", sqlite_where=_has_work, postgresql_where=_has_work),
    Index(None, "tenant_id", "entity_type"),
    key=("tenant_id", "id"),
)

segment_members = keyed_table(
    "segment_members",
    words("tenant_id"),
    words("segment_id"),
    words("entity_id"),
    instant("joined_at"),
    Index(None, "tenant_id", "entity_id"),
    key=("tenant_id", "segment_id", "entity_id"),
)
