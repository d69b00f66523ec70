"""Inbound webhooks: tokens as hashes, secrets sealed."""

from sqlalchemy import Index, UniqueConstraint, text

from upshot.store.columns import count, instant, keyed_table, maybe, words

_is_changing = text("old_token_hash IS NOT NULL")
webhooks = keyed_table(
    "webhooks",
    words("tenant_id"),
    words("id"),
    words("settings"),
    count("revision", 1),
    words("token_hash"),
    words("token_hint"),
    maybe("old_token_hash"),
    instant("old_token_until", nullable=True),
    maybe("secret"),
    maybe("old_secret"),
    instant("old_secret_until", nullable=True),
    words("created_by"),
    instant("created_at"),
    instant("updated_at"),
    instant("received_at", nullable=True),
    instant("refused_at", nullable=True),
    maybe("refused_why"),
    UniqueConstraint("token_hash"),
    Index("ix_upshot_webhooks_old_token", "old_token_hash", sqlite_where=_is_changing, postgresql_where=_is_changing),
    key=("tenant_id", "id"),
)
