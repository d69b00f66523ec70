"""call_webhook against a real server: what is sent, and what each reply means."""

import asyncio
import base64
import hashlib
import hmac
import json
from email.utils import formatdate
from typing import Any

import pytest

from tests.adapters.local_server import LocalServer, Received, reply, serving
from tests.adapters.step import NOW, SECRET, Step
from upshot.adapters.actions import built_in_actions
from upshot.adapters.actions.retry_after import retry_after_seconds
from upshot.adapters.outbound import OutboundClient
from upshot.adapters.outbound_policy import OutboundPolicy
from upshot.core.errors import ActionError, PermanentError, Refused

CALL = next(action for action in built_in_actions() if action.name == "call_webhook")


async def call(server: LocalServer, step: Step | None = None, **arguments: Any) -> Any:
    client = OutboundClient(OutboundPolicy(allow_hosts=frozenset({server.host})))
    step = step or Step()
    step.http = client
    try:
        return await CALL.perform(CALL.validate({"url": f"{server.url}/hook?token=abc", **arguments}), step)
    finally:
        await client.aclose()


def outcome(answer: bytes, **arguments: Any) -> tuple[Any, Received, Step]:
    """Call once; the output or the error, what the server got, and the context."""

    async def scene() -> tuple[Any, Received, Step]:
        step = Step()
        async with serving(answer) as server:
            try:
                result = await call(server, step, **arguments)
            except ActionError as error:
                result = error
        return result, server.received[0], step

    return asyncio.run(scene())


def test_a_json_body_is_sent_signed_and_the_reply_is_the_output() -> None:
    answer = reply(
        200, b'{"ok": true}', content_type="application/json; charset=utf-8", set_cookie="a=b", x_request_id="7"
    )
    output, received, step = outcome(answer, body={"orderId": 7, "name": "Zoë"}, headers={"X-Source": "upshot"})
    assert output == {
        "status": 200,
        "headers": {"content-type": "application/json; charset=utf-8", "x-request-id": "7"},
        "body": '{"ok": true}',
        "json": {"ok": True},
        "is_cut": False,
    }
    assert json.loads(received.body) == {"orderId": 7, "name": "Zoë"}
    assert received.method == "POST"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["x-source"] == "upshot"
    headers = received.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + received.body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-timestamp"] == str(NOW // 1_000_000)
    assert step.lines[0][0].endswith("/hook answered 200")


def test_another_attempt_carries_the_same_ids() -> None:
    async def scene() -> None:
        async with serving(reply(204)) as server:
            await call(server, Step(attempt=1))
            await call(server, Step(attempt=2, now=NOW + 90_000_000))
            await call(server, Step(step_id="other"))
        ids = [received.headers["idempotency-key"] for received in server.received]
        assert ids[0] == ids[1] != ids[2]

    asyncio.run(scene())


def test_a_text_is_sent_as_it_is_and_nothing_as_nothing() -> None:
    _, text, _ = outcome(
        reply(), body="a=b", headers={"Content-Type": "application/x-www-form-urlencoded"}, method="PUT"
    )
    assert (text.method, text.body) == ("PUT", b"a=b")
    assert text.headers["content-type"] == "application/x-www-form-urlencoded"
    _, nothing, _ = outcome(reply(), method="GET", body=None)
    assert (nothing.method, nothing.body) == ("GET", b"")
    assert "content-type" not in nothing.headers


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_fault_that_may_pass_is_tried_again(status: int) -> None:
    error, _, _ = outcome(reply(status, b"busy", retry_after="7"))
    assert type(error) is ActionError
    assert error.retry_after_seconds == 7
    assert f"answered {status}: busy" in str(error)
    assert "token" not in str(error), "a query may hold secrets"


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 409, 410, 422])
def test_a_fault_that_will_not_pass_is_final(status: int) -> None:
    error, _, _ = outcome(reply(status, location="http://169.254.169.254/"))
    assert isinstance(error, PermanentError)


def test_a_server_that_is_gone_is_tried_again_and_a_private_one_is_not() -> None:
    async def scene() -> None:
        async with serving() as server:
            pass
        with pytest.raises(ActionError) as unreachable:
            await call(server)
        assert not isinstance(unreachable.value, PermanentError)
        blocked = Step(http=OutboundClient(OutboundPolicy()))
        with pytest.raises(PermanentError, match="not sent"):
            await CALL.perform(CALL.validate({"url": "https://169.254.169.254/"}), blocked)

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("body", "content_type", "text", "read"),
    [
        (b"\xff\xfe\x00", "text/plain", "\ufffd\ufffd\ufffd", None),
        (b'{"a": NaN}', "application/json", '{"a": NaN}', None),
        (b'{"a": 1, "a": 2}', "application/json", '{"a": 1, "a": 2}', None),
        (b"[1]", "application/problem+json", "[1]", [1]),
        (b"[1]", "text/html", "[1]", None),
        (b"<script>", "text/html", "<script>", None),
    ],
)
def test_a_strange_reply_becomes_harmless_json(body: bytes, content_type: str, text: str, read: Any) -> None:
    output, _, _ = outcome(reply(200, body, content_type=content_type))
    assert (output["body"], output["json"]) == (text, read)


def test_a_credential_that_is_echoed_is_redacted() -> None:
    body = b'{"seen": "Bearer s3cret-token", "key": "s3cret-token"}'
    output, received, _ = outcome(
        reply(200, body, content_type="application/json"), headers={"Authorization": "Bearer s3cret-token"}
    )
    assert received.headers["authorization"] == "Bearer s3cret-token"
    assert "s3cret-token" not in json.dumps(output)


def test_a_long_reply_is_kept_in_part() -> None:
    output, _, _ = outcome(reply(200, b"x" * 100_000, content_type="application/json"))
    assert (len(output["body"]), output["is_cut"], output["json"]) == (65_536, True, None)


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({}, "url"),
        ({"url": "https://example.com", "method": "CONNECT"}, "method"),
        ({"url": "https://example.com", "headers": {"Host": "x"}}, "headers.Host"),
        ({"url": "https://example.com", "headers": {"Webhook-Signature": "x"}}, "headers.Webhook-Signature"),
        ({"url": "https://example.com", "headers": {"X": "a\r\nb"}}, "headers.X"),
        ({"url": "https://example.com", "headers": {"X": ["a"]}}, "headers.X"),
        ({"url": "https://example.com", "timeout_seconds": 0}, "timeout_seconds"),
        ({"url": "https://example.com", "timeout_seconds": 31}, "timeout_seconds"),
        ({"url": "https://example.com", "secret": "x"}, "secret"),
    ],
)
def test_bad_arguments_are_refused_by_their_path(arguments: dict[str, Any], path: str) -> None:
    with pytest.raises(Refused) as caught:
        CALL.validate(arguments)
    assert [problem.path for problem in caught.value.problems] == [path]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("0", 0),
        (" 120 ", 120),
        ("9" * 30, 86_400),
        (formatdate(NOW / 1_000_000 + 60, usegmt=True), 60),
        (formatdate(NOW / 1_000_000 - 60, usegmt=True), 0),
        ("Mon, 99 Nov 2026 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(value, NOW) == seconds
