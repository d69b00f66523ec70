"""Standard Webhooks signatures (https://www.standardwebhooks.com): what is signed is what is sent, byte for byte."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
ID_MAX: Final = 100

_SAFE_ID = re.compile(rf"[A-Za-z0-9_-]{{1,{ID_MAX}}}")


def webhook_id(key: str) -> str:
    """The `webhook-id` for an idempotency key: the key itself when it is safe, else a digest of it.

    The same key gives the same id and two keys never share one. A dot would let the signed text be cut elsewhere.
    """
    if _SAFE_ID.fullmatch(key) and not key.startswith("msg_"):
        return key
    digest = hashlib.sha256(key.encode(errors="surrogatepass")).digest()
    return "msg_" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def sign(secrets: Sequence[str], message_id: str, timestamp_seconds: int, body: bytes) -> str:
    """The `webhook-signature` header: a `v1,` signature for each secret, so that a secret can be changed with overlap.

    Raises:
        ValueError: there is no secret, or one is not `whsec_` and base64.
    """
    if not secrets:
        raise ValueError("There is no secret to sign with.")
    signed = f"{message_id}.{timestamp_seconds}.".encode() + body
    made = (base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode() for secret in secrets)
    return " ".join(f"v1,{signature}" for signature in made)


def signed_headers(secrets: Sequence[str], key: str, now: int, body: bytes) -> dict[str, str]:
    """The headers of one signed webhook; `key` is its idempotency key and `now` microseconds UTC."""
    message_id, timestamp = webhook_id(key), now // 1_000_000
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secrets, message_id, timestamp, body),
        "idempotency-key": message_id,
    }


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError(f"A signing secret is {PREFIX} and base64.")
    return key
