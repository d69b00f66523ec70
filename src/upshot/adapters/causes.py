"""A chain of causes across HTTP: what a webhook sends of it, and what is believed of what comes back.

The depth is believed of anybody, since it can only stop the event that says it; the rest of ourselves alone, by a proof.
"""

import base64
import binascii
import hmac
import re
from typing import Any, Final, cast

import msgspec

HEADER: Final = "upshot-cause"
TEXT_MAX: Final = 1_000
DEPTH_SAID_MAX: Final = 1_000
MAC_BYTES: Final = 16

_FORM = re.compile(r"depth=([0-9]{1,4})(?:; by=([A-Za-z0-9_-]{1,900}))?")


class Cause(msgspec.Struct, frozen=True):
    """How many events led to a request, and, where it is known, the first of them and the step that made the request."""

    depth: int
    root_id: str | None = None
    run_id: str | None = None
    step_id: str | None = None


def write(key: bytes, cause: Cause) -> str:
    """The header's value, with a proof for whoever has this key."""
    payload = msgspec.json.encode([cause.depth, cause.root_id, cause.run_id, cause.step_id])
    told = base64.urlsafe_b64encode(_mac(key, payload) + payload).rstrip(b"=").decode()
    text = f"depth={cause.depth}; by={told}"
    return text if len(text) <= TEXT_MAX else f"depth={cause.depth}"


def read(key: bytes, text: str | None) -> Cause | None:
    """What a header's value tells; None when it tells nothing."""
    found = _FORM.fullmatch(text) if text is not None and len(text) <= TEXT_MAX else None
    if found is None:
        return None
    told = _proven(key, found[2] or "")
    return Cause(*told) if told is not None else Cause(min(int(found[1]), DEPTH_SAID_MAX))


def _proven(key: bytes, text: str) -> list[Any] | None:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    mac, payload = raw[:MAC_BYTES], raw[MAC_BYTES:]
    if not payload or not hmac.compare_digest(mac, _mac(key, payload)):
        return None
    return cast("list[Any]", msgspec.json.decode(payload))


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, payload, "sha256")[:MAC_BYTES]
