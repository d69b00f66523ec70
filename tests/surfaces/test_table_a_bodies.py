"""Bad bodies (reliability research, table A, rows 1 to 5): the expected outcome of each input of each row."""

import asyncio
import gzip
import json
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import pytest

from tests.surfaces.conftest import Headers, Surface, asgi_scope, document, raw
from upshot.http import strict_body
from upshot.http.openapi import schema
from upshot.testing.harness import new_file

# --- A1, A2: JSON that two readers would read differently, or that is made to break a reader ------------------------------

UNREADABLE = {
    "NaN": ('{"name":"x","data":{"a":NaN}}', "data.a"),
    "Infinity": ('{"name":"x","data":{"a":Infinity}}', "data.a"),
    "-Infinity": ('{"name":"x","data":{"a":-Infinity}}', "data.a"),
    "1e400": ('{"name":"x","data":{"a":1e400}}', "data.a"),
    "-1e400 in a list": ('{"name":"x","data":{"a":[1,-1e400]}}', "data.a[1]"),
    "duplicate key": ('{"name":"x","data":{"a":1,"a":2}}', "data.a"),
    "duplicate key at the root": ('{"name":"x","name":"y"}', "name"),
    "duplicate key, escaped": ('{"name":"x","data":{"a":1,"\\u0061":2}}', "data.a"),
    "high surrogate": ('{"name":"x","data":{"a":"\\ud800"}}', "data.a"),
    "low surrogate": ('{"name":"x","data":{"a":"\\udc00x"}}', "data.a"),
    "NUL": ('{"name":"x","data":{"a":"\\u0000"}}', "data.a"),
}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Bodies are read and refused before any database is asked."""
    return new_file(tmp_path)


@pytest.mark.parametrize("what", UNREADABLE)
@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("POST", "/events"),
        ("POST", "/automations"),
        ("POST", "/automations/import"),
        ("POST", "/entities/patient"),
        ("PUT", "/entities/patient/p1"),
        ("PUT", "/event-types/x"),
        ("PATCH", "/tenants/alpha"),
    ],
)
def test_a1_json_that_is_not_read_alike_everywhere_is_refused_by_its_path(
    resting: Surface, what: str, method: str, address: str
) -> None:
    text, path = UNREADABLE[what]
    refused = raw(resting, text, address, method)
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/problem+json"
    assert path in {error["path"] for error in refused.json()["errors"]}
    for noun in ("events", "automations", "entities", "event-types"):
        assert resting.get(f"/{noun}").json()["items"] == []


@pytest.mark.parametrize("text", ["", "{", "nul", '{"name":"x"}}', "\xff\xfe", '"x"', "5", "null", '{"name":"x",}'])
def test_a1_what_is_not_an_event_in_json_is_refused(resting: Surface, text: str) -> None:
    assert raw(resting, text.encode("latin-1")).status_code in {400, 415}


@pytest.mark.parametrize("address", ["/events", "/automations", "/entities/patient"])
@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000])
def test_a2_a_depth_of_100000_is_refused_before_it_is_followed(resting: Surface, address: str, deep: str) -> None:
    assert raw(resting, deep, address).status_code == 400


@pytest.mark.parametrize("address", ["/events", "/automations", "/entities/patient"])
@pytest.mark.parametrize("number", ["9" * 5_000, "-" + "9" * 5_000, "18446744073709551616", "-9223372036854775809"])
def test_a2_an_integer_of_5000_digits_is_refused_by_its_path(resting: Surface, address: str, number: str) -> None:
    refused = raw(resting, f'{{"name":"x","data":{{"a":{number}}}}}', address)
    assert refused.status_code == 400
    assert "data.a" in {error["path"] for error in refused.json()["errors"]}


def test_a2_ids_beyond_2_to_the_53_stay_exact(surface: Surface) -> None:
    data = {"id": 2**53 + 1, "least": -(2**63), "most": 2**63 - 1}
    assert surface.post("/events", {"name": "x", "id": "e", "data": data}).status_code == 202
    assert surface.get("/events/e").json()["data"] == data
    surface.post("/entities/order", {"id": "o", "fields": {"number": 2**53 + 1}})
    assert surface.get("/entities/order/o").json()["fields"] == {"number": 2**53 + 1}


def test_a2_a_million_keys_are_refused_at_the_cap_and_fewer_by_the_limit_of_the_data(surface: Surface) -> None:
    million = '{"name":"x","data":{' + ",".join(f'"{number:x}":0' for number in range(1_000_000)) + "}}"
    for address in ("/events", "/automations", "/entities/patient"):
        assert raw(surface, million, address).status_code == 413
    fewer = json.dumps({"name": "x", "data": {str(number): 0 for number in range(100_000)}})
    refused = raw(surface, fewer)
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "data")
    assert surface.get("/events").json()["items"] == []


# --- A3: bodies that are too large or never end ---------------------------------------------------------------------------

CAPS = {"/events": 8_388_608, "/automations": 1_048_576}
A_HUNDRED_MIB = 104_857_600


def admin(surface: Surface) -> tuple[bytes, bytes]:
    return b"authorization", f"Bearer {surface.keys['alpha', 'admin']}".encode()


def endless(surface: Surface, path: str, headers: Headers) -> tuple[int, int]:
    """Send chunks of 64 KiB, 100 MiB in all, until the application answers; the status, and how many bytes it took."""
    taken, status = 0, 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 65_536
        return {"type": "http.request", "body": bytes(65_536), "more_body": taken < A_HUNDRED_MIB}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    asyncio.run(surface.client.app(asgi_scope(surface, f"/api/v1{path}", headers), receive, send))  # type: ignore[arg-type, misc] - ASGI
    return status, taken


@pytest.mark.parametrize("path", CAPS)
def test_a3_100_mib_without_a_length_are_cut_off_at_the_cap_and_memory_stays_flat(surface: Surface, path: str) -> None:
    tracemalloc.start()
    status, taken = endless(surface, path, [admin(surface), (b"transfer-encoding", b"chunked")])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (status, taken) == (413, CAPS[path] + 65_536)
    assert most < CAPS[path] + 2_000_000


@pytest.mark.parametrize("path", CAPS)
def test_a3_what_says_it_is_too_large_is_not_read_at_all(surface: Surface, path: str) -> None:
    said = (b"content-length", str(A_HUNDRED_MIB).encode())
    assert endless(surface, path, [admin(surface), said]) == (413, 0)


@pytest.mark.parametrize("path", ["/events", "/automations", "/runs/x/cancel"])
def test_a3_a_stranger_cannot_make_the_server_read(surface: Surface, path: str) -> None:
    assert endless(surface, path, []) == (401, 0)


@pytest.mark.parametrize("path", CAPS)
@pytest.mark.parametrize("piece", [b"", b" "])
def test_a3_a_body_that_trickles_in_is_given_up_on(
    surface: Surface, monkeypatch: pytest.MonkeyPatch, path: str, piece: bytes
) -> None:
    monkeypatch.setattr(strict_body, "SECONDS_MAX", 0.02)
    answers: list[Any] = []

    async def trickle() -> Any:
        if not piece:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        return {"type": "http.request", "body": piece, "more_body": True}

    async def send(message: Any) -> None:
        answers.append(message)

    asyncio.run(surface.client.app(asgi_scope(surface, f"/api/v1{path}"), trickle, send))  # type: ignore[arg-type, misc] - ASGI
    assert answers[0]["status"] == 408


@pytest.mark.parametrize("path", CAPS)
def test_a3_compressed_bodies_are_not_taken(surface: Surface, path: str) -> None:
    bomb = b" " * 10_000_000
    packed = {"gzip": gzip.compress(bomb), "deflate": zlib.compress(bomb), "br": b"\x0b", "zstd": b"(\xb5/\xfd"}
    for encoding, body in packed.items():
        assert raw(surface, body, path, **{"Content-Encoding": encoding}).status_code == 415, encoding
    assert raw(surface, packed["gzip"], path).status_code == 400, "nobody unpacks what does not say that it is packed"


# --- A4: what is not said to be JSON --------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/events", "/automations", "/entities/patient", "/tenants", "/session"])
@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/jsonp",
        "json",
    ],
)
def test_a4_only_what_is_said_to_be_json_is_read(resting: Surface, address: str, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    assert resting.call("POST", address, content='{"name": "x"}', headers=headers).status_code == 415


def test_a4_there_are_no_forms_and_a_forged_files_object_is_an_unknown_field(surface: Surface) -> None:
    for path, operations in schema()["paths"].items():
        for operation in operations.values():
            assert set(operation.get("requestBody", {}).get("content", {})) <= {"application/json"}, path
    forged = {"files": {"file": {"filepath": "/etc/passwd", "mimetype": "text/plain"}}}
    for address, body in (("/events", {"name": "x"}), ("/entities/patient", {}), ("/automations", document())):
        refused = surface.post(address, {**body, **forged})
        assert refused.status_code == 400
        assert "files" in {error["path"] for error in refused.json()["errors"]}
        assert "root:" not in refused.text


# --- A5: fields that nobody asked for -------------------------------------------------------------------------------------

BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/events"): {"name": "x"},
    ("POST", "/automations"): document(),
    ("PUT", "/automations/{automation_id}"): document(revision=1),
    ("POST", "/automations/validate"): {"document": {}},
    ("POST", "/automations/test"): {"document": document(), "data": {}},
    ("POST", "/automations/{automation_id}/test"): {"data": {}},
    ("POST", "/automations/{automation_id}/run"): {"data": {}},
    ("POST", "/automations/{automation_id}/backtest"): {},
    ("POST", "/automations/{automation_id}/replay"): {},
    ("POST", "/automations/{automation_id}/restore"): {"version": 1},
    ("POST", "/automations/{automation_id}/publish"): {},
    ("POST", "/automations/{automation_id}/pause"): {},
    ("POST", "/runs/bulk"): {"action": "cancel"},
    ("POST", "/runs/{run_id}/skip"): {"step": "x"},
    ("POST", "/runs/{run_id}/rerun"): {},
    ("POST", "/webhooks"): {"name": "x", "event": "shop/paid", "signature": {"scheme": "none"}},
    ("PATCH", "/webhooks/{webhook_id}"): {"revision": 1},
    ("POST", "/webhooks/{webhook_id}/rotate"): {"what": "token"},
    ("POST", "/entities/{type}"): {},
    ("PUT", "/entities/{type}/{entity_id}"): {"fields": {}},
    ("PATCH", "/entities/{type}/{entity_id}"): {"fields": {}},
    ("PUT", "/event-types/{name}"): {},
    ("POST", "/segments"): {"name": "x", "entity_type": "patient", "condition": {"field": "x", "operator": "exists"}},
    ("PUT", "/segments/{segment_id}"): {"name": "x", "condition": {"field": "x", "operator": "exists"}},
    ("POST", "/tenants"): {"id": "gamma", "name": "Gamma"},
    ("PATCH", "/tenants/{tenant_id}"): {},
    ("POST", "/tenants/{tenant_id}/keys"): {"name": "x", "role": "viewer"},
    ("POST", "/keys"): {"name": "x", "role": "viewer"},
    ("POST", "/session"): {"key": "x"},
    ("POST", "/dead-letters/bulk"): {"fingerprint": "x", "action": "retry"},
    ("POST", "/dead-letters/{letter_id}/replay"): {"data": {}},
    ("POST", "/dead-letters/{letter_id}/discard"): {"reason": "known"},
}
NAMES = {"type": "patient", "entity_id": "p1", "name": "x", "tenant_id": "alpha"} | dict.fromkeys(
    ("letter_id", "run_id", "webhook_id", "segment_id"), "x"
)
OWNED = ("tenant_id", "tenant", "role", "status", "created_at", "updated_at", "created_by", "accepted_at", "__proto__")
ALLOWED = {"role": {"/keys", "/tenants/{tenant_id}/keys"}, "status": {"/automations", "/tenants/{tenant_id}"}}
"""Fields that are the caller's to give at these addresses."""


