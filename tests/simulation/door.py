"""Another system that tells through a webhook of each tenant: every delivery is signed, sent until it is answered, perhaps once
more, and one event by its id (I1). What takes it is what `POST /hooks/{token}` calls.
"""

import base64
from dataclasses import dataclass
from typing import Any

from upshot import Upshot
from upshot.adapters.signatures import sign
from upshot.app.settings import Settings
from upshot.core.instants import SECOND
from upshot.core.strict_json import decode, encode
from upshot.core.webhooks import envelope_of

SETTINGS = Settings(secret_key="0" * 64)
SECRET = "whsec_" + base64.b64encode(b"o" * 32).decode()
DELIVERED = "sim/asked"


@dataclass(frozen=True)
class Door:
    """The webhook of a tenant."""

    token: str
    webhook_id: str

    def source_id(self, delivery_id: str) -> str:
        """The id of the event of this delivery."""
        return f"hook:{self.webhook_id}:{delivery_id}"


DOORS: dict[str, Door] = {}
"""Of each tenant, as they are in the file that the present world started from."""


def build(upshot: Upshot, tenant_id: str) -> None:
    """Make a tenant's door."""
    document = {"name": "Door", "event": DELIVERED, "signature": {"scheme": "standard"}}
    made = upshot.webhooks.create(tenant_id, document, secret=SECRET)
    DOORS[tenant_id] = Door(made["token"], made["id"])


async def deliver(upshot: Upshot, tenant_id: str, delivery_id: str, data: dict[str, Any], now: int) -> bool:
    """Bring a delivery that was signed `now`; whether it was taken before."""
    door, body = DOORS[tenant_id], encode(data).encode()
    signature = sign([SECRET], delivery_id, now // SECOND, body)
    headers = {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(now // SECOND),
        "webhook-signature": signature,
    }
    hook = upshot.webhooks.known(door.token) or upshot.webhooks.find(door.token)
    assert hook is not None
    upshot.webhooks.prove(hook, headers, body)
    envelope = envelope_of(hook.settings, hook.kept.id, headers, decode(body))
    (accepted,) = await upshot.events.accept_async(hook.kept.tenant_id, [envelope], [None])
    return accepted.duplicate
