"""Standard Webhooks signatures, against the standard's own example."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upshot.adapters.signatures import sign, signed_headers, webhook_id

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_standards_example() -> None:
    made = sign([SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_changes_both_sign() -> None:
    new = "whsec_" + base64.b64encode(b"new" * 8).decode()
    both = sign([SECRET, new], "a", 1, b"").split(" ")
    assert both == [sign([SECRET], "a", 1, b""), sign([new], "a", 1, b"")]


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_***", "whsec_ä"])
def test_a_secret_that_is_none_does_not_sign(secret: str) -> None:
    with pytest.raises(ValueError, match="base64"):
        sign([secret], "a", 1, b"")
    with pytest.raises(ValueError, match="no secret"):
        sign([], "a", 1, b"")


def test_the_headers_verify() -> None:
    headers = signed_headers([SECRET], "run:step.1", 1_800_000_000_999_999, b"body")
    assert headers["webhook-timestamp"] == "1800000000"
    assert headers["idempotency-key"] == headers["webhook-id"]
    signed = f"{headers['webhook-id']}.1800000000.".encode() + b"body"
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


@given(st.text(), st.text())
def test_an_id_is_safe_and_belongs_to_one_key(one: str, other: str) -> None:
    made = webhook_id(one)
    assert made
    assert len(made) <= 100
    assert all(character.isascii() and (character.isalnum() or character in "_-") for character in made)
    assert webhook_id(one) == made
    assert (webhook_id(other) == made) == (one == other)


def test_an_id_cannot_pose_as_the_digest_of_another() -> None:
    assert webhook_id(webhook_id("a:b")) != webhook_id("a:b")
    assert webhook_id("plain-1") == "plain-1"
