"""Lists, ids and searches (reliability research, table A, rows 6 to 8): the expected outcome of each input of each row."""

from typing import Any

import pytest
from sqlalchemy import event as listening

from tests.surfaces.conftest import Surface, document

LISTS = ["/events", "/runs", "/automations", "/event-types", "/entities/patient", "/keys", "/audit", "/tenants"]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "query",
    [
        "limit=-1",
        "limit=0",
        "limit=1000000000",
        "limit=201",
        "limit=x",
        "limit=1.5",
        "limit=",
        "cursor=x",
        "cursor=",
        "offset=5",
        "offset=1000000000",
        "sort=hash",
        "sort=-created_at",
        "order_by=name",
        "limit=1&limit=2",
    ],
)
def test_a6_lists_take_only_what_they_know(resting: Surface, path: str, query: str) -> None:
    refused = resting.get(f"{path}?{query}")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["path"] == query.partition("=")[0]


def test_a6_a_cursor_is_good_for_its_own_list_and_tenant(surface: Surface) -> None:
    for tenant in ("alpha", "beta"):
        surface.post("/events", [{"name": "x"}, {"name": "x"}], tenant=tenant)
    cursor = surface.get("/events?limit=1").json()["next"]
    assert len(surface.get(f"/events?limit=1&cursor={cursor}").json()["items"]) == 1
    assert surface.get(f"/events?cursor={cursor}", tenant="beta").status_code == 400
    for other in LISTS:
        if other != "/events":
            assert surface.get(f"{other}?cursor={cursor}").status_code == 400, other
    for place in range(0, len(cursor), 7):
        changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        assert surface.get(f"/events?cursor={changed}").status_code == 400
    assert surface.get(f"/events?cursor={cursor[:-1]}").status_code == 400


NOUNS = ("events", "runs", "automations", "event-types", "entities/patient", "tenants")
ODD_IDS = {
    "absent": "none",
    "NUL": "%00",
    "path traversal": "%2e%2e%2fetc%2fpasswd",
    "path traversal, half encoded": "..%2f..",
    "path traversal, backslashes": "..%5c..",
    "300 characters": "A" * 300,
    "unicode digits": "%D9%A3%D9%A4",
    "full-width digits": "%EF%BC%91",
    "emoji": "%F0%9F%92%A5",
    "SQL": "%27%3B%20DROP%20TABLE%20x",
    "not UTF-8": "%ff",
    "a header": "%0d%0aX-A:%201",
}


@pytest.mark.parametrize("odd", ODD_IDS)
def test_a7_an_odd_id_is_an_unknown_one(surface: Surface, odd: str) -> None:
    identity = ODD_IDS[odd]
    for noun in NOUNS:
        answered = surface.get(f"/{noun}/{identity}")
        assert answered.status_code == 404, noun
        assert answered.json()["type"] == "urn:upshot:problem:not_found"
        assert "x-a" not in answered.headers
    assert surface.delete(f"/keys/{identity}").status_code == 404
    assert surface.post(f"/runs/{identity}/cancel").status_code == 404


@pytest.mark.parametrize(
    "path", ["/automations?q=a%00", "/events?name=%00", "/runs?event=%00", "/entities/bird?tag=%00"]
)
def test_a7_a_nul_in_a_query_is_named(surface: Surface, path: str) -> None:
    answered = surface.get(path)
    assert answered.status_code == 400
    assert [error["code"] for error in answered.json()["errors"]] == ["bad_text"]


def test_a7_a_version_beyond_all_numbers_is_refused(surface: Surface) -> None:
    assert surface.get("/automations/none/versions/99999999999999999999").status_code == 400


@pytest.fixture
def of_alpha(surface: Surface) -> dict[str, str]:
    """The address of one thing of every kind that the tenant alpha has."""
    event = surface.post("/events", {"name": "x"}).json()["ids"][0]
    automation = surface.post("/automations", document(status="active")).json()["id"]
    run = surface.post(f"/automations/{automation}/run", {"data": {}}).json()["run_id"]
    entity = surface.post("/entities/patient", {}).json()["id"]
    return {
        "events": f"/events/{event}",
        "automations": f"/automations/{automation}",
        "versions": f"/automations/{automation}/versions/1",
        "runs": f"/runs/{run}",
        "entities": f"/entities/patient/{entity}",
        "tenants": "/tenants/alpha",
    }