@pytest.mark.parametrize(("method", "path"), BODIES, ids=" ".join)
def test_a5_what_the_server_owns_is_an_unknown_field(surface: Surface, method: str, path: str) -> None:
    made = surface.post("/automations", document()).json()["id"]
    address = path.format_map({**NAMES, "automation_id": made})
    for name in OWNED:
        if path.removesuffix("/{automation_id}") in ALLOWED.get(name, ()):
            continue
        refused = surface.call(method, address, json={**BODIES[method, path], name: "beta"})
        assert refused.status_code == 400, (name, refused.text)
        assert name in {error["path"].strip('["]') for error in refused.json()["errors"]}
    assert surface.get("/entities").json()["items"] == surface.get("/runs").json()["items"] == []


def test_a5_every_address_with_a_body_is_in_the_table() -> None:
    free = {("POST", "/automations/import"), ("POST", "/automations/{automation_id}/diff")}
    written = {
        (method.upper(), path.removeprefix("/api/v1").replace(":path", ""))
        for path, operations in schema()["paths"].items()
        for method, operation in operations.items()
        if "requestBody" in operation
    }
    assert written - free == set(BODIES)


def test_a5_a_status_that_is_not_the_callers_to_give_is_refused(surface: Surface) -> None:
    made = surface.post("/automations", document()).json()["id"]
    for status in ("archived", "x", 5):
        assert surface.post("/automations", document(status=status)).status_code == 422
        assert surface.put(f"/automations/{made}", document(status=status, revision=1)).status_code == 422
    assert surface.post("/automations", document(status="paused")).json()["status"] == "draft", "nothing was published"
    assert surface.patch("/tenants/alpha", {"status": "suspended"}).status_code == 403
    assert surface.post("/keys", {"name": "x", "role": "owner"}).status_code == 400


def test_a5_an_import_says_what_of_another_system_it_left_out_and_keeps_it_in_the_callers_tenant(
    surface: Surface,
) -> None:
    owned = {"id": "theirs", "tenant_id": "beta", "created_at": "2020-01-01T00:00:00Z"}
    (told,) = surface.post("/automations/import", document(**owned)).json()["automations"]
    assert {note["path"] for note in told["notes"]} == set(owned)
    kept = surface.get(f"/automations/{told['id']}").json()
    assert kept["created_at"] != owned["created_at"]
    assert surface.get("/automations", tenant="beta").json()["items"] == []


def test_a5_an_address_without_a_body_takes_none(surface: Surface) -> None:
    made = surface.post("/automations", document()).json()
    assert surface.post(f"/automations/{made['id']}/publish", {"status": "active"}).status_code == 400
    assert surface.post(f"/automations/{made['id']}/publish", {}).status_code == 200
