"""Sealing: what must be read again and never be read by others, such as the secrets that vendors gave.

Encrypt, then authenticate, with keys derived from the installation's: the key stream is HMAC-SHA256 in counter mode over a
random nonce, and an HMAC-SHA256 over what the text is for, the nonce and the encrypted bytes proves that nothing was changed or
moved to another row. The first part of a sealed text names the form, so that another may follow it.
"""

import base64
import binascii
import hmac
import os
from typing import Final

FORM: Final = "1"
NONCE_BYTES: Final = 16
MAC_BYTES: Final = 32
BLOCK: Final = 32


class Sealer:
    """Seals short texts. `purpose` says what a text is for: it is opened for the same only."""

    def __init__(self, key: bytes) -> None:
        self._encrypting = hmac.digest(key, b"sealing:encrypt", "sha256")
        self._proving = hmac.digest(key, b"sealing:prove", "sha256")

    def seal(self, text: str, purpose: str) -> str:
        """This text, for nobody without the key to read."""
        nonce = os.urandom(NONCE_BYTES)
        hidden = self._mixed(text.encode(), nonce)
        whole = nonce + hidden + self._mac(nonce + hidden, purpose)
        return f"{FORM}.{base64.urlsafe_b64encode(whole).decode()}"

    def open(self, sealed: str, purpose: str) -> str | None:
        """The text that was sealed for this purpose; None when it was not, was changed, or the key is another one."""
        form, _, written = sealed.partition(".")
        try:
            whole = base64.b64decode(written, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        if form != FORM or len(whole) < NONCE_BYTES + MAC_BYTES:
            return None
        kept, mac = whole[:-MAC_BYTES], whole[-MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(kept, purpose)):
            return None
        return self._mixed(kept[NONCE_BYTES:], kept[:NONCE_BYTES]).decode()

    def _mixed(self, given: bytes, nonce: bytes) -> bytes:
        blocks = range(-(-len(given) // BLOCK))
        stream = b"".join(hmac.digest(self._encrypting, nonce + at.to_bytes(4), "sha256") for at in blocks)
        return bytes(one ^ other for one, other in zip(given, stream, strict=False))

    def _mac(self, kept: bytes, purpose: str) -> bytes:
        said = purpose.encode()
        return hmac.digest(self._proving, len(said).to_bytes(4) + said + kept, "sha256")