@pytest.mark.parametrize("kind", ["events", "automations", "versions", "runs", "entities", "tenants"])
def test_a7_another_tenants_id_is_answered_like_one_that_does_not_exist(
    surface: Surface, of_alpha: dict[str, str], kind: str
) -> None:
    """The same body but for the id itself, and the same statements: neither tells of the other tenant's thing."""
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, _p: Any, _context: Any, _many: Any) -> None:
        statements.append(statement)

    theirs = of_alpha[kind]
    identity = theirs.split("/")[-1] if kind != "versions" else theirs.split("/")[2]
    absent = theirs.replace(identity, "".join("0" if letter.isdigit() else letter for letter in identity[::-1]))
    assert absent != theirs
    assert surface.get(theirs).status_code == 200
    surface.get(absent, tenant="beta")  # what is read once for a tenant is read now
    told: list[tuple[str, list[str]]] = []
    for address in (theirs, absent):
        statements.clear()
        listening.listen(surface.upshot.database.engine, "before_cursor_execute", note)
        answered = surface.get(address, tenant="beta")
        listening.remove(surface.upshot.database.engine, "before_cursor_execute", note)
        assert answered.status_code == 404
        asked = address.split("/")[2 if kind == "versions" else -1]
        told.append((answered.text.replace(asked, "ID"), list(statements)))
    assert told[0] == told[1]


@pytest.mark.parametrize("kind", ["events", "automations", "runs", "entities"])
def test_a7_a_uuid_in_upper_case_is_another_id(surface: Surface, of_alpha: dict[str, str], kind: str) -> None:
    folder, _, identity = of_alpha[kind].rpartition("/")
    assert surface.get(f"{folder}/{identity.upper()}").status_code == 404


HELD = {
    "sql": "'; DROP TABLE upshot_events; --",
    "percent": "100% sure",
    "underscore": "a_b",
    "backslash": "c:\\dir",
    "quotes": 'say "hi"',
    "JSON path": "$.fields.name",
    "JSON": '{"a": 1}',
    "plain": "axb 100 sure c:dir",
}
NEEDLES = {
    "'; DROP TABLE": ["sql"],
    "' OR 1=1 --": [],
    "%": ["percent"],
    "_": ["sql", "underscore"],
    "a_b": ["underscore"],
    "a%b": [],
    "\\": ["backslash"],
    "c:\\d": ["backslash"],
    '"hi"': ["quotes"],
    "$.fields": ["JSON path"],
    "$[0]": [],
    '{"a"': ["JSON"],
    "$..*": [],
}


@pytest.mark.parametrize("needle", NEEDLES)
def test_a8_a_search_is_literal(surface: Surface, needle: str) -> None:
    for number, (name, text) in enumerate(HELD.items()):
        surface.post("/events", {"name": "n", "id": f"e{number}", "data": {"t": name, "text": text}})
        surface.put(f"/entities/note/n{number}", {"fields": {"t": name, "text": text}})
        # The name of its action would be searched too.
        surface.post("/automations", document(name=text, steps=[{"id": "end", "stop": True}]))
    listed = surface.get("/events", params={"q": needle, "name": "n"}).json()["items"]
    assert sorted(item["data"]["t"] for item in listed) == sorted(NEEDLES[needle])
    listed = surface.get("/entities/note", params={"q": needle}).json()["items"]
    assert sorted(item["fields"]["t"] for item in listed) == sorted(NEEDLES[needle])
    listed = surface.get("/automations", params={"q": needle}).json()["items"]
    assert sorted(item["name"] for item in listed) == sorted(HELD[name] for name in NEEDLES[needle])


@pytest.mark.parametrize("odd", ["'; DROP TABLE upshot_events; --", "%", "_", "\\", "$.tags", '"x"', "x') OR ('1'='1"])
def test_a8_what_is_asked_for_exactly_is_a_bound_parameter(surface: Surface, odd: str) -> None:
    surface.put("/entities/note/n", {"fields": {}, "tags": ["x"]})
    surface.post("/events", {"name": "n", "entity": {"type": "note", "id": "n"}})
    for path, query in (
        ("/entities/note", {"tag": odd}),
        ("/events", {"name": odd}),
        ("/events", {"entity": f"note:{odd}"}),
        ("/runs", {"automation": odd}),
        ("/runs", {"event": odd}),
    ):
        listed = surface.get(path, params=query)
        assert (listed.status_code, listed.json()["items"]) == (200, []), (path, query)
    assert len(surface.get("/events").json()["items"]) == 2
