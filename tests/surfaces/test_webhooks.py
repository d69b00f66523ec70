"""`/webhooks` and `/hooks/{token}`: signatures as each vendor's documentation computes them, over real HTTP requests."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.surfaces.conftest import StillClock, Surface, document, make_surface
from upshot.adapters.actions import built_in_actions
from upshot.core.action import Reply
from upshot.core.errors import Busy

BODY = json.dumps({"id": "evt_1", "type": "invoice.paid", "event_id": "Ev1", "data": {"total": 5}}).encode()
SECRET = "a secret that the vendor gave"
STANDARD = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def hexed(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def standard(body: bytes, at: int, secret: str) -> dict[str, str]:
    """https://www.standardwebhooks.com: base64(HMAC-SHA256(key, id.timestamp.body))."""
    key = base64.b64decode(secret.split("_", 1)[1])
    made = hmac.new(key, b"msg_1." + str(at).encode() + b"." + body, hashlib.sha256).digest()
    said = "v1,AAAA v1a,BBBB v1," + base64.b64encode(made).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": said}


def github(body: bytes, _at: int, secret: str) -> dict[str, str]:
    """docs.github.com, validating webhook deliveries: sha256=hex(HMAC-SHA256(secret, body))."""
    return {
        "X-Hub-Signature-256": "sha256=" + hexed(secret, body),
        "X-GitHub-Delivery": "72d3162e",
        "X-GitHub-Event": "push",
    }


def stripe(body: bytes, at: int, secret: str) -> dict[str, str]:
    """docs.stripe.com/webhooks: v1=hex(HMAC-SHA256(secret, timestamp.body))."""
    made = hexed(secret, str(at).encode() + b"." + body)
    return {"Stripe-Signature": f"t={at},v1={'0' * 64},v1={made},v0=ff"}


def shopify(body: bytes, _at: int, secret: str) -> dict[str, str]:
    """shopify.dev, verify a webhook: base64(HMAC-SHA256(secret, body))."""
    made = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    return {"X-Shopify-Hmac-SHA256": made, "X-Shopify-Webhook-Id": "b54557e4"}


def slack(body: bytes, at: int, secret: str) -> dict[str, str]:
    """api.slack.com, verifying requests: v0=hex(HMAC-SHA256(secret, v0:timestamp:body))."""
    made = hexed(secret, b"v0:" + str(at).encode() + b":" + body)
    return {"X-Slack-Signature": f"v0={made}", "X-Slack-Request-Timestamp": str(at)}


def plain_hmac(body: bytes, _at: int, secret: str) -> dict[str, str]:
    """The generic one, as it is set up below."""
    return {"X-Sum": hexed(secret, body), "X-Id": "d1"}


def unsigned(_body: bytes, _at: int, _secret: str) -> dict[str, str]:
    return {"X-Id": "d1"}


Sign = Callable[[bytes, int, str], dict[str, str]]
VENDORS: dict[str, Sign] = {
    "standard": standard,
    "github": github,
    "stripe": stripe,
    "shopify": shopify,
    "slack": slack,
    "hmac": plain_hmac,
    "none": unsigned,
}
UNSIGNED = {"name": "unsigned", "event": "told", "signature": {"scheme": "none"}}
TIMED = {"standard", "stripe", "slack"}


def secret_of(scheme: str) -> str:
    return STANDARD if scheme == "standard" else SECRET


def webhook(surface: Surface, scheme: str, **more: Any) -> Any:
    signature: dict[str, Any] = {"scheme": scheme, **({"header": "X-Sum"} if scheme == "hmac" else {})}
    ids = {"id_from": "header:X-Id"} if scheme in {"hmac", "none"} else {}
    secret = {} if scheme == "none" else {"secret": secret_of(scheme)}
    body = {"name": scheme, "event": "told", "signature": signature, **ids, **secret, **more}
    made = surface.post("/webhooks", body)
    assert made.status_code == 201, made.text
    return made.json()


def deliver(surface: Surface, token: str, body: bytes = BODY, /, **headers: str) -> Any:
    given = {"Content-Type": "application/json", **headers}
    return surface.client.post(f"/hooks/{token}", content=body, headers=given)


def now_of(surface: Surface) -> int:
    return surface.upshot.clock.now() // 1_000_000


