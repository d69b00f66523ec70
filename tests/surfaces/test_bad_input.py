"""Bad input and attacks on the API (reliability research, table A): the expected outcome of each row."""

import asyncio
import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.surfaces.conftest import StillClock, Surface, document, make_surface
from upshot.http import strict_body
from upshot.store import idempotency


def raw(surface: Surface, body: bytes | str, path: str = "/events", **headers: str) -> Any:
    """POST these very bytes as JSON."""
    return surface.call("POST", path, content=body, headers={"Content-Type": "application/json", **headers})


# --- A1, A2: JSON that two readers would read differently, or that is made to break a reader ------------------------------


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"name":"x","data":{"a":NaN}}', "data.a"),
        ('{"name":"x","data":{"a":-Infinity}}', "data.a"),
        ('{"name":"x","data":{"a":1e400}}', "data.a"),
        ('{"name":"x","data":{"a":1,"a":2}}', "data.a"),
        ('{"name":"x","data":{"a":"\\u0000"}}', "data.a"),
        ('{"name":"x","data":{"a":"\\ud800"}}', "data.a"),
        ('{"name":"x","data":{"a":' + "9" * 5_000 + "}}", "data.a"),
        ('{"name":"x","data":{"a":18446744073709551616}}', "data.a"),
    ],
)
@pytest.mark.parametrize("address", ["/events", "/automations", "/entities/patient"])
def test_a1_json_that_is_not_read_alike_everywhere_is_refused_by_its_path(
    surface: Surface, text: str, path: str, address: str
) -> None:
    refused = raw(surface, text, address)
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/problem+json"
    assert path in {error["path"] for error in refused.json()["errors"]}
    assert surface.get("/events").json()["items"] == []


@pytest.mark.parametrize("text", ["", "{", "nul", '{"name":"x"}}', "\xff\xfe", '"x"', "5", "null", '{"name":"x",}'])
def test_a1_what_is_not_an_event_in_json_is_refused(surface: Surface, text: str) -> None:
    assert raw(surface, text.encode("latin-1")).status_code in {400, 415}


def test_a2_depth_and_many_keys_are_bounded_and_large_ids_stay_exact(surface: Surface) -> None:
    for deep in ("[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000):
        assert raw(surface, deep).status_code == 400
        assert raw(surface, deep, "/automations").status_code == 400
    many = json.dumps({"name": "x", "data": {str(number): number for number in range(400_000)}})
    assert raw(surface, many).status_code in {413, 422}
    assert raw(surface, many, "/automations").status_code == 413
    exact = {"name": "x", "id": "e", "data": {"id": 2**53 + 1, "more": -(2**63)}}
    assert surface.post("/events", exact).status_code == 202
    assert surface.get("/events/e").json()["data"] == exact["data"]


# --- A3: bodies that are too large or never end ---------------------------------------------------------------------------


def asgi_scope(surface: Surface, path: str = "/events", headers: Any = None) -> dict[str, Any]:
    """A POST as a server hands it over; with an admin's key where no headers are given."""
    admin = (b"authorization", f"Bearer {surface.keys['alpha', 'admin']}".encode())
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": f"/api/v1{path}",
        "raw_path": f"/api/v1{path}".encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"localhost"),
            (b"content-type", b"application/json"),
            *([admin] if headers is None else headers),
        ],
        "client": ("10.0.0.1", 5),
        "server": ("localhost", 80),
    }


def endless(surface: Surface, path: str, headers: list[tuple[bytes, bytes]], chunk: bytes) -> tuple[int, int]:
    """Send chunks until the application answers; the status, and how many bytes it took."""
    taken, status = 0, 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += len(chunk)
        assert taken < 200_000_000, "the application reads without end"
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    asyncio.run(surface.client.app(asgi_scope(surface, path, headers), receive, send))  # type: ignore[arg-type, misc] - ASGI
    return status, taken


