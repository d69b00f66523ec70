"""A delivery that was proven, as an event: its name, its data, and the id by which it comes in once."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final, cast

from upshot.core.errors import Malformed
from upshot.core.webhooks.model import Source, WebhookSettings

ID_MAX: Final = 200
VALUE_MAX: Final = 200

DELIVERY_IDS: Final[Mapping[str, tuple[Source, ...]]] = {
    "standard": (Source("header", "webhook-id"), Source("header", "svix-id")),
    "github": (Source("header", "x-github-delivery"),),
    "stripe": (Source("field", "id"),),
    "shopify": (Source("header", "x-shopify-event-id"), Source("header", "x-shopify-webhook-id")),
    "slack": (Source("field", "event_id"),),
}
"""Where the vendors say which delivery it is, unless the webhook says otherwise."""


def envelope_of(webhook: WebhookSettings, webhook_id: str, headers: Mapping[str, str], body: Any) -> dict[str, Any]:
    """The event of this delivery, `{name, data, id?}`. Header names are in lower case. A body that is no object becomes
    `{"body": ...}`.

    Raises:
        Malformed: the delivery does not say what its event is called, has no data where they should be, or no id where the
            webhook says that there is one.
    """
    name = webhook.event
    if webhook.name_from is not None:
        said = _said(webhook.name_from, headers, body)
        if said is None:
            raise Malformed.at(_written(webhook.name_from), "is missing, and names the event", "missing")
        name += said
    data = body
    if webhook.data_from:
        data = _at(body, webhook.data_from)
        if data is None:
            raise Malformed.at(webhook.data_from, "is missing, and holds the event's data", "missing")
    envelope: dict[str, Any] = {"name": name, "data": data if isinstance(data, dict) else {"body": data}}
    sources = (webhook.id_from,) if webhook.id_from is not None else DELIVERY_IDS.get(webhook.signing.scheme, ())
    said = next((found for source in sources if (found := _said(source, headers, body)) is not None), None)
    if said is None and webhook.id_from is not None:
        raise Malformed.at(_written(webhook.id_from), "is missing, and tells one delivery from the next", "missing")
    if said is not None:
        envelope["id"] = _event_id(webhook_id, said)
    return envelope


def _event_id(webhook_id: str, delivery_id: str) -> str:
    """The same for each delivery of this id, and never that of another webhook."""
    written = f"hook:{webhook_id}:{delivery_id}"
    if len(written) <= ID_MAX and written.isprintable() and written == written.strip():
        return written
    return f"hook:{webhook_id}:{hashlib.sha256(delivery_id.encode(errors='surrogatepass')).hexdigest()}"


def _said(source: Source, headers: Mapping[str, str], body: Any) -> str | None:
    value = headers.get(source.name.lower()) if source.kind == "header" else _at(body, source.name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


def _at(body: Any, path: str) -> Any:
    value = body
    for part in path.split("."):
        if not isinstance(value, dict):
            return None
        value = cast("dict[str, Any]", value).get(part)
    return value


def _written(source: Source) -> str:
    return source.name