@pytest.mark.parametrize("scheme", VENDORS)
def test_a_delivery_signed_as_the_vendor_signs_is_an_event_once(surface: Surface, scheme: str) -> None:
    token, sign, secret = webhook(surface, scheme)["token"], VENDORS[scheme], secret_of(scheme)
    at = now_of(surface)
    first = deliver(surface, token, **sign(BODY, at, secret))
    assert first.status_code == 202, first.text
    again = deliver(surface, token, **sign(BODY, at, secret))
    assert again.status_code == 200
    assert again.json() == {"id": first.json()["id"], "duplicate": True}
    event = surface.get(f"/events/{first.json()['id']}").json()
    assert (event["name"], event["data"], event["depth"]) == ("told", json.loads(BODY), 0)
    assert len(surface.get("/events").json()["items"]) == 1
    assert surface.get("/events", tenant="beta").json()["items"] == []
    counted = surface.upshot.engine.process.metrics.hooks
    assert counted == {"accepted": 1, "duplicate": 1}


@pytest.mark.parametrize("scheme", [scheme for scheme in VENDORS if scheme != "none"])
def test_a_delivery_that_is_not_proven_is_refused_and_says_why(surface: Surface, scheme: str) -> None:
    made, sign, secret = webhook(surface, scheme), VENDORS[scheme], secret_of(scheme)
    token, at = made["token"], now_of(surface)
    other = "whsec_" + base64.b64encode(b"x" * 32).decode() if scheme == "standard" else "quite another"
    signed = sign(BODY, at, secret)
    tries = [
        {},
        sign(BODY, at, other),
        sign(BODY + b" ", at, secret),
        {**signed, **dict.fromkeys(signed, "é".encode().hex())},
    ]
    if scheme in TIMED:
        tries += [sign(BODY, at - 400, secret), sign(BODY, at + 400, secret)]
    for headers in tries:
        answered = deliver(surface, token, **headers)
        assert answered.status_code == 401, headers
        assert answered.json()["type"] == "urn:upshot:problem:not_proven"
        assert secret not in answered.text
    assert surface.get("/events").json()["items"] == []
    assert surface.get(f"/webhooks/{made['id']}").json()["last_refused_why"]
    assert deliver(surface, token, **signed).status_code == 202


def test_while_a_secret_or_token_is_changed_both_work(surface: Surface) -> None:
    made = webhook(surface, "github")
    path, at = f"/webhooks/{made['id']}", now_of(surface)
    new = "the next secret of it"
    rotated = surface.post(f"{path}/rotate", {"what": "secret", "secret": new, "overlap_seconds": 3600}).json()
    assert (rotated["secret"], rotated["token"]) == (None, None)
    for number, secret in enumerate((SECRET, new)):
        signed = {**github(BODY, at, secret), "X-GitHub-Delivery": str(number)}
        assert deliver(surface, made["token"], **signed).status_code == 202
    surface.post(f"{path}/rotate", {"what": "secret", "overlap_seconds": 0})
    for secret in (SECRET, new):
        assert deliver(surface, made["token"], **github(BODY, at, secret)).status_code == 401
    made_here = surface.post(f"{path}/rotate", {"what": "secret", "overlap_seconds": 0}).json()["secret"]
    assert deliver(surface, made["token"], **github(BODY, at, made_here)).status_code == 202
    address = surface.post(f"{path}/rotate", {"what": "token", "overlap_seconds": 3600}).json()
    assert address["url"] == f"/hooks/{address['token']}"
    for token in (made["token"], address["token"]):
        assert deliver(surface, token, **github(BODY, at, made_here)).status_code == 200
    last = surface.post(f"{path}/rotate", {"what": "token", "overlap_seconds": 0}).json()["token"]
    for token, status in ((made["token"], 404), (address["token"], 404), (last, 200)):
        assert deliver(surface, token, **github(BODY, at, made_here)).status_code == status
    actions = [entry["action"] for entry in surface.get("/audit?noun=webhook").json()["items"]]
    assert actions == ["rotate_token", "rotate_token", *["rotate_secret"] * 3, "create"]
    kept = surface.get("/audit?noun=webhook").text + surface.get("/webhooks").text + surface.get(path).text
    for hidden in (SECRET, new, made_here, made["token"], last):
        assert hidden not in kept
    with surface.upshot.database.reading() as connection:
        dumped = repr(connection.exec_driver_sql("SELECT * FROM upshot_webhooks").all())
    for hidden in (SECRET, new, made_here, made["token"], last):
        assert hidden not in dumped


