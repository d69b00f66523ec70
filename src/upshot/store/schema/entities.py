"""Entities, their types, and the dates among their fields."""

from sqlalchemy import Index

from upshot.store.columns import count, instant, keyed_table, maybe, words

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

entity_dates = keyed_table(
    "entity_dates",
    words("tenant_id"),
    words("type"),
    words("field"),
    words("on_day"),
    words("entity_id"),
    key=("tenant_id", "type", "field", "on_day", "entity_id"),
)