def test_a3_a_body_without_a_length_is_cut_off_at_the_cap(surface: Surface) -> None:
    key = (b"authorization", f"Bearer {surface.keys['alpha', 'admin']}".encode())
    status, taken = endless(surface, "/events", [key], b" " * 65_536)
    assert (status, taken <= 8_388_608 + 65_536) == (413, True)
    status, taken = endless(surface, "/automations", [key], b" " * 65_536)
    assert (status, taken <= 1_048_576 + 65_536) == (413, True)


def test_a3_what_says_it_is_too_large_is_not_read_at_all(surface: Surface) -> None:
    key = (b"authorization", f"Bearer {surface.keys['alpha', 'admin']}".encode())
    assert endless(surface, "/events", [key, (b"content-length", b"104857600")], b" ") == (413, 0)


def test_a3_a_stranger_cannot_make_the_server_read(surface: Surface) -> None:
    for path in ("/events", "/automations", "/runs/x/cancel"):
        assert endless(surface, path, [], b" " * 65_536) == (401, 0)


def test_a3_a_body_that_trickles_in_is_given_up_on(surface: Surface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict_body, "SECONDS_MAX", 0.01)

    async def silence() -> Any:
        await asyncio.Event().wait()

    answers: list[Any] = []

    async def send(message: Any) -> None:
        answers.append(message)

    asyncio.run(surface.client.app(asgi_scope(surface), silence, send))  # type: ignore[arg-type, misc] - an ASGI application
    assert answers[0]["status"] == 408


def test_a3_compressed_bodies_are_not_taken(surface: Surface) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    assert raw(surface, bomb, **{"Content-Encoding": "gzip"}).status_code == 415
    assert raw(surface, bomb, "/automations", **{"Content-Encoding": "gzip"}).status_code == 415


# --- A4: what is not said to be JSON --------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/events", "/automations", "/entities/patient", "/tenants", "/session"])
def test_a4_only_json_is_read(surface: Surface, address: str) -> None:
    text = json.dumps({"name": "x"})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"):
        assert surface.call("POST", address, content=text, headers={"Content-Type": kind}).status_code == 415, kind
    assert surface.call("POST", address, content=text).status_code == 415
    utf16 = surface.call("POST", address, content=text, headers={"Content-Type": "application/json; charset=utf-16"})
    assert utf16.status_code == 415


# --- A5: fields that nobody asked for -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/events", {"name": "x"}),
        ("POST", "/automations", document()),
        ("POST", "/entities/patient", {}),
        ("POST", "/keys", {"name": "x", "role": "viewer"}),
        ("POST", "/automations/validate", {"document": {}}),
        ("PUT", "/event-types/x", {}),
        ("PATCH", "/tenants/alpha", {}),
        ("POST", "/session", {"key": "x"}),
    ],
)
def test_a5_what_the_server_owns_is_an_unknown_field(surface: Surface, method: str, path: str, body: Any) -> None:
    for name in ("tenant_id", "created_at", "accepted_at", "__proto__"):
        refused = surface.call(method, path, json={**body, name: "beta"})
        assert refused.status_code == 400, (name, refused.text)
        assert name in {error["path"].strip('["]') for error in refused.json()["errors"]}


def test_a5_an_address_without_a_body_takes_none(surface: Surface) -> None:
    made = surface.post("/automations", document()).json()
    assert surface.post(f"/automations/{made['id']}/publish", {"status": "active"}).status_code == 400
    assert surface.post(f"/automations/{made['id']}/publish", {}).status_code == 200


# --- A6, A7, A8: lists, ids, searches -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/events", "/runs", "/automations", "/event-types", "/entities/patient", "/keys", "/audit", "/tenants"]
)
def test_a6_lists_take_only_what_they_know(surface: Surface, path: str) -> None:
    for query in (
        "limit=-1",
        "limit=0",
        "limit=1000000000",
        "limit=201",
        "limit=x",
        "cursor=x",
        "offset=5",
        "sort=hash",
        "limit=1&limit=2",
    ):
        refused = surface.get(f"{path}?{query}")
        assert refused.status_code == 400, query
        assert refused.json()["errors"][0]["path"] in {"limit", "cursor", "offset", "sort"}