def test_bodies_are_held_to_their_form_and_size(surface: Surface) -> None:
    token = webhook(surface, "none", id_from=None)["token"]
    form = "application/x-www-form-urlencoded"
    answered = deliver(surface, token, b"a=1&b=2&b=3&c=", **{"Content-Type": form})
    assert surface.get(f"/events/{answered.json()['id']}").json()["data"] == {"a": "1", "b": ["2", "3"], "c": ""}
    payload = b"payload=%7B%22action%22%3A%22opened%22%7D"
    answered = deliver(surface, token, payload, **{"Content-Type": f"{form}; charset=utf-8"})
    assert surface.get(f"/events/{answered.json()['id']}").json()["data"] == {"action": "opened"}
    listed = deliver(surface, token, b"[1, 2]")
    assert surface.get(f"/events/{listed.json()['id']}").json()["data"] == {"body": [1, 2]}
    for body, kind, status in (
        (b"{", "application/json", 400),
        (b'{"a": 1, "a": 2}', "application/json", 400),
        (b'{"a": NaN}', "application/json", 400),
        (b"x", "text/plain", 415),
        (b"<a/>", "application/xml", 415),
        (b"x", "", 415),
        (b"\xff=1", form, 400),
        (b"a=caf%e9", form, 400),
        (b"a=1&" * 1_001, form, 400),
        (b"payload={", form, 400),
        (b'{"a": "' + b"x" * 300_000 + b'"}', "application/json", 422),
        (b" " * 1_048_577, "application/json", 413),
    ):
        refused = deliver(surface, token, body, **{"Content-Type": kind})
        assert refused.status_code == status, (body[:20], refused.text)
    assert deliver(surface, token, b"{}", **{"Content-Encoding": "gzip"}).status_code == 415


def test_the_name_and_the_data_come_from_where_they_are_said_to(surface: Surface) -> None:
    token = webhook(surface, "github", event="github/", name_from="header:X-GitHub-Event", data_from="data")["token"]
    answered = deliver(surface, token, **github(BODY, 0, SECRET))
    event = surface.get(f"/events/{answered.json()['id']}").json()
    assert (event["name"], event["data"]) == ("github/push", {"total": 5})
    bad = {**github(BODY, 0, SECRET), "X-GitHub-Event": " "}
    assert deliver(surface, token, **bad).status_code == 400
    reserved = webhook(surface, "none", event="", name_from="header:X-Kind", id_from=None)["token"]
    assert deliver(surface, reserved, **{"X-Kind": "system.schedule.x"}).status_code == 400


def test_what_cannot_be_noted_now_changes_no_answer(surface: Surface) -> None:
    made = webhook(surface, "none")
    hook = surface.upshot.webhooks.find(made["token"])
    assert hook is not None
    surface.upshot.commit.close()
    with pytest.raises(Busy):
        surface.upshot.webhooks.save("alpha", made["id"], {"enabled": False})
    surface.upshot.webhooks.note(hook, "why")
    assert surface.upshot.webhooks.get("alpha", made["id"])["last_refused_why"] is None


def test_slack_reads_its_challenge_back_as_plain_text(surface: Surface) -> None:
    token, at = webhook(surface, "slack")["token"], now_of(surface)
    body = json.dumps({"type": "url_verification", "challenge": "<b>3eZbrw1a</b>"}).encode()
    answered = deliver(surface, token, body, **slack(body, at, SECRET))
    assert (answered.status_code, answered.text) == (200, "<b>3eZbrw1a</b>")
    assert answered.headers["content-type"].startswith("text/plain")
    assert deliver(surface, token, body, **slack(body, at, "another secret")).status_code == 401
    assert surface.get("/events").json()["items"] == []


def test_settings_change_on_the_revision_they_were_read_at(surface: Surface) -> None:
    made = webhook(surface, "none", id_from=None)
    path = f"/webhooks/{made['id']}"
    assert surface.patch(path, {"enabled": False}).status_code == 428
    changed = surface.patch(path, {"enabled": False, "revision": 1}).json()
    assert (changed["enabled"], changed["name"], changed["revision"]) == (False, "none", 2)
    assert surface.patch(path, {"enabled": True}, headers={"If-Match": '"1"'}).status_code == 412
    assert deliver(surface, made["token"]).status_code == 404, "one that is off looks like none"
    assert surface.patch(path, {"signature": {"scheme": "github"}, "revision": 2}).status_code == 409
    assert surface.patch(path, {"enabled": True, "event": "", "revision": 2}).status_code == 422
    assert surface.patch(path, {"enabled": True}, headers={"If-Match": '"2"'}).status_code == 200
    assert deliver(surface, made["token"]).status_code == 202
    assert surface.delete(path).status_code == 204
    assert deliver(surface, made["token"]).status_code == 404
    assert surface.get(path).status_code == 404


