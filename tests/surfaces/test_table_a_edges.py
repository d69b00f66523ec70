"""Rates, addresses, names and instants (reliability research, table A, rows 11 to 14): the expected outcome of each input."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.surfaces.conftest import StillClock, Surface, asgi_scope, hand_over, make_surface
from upshot.testing.harness import new_file

# --- A11: rates -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Rates, hosts and headers are decided before any database is asked."""
    return new_file(tmp_path)


@pytest.fixture
def clock() -> StillClock:
    """Time that the test moves."""
    return StillClock()


@pytest.fixture
def slow(tmp_path: Path, clock: StillClock) -> Iterator[Surface]:
    """A hundred requests a second for each key and tenant."""
    yield from make_surface(tmp_path, requests_per_second=100, clock=clock)


def test_a11_requests_on_one_key_are_held_to_a_rate(slow: Surface, clock: StillClock) -> None:
    assert [slow.get("/actions").status_code for _ in range(1_000)] == [200] * 200 + [429] * 800
    refused = slow.get("/actions")
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["type"] == "urn:upshot:problem:too_many_requests"
    assert slow.get("/actions", tenant="beta").status_code == 200
    assert slow.post("/events", {"name": "x"}).status_code == 429
    clock.instant += 1_000_000
    assert [slow.get("/actions").status_code for _ in range(110)] == [200] * 100 + [429] * 10


def test_a11_many_keys_of_one_tenant_share_its_rate(slow: Surface) -> None:
    roles = ("viewer", "editor", "operator", "admin")
    answered = [slow.get("/actions", role=roles[number % 4]).status_code for number in range(300)]
    assert answered == [200] * 200 + [429] * 100
    assert slow.get("/actions", tenant="beta").status_code == 200


def test_a11_sign_ins_with_keys_that_do_not_work_are_held_to_a_rate(slow: Surface) -> None:
    assert slow.get("/actions").status_code == 200
    guesses = [slow.client.post("/api/v1/session", json={"key": f"upk_a_{n}"}) for n in range(100)]
    assert [guess.status_code for guess in guesses] == [401] * 10 + [429] * 90
    assert int(guesses[-1].headers["retry-after"]) >= 1
    headers = {"Authorization": "Bearer upk_a_b"}
    assert slow.client.get("/api/v1/stats", headers=headers).status_code == 429
    assert slow.get("/actions").status_code == 200, "whoever has a key that is known is not held up by a guesser"


# --- A12: other methods and spellings of an address -----------------------------------------------------------------------

SPELLINGS = [
    "/api/v1/stats/",
    "/api/v1//stats",
    "//api/v1/stats",
    "///api/v1/stats",
    "/api//v1/stats",
    "/api/v1/../v1/stats",
    "/api/v1/%2e%2e/v1/stats",
    "/api/v1/./stats",
    "/API/v1/stats",
    "/api/v1/STATS",
    "/api/v1/stats;x=1",
    "/api/v1/stats%20",
    "/v1/stats",
]


@pytest.mark.parametrize("path", SPELLINGS)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
def test_a12_another_spelling_of_an_address_is_no_way_around_the_key(resting: Surface, path: str, method: str) -> None:
    for headers in ([], None):
        status, _, body = hand_over(resting, asgi_scope(resting, path, headers, method))
        assert status in {400, 401, 404, 405}, body
        assert b'"runs":' not in body


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "DELETE", "POST", "CONNECT", "X"])
def test_a12_another_method_is_no_way_around_the_key(resting: Surface, method: str) -> None:
    for role in (None, "admin"):
        answered = resting.call(method, "/stats", role=role)
        assert answered.status_code in {401, 404, 405}
        assert "completed" not in answered.text
    listed = resting.call("DELETE", "/runs")
    assert (listed.status_code, listed.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a12_a_method_override_is_not_heard(surface: Surface, name: str) -> None:
    surface.post("/entities/patient", {"id": "p"})
    assert surface.get("/entities/patient/p", headers={name: "DELETE"}).status_code == 200
    assert surface.get("/entities/patient/p?_method=DELETE").status_code == 400
    assert surface.get("/entities/patient/p").status_code == 200
    assert surface.client.get("/api/v1/stats", headers={name: "POST"}).status_code == 401
    assert surface.get("/outbox/publish", headers={name: "POST"}).status_code == 405


@pytest.mark.parametrize("query", ["limit=1&limit=2", "limit=1&limit=1", "name=x&name=y", "cursor=a&cursor=b"])
def test_a12_a_parameter_given_twice_is_refused(resting: Surface, query: str) -> None:
    refused = resting.get(f"/events?{query}")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "repeated_parameter")


@pytest.mark.parametrize("header", ["Idempotency-Key", "If-Match", "Authorization", "Content-Type", "X-Odd"])
def test_a12_a_line_break_in_a_header_makes_no_header(surface: Surface, header: str) -> None:
    key = f"Bearer {surface.keys['alpha', 'admin']}"
    given = key if header == "Authorization" else "application/json" if header == "Content-Type" else '"1"'
    headers = [(b"authorization", key.encode())] if header != "Authorization" else []
    headers.append((header.lower().encode(), f"{given}\r\nX-Made: 1".encode()))
    for method, path in (("POST", "/api/v1/events"), ("PUT", "/api/v1/entities/note/n"), ("GET", "/api/v1/events")):
        scope = asgi_scope(surface, path, headers, method)
        body = b'{"name": "x"}' if method == "POST" else b'{"fields": {}}'
        status, answered, _ = hand_over(surface, scope, body)
        assert status < 500
        assert not any(b"\r" in value or b"\n" in value or name == b"x-made" for name, value in answered)


