"""Segments on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from upshot.core.segments import DESCRIPTION_MAX, NAME_MAX
from upshot.http.shapes.base import Answer, AnyJson, Body, Instant, JsonObject, Revision
from upshot.http.shapes.system import Entity

_Name = Annotated[str, Field(min_length=1, max_length=NAME_MAX)]
_Description = Annotated[str, Field(max_length=DESCRIPTION_MAX)]
_Type = Annotated[str, Field(min_length=1, max_length=64)]
_ANNOUNCE = "Whether those who join or leave by this are told by `segment.joined` and `segment.left`."


class NewSegment(Body):
    """A segment to create."""

    name: _Name
    entity_type: _Type
    condition: AnyJson = Field(default=None, description="Who is in it: a condition over the entity as it is.")
    kind: Literal["dynamic", "manual"] = Field(
        default="dynamic", description="`manual` has no condition: its members are put and deleted."
    )
    description: _Description = ""
    announce: bool = Field(default=False, description=_ANNOUNCE)


class SegmentBody(Body):
    """What a segment is from now on."""

    name: _Name
    entity_type: _Type | None = Field(default=None, description="It cannot be changed; left out, it stays.")
    condition: AnyJson = Field(default=None, description="Who is in it: a condition over the entity as it is.")
    description: _Description = ""
    announce: bool = Field(default=False, description=_ANNOUNCE)
    revision: Revision | None = None


class Segment(Answer):
    """One segment."""

    id: str
    name: str
    description: str
    entity_type: str
    kind: Literal["dynamic", "manual"]
    condition: JsonObject | None
    words: str = Field(description="The condition as a phrase.")
    follows_clock: bool = Field(description="Whether time alone makes members join or leave.")
    members: int = Field(description="How many are in it now.")
    status: Literal["computing", "ready"] = Field(
        description="`computing` while a running engine finds who meets its condition."
    )
    computed_at: Instant | None = Field(description="When all entities of the type were last asked.")
    revision: int
    created_by: str
    created_at: Instant
    updated_at: Instant


class SegmentPage(Answer):
    """A page of segments."""

    items: list[Segment]
    next: str | None


class Member(Answer):
    """Who is in a segment, and since when."""

    type: str
    id: str
    joined_at: Instant
    entity: Entity | None


class MemberPage(Answer):
    """A page of members."""

    items: list[Member]
    next: str | None