def test_no_secret_is_left_out_silently(surface: Surface) -> None:
    def status(signature: Any, **more: Any) -> int:
        body = {"name": "x", "event": "x", "signature": signature, **more}
        return int(surface.post("/webhooks", body).status_code)

    assert surface.post("/webhooks", {"name": "x", "event": "x"}).status_code == 400
    for scheme in ("stripe", "shopify", "slack"):
        assert status({"scheme": scheme}) == 422, "its secret is the vendor's to give"
    assert status({"scheme": "none"}, secret="long enough") == 422
    assert status({"scheme": "standard"}, secret="not base64!") == 422
    assert status({"scheme": "github"}, secret="short") == 400
    made = surface.post("/webhooks", {"name": "x", "event": "x", "signature": {"scheme": "standard"}}).json()
    at = now_of(surface)
    assert deliver(surface, made["token"], **standard(BODY, at, made["secret"])).status_code == 202


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Surface]:
    """Time stands still, so that a slow machine makes no difference to how many requests there are in a second."""
    yield from make_surface(tmp_path, clock=StillClock(), requests_per_second=5)


def test_addresses_that_are_none_are_alike_and_soon_slowed_down(still: Surface) -> None:
    token = still.upshot.webhooks.create("alpha", UNSIGNED)["token"]
    tries = [deliver(still, other) for other in ("x", token[:-1], f"{token}x", "ü")]
    assert {(one.status_code, one.text) for one in tries} == {(404, tries[0].text)}
    statuses = [deliver(still, f"uph_{number}").status_code for number in range(20)]
    assert statuses[-1] == 429
    assert deliver(still, token).status_code == 429, "whoever guesses is heard no more for a while"


def test_a_burst_to_one_webhook_is_slowed_down_and_no_other(still: Surface) -> None:
    first, second = (still.upshot.webhooks.create("alpha", UNSIGNED)["token"] for _ in range(2))
    statuses = [deliver(still, first).status_code for _ in range(12)]
    assert statuses == [202] * 10 + [429] * 2
    assert deliver(still, second).status_code == 202


def test_a_suspended_tenant_receives_nothing(surface: Surface) -> None:
    token = webhook(surface, "none", id_from=None)["token"]
    assert deliver(surface, token).status_code == 202
    surface.upshot.tenants.change("alpha", status="suspended")
    assert deliver(surface, token, **{"X-Id": "d2"}).status_code in {403, 404}


def test_what_a_run_calls_and_hears_back_is_its_consequence(running: Surface) -> None:
    """F21: an outbound webhook that leads to our own inbound one. The header is all that comes back of the chain."""
    sent: list[dict[str, str]] = []
    token = webhook(running, "none", id_from=None)["token"]

    class Echo:
        async def request(self, _method: str, _url: str, *, headers: Any = None, **_more: Any) -> Reply:
            sent.append(dict(headers))
            return Reply(200, {}, b"")

    call = next(action for action in built_in_actions() if action.name == "call_webhook")

    @running.upshot.action("call")
    async def call_out(args: dict, context) -> dict:  # type: ignore[type-arg] - an action may take plain arguments
        class Context:
            http = Echo()

            def __getattr__(self, name: str) -> Any:
                return getattr(context, name)

        echoed: Any = Context()
        return await call.perform(call.validate({"url": "https://example.com/x"}), echoed)

    made = running.post(
        "/automations",
        document(
            trigger={"event": "told"},
            condition=None,
            steps=[{"id": "out", "action": "call", "with": {}}],
            status="active",
        ),
    )
    assert made.status_code == 201, made.text
    first = deliver(running, token).json()["id"]
    for depth in range(1, 18):
        running.settle()
        assert len(sent) == depth
        event_id = deliver(running, token, **{"Upshot-Cause": sent[-1]["upshot-cause"]}).json()["id"]
        event = running.get(f"/events/{event_id}").json()
        assert (event["depth"], event["root_id"], len(event["path"])) == (depth, first, depth)
        assert event["path"][0]["event"]["id"] == first
        assert event["cause"]["step_id"] == "out"
    running.settle()
    assert len(sent) == 17, "the seventeenth consequence starts nothing"
    assert event["status"] == "loop_stopped"
    foreign = deliver(running, token, **{"Upshot-Cause": "depth=16; by=AAAA"}).json()["id"]
    assert running.get(f"/events/{foreign}").json()["status"] == "loop_stopped"
    other = running.upshot.engine.process.secrets.cause("beta", sent[0]["upshot-cause"])
    assert other is not None
    assert (other.root_id, other.run_id) == (None, None), "what caused it is told to its own tenant alone"
