"""Keys, sessions and loopback: who is let in, and as whom."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.surfaces.conftest import Surface
from upshot.app.settings import Settings
from upshot.app.upshot import Upshot
from upshot.http.app import create_app


def with_key(surface: Surface, key: str, path: str = "/api/v1/stats", **headers: str) -> Any:
    """GET with this key."""
    return surface.client.get(path, headers={"Authorization": f"Bearer {key}", **headers})


def test_what_is_not_exactly_a_key_is_not_a_key(surface: Surface) -> None:
    key = surface.keys["alpha", "viewer"]
    assert with_key(surface, key).status_code == 200
    prefix = "_".join(key.split("_")[:2])
    for wrong in (
        key[:-1],
        key.upper(),
        key + "x",
        prefix,
        f"{prefix}_",
        "upk__",
        "x",
        "\xe9",
        " ",
        "a" * 5_000,
        "upk_%_%",
    ):
        answered = surface.client.get("/api/v1/stats", headers={"Authorization": f"Bearer {wrong}".encode("latin-1")})
        assert answered.status_code in {401, 429}, wrong
        assert key not in answered.text
    assert surface.client.get(f"/api/v1/stats?key={key}").status_code == 401
    assert surface.client.get("/api/v1/stats", headers={"Authorization": f"Basic {key}"}).status_code == 401
    twice = [("Authorization", f"Bearer {key}"), ("Authorization", f"Bearer {key}")]
    assert surface.client.get("/api/v1/stats", headers=twice).status_code == 401


def test_a_revoked_key_stops_at_once(surface: Surface) -> None:
    made = surface.post("/keys", {"name": "short-lived", "role": "viewer"}).json()
    assert with_key(surface, made["key"]).status_code == 200
    assert surface.delete(f"/keys/{made['id']}").status_code == 204
    assert with_key(surface, made["key"]).status_code == 401
    assert surface.delete(f"/keys/{made['id']}").status_code == 204


def test_an_expired_key_is_no_key(surface: Surface) -> None:
    late = surface.post("/keys", {"name": "x", "role": "viewer", "expires_at": "2001-01-01T00:00:00Z"})
    assert late.status_code == 422
    made = surface.post("/keys", {"name": "x", "role": "viewer", "expires_at": "2100-01-01T00:00:00Z"}).json()
    assert with_key(surface, made["key"]).status_code == 200


def test_a_suspended_tenants_keys_are_refused_and_its_events_not_taken(surface: Surface) -> None:
    key = surface.keys["alpha", "viewer"]
    assert with_key(surface, key).status_code == 200
    assert surface.patch("/tenants/alpha", {"status": "suspended"}, tenant="default").status_code == 200
    assert with_key(surface, key).status_code == 403
    assert surface.post("/events", {"name": "x"}).status_code == 403
    assert surface.patch("/tenants/alpha", {"status": "active"}, tenant="default").status_code == 200
    assert with_key(surface, key).status_code == 200


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # it reads the file
def test_a_key_is_shown_once_and_kept_as_a_hash(surface: Surface) -> None:
    key = surface.post("/keys", {"name": "once", "role": "viewer"}).json()["key"]
    secret = key.split("_", 2)[2]
    assert secret not in surface.get("/keys").text
    assert secret not in surface.get("/audit").text
    folder = surface.upshot.database.path
    assert folder is not None
    assert all(secret.encode() not in file.read_bytes() for file in folder.parent.iterdir())


def test_the_last_admin_key_stays(surface: Surface) -> None:
    keys = surface.get("/keys").json()["items"]
    (admin,) = [key for key in keys if key["role"] == "admin"]
    assert surface.delete(f"/keys/{admin['id']}").status_code == 409


def test_a_session_is_opened_used_and_closed(surface: Surface) -> None:
    own = {"Origin": "http://localhost"}
    assert surface.client.post("/api/v1/session", json={"key": "upk_no_no"}).status_code == 401
    opened = surface.client.post("/api/v1/session", json={"key": surface.keys["alpha", "editor"]}, headers=own)
    assert opened.status_code == 200
    cookie = opened.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert surface.client.get("/api/v1/session").json()["role"] == "editor"
    body = {"name": "by-page"}
    assert surface.client.post("/api/v1/events", json=body).status_code == 403
    assert surface.client.post("/api/v1/events", json=body, headers={"Origin": "http://evil.test"}).status_code == 403
    assert surface.client.post("/api/v1/events", json=body, headers={"Origin": "null"}).status_code == 403
    assert surface.client.post("/api/v1/events", json=body, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert surface.client.post("/api/v1/events", json=body, headers=own).status_code == 202
    assert surface.client.delete("/api/v1/session", headers=own).status_code == 204
    assert surface.client.get("/api/v1/session").status_code == 401


def test_a_session_that_was_tampered_with_or_whose_key_is_revoked_is_none(surface: Surface) -> None:
    made = surface.post("/keys", {"name": "person", "role": "viewer"}).json()
    surface.client.post("/api/v1/session", json={"key": made["key"]})
    cookie = surface.client.cookies["upshot_session"]
    assert surface.client.get("/api/v1/session").status_code == 200
    surface.delete(f"/keys/{made['id']}")
    assert surface.client.get("/api/v1/session").status_code == 401
    surface.client.cookies.clear()
    for wrong in (cookie[:-2] + "AA", "", "x", "a.b.c"):
        answered = surface.client.get("/api/v1/session", headers={"Cookie": f"upshot_session={wrong}"})
        assert answered.status_code == 401


def test_no_other_site_may_read(surface: Surface) -> None:
    answered = surface.get("/stats", headers={"Origin": "http://evil.test"})
    assert "access-control-allow-origin" not in answered.headers
    preflight = surface.client.options("/api/v1/stats", headers={"Origin": "http://evil.test"})
    assert preflight.status_code == 405


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Any]:
    """Opens clients of a development server from some address."""
    upshot = Upshot(f"sqlite:///{tmp_path}/dev.db", settings=Settings(secret_key="k" * 32))
    upshot.migrate()
    app = create_app(upshot, dev=True)
    yield lambda address, base="http://localhost:8321": TestClient(app, base_url=base, client=(address, 5_000))
    upshot.close()


def test_in_development_this_machine_needs_no_key(dev: Any) -> None:
    session = dev("127.0.0.1").get("/api/v1/session").json()
    assert session == {"tenant": "default", "role": "admin", "actor": "developer", "dev": True, "zone": "UTC"}
    assert dev("::1", "http://[::1]:8321").get("/api/v1/session").status_code == 200
    assert dev("127.0.0.1").post("/api/v1/events", json={"name": "x"}).status_code == 202


def test_in_development_another_machine_a_rebound_name_or_a_foreign_page_is_refused(dev: Any) -> None:
    assert dev("192.168.1.7").get("/api/v1/session").status_code == 401
    assert dev("127.0.0.1", "http://evil.test:8321").get("/api/v1/session").status_code == 403
    assert dev("127.0.0.1", "http://localhost.evil.test").get("/api/v1/session").status_code == 403
    for header in (
        {"Origin": "http://evil.test"},
        {"Origin": "http://localhost:9999"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        assert dev("127.0.0.1").post("/api/v1/events", json={"name": "x"}, headers=header).status_code == 403
    wrong = {"Authorization": "Bearer upk_a_b"}
    assert dev("127.0.0.1").get("/api/v1/session", headers=wrong).status_code == 401