def test_a6_a_cursor_is_good_for_its_own_list_and_tenant(surface: Surface) -> None:
    for tenant in ("alpha", "beta"):
        surface.post("/events", [{"name": "x"}, {"name": "x"}], tenant=tenant)
    cursor = surface.get("/events?limit=1").json()["next"]
    assert len(surface.get(f"/events?limit=1&cursor={cursor}").json()["items"]) == 1
    assert surface.get(f"/events?cursor={cursor}", tenant="beta").status_code == 400
    assert surface.get(f"/runs?cursor={cursor}").status_code == 400
    for place in range(0, len(cursor), 7):
        changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        assert surface.get(f"/events?cursor={changed}").status_code == 400


ODD_IDS = [
    "none",
    "%00",
    "%2e%2e%2fetc",
    "A" * 300,
    "%F0%9F%92%A5",
    "%D9%A3",
    "%27%3B%20DROP%20TABLE%20x",
    "%ff",
    "..%2f..",
    "%0d%0aX-A:%201",
]


@pytest.mark.parametrize("odd", ODD_IDS)
def test_a7_an_odd_id_is_an_unknown_one(surface: Surface, odd: str) -> None:
    for noun in ("events", "runs", "automations", "event-types", "entities/patient", "tenants"):
        answered = surface.get(f"/{noun}/{odd}")
        assert answered.status_code == 404, noun
        assert answered.json()["type"] == "urn:upshot:problem:not_found"
    assert surface.delete(f"/keys/{odd}").status_code == 404
    assert surface.post(f"/runs/{odd}/cancel").status_code == 404
    assert surface.get("/automations/none/versions/99999999999999999999").status_code == 400


def test_a8_a_search_is_literal(surface: Surface) -> None:
    surface.post("/automations", document(name="100% of it_all"))
    for needle, found in (("%", 1), ("_", 1), ("it_", 1), ("of%it", 0), ("' OR 1=1 --", 0), ("$.name", 0), ("\\", 0)):
        assert len(surface.get("/automations", params={"q": needle}).json()["items"]) == found, needle


# --- A9: Idempotency-Key --------------------------------------------------------------------------------------------------


