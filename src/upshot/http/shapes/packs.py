"""Packs on the wire."""

from pydantic import Field

from upshot.http.shapes.base import Answer


class PackEventType(Answer):
    """An event type that a pack declares."""

    name: str
    title: str


class PackEntityType(Answer):
    """An entity type that a pack declares. Without `allowed_fields`, steps may change every field."""

    name: str
    title: str
    allowed_fields: list[str] | None


class PackAction(Answer):
    """An action that is a pack's own name over another one."""

    name: str
    title: str
    over: str


class PackAutomation(Answer):
    """A ready automation of a pack."""

    id: str
    name: str
    description: str


class Pack(Answer):
    """One pack."""

    name: str
    title: str
    description: str
    event_types: list[PackEventType]
    entity_types: list[PackEntityType]
    actions: list[PackAction]
    automations: list[PackAutomation]
    has_demo: bool


class PackItems(Answer):
    """The packs that can be installed."""

    items: list[Pack]
    next: None


class InstalledPack(Answer):
    """What an installation did."""

    name: str
    created: list[str] = Field(description="The names of the automations that are new.")
    present: list[str] = Field(description="The names of the automations that were there, and stay as they are.")
