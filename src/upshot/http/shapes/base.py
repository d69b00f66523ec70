"""What the shapes of every noun are made of."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

JsonObject = dict[str, Any]
Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-21T09:00:00.000000Z"])]
Text = Annotated[str, Field(max_length=200)]
Revision = Annotated[
    int, Field(ge=0, le=2**53, description="The revision this change is made on; 412 when it is not the present one.")
]
AnyJson = Annotated[Any, WithJsonSchema({"description": "Any JSON value."})]


class Body(BaseModel):
    """The base of request bodies."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Answer(BaseModel):
    """The base of answers. They are declared for readers; what is sent is made by `app`, and a test holds it to them."""

    model_config = ConfigDict(extra="forbid")


class ProblemItem(Answer):
    """One fault: where, what, and a stable code."""

    path: str
    message: str
    code: str


class ProblemDocument(Answer):
    """An RFC 9457 problem."""

    type: str = Field(examples=["urn:upshot:problem:refused"])
    title: str
    status: int
    detail: str
    errors: list[ProblemItem]


class EntityRefBody(Body):
    """Which entity something is about."""

    type: Annotated[str, Field(min_length=1, max_length=64)]
    id: Annotated[str, Field(min_length=1, max_length=200)]


class EntityRef(Answer):
    """Which entity something is about."""

    type: str
    id: str


class Note(Answer):
    """How one part of a document was understood."""

    path: str
    message: str