def test_a12_the_key_given_twice_is_refused(surface: Surface) -> None:
    key = (b"authorization", f"Bearer {surface.keys['alpha', 'admin']}".encode())
    assert hand_over(surface, asgi_scope(surface, "/api/v1/stats", [key, key], "GET"))[0] == 401


@pytest.mark.parametrize(
    "path",
    ["/metrics/", "/metrics/x", "/Metrics", "//metrics", "/livez/", "/readyz/x", "/healthz/", "/v1/events"],
)
def test_a12_an_address_for_machines_is_never_answered_with_the_page(resting: Surface, path: str) -> None:
    status, headers, body = hand_over(resting, asgi_scope(resting, path, [], "GET"))
    assert (status, dict(headers)[b"content-type"]) == (404, b"application/problem+json"), body


def test_a12_who_asks_for_json_is_not_answered_with_the_page(surface: Surface) -> None:
    asked = surface.client.get("/nothing", headers={"Accept": "application/json"})
    assert (asked.status_code, asked.headers["content-type"]) == (404, "application/problem+json")


# --- A13, A14: names and instants -----------------------------------------------------------------------------------------

NO_NAMES: dict[str, Any] = {
    "empty": "",
    "blank": " ",
    "201 characters": "a" * 201,
    "a megabyte": "a" * 1_048_576,
    "reserved": "system.started",
    "line break": "a\nb",
    "space before": " a",
    "right-to-left override": "a\u202eb",
    "zero-width space": "order\u200b.created",
    "no-break space": "order\u00a0created",
    "Cyrillic a": "crm/\u0430ppointment.created",
    "Greek omicron": "\u03bfrder.created",
    "Armenian oh": "\u0585rder.created",
    "full-width letters": "\uff4frder.created",
    "ligature": "\ufb01le.created",
    "split accent": "cafe\u0301.opened",
    "mathematical letters": "\U0001d428rder.created",
    "null": None,
    "number": 5,
    "list": ["x"],
}


@pytest.mark.parametrize("what", NO_NAMES)
def test_a13_what_is_no_name_of_an_event_is_refused(resting: Surface, what: str) -> None:
    for body, path in (({"name": NO_NAMES[what]}, "name"), ([{"name": "x"}, {"name": NO_NAMES[what]}], "[1].name")):
        refused = resting.post("/events", body)
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["path"] == path
        assert len(refused.content) < 5_000
    assert resting.get("/events").json()["items"] == []


def test_a13_an_event_without_a_name_is_refused(surface: Surface) -> None:
    refused = surface.post("/events", {"data": {}})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (400, "name")


@pytest.mark.parametrize("what", ["blank", "201 characters", "reserved", "Cyrillic a", "zero-width space", "ligature"])
def test_a13_what_is_no_name_of_an_event_is_none_of_a_type_either(surface: Surface, what: str) -> None:
    refused = surface.put(f"/event-types/{quote(NO_NAMES[what], safe='')}", {})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (400, "name")
    assert surface.get("/event-types").json()["items"] == []


@pytest.mark.parametrize(
    "name", ["crm/appointment.created", "Größe geändert", "запись/создана", "予約/created", "παραγγελία"]
)
def test_a13_a_name_in_one_script_is_a_name(surface: Surface, name: str) -> None:
    assert surface.post("/events", {"name": name}).status_code == 202


def test_a13_the_host_is_held_to_the_same_names(surface: Surface) -> None:
    from upshot import Refused

    for name in ("crm/\u0430ppointment.created", "system.started", ""):
        with pytest.raises(Refused, match="name"):
            surface.upshot.emit(name, {}, tenant="alpha")
        with pytest.raises(Refused, match="name"):
            surface.upshot.emit_many([{"name": "x"}, {"name": name}], tenant="alpha")


@pytest.mark.parametrize(
    "ts",
    [
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:60Z",
        "9999-12-31T23:59:59-01:00",
        "10000-01-01T00:00:00Z",
        "2026-11-21T09:00:00+99:99",
        "2026-11-21T09:00:00+24:00",
        "2026-11-21T09:00:00",
        "2026-11-21",
        "2026-11-21T23:59:60Z",
        "2016-12-31T23:59:60Z",
        "2026-11-21T24:00:00Z",
        "2026-02-29T09:00:00Z",
        "2026-13-01T00:00:00Z",
        "soon",
        "",
        5,
        1e400,
        ["2026-11-21T09:00:00Z"],
    ],
)
def test_a14_what_is_no_instant_is_refused(resting: Surface, ts: Any) -> None:
    body = '{"name": "x", "ts": 1e400}' if ts == 1e400 else None
    refused = (
        resting.post("/events", {"name": "x", "ts": ts})
        if body is None
        else resting.call("POST", "/events", content=body, headers={"Content-Type": "application/json"})
    )
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["path"] == "ts"
    if isinstance(ts, str):
        refused = resting.get("/events", params={"since": ts})
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (400, "since")


@pytest.mark.parametrize(
    ("ts", "utc"),
    [
        ("2026-11-21T10:00:00+01:00", "2026-11-21T09:00:00.000000Z"),
        ("2026-11-21T00:30:00.5-09:30", "2026-11-21T10:00:00.500000Z"),
        ("2026-11-21T09:00:00-00:00", "2026-11-21T09:00:00.000000Z"),
        ("2026-11-21T09:00:00.1234567Z", "2026-11-21T09:00:00.123456Z"),
        ("0002-01-01T00:00:00Z", "0002-01-01T00:00:00.000000Z"),
        ("9998-12-31T23:59:59Z", "9998-12-31T23:59:59.000000Z"),
    ],
)
def test_a14_an_instant_with_an_offset_becomes_utc(surface: Surface, ts: str, utc: str) -> None:
    surface.post("/events", {"name": "x", "id": "e", "ts": ts})
    assert surface.get("/events/e").json()["ts"] == utc
