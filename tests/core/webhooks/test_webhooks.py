"""Inbound webhooks, without HTTP: what is refused of their settings, what any change of a delivery does to its proof, and which
event a delivery is."""

import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upshot.adapters import causes
from upshot.adapters.causes import Cause
from upshot.adapters.sealing import Sealer
from upshot.core.errors import Malformed, Refused
from upshot.core.webhooks import NotProven, envelope_of, read_webhook, to_document, verify
from upshot.core.webhooks.schemes import Signing

NOW = 1_800_000_000
KEY = b"k" * 32
PLAIN: dict[str, Any] = {"name": "orders", "event": "order.paid", "signature": {"scheme": "none"}}


def refused(**changes: Any) -> set[tuple[str, str]]:
    with pytest.raises(Refused) as caught:
        read_webhook({**PLAIN, **changes})
    return {(problem.path, problem.code) for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"name": " "}, "name", "bad_name"),
        ({"name": "x" * 101}, "name", "bad_name"),
        ({"event": ""}, "event", "bad_name"),
        ({"event": 5}, "event", "bad_name"),
        ({"event": "system.schedule.x"}, "event", "reserved_name"),
        ({"name_from": "type"}, "name_from", "bad_source"),
        ({"name_from": "header:X Y"}, "name_from", "bad_source"),
        ({"id_from": "body:x"}, "id_from", "bad_source"),
        ({"data_from": ["x"]}, "data_from", "bad_path"),
        ({"enabled": "yes"}, "enabled", "wrong_type"),
        ({"signature": None}, "signature", "bad_scheme"),
        ({"signature": "md5"}, "signature", "bad_scheme"),
        ({"signature": {"scheme": "hmac"}}, "signature.header", "required"),
        ({"signature": {"scheme": "hmac", "header": "a b"}}, "signature.header", "bad_text"),
        ({"signature": {"scheme": "hmac", "header": "X", "encoding": "rot13"}}, "signature.encoding", "bad_option"),
        ({"signature": {"scheme": "github", "header": "X"}}, "signature.header", "unknown_field"),
        ({"signature": {"scheme": "slack", "tolerance_seconds": 0}}, "signature.tolerance_seconds", "out_of_range"),
        ({"signature": {"scheme": "slack", "secret": "x"}}, "signature.secret", "unknown_field"),
        ({"token": "mine"}, "token", "unknown_field"),
    ],
)
def test_settings_that_will_not_do_are_refused_by_their_path(changes: dict[str, Any], path: str, code: str) -> None:
    assert (path, code) in refused(**changes)


def test_settings_are_written_as_they_are_read() -> None:
    full = {
        **PLAIN,
        "name_from": "header:X-Kind",
        "data_from": "data.object",
        "id_from": "field:id",
        "signature": {
            "scheme": "hmac",
            "header": "X-Sig",
            "encoding": "base64",
            "prefix": "v=",
            "timestamp_header": "X-At",
        },
        "enabled": False,
    }
    for document in (PLAIN, full, {**PLAIN, "signature": "github"}):
        webhook = read_webhook(document)
        assert read_webhook(to_document(webhook)) == webhook


# --- proofs -----------------------------------------------------------------------------------------------------------------

BODIES = st.binary(max_size=200)
SECRETS = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=8, max_size=40)


@settings(max_examples=100, deadline=None)
@given(BODIES, SECRETS, SECRETS, st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_only_the_same_bytes_secret_and_time_are_proven(
    body: bytes, secret: str, other: str, at: int, more: bytes
) -> None:
    signing = Signing("hmac", header="X-Sig", prefix="p=", timestamp_header="X-At")
    made = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"x-sig": f"p={made}", "x-at": str(at)}
    verify(signing, [other, secret], headers, body, at + 300)
    for change in (
        (signing, [other], headers, body, at) if other != secret else None,
        (signing, [], headers, body, at),
        (signing, [secret], headers, body + more, at),
        (signing, [secret], {**headers, "x-at": str(at + 1)}, body, at),
        (signing, [secret], {**headers, "x-sig": made}, body, at),
        (signing, [secret], {**headers, "x-sig": f"p={made[:-2]}"}, body, at),
        (signing, [secret], {**headers, "x-sig": f"p={made}00"}, body, at),
        (signing, [secret], {"x-at": str(at)}, body, at),
        (signing, [secret], headers, body, at + 301),
        (signing, [secret], headers, body, at - 301),
    ):
        if change is not None:
            with pytest.raises(NotProven):
                verify(*change)


