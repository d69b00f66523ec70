"""Texts that leave the server and come back unchanged or not at all: cursors and sessions."""

import base64
import binascii
import hmac
from typing import Any

import msgspec

MAC_BYTES = 16


class Signer:
    """Signs small JSON values with keys derived from the installation's, one for each purpose."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, purpose: str, value: Any) -> str:
        """A text for URLs and cookies that holds this value in the clear, and shows when it was changed."""
        payload = msgspec.json.encode(value)
        return base64.urlsafe_b64encode(self._mac(purpose, payload) + payload).rstrip(b"=").decode()

    def read(self, purpose: str, text: str) -> Any:
        """The value in a text that `sign` made for this purpose; None for any other text."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        mac, payload = raw[:MAC_BYTES], raw[MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(purpose, payload)):
            return None
        return msgspec.json.decode(payload)

    def _mac(self, purpose: str, payload: bytes) -> bytes:
        key = hmac.digest(self._key, f"http:{purpose}".encode(), "sha256")
        return hmac.digest(key, payload, "sha256")[:MAC_BYTES]
