"""Sealing: what must be read again and never be read by others, such as the secrets that vendors gave.

[Fernet](https://github.com/fernet/spec): encrypted, then authenticated. Each purpose has a key of its own, derived from the
installation's by HMAC-SHA256, so that a sealed text that is moved to another row cannot be opened there.
"""

import base64
import hmac

from cryptography.fernet import Fernet, InvalidToken


class Sealer:
    """Seals short texts. `purpose` says what a text is for: it is opened for the same only."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, text: str, purpose: str) -> str:
        """This text, for nobody without the key to read."""
        return self._of(purpose).encrypt(text.encode()).decode()

    def open(self, sealed: str, purpose: str) -> str | None:
        """The text that was sealed for this purpose; None when it was not, was changed, or the key is another one."""
        try:
            return self._of(purpose).decrypt(sealed).decode()
        except InvalidToken:
            return None

    def _of(self, purpose: str) -> Fernet:
        key = hmac.digest(self._key, b"sealing:" + purpose.encode(), "sha256")
        return Fernet(base64.urlsafe_b64encode(key))
