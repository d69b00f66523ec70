"""Every route of the application, with no key, a foreign tenant's key, and too small a role.

The table below is the promise: a route that is not in it fails, so nobody adds one without saying who may.
"""

from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import Route

from tests.surfaces.conftest import ROLES, Surface, document
from upshot.app.keys import Caller
from upshot.core import dead_letters
from upshot.http.app import create_app
from upshot.store import dead_letters as store
from upshot.testing.harness import new_file

INSTALLATION = "installation"
"""For whoever runs the installation and for no tenant: `test_operations` holds these to it."""
ROLE_OF: dict[str, str] = {
    "POST /api/v1/events": "emitter",
    "GET /api/v1/events": "viewer",
    "GET /api/v1/events/{event_id}": "viewer",
    "GET /api/v1/events/{event_id}/explain": "viewer",
    "GET /api/v1/event-types": "viewer",
    "GET /api/v1/event-types/{name}": "viewer",
    "PUT /api/v1/event-types/{name}": "editor",
    "DELETE /api/v1/event-types/{name}": "editor",
    "GET /api/v1/automations": "viewer",
    "POST /api/v1/automations": "editor",
    "POST /api/v1/automations/validate": "viewer",
    "POST /api/v1/automations/test": "viewer",
    "POST /api/v1/automations/import": "editor",
    "GET /api/v1/automations/export": "viewer",
    "GET /api/v1/automations/labels": "viewer",
    "GET /api/v1/automations/{automation_id}": "viewer",
    "PUT /api/v1/automations/{automation_id}": "editor",
    "DELETE /api/v1/automations/{automation_id}": "editor",
    "POST /api/v1/automations/{automation_id}/undelete": "editor",
    "POST /api/v1/automations/{automation_id}/publish": "editor",
    "POST /api/v1/automations/{automation_id}/activate": "editor",
    "POST /api/v1/automations/{automation_id}/pause": "editor",
    "POST /api/v1/automations/{automation_id}/archive": "editor",
    "POST /api/v1/automations/{automation_id}/duplicate": "editor",
    "GET /api/v1/automations/{automation_id}/export": "viewer",
    "POST /api/v1/automations/{automation_id}/test": "viewer",
    "POST /api/v1/automations/{automation_id}/backtest": "viewer",
    "GET /api/v1/automations/{automation_id}/insights": "viewer",
    "POST /api/v1/automations/{automation_id}/run": "editor",
    "POST /api/v1/automations/{automation_id}/replay": "operator",
    "GET /api/v1/automations/{automation_id}/replays": "viewer",
    "GET /api/v1/automations/{automation_id}/replays/{replay_id}": "viewer",
    "POST /api/v1/automations/{automation_id}/replays/{replay_id}/pause": "operator",
    "POST /api/v1/automations/{automation_id}/replays/{replay_id}/resume": "operator",
    "POST /api/v1/automations/{automation_id}/replays/{replay_id}/cancel": "operator",
    "GET /api/v1/automations/{automation_id}/diff": "viewer",
    "POST /api/v1/automations/{automation_id}/diff": "viewer",
    "POST /api/v1/automations/{automation_id}/restore": "editor",
    "GET /api/v1/automations/{automation_id}/versions": "viewer",
    "GET /api/v1/automations/{automation_id}/versions/{version}": "viewer",
    "GET /api/v1/runs": "viewer",
    "GET /api/v1/schedules": "viewer",
    "GET /api/v1/runs/{run_id}": "viewer",
    "GET /api/v1/runs/{run_id}/called": "viewer",
    "POST /api/v1/runs/bulk": "operator",
    "POST /api/v1/runs/{run_id}/cancel": "operator",
    "POST /api/v1/runs/{run_id}/pause": "operator",
    "POST /api/v1/runs/{run_id}/resume": "operator",
    "POST /api/v1/runs/{run_id}/retry": "operator",
    "POST /api/v1/runs/{run_id}/skip": "operator",
    "POST /api/v1/runs/{run_id}/rerun": "operator",
    "GET /api/v1/dead-letters": "viewer",
    "GET /api/v1/dead-letters/groups": "viewer",
    "GET /api/v1/dead-letters/{letter_id}": "viewer",
    "POST /api/v1/dead-letters/{letter_id}/retry": "operator",
    "POST /api/v1/dead-letters/{letter_id}/replay": "operator",
    "POST /api/v1/dead-letters/{letter_id}/discard": "operator",
    "POST /api/v1/dead-letters/bulk": "operator",
    "GET /api/v1/entities": "viewer",
    "GET /api/v1/entities/{type}": "viewer",
    "POST /api/v1/entities/{type}": "editor",
    "GET /api/v1/entities/{type}/{entity_id}": "viewer",
    "PUT /api/v1/entities/{type}/{entity_id}": "editor",
    "PATCH /api/v1/entities/{type}/{entity_id}": "editor",
    "DELETE /api/v1/entities/{type}/{entity_id}": "editor",
    "GET /api/v1/segments": "viewer",
    "POST /api/v1/segments": "editor",
    "GET /api/v1/segments/{segment_id}": "viewer",
    "PUT /api/v1/segments/{segment_id}": "editor",
    "DELETE /api/v1/segments/{segment_id}": "editor",
    "GET /api/v1/segments/{segment_id}/members": "viewer",
    "PUT /api/v1/segments/{segment_id}/members/{entity_id}": "editor",
    "DELETE /api/v1/segments/{segment_id}/members/{entity_id}": "editor",
    "GET /api/v1/actions": "viewer",
    "GET /api/v1/operators": "viewer",
    "GET /api/v1/packs": "viewer",
    "GET /api/v1/packs/{pack}": "viewer",
    "POST /api/v1/packs/{pack}/install": "editor",
    "GET /api/v1/outbox": "viewer",
    "POST /api/v1/outbox/publish": "operator",
    "GET /api/v1/tenants": "viewer",
    "POST /api/v1/tenants": "admin",
    "GET /api/v1/tenants/{tenant_id}": "viewer",
    "PATCH /api/v1/tenants/{tenant_id}": "admin",
    "POST /api/v1/tenants/{tenant_id}/keys": "admin",
    "GET /api/v1/keys": "admin",
    "POST /api/v1/keys": "admin",
    "DELETE /api/v1/keys/{key_id}": "admin",
    "GET /api/v1/webhooks": "viewer",
    "POST /api/v1/webhooks": "admin",
    "GET /api/v1/webhooks/{webhook_id}": "viewer",
    "PATCH /api/v1/webhooks/{webhook_id}": "admin",
    "POST /api/v1/webhooks/{webhook_id}/rotate": "admin",
    "DELETE /api/v1/webhooks/{webhook_id}": "admin",
    "POST /hooks/{token}": "public",
    "GET /api/v1/audit": "admin",
    "POST /api/v1/session": "public",
    "GET /api/v1/session": "viewer",
    "DELETE /api/v1/session": "public",
    "GET /api/v1/stats": "viewer",
    "GET /api/v1/stream": "viewer",
    "GET /api/v1/openapi.json": "public",
    "GET /api/docs": "public",
    "GET /livez": "public",
    "GET /readyz": "public",
    "GET /healthz": INSTALLATION,
    "GET /metrics": INSTALLATION,
    "GET /": "public",
    "GET /{path}": "public",
    **{
        f"{method} {path}": "public"
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
        for path in ("/api", "/api/{path}")
    },
}
SEGMENT = {"name": "of-alpha", "entity_type": "patient", "condition": {"field": "canary", "operator": "exists"}}
BODIES: dict[str, Any] = {
    "POST /api/v1/events": {"name": "x"},
    "PUT /api/v1/event-types/{name}": {},
    "POST /api/v1/automations": document(),
    "POST /api/v1/automations/validate": {"document": {}},
    "POST /api/v1/automations/test": {"document": document(), "data": {}},
    "POST /api/v1/automations/import": document(),
    "PUT /api/v1/automations/{automation_id}": document(),
    "POST /api/v1/automations/{automation_id}/test": {"data": {}},
    "POST /api/v1/automations/{automation_id}/run": {"data": {}},
    "POST /api/v1/automations/{automation_id}/replay": {"since": "2020-01-01T00:00:00Z"},
    "POST /api/v1/automations/{automation_id}/diff": {"document": document()},
    "POST /api/v1/automations/{automation_id}/restore": {"version": 1},
    "POST /api/v1/entities/{type}": {},
    "PUT /api/v1/entities/{type}/{entity_id}": {"fields": {}},
    "PATCH /api/v1/entities/{type}/{entity_id}": {"fields": {}},
    "POST /api/v1/segments": SEGMENT,
    "PUT /api/v1/segments/{segment_id}": SEGMENT,
    "POST /api/v1/dead-letters/{letter_id}/replay": {"data": {}},
    "POST /api/v1/dead-letters/{letter_id}/discard": {"reason": "x"},
    "POST /api/v1/runs/bulk": {"action": "pause"},
    "POST /api/v1/dead-letters/bulk": {"fingerprint": "x", "action": "retry"},
    "POST /api/v1/tenants": {"id": "gamma", "name": "Gamma"},
    "PATCH /api/v1/tenants/{tenant_id}": {"name": "Mine now"},
    "POST /api/v1/tenants/{tenant_id}/keys": {"name": "x", "role": "admin"},
    "POST /api/v1/keys": {"name": "x", "role": "viewer"},
    "POST /api/v1/webhooks": {"name": "x", "event": "x", "signature": {"scheme": "none"}},
    "PATCH /api/v1/webhooks/{webhook_id}": {"enabled": False},
    "POST /api/v1/webhooks/{webhook_id}/rotate": {"what": "token"},
}
GUARDED = sorted(route for route, role in ROLE_OF.items() if role not in {"public", INSTALLATION})
OF_AN_OBJECT = [route for route in GUARDED if "{" in route and "{type}" not in route and "{pack}" not in route]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Who may do what is decided before any database is asked."""
    return new_file(tmp_path)


def routes_of(surface: Surface) -> set[str]:
    """Every route of the application as the router has it."""
    found: set[str] = set()
    for context in iter_route_contexts(create_app(surface.upshot).routes):
        route = context.original_route
        assert isinstance(route, Route), f"{route!r} is of a kind that this test does not know"
        path = (context.path_format or route.path_format).replace(":path", "")
        methods = (context.methods or route.methods or {"any"}) - {"HEAD"}
        found |= {f"{method} {path}" for method in methods}
    return found


ASKED: dict[str, str] = {"GET /api/v1/runs/{run_id}/called": "?step=each"}
"""What is asked with an address."""


def place(surface: Surface, route: str, names: dict[str, str]) -> tuple[str, str]:
    """The method and the filled-in address of a route."""
    method, path = route.split(" ")
    return method, path.removeprefix("/api/v1").format_map(names) + ASKED.get(route, "")


@pytest.fixture
def names(surface: Surface) -> dict[str, str]:
    """One object of the tenant alpha for every parameter of an address."""
    surface.post("/events", {"name": "alpha/secret", "data": {"canary": "of-alpha"}, "id": "event-of-alpha"})
    surface.put("/event-types/alpha/secret", {"title": "of-alpha"})
    automation = surface.post("/automations", document(name="of-alpha", status="active")).json()["id"]
    surface.put("/entities/patient/p-of-alpha", {"fields": {"canary": "of-alpha"}})
    key = surface.post("/keys", {"name": "of-alpha", "role": "viewer"}).json()["id"]
    run = surface.post(f"/automations/{automation}/run", {"data": {}}).json()["run_id"]
    webhook = surface.post("/webhooks", {"name": "of-alpha", "event": "x", "signature": {"scheme": "none"}}).json()
    segment = surface.post("/segments", SEGMENT).json()["id"]
    body = {"since": "2020-01-01T00:00:00Z", "dry_run": False}
    replay = surface.post(f"/automations/{automation}/replay", body).json()
    letter = dead_letters.of_event("alpha", "of-alpha", "alpha/secret", "match_failed", "of-alpha", 3)
    surface.upshot.commit.run(lambda c: store.add_many(c, [letter], 1))
    return {
        "letter_id": letter.id,
        "event_id": "event-of-alpha",
        "name": "alpha/secret",
        "automation_id": automation,
        "type": "patient",
        "entity_id": "p-of-alpha",
        "key_id": key,
        "webhook_id": webhook["id"],
        "replay_id": replay["id"],
        "segment_id": segment,
        "run_id": run,
        "tenant_id": "alpha",
        "version": "1",
        "pack": "clinic",
    }


def test_every_route_says_who_may(surface: Surface) -> None:
    assert routes_of(surface) == set(ROLE_OF)


@pytest.mark.parametrize("route", GUARDED)
def test_without_a_key_nothing_is_answered(resting: Surface, route: str) -> None:
    method, path = place(
        resting,
        route,
        dict.fromkeys(
            (
                "event_id",
                "automation_id",
                "run_id",
                "type",
                "entity_id",
                "tenant_id",
                "key_id",
                "version",
                "name",
                "pack",
                "letter_id",
                "webhook_id",
                "replay_id",
                "segment_id",
            ),
            "1",
        ),
    )
    refused = resting.call(method, path, role=None, json=BODIES.get(route))
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert refused.json()["type"] == "urn:upshot:problem:not_signed_in"


@pytest.mark.parametrize("route", [route for route in GUARDED if route != "GET /api/v1/stream"])
def test_too_small_a_role_is_refused_and_the_least_one_is_not(
    surface: Surface, names: dict[str, str], route: str
) -> None:
    method, path = place(surface, route, names)
    for role in ROLES:
        body = BODIES.get(route) if method != "GET" else None
        answered = surface.call(method, path, role=role, json=body, headers={"If-Match": "*"})
        may = Caller("alpha", role, "").may(ROLE_OF[route])
        expected = (
            {403} if not may else {200, 201, 202, 204, 404, 409} | ({403} if route == "POST /api/v1/tenants" else set())
        )
        assert answered.status_code in expected, (role, answered.text)


@pytest.mark.parametrize("route", OF_AN_OBJECT)
def test_another_tenants_object_looks_like_none(surface: Surface, names: dict[str, str], route: str) -> None:
    method, path = place(surface, route, names)
    absent = {
        **names,
        "event_id": "none",
        "automation_id": "none",
        "run_id": "none",
        "key_id": "none",
        "letter_id": "none",
        "webhook_id": "none",
        "replay_id": "none",
        "segment_id": "none",
        "tenant_id": "none",
        "name": "none",
    }
    _, nowhere = place(surface, route, absent)
    if method == "PUT" and "event-types" in path:
        return  # a PUT makes it in the caller's own tenant; the canary test below looks for leaks
    theirs = surface.call(method, path, tenant="beta", json=BODIES.get(route))
    none = surface.call(method, nowhere, tenant="beta", json=BODIES.get(route))
    assert theirs.status_code == none.status_code == 404
    assert set(theirs.json()) == set(none.json())


def test_no_answer_to_another_tenant_holds_anything_of_this_one(surface: Surface, names: dict[str, str]) -> None:
    for route in GUARDED:
        if not route.startswith("GET") or route.endswith("/stream"):
            continue
        method, path = place(surface, route, names)
        told = surface.call(method, path, tenant="beta")
        asked = {name for name in names.values() if name in path}
        leaked = [canary for canary in ("of-alpha", "alpha/secret", names["run_id"]) if canary in told.text]
        assert all(any(canary in name for name in asked) for canary in leaked), (route, told.text)


def test_ids_of_two_tenants_never_collide(surface: Surface) -> None:
    for tenant in ("alpha", "beta"):
        assert surface.post("/events", {"name": "x", "id": "same"}, tenant=tenant).json()["duplicates"] == 0
        surface.put("/entities/patient/same", {"fields": {"of": tenant}}, tenant=tenant)
    assert surface.get("/entities/patient/same", tenant="beta").json()["fields"] == {"of": "beta"}
    assert surface.get("/entities/patient/same", tenant="alpha").json()["fields"] == {"of": "alpha"}


def test_the_installations_admin_creates_tenants_and_others_see_only_their_own(surface: Surface) -> None:
    made = surface.post(
        "/tenants", {"id": "gamma", "name": "Gamma", "settings": {"zone": "Europe/Berlin"}}, tenant="default"
    )
    assert made.status_code == 201
    assert surface.post("/tenants", {"id": "gamma", "name": "Gamma"}, tenant="default").status_code == 409
    assert [one["id"] for one in surface.get("/tenants", tenant="default").json()["items"]] == [
        "alpha",
        "beta",
        "default",
        "gamma",
    ]
    assert [one["id"] for one in surface.get("/tenants").json()["items"]] == ["alpha"]
    assert surface.post("/tenants", {"id": "delta", "name": "Delta"}).status_code == 403
    key = surface.post("/tenants/gamma/keys", {"name": "first", "role": "admin"}, tenant="default").json()["key"]
    session = surface.client.get("/api/v1/session", headers={"Authorization": f"Bearer {key}"}).json()
    assert (session["tenant"], session["zone"]) == ("gamma", "Europe/Berlin")
    bad = surface.patch("/tenants/alpha", {"settings": {"zone": "Mars/Base", "colour": "red", "locale": "??"}})
    assert {error["path"] for error in bad.json()["errors"]} == {"settings.zone", "settings.colour", "settings.locale"}
    assert surface.patch("/tenants/alpha", {"status": "suspended"}).status_code == 403
    assert surface.patch("/tenants/alpha", {"settings": {"limits": {"requests_per_second": 9}}}).status_code == 403
    assert surface.patch("/tenants/alpha", {"settings": {"zone": "Asia/Tokyo"}}).json()["settings"] == {
        "zone": "Asia/Tokyo"
    }
