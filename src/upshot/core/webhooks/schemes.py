"""Whether a delivery was signed by somebody who knows the secret: the schemes of the vendors, over the bytes as they came.

Every candidate is compared with every secret in constant time, and all refusals take the same way.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from upshot.core.errors import NotSignedIn

TOLERANCE_SECONDS: Final = 300
ENCODINGS: Final = ("hex", "base64")
CANDIDATES_MAX: Final = 10
SECRET_MIN: Final = 8
SECRET_MAX: Final = 500
KEY_BYTES_MIN: Final = 16
STANDARD_PREFIX: Final = "whsec_"

_SECONDS = re.compile(r"[0-9]{1,12}")


class NotProven(NotSignedIn):
    """The signature is missing, does not fit, or is too old."""

    code = "not_proven"


class Signing(msgspec.Struct, frozen=True):
    """How deliveries are signed. Of `hmac` alone: the header with the signature, its encoding, what stands before it, and the
    header of the signed time, if there is one. Signed times may be `tolerance_seconds` away from now."""

    scheme: str
    header: str = ""
    encoding: str = "hex"
    prefix: str = ""
    timestamp_header: str = ""
    tolerance_seconds: int = TOLERANCE_SECONDS


class Signed(msgspec.Struct, frozen=True):
    """What a delivery says: the bytes that were signed, the signatures, and when it was signed (seconds), if that is signed."""

    content: bytes
    signatures: tuple[bytes, ...]
    at: int | None = None


Headers = Mapping[str, str]
"""Names in lower case."""


def verify(signing: Signing, secrets: Sequence[str], headers: Headers, body: bytes, now_seconds: float) -> None:
    """Hold a delivery to its signature; any one of the secrets will do.

    Raises:
        NotProven: it is not signed so, by none of these secrets, or too long ago.
    """
    if signing.scheme == "none":
        return
    signed = SCHEMES[signing.scheme](signing, headers, body)
    fits = False
    for secret in secrets:
        made = hmac.digest(_key(signing.scheme, secret), signed.content, "sha256")
        for signature in signed.signatures:
            fits |= hmac.compare_digest(made, signature)
    if not fits:
        raise NotProven("The signature does not fit the body: it was made with another secret, or of other bytes.")
    if signed.at is not None and abs(now_seconds - signed.at) > signing.tolerance_seconds:
        raise NotProven(f"It was signed more than {signing.tolerance_seconds} s away from now. Sign and send it anew.")


def secret_problem(scheme: str, secret: str) -> str:
    """What is wrong with a secret for this scheme; empty when nothing is."""
    if not SECRET_MIN <= len(secret) <= SECRET_MAX or not secret.isascii() or not secret.isprintable():
        return f"is {SECRET_MIN} to {SECRET_MAX} printable ASCII characters"
    if scheme == "standard" and len(_key(scheme, secret)) < KEY_BYTES_MIN:
        return f"is {STANDARD_PREFIX} and base64 of at least {KEY_BYTES_MIN} bytes"
    return ""


def _standard(_: Signing, headers: Headers, body: bytes) -> Signed:
    named = "svix" if "webhook-id" not in headers and "svix-id" in headers else "webhook"
    message_id, at, given = (_header(headers, f"{named}-{part}") for part in ("id", "timestamp", "signature"))
    found = [part[3:] for part in given.split() if part.startswith("v1,")]
    return Signed(f"{message_id}.{at}.".encode() + body, _decoded(found, "base64"), _seconds(at))


def _github(_: Signing, headers: Headers, body: bytes) -> Signed:
    given = _header(headers, "x-hub-signature-256")
    return Signed(body, _decoded([given.removeprefix("sha256=")], "hex"))


def _stripe(_: Signing, headers: Headers, body: bytes) -> Signed:
    parts = [part.strip().partition("=") for part in _header(headers, "stripe-signature").split(",")]
    at = next((value for name, _, value in parts if name == "t"), "")
    found = [value for name, _, value in parts if name == "v1"]
    return Signed(f"{at}.".encode() + body, _decoded(found, "hex"), _seconds(at))


def _shopify(_: Signing, headers: Headers, body: bytes) -> Signed:
    return Signed(body, _decoded([_header(headers, "x-shopify-hmac-sha256")], "base64"))


def _slack(_: Signing, headers: Headers, body: bytes) -> Signed:
    at, given = _header(headers, "x-slack-request-timestamp"), _header(headers, "x-slack-signature")
    found = [given.removeprefix("v0=")] if given.startswith("v0=") else []
    return Signed(f"v0:{at}:".encode() + body, _decoded(found, "hex"), _seconds(at))


def _hmac(signing: Signing, headers: Headers, body: bytes) -> Signed:
    given = _header(headers, signing.header.lower())
    found = [given.removeprefix(signing.prefix)] if given.startswith(signing.prefix) else []
    if not signing.timestamp_header:
        return Signed(body, _decoded(found, signing.encoding))
    at = _header(headers, signing.timestamp_header.lower())
    return Signed(f"{at}.".encode() + body, _decoded(found, signing.encoding), _seconds(at))


def _none(_: Signing, _headers: Headers, body: bytes) -> Signed:
    return Signed(body, ())


SCHEMES: Final[Mapping[str, Callable[[Signing, Headers, bytes], Signed]]] = {
    "standard": _standard,
    "github": _github,
    "stripe": _stripe,
    "shopify": _shopify,
    "slack": _slack,
    "hmac": _hmac,
    "none": _none,
}


def _key(scheme: str, secret: str) -> bytes:
    if scheme != "standard":
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(STANDARD_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _header(headers: Headers, name: str) -> str:
    value = headers.get(name)
    if not value:
        raise NotProven(f"The header {name} is missing.")
    return value.strip()


def _seconds(text: str) -> int:
    if _SECONDS.fullmatch(text) is None:
        raise NotProven("The signed time is not a number of seconds since 1970.")
    return int(text)


def _decoded(found: Sequence[str], encoding: str) -> tuple[bytes, ...]:
    signatures: list[bytes] = []
    for text in found[:CANDIDATES_MAX]:
        try:
            signatures.append(bytes.fromhex(text) if encoding == "hex" else base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError):
            continue
    return tuple(signatures)
