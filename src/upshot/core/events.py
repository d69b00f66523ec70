"""An event on its way in, as a value."""

from typing import Any

import msgspec

from upshot.core.errors import Malformed
from upshot.core.instants import to_text

DEPTH_MAX = 16
"""How many events may cause one another before the chain is taken for a loop (AWS stops recursive calls at 16 too)."""


class EntityRef(msgspec.Struct, frozen=True):
    """Which entity an event or run is about."""

    type: str
    id: str


def entity_named(text: str | None, at: str = "entity") -> tuple[str, str] | None:
    """The type and id of the entity that `type:id` names; None for None.

    Raises:
        Malformed: it is not of that form; the problem names `at`.
    """
    if text is None:
        return None
    type_, colon, id_ = text.partition(":")
    if not (type_ and colon and id_):
        raise Malformed.at(at, "is written type:id, like patient:p1", "bad_entity")
    return type_, id_


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An immutable fact that was checked and may be accepted. `text` is its data as canonical JSON; one made `by_hand` is
    the cause of the one run it was made for and starts nothing else. `ts` is when it happened, which its host may say;
    `received_at` when it came, if that is not the same. `traceparent` is the W3C trace context of its cause."""

    tenant_id: str
    id: str
    name: str
    data: dict[str, Any]
    text: str
    ts: int
    root_id: str
    received_at: int | None = None
    source_id: str | None = None
    entity: EntityRef | None = None
    marks: str | None = None
    depth: int = 0
    cause_run_id: str | None = None
    cause_step_id: str | None = None
    test: bool = False
    by_hand: bool = False
    traceparent: str | None = None

    @property
    def public_id(self) -> str:
        """The id the host knows it by."""
        return self.source_id or self.id

    @property
    def came_at(self) -> int:
        """When it was received or made (microseconds UTC). Its id is no clock: ids never go back, the machine's time may."""
        return self.ts if self.received_at is None else self.received_at

    @property
    def is_matched(self) -> bool:
        """Whether it may start automations by itself."""
        return not (self.by_hand or self.is_loop)

    @property
    def is_loop(self) -> bool:
        """Whether its chain of causes is so long that it is taken for a loop, and starts nothing."""
        return self.depth > DEPTH_MAX

    def as_root(self) -> dict[str, Any]:
        """What conditions and templates read under `event`."""
        entity = {"type": self.entity.type, "id": self.entity.id} if self.entity else None
        return {"id": self.public_id, "name": self.name, "ts": to_text(self.ts), "data": self.data, "entity": entity}