@pytest.mark.parametrize("text", ["", "-1", "1.5", "१२३", "1" * 13, "now", " "])
def test_a_signed_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(NotProven):
        verify(Signing("slack"), ["s" * 8], {"x-slack-request-timestamp": text, "x-slack-signature": "v0=00"}, b"", NOW)


# --- deliveries -------------------------------------------------------------------------------------------------------------


def envelope(body: Any, headers: dict[str, str] | None = None, /, **changes: Any) -> dict[str, Any]:
    return envelope_of(read_webhook({**PLAIN, **changes}), "w1", headers or {}, body)


def test_a_delivery_becomes_an_event() -> None:
    body = {"id": 7, "type": "invoice.paid", "data": {"object": {"total": 5}}, "list": [1]}
    assert envelope(body) == {"name": "order.paid", "data": body}
    assert envelope(body, name_from="field:type", event="stripe/")["name"] == "stripe/invoice.paid"
    assert envelope(body, {"x-kind": "push"}, name_from="header:X-Kind", event="")["name"] == "push"
    assert envelope(body, data_from="data.object")["data"] == {"total": 5}
    assert envelope(body, data_from="list")["data"] == {"body": [1]}
    assert envelope([1, 2])["data"] == {"body": [1, 2]}
    assert envelope(body, id_from="field:id")["id"] == "hook:w1:7"
    assert "id" not in envelope({}, signature="github")
    for changes in (
        {"name_from": "header:X-Kind"},
        {"data_from": "data.nothing"},
        {"name_from": "field:list"},
        {"id_from": "field:nothing"},
        {"id_from": "header:X-Id"},
    ):
        with pytest.raises(Malformed):
            envelope(body, **changes)


@pytest.mark.parametrize(
    ("scheme", "headers"),
    [
        ("standard", {"webhook-id": "d1"}),
        ("standard", {"svix-id": "d1"}),
        ("github", {"x-github-delivery": "d1"}),
        ("stripe", {}),
        ("shopify", {"x-shopify-event-id": "d1"}),
        ("shopify", {"x-shopify-webhook-id": "d1"}),
        ("slack", {}),
    ],
)
def test_the_vendors_say_which_delivery_it_is(scheme: str, headers: dict[str, str]) -> None:
    body = {"id": "d1"} if scheme == "stripe" else {"event_id": "d1"}
    assert envelope(body, headers, signature=scheme)["id"] == "hook:w1:d1"


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1, max_size=400))
def test_any_delivery_id_becomes_an_event_id_of_its_own(said: str) -> None:
    made = envelope({"id": said}, id_from="field:id")["id"]
    assert len(made) <= 200
    assert made.isprintable()
    assert made == made.strip()
    assert made != envelope({"id": said + "x"}, id_from="field:id")["id"]


# --- what is sealed, and what causes --------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=100), st.integers(0, 500))
def test_what_is_sealed_is_opened_by_the_same_key_and_purpose_alone(text: str, at: int) -> None:
    sealer = Sealer(KEY)
    sealed = sealer.seal(text, "webhook:a:1")
    assert sealer.open(sealed, "webhook:a:1") == text
    assert sealer.seal(text, "webhook:a:1") != sealed
    assert len(text) < 4 or text not in sealed
    assert sealer.open(sealed, "webhook:a:2") is None
    assert Sealer(b"other" * 8).open(sealed, "webhook:a:1") is None
    place = at % len(sealed)
    changed = sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1 :]
    assert sealer.open(changed, "webhook:a:1") in (None, text), "the last character may hold bits that mean nothing"
    assert sealer.open(sealed[:-4], "webhook:a:1") is None


def test_a_cause_is_believed_of_ourselves_and_its_depth_of_anybody() -> None:
    cause = Cause(3, "root", "run", "step “ü”")
    text = causes.write(KEY, cause)
    assert causes.read(KEY, text) == cause
    assert causes.read(b"another", text) == Cause(3)
    assert causes.read(KEY, text.replace("depth=3", "depth=1")) == cause, "the proof says it"
    assert causes.read(KEY, "depth=9999") == Cause(1000)
    for nothing in (None, "", "depth=x", "depth=-1", f"{text}, {text}", "depth=1; by=", "x" * 2_000):
        assert causes.read(KEY, nothing) is None
    assert causes.read(KEY, "depth=2; by=AAAA") == Cause(2)
    assert causes.read(KEY, causes.write(KEY, Cause(2, "r", "x", "s" * 900))) == Cause(2)
