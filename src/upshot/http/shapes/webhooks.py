"""Inbound webhooks on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from upshot.http.shapes.base import Answer, Body, Instant, Revision

Scheme = Literal["standard", "github", "stripe", "shopify", "slack", "hmac", "none"]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Source = Annotated[str, Field(max_length=200, examples=["header:X-GitHub-Event", "field:type"])]
Secret = Annotated[str, Field(min_length=8, max_length=500)]


class SignatureBody(Body):
    """How deliveries are signed. All but `scheme` and `tolerance_seconds` are for `hmac`."""

    scheme: Scheme
    header: Annotated[str, Field(max_length=100)] = Field(
        default="", description="The header that holds the signature."
    )
    encoding: Literal["hex", "base64"] = "hex"
    prefix: Annotated[str, Field(max_length=100)] = Field(default="", description="What stands before the signature.")
    timestamp_header: Annotated[str, Field(max_length=100)] = Field(
        default="", description="The header of the time in seconds, if `time.body` is signed and not the body alone."
    )
    tolerance_seconds: int = Field(default=300, ge=1, le=86_400, description="How far from now a signed time may be.")


class NewWebhook(Body):
    """A webhook to create."""

    name: Name
    event: Annotated[str, Field(max_length=100)] = Field(
        default="",
        description="The name of its events; with `name_from`, what stands before the part that a delivery names.",
    )
    name_from: Source | None = None
    data_from: Annotated[str, Field(max_length=200)] = Field(
        default="", description="Where the event's data stand in the body; the whole body if left out."
    )
    id_from: Source | None = Field(
        default=None, description="What tells deliveries apart; as the vendor does, if left out."
    )
    signature: SignatureBody
    enabled: bool = True
    secret: Secret | None = Field(
        default=None, description="As the vendor gave it. Left out, one is made where the vendor takes it from you."
    )


class WebhookPatch(Body):
    """What to change of a webhook."""

    name: Name | None = None
    event: Annotated[str, Field(max_length=100)] | None = None
    name_from: Source | None = None
    data_from: Annotated[str, Field(max_length=200)] | None = None
    id_from: Source | None = None
    signature: SignatureBody | None = None
    enabled: bool | None = None
    revision: Revision | None = None


class RotateBody(Body):
    """What to make anew."""

    what: Literal["token", "secret"]
    secret: Secret | None = Field(default=None, description="As the vendor gave it; one is made if left out.")
    overlap_seconds: int = Field(
        default=86_400, ge=0, le=2_592_000, description="How long what it replaces still works."
    )


class Signature(Answer):
    """How deliveries are signed."""

    scheme: Scheme
    header: str
    encoding: Literal["hex", "base64"]
    prefix: str
    timestamp_header: str
    tolerance_seconds: int


class Webhook(Answer):
    """One webhook. Tokens and secrets are shown when they are made, and never again."""

    id: str
    name: str
    event: str
    name_from: str | None
    data_from: str
    id_from: str | None
    signature: Signature
    enabled: bool
    revision: int
    token_hint: str = Field(description="How its token begins.")
    has_secret: bool
    old_token_until: Instant | None = Field(description="Until when the token before works; null when there was none.")
    old_secret_until: Instant | None
    created_by: str
    created_at: Instant
    updated_at: Instant
    last_received_at: Instant | None = Field(description="To the minute, as the two below.")
    last_refused_at: Instant | None
    last_refused_why: str | None


class ShownWebhook(Webhook):
    """A webhook with what was made anew; null for what was not."""

    token: str | None
    url: str | None = Field(description="The address for the other system; without `public_url`, its path.")
    secret: str | None


class WebhookPage(Answer):
    """A page of webhooks."""

    items: list[Webhook]
    next: str | None