def test_a9_the_same_request_under_the_same_key_is_done_once(surface: Surface) -> None:
    key = {"Idempotency-Key": "k1"}
    first = surface.post("/automations", document(), headers=key)
    again = surface.post("/automations", document(), headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert len(surface.get("/automations").json()["items"]) == 1
    other = surface.post("/automations", document(name="Other"), headers=key)
    assert (other.status_code, other.json()["errors"][0]["code"]) == (422, "key_reused")
    assert surface.post("/events", {"name": "x"}, headers=key).status_code == 422
    assert surface.post("/automations", document(), headers=key, tenant="beta").json()["id"] != first.json()["id"]


def test_a9_a_request_that_failed_gives_its_key_back(surface: Surface) -> None:
    key = {"Idempotency-Key": "k1"}
    assert surface.post("/entities/patient", {"id": " "}, headers=key).status_code == 422
    assert surface.post("/entities/patient", {"id": "p1"}, headers=key).status_code == 201


def test_a9_while_the_first_is_under_way_the_second_waits(surface: Surface) -> None:
    now = surface.upshot.clock.now()
    body = b'{"name":"x"}'
    hashed = hashlib.sha256(body).hexdigest()
    route = "POST /api/v1/events"
    surface.upshot.commit.run(lambda c: idempotency.claim(c, "alpha", "k1", route, hashed, now, now + 60_000_000))
    waiting = raw(surface, body, **{"Idempotency-Key": "k1"})
    assert waiting.status_code == 409
    assert waiting.headers["retry-after"] == "1"
    surface.upshot.commit.run(lambda c: idempotency.remove_expired(c, now + 60_000_000))
    assert raw(surface, body, **{"Idempotency-Key": "k1"}).status_code == 202


def test_a9_what_is_shown_once_is_never_kept(surface: Surface) -> None:
    refused = surface.post("/keys", {"name": "x", "role": "viewer"}, headers={"Idempotency-Key": "k"})
    assert refused.status_code == 400


# --- A11: rates -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Surface]:
    """Five requests a second for each key and tenant."""
    yield from make_surface(tmp_path, requests_per_second=5, clock=StillClock())


def test_a11_a_key_a_tenant_and_a_guesser_are_held_to_a_rate(slow: Surface) -> None:
    assert [slow.get("/stats").status_code for _ in range(12)] == [200] * 10 + [429] * 2
    refused = slow.get("/stats")
    assert refused.headers["retry-after"] == "1"
    assert slow.get("/stats", role="viewer").status_code == 429, "another key of the same tenant"
    assert slow.get("/stats", tenant="beta").status_code == 200
    guesses = [slow.client.post("/api/v1/session", json={"key": "upk_a_b"}).status_code for _ in range(12)]
    assert guesses == [401] * 10 + [429] * 2


# --- A12: other methods and spellings of an address -----------------------------------------------------------------------


def test_a12_no_other_spelling_or_method_gets_around_the_key(surface: Surface) -> None:
    client = surface.client
    for method in ("HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "DELETE"):
        assert client.request(method, "/api/v1/stats").status_code in {401, 404, 405}, method
    for path in (
        "/api/v1/stats/",
        "/api/v1//stats",
        "//api/v1/stats",
        "/api/v1/%2e%2e/v1/stats",
        "/api/v1/./stats",
        "/API/v1/stats",
    ):
        answered = client.get(path)
        assert "runs" not in answered.text or "text/html" in answered.headers["content-type"], path
    override = client.get("/api/v1/stats", headers={"X-HTTP-Method-Override": "POST"})
    assert override.status_code == 401
    listed = surface.call("DELETE", "/runs")
    assert listed.status_code == 405
    assert listed.headers["allow"] == "GET"
    assert surface.get("/outbox/publish").status_code == 405
    assert surface.get("/nothing").status_code == 404


# --- A13, A14: names and instants -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["", " ", "a" * 201, "a" * 900_000, "system.started", "a\nb", " a", "a\u202eb", None, 5, ["x"]]
)
def test_a13_what_is_no_name_of_an_event_is_refused(surface: Surface, name: Any) -> None:
    refused = surface.post("/events", {"name": name})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["path"] == "name"
    assert len(refused.content) < 5_000


@pytest.mark.parametrize(
    "ts",
    [
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:60Z",
        "2026-11-21T09:00:00+99:99",
        "2026-11-21T09:00:00",
        "2026-11-21T23:59:60Z",
        "soon",
        5,
        "2026-13-01T00:00:00Z",
    ],
)
def test_a14_what_is_no_instant_is_refused(surface: Surface, ts: Any) -> None:
    refused = surface.post("/events", {"name": "x", "ts": ts})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["path"] == "ts"


def test_a14_an_instant_with_an_offset_becomes_utc(surface: Surface) -> None:
    surface.post("/events", {"name": "x", "id": "e", "ts": "2026-11-21T10:00:00+01:00"})
    assert surface.get("/events/e").json()["ts"] == "2026-11-21T09:00:00.000000Z"


def test_a_batch_is_accepted_as_a_whole_or_not_at_all(surface: Surface) -> None:
    refused = surface.post("/events", {"events": [{"name": "x"}, {"name": ""}, {"data": {}}, 5]})
    assert refused.status_code == 400
    assert {error["path"].split(".")[0] for error in refused.json()["errors"]} == {"[1]", "[2]", "[3]"}
    assert surface.post("/events", [{"name": "x"}] * 1_001).status_code == 400
    assert surface.post("/events", []).status_code == 400
    assert surface.get("/events").json()["items"] == []
    assert len(surface.post("/events", [{"name": "x"}] * 1_000).json()["ids"]) == 1_000


def test_an_error_of_ours_tells_nothing_of_inside(surface: Surface, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("the inside")

    monkeypatch.setattr(surface.upshot.stats, "get", broken)
    answered = surface.get("/stats")
    assert answered.status_code == 500
    assert answered.headers["content-type"] == "application/problem+json"
    assert "the inside" not in answered.text
    assert "Traceback" not in answered.text
