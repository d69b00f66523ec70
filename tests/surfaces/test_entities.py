"""`/entities`: changes are events."""

from tests.surfaces.conftest import Surface


def test_an_entity_is_created_changed_and_deleted_and_each_change_is_an_event(surface: Surface) -> None:
    made = surface.post("/entities/patient", {"id": "p1", "fields": {"name": "Ada"}, "tags": ["new"]})
    assert made.status_code == 201
    assert made.headers["etag"] == '"1"'
    assert surface.post("/entities/patient", {"id": "p1"}).status_code == 409
    patched = surface.patch("/entities/patient/p1", {"fields": {"name": None, "age": 36}, "revision": 1}).json()
    assert (patched["fields"], patched["revision"], patched["tags"]) == ({"age": 36}, 2, ["new"])
    replaced = surface.put("/entities/patient/p1", {"fields": {"name": "Ada L."}, "tags": [], "revision": 2}).json()
    assert (replaced["fields"], replaced["tags"]) == ({"name": "Ada L."}, [])
    assert surface.get("/entities").json()["items"] == [{"type": "patient", "count": 1}]
    assert surface.delete("/entities/patient/p1").status_code == 204
    assert surface.get("/entities/patient/p1").status_code == 404
    names = [item["name"] for item in surface.get("/events").json()["items"]]
    assert names == ["patient.deleted", "patient.updated", "patient.updated", "patient.created"]
    previous = surface.get("/events?name=patient.updated").json()["items"][0]["data"]["previous"]
    assert previous["age"] == 36


def test_entities_are_paged_last_changed_first_and_searched(surface: Surface) -> None:
    for number in range(5):
        surface.post("/entities/patient", {"id": f"p{number}", "fields": {"n": number}, "tags": [f"t{number % 2}"]})
    seen: list[str] = []
    cursor = ""
    while True:
        page = surface.get(f"/entities/patient?limit=2{cursor}").json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == ["p4", "p3", "p2", "p1", "p0"]
    assert [item["id"] for item in surface.get("/entities/patient?tag=t1").json()["items"]] == ["p3", "p1"]
    assert [item["id"] for item in surface.get("/entities/patient?q=p3").json()["items"]] == ["p3"]


def test_what_is_not_an_entity_is_refused_with_its_path(surface: Surface) -> None:
    for path, body, at in (
        ("/entities/9bad", {"id": "x"}, "type"),
        ("/entities/patient", {"id": " x"}, "id"),
        ("/entities/patient", {"fields": {"revision": 5}}, "fields.revision"),
        ("/entities/patient", {"tags": ["a" * 101]}, "tags[0]"),
        ("/entities/patient", {"tenant_id": "beta"}, "tenant_id"),
    ):
        refused = surface.post(path, body)
        assert refused.status_code in {400, 422}, body
        assert refused.json()["errors"][0]["path"] == at
    assert surface.get("/entities").json()["items"] == []
