"""Repeated and racing changes (reliability research, table A, rows 9 and 10): the expected outcome of each input."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.surfaces.conftest import StillClock, Surface, document, make_surface, raw
from upshot.core.instants import HOUR
from upshot.http.openapi import schema
from upshot.store import idempotency

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


@pytest.fixture
def clock() -> StillClock:
    """Time that the test moves."""
    return StillClock()


@pytest.fixture
def still(url: str, clock: StillClock) -> Iterator[Surface]:
    """An installation whose time is `clock`."""
    yield from make_surface(url, clock=clock)


def test_a9_after_24_hours_the_key_is_a_new_operation_as_the_api_says(still: Surface, clock: StillClock) -> None:
    key = {"Idempotency-Key": "k1"}
    first = still.post("/automations", document(), headers=key).json()["id"]
    clock.instant += 24 * HOUR - 1
    assert still.post("/automations", document(), headers=key).json()["id"] == first
    clock.instant += 1
    assert still.post("/automations", document(), headers=key).json()["id"] != first
    parameters = schema()["paths"]["/api/v1/automations"]["post"]["parameters"]
    (told,) = [one["description"] for one in parameters if one["name"] == "Idempotency-Key"]
    assert "for 24 hours" in told


# --- A10: two editors -----------------------------------------------------------------------------------------------------


@pytest.fixture
def automation(surface: Surface) -> str:
    """The address of an automation at its first revision."""
    return f"/automations/{surface.post('/automations', document()).json()['id']}"


@pytest.fixture
def entity(surface: Surface) -> str:
    """The address of an entity at its first revision."""
    surface.post("/entities/patient", {"id": "p1", "fields": {"n": 0}})
    return "/entities/patient/p1"


CHANGES = {
    "PUT automation": ("PUT", lambda n: document(name=f"by {n}"), "name"),
    "PUT entity": ("PUT", lambda n: {"fields": {"n": f"by {n}"}}, "n"),
    "PATCH entity": ("PATCH", lambda n: {"fields": {"n": f"by {n}"}}, "n"),
}


def address_of(kind: str, automation: str, entity: str) -> str:
    return automation if kind.endswith("automation") else entity


def written(item: dict[str, Any], name: str) -> Any:
    return item["fields"][name] if "fields" in item else item[name]


@pytest.mark.parametrize("kind", CHANGES)
def test_a10_a_change_that_does_not_say_what_it_was_made_on_is_refused(
    surface: Surface, automation: str, entity: str, kind: str
) -> None:
    method, body, _ = CHANGES[kind]
    address = address_of(kind, automation, entity)
    before = surface.get(address)
    for given in (body(1), {**body(1), "revision": None}):
        refused = surface.call(method, address, json=given)
        assert refused.status_code == 428
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["type"] == "urn:upshot:problem:revision_required"
        assert [error["path"] for error in refused.json()["errors"]] == ["revision"]
    assert surface.get(address).json() == before.json()


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("place", ["header", "body"])
def test_a10_of_two_editors_the_second_gets_412_and_overwrites_nothing(
    surface: Surface, automation: str, entity: str, kind: str, place: str
) -> None:
    method, body, name = CHANGES[kind]
    address = address_of(kind, automation, entity)
    tag = surface.get(address).headers["etag"]

    def save(editor: int, tag: str) -> Any:
        if place == "header":
            return surface.call(method, address, json=body(editor), headers={"If-Match": tag})
        return surface.call(method, address, json={**body(editor), "revision": int(tag.strip('"'))})

    first, second = save(1, tag), save(2, tag)
    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["type"] == "urn:upshot:problem:stale_revision"
    assert written(surface.get(address).json(), name) == "by 1"
    assert first.headers["etag"] == surface.get(address).headers["etag"] != tag
    assert save(2, first.headers["etag"]).status_code == 200
    assert written(surface.get(address).json(), name) == "by 2"


@pytest.mark.parametrize("kind", CHANGES)
def test_a10_of_many_editors_at_once_one_wins(surface: Surface, automation: str, entity: str, kind: str) -> None:
    method, body, _ = CHANGES[kind]
    address = address_of(kind, automation, entity)

    def save(editor: int) -> int:
        return surface.call(method, address, json={**body(editor), "revision": 1}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(save, range(8))) == [200] + [412] * 7


@pytest.mark.parametrize("kind", CHANGES)
def test_a10_a_star_overwrites_whatever_is_there(surface: Surface, automation: str, entity: str, kind: str) -> None:
    method, body, name = CHANGES[kind]
    address = address_of(kind, automation, entity)
    for editor in (1, 2):
        saved = surface.call(method, address, json=body(editor), headers={"If-Match": "*"})
        assert saved.status_code == 200
        assert written(saved.json(), name) == f"by {editor}"


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("tag", ["1", 'W/"1"', '"x"', '"1", "2"', '"-1"', "", '"' + "9" * 400 + '"'])
def test_a10_what_is_no_etag_of_ours_is_refused(
    surface: Surface, automation: str, entity: str, kind: str, tag: str
) -> None:
    method, body, _ = CHANGES[kind]
    refused = surface.call(method, address_of(kind, automation, entity), json=body(1), headers={"If-Match": tag})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (400, "If-Match")


@pytest.mark.parametrize("kind", CHANGES)
def test_a10_a_header_and_a_body_that_differ_are_refused(
    surface: Surface, automation: str, entity: str, kind: str
) -> None:
    method, body, _ = CHANGES[kind]
    address = address_of(kind, automation, entity)
    for tag in ('"2"', "*"):
        refused = surface.call(method, address, json={**body(1), "revision": 1}, headers={"If-Match": tag})
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (400, "revision")
    for odd in ("1", 1.5, True, -1):
        refused = surface.call(method, address, json={**body(1), "revision": odd})
        assert refused.status_code in {400, 412}, odd
    assert surface.get(address).headers["etag"] == '"1"'


def test_a10_what_is_new_needs_no_revision_and_what_is_absent_is_not_found(surface: Surface) -> None:
    made = surface.put("/entities/patient/new", {"fields": {"n": 1}})
    assert (made.status_code, made.headers["etag"]) == (200, '"1"')
    assert surface.put("/entities/patient/new", {"fields": {"n": 2}}).status_code == 428
    assert surface.put("/entities/patient/newer", {"fields": {}, "revision": 7}).status_code == 412
    for headers in ({}, {"If-Match": "*"}):
        assert surface.patch("/entities/patient/none", {"fields": {}}, headers=headers).status_code == 404
        assert surface.put("/automations/none", document(), headers=headers).status_code == 404
    foreign = surface.put("/entities/patient/new", {"fields": {}}, tenant="beta")
    assert foreign.status_code == 200, "it says nothing of what another tenant has"


def test_a10_what_is_deleted_on_a_revision_is_deleted_at_that_one(surface: Surface, entity: str) -> None:
    surface.patch(entity, {"fields": {"n": 1}, "revision": 1})
    assert surface.delete(entity, headers={"If-Match": '"1"'}).status_code == 412
    assert surface.delete(entity, headers={"If-Match": '"2"'}).status_code == 204


def test_a10_settings_of_a_tenant_are_changed_one_by_one_and_so_do_not_collide(surface: Surface) -> None:
    surface.patch("/tenants/alpha", {"settings": {"zone": "Asia/Tokyo"}})
    both = surface.patch("/tenants/alpha", {"settings": {"locale": "de-DE"}}).json()
    assert both["settings"] == {"zone": "Asia/Tokyo", "locale": "de-DE"}
