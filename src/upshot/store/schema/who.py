"""Tenants, their keys, and what was done in their name."""

from sqlalchemy import BigInteger, Column, Index, Integer, UniqueConstraint, text

from upshot.store.columns import instant, keyed_table, maybe, one_of, words

tenants = keyed_table(
    "tenants",
    words("id"),
    words("name"),
    words("status"),
    words("settings"),
    Column("definitions_revision", BigInteger, nullable=False, server_default=text("0")),
    instant("created_at"),
    instant("runs_pruned_until", nullable=True),
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
