"""Entities, tenants, keys, sessions and the rest on the wire."""

from typing import Annotated, Any, Literal

from pydantic import Field

from upshot.http.shapes.base import Answer, AnyJson, Body, Instant, JsonObject, Revision

Tag = Annotated[str, Field(min_length=1, max_length=100)]
Role = Literal["viewer", "editor", "operator", "admin", "emitter"]


class NewEntity(Body):
    """An entity to create."""

    id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    fields: JsonObject = Field(default_factory=dict)
    tags: list[Tag] | None = None


class EntityBody(Body):
    """The fields an entity has from now on."""

    fields: JsonObject
    tags: list[Tag] | None = Field(default=None, description="Left out: the tags stay.")
    revision: Revision | None = None


class EntityPatch(Body):
    """A JSON merge patch on an entity's fields."""

    fields: JsonObject = Field(default_factory=dict)
    tags: list[Tag] | None = None
    revision: Revision | None = None


class Entity(Answer):
    """One entity."""

    type: str
    id: str
    fields: JsonObject
    tags: list[str]
    revision: int
    created_at: Instant
    updated_at: Instant


class EntityPage(Answer):
    """A page of entities."""

    items: list[Entity]
    next: str | None


class EntityTypeCount(Answer):
    """A type of entities, and how many there are."""

    type: str
    count: int


class EntityTypes(Answer):
    """The types of entities there are."""

    items: list[EntityTypeCount]
    next: None


class ActionItem(Answer):
    """An action of the catalogue. `schema` is a JSON Schema of its arguments, with hints for forms."""

    name: str
    title: str
    description: str
    argument_schema: JsonObject | None = Field(alias="schema")
    icon: str
    kind: str
    over: str | None


class ActionItems(Answer):
    """The catalogue of actions."""

    items: list[ActionItem]


class OperatorItems(Answer):
    """The catalogue of condition operators."""

    items: list[JsonObject]


class NewTenant(Body):
    """A tenant to create."""

    id: Annotated[str, Field(min_length=1, max_length=64)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    settings: JsonObject = Field(default_factory=dict)


class TenantPatch(Body):
    """What to change of a tenant. A setting that is null is removed."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    status: Literal["active", "suspended"] | None = None
    settings: JsonObject | None = Field(default=None, examples=[{"zone": "Europe/Berlin", "locale": "de-DE"}])


class Tenant(Answer):
    """One tenant."""

    id: str
    name: str
    status: Literal["active", "suspended"]
    settings: JsonObject
    created_at: Instant


class TenantPage(Answer):
    """A page of tenants."""

    items: list[Tenant]
    next: str | None


class NewKey(Body):
    """A key to create."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    role: Role
    expires_at: Instant | None = None


class Key(Answer):
    """One key, without its secret."""

    id: str
    name: str
    role: Role
    prefix: str
    expires_at: Instant | None
    created_by: str
    created_at: Instant
    last_used_at: Instant | None
    revoked_at: Instant | None


class CreatedKey(Key):
    """A new key. `key` is shown now and never again."""

    key: str


class KeyPage(Answer):
    """A page of keys."""

    items: list[Key]
    next: str | None


class AuditEntry(Answer):
    """One change that somebody made."""

    id: str
    at: Instant
    actor: str
    action: str
    noun: str
    noun_id: str
    before: AnyJson
    after: AnyJson


class AuditPage(Answer):
    """A page of the audit."""

    items: list[AuditEntry]
    next: str | None


class SignIn(Body):
    """The key that opens a session."""

    key: Annotated[str, Field(min_length=1, max_length=200)]


class Session(Answer):
    """Who is signed in."""

    tenant: str
    role: str
    actor: str
    dev: bool
    zone: str


class Stats(Answer):
    """Counts by status."""

    runs: dict[str, int]
    events: dict[str, int]
    outbox: dict[str, int]
    dead_letters: dict[str, int]
    automations: dict[str, int]


class OutboxCounts(Answer):
    """The outbox's rows by status."""

    pending: int
    published: int
    failed: int


class Published(Answer):
    """What a publishing of the outbox did."""

    published: int
    failed: int
    pending: int


def catalogue_item(action: Any) -> dict[str, Any]:
    """An action as the catalogue shows it."""
    return {
        "name": action.name,
        "title": action.title,
        "description": action.description,
        "schema": action.schema,
        "icon": action.icon,
        "kind": action.kind,
        "over": action.over,
    }
