"""`/segments` over HTTP, on both databases: made, looked at, changed, refused where they will not do, and gone."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.surfaces.conftest import Surface, document, make_surface

CONDITION = {"field": "points", "operator": "greater_than", "value": 100}
VIP = {"name": "VIP", "entity_type": "member", "condition": CONDITION, "description": "Who spends much."}
pytestmark = pytest.mark.usefixtures("own_ids")


@pytest.fixture
def live(url: str) -> Iterator[Surface]:
    yield from make_surface(url, engine=True)


def made(surface: Surface, **changes: Any) -> dict[str, Any]:
    answered = surface.post("/segments", {**VIP, **changes})
    assert answered.status_code == 201, answered.text
    surface.settle()
    return surface.get(f"/segments/{answered.json()['id']}").json()


def refused(answered: Any, status: int = 422) -> dict[str, str]:
    """The code of each fault by its path."""
    assert answered.status_code == status, answered.text
    return {error["path"]: error["code"] for error in answered.json()["errors"]}


def test_a_segment_is_made_listed_changed_and_deleted(live: Surface) -> None:
    for number in range(5):
        live.put(f"/entities/member/m{number}", {"fields": {"points": 50 * number}})
    live.put("/entities/order/m4", {"fields": {"points": 500}})
    segment = made(live)
    assert (segment["members"], segment["status"], segment["kind"]) == (2, "ready", "dynamic")
    assert segment["words"] == "points greater than 100"
    members = live.get(f"/segments/{segment['id']}/members?limit=1").json()
    assert [member["id"] for member in members["items"]] == ["m3"]
    assert members["items"][0]["entity"]["fields"] == {"points": 150}
    rest = live.get(f"/segments/{segment['id']}/members?limit=1&cursor={members['next']}").json()
    assert ([member["id"] for member in rest["items"]], rest["next"]) == (["m4"], None)
    made(live, name="Orders", entity_type="order")
    assert [one["name"] for one in live.get("/segments").json()["items"]] == ["Orders", "VIP"]
    page = live.get("/segments?limit=1").json()
    assert [one["name"] for one in live.get(f"/segments?cursor={page['next']}").json()["items"]] == ["VIP"]
    for asked in ("type=member", "q=vi", "entity=member:m4"):
        assert [one["name"] for one in live.get(f"/segments?{asked}").json()["items"]] == ["VIP"], asked
    assert live.get("/segments?entity=member:m1").json()["items"] == []
    # Changed, on the revision that was read.
    address = f"/segments/{segment['id']}"
    body = {"name": "VIP", "condition": {**CONDITION, "value": 20}}
    assert refused(live.put(address, body), 428) == {"revision": "missing"}
    assert live.put(address, {**body, "revision": 7}).status_code == 412
    changed = live.put(address, body, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["revision"], changed.headers["etag"]) == (200, 2, '"2"')
    live.settle()
    assert live.get(address).json()["members"] == 4
    assert live.put(address, {**body, "revision": 2}).json()["revision"] == 2  # nothing changed
    assert refused(live.put(address, {**body, "entity_type": "order", "revision": 2})) == {
        "entity_type": "cannot_change"
    }
    actions = [one["action"] for one in live.get(f"/audit?noun=segment&noun_id={segment['id']}").json()["items"]]
    assert actions == ["save", "create"]
    assert live.delete(address, headers={"If-Match": '"1"'}).status_code == 412
    assert live.delete(address).status_code == 204
    assert live.get(address).status_code == live.get(f"{address}/members").status_code == 404
    assert live.post("/segments", VIP).status_code == 201


def test_what_will_not_do_is_refused_by_its_path(surface: Surface) -> None:
    def code(**changes: Any) -> dict[str, str]:
        return refused(surface.post("/segments", {**VIP, **changes}))

    assert code(name=" VIP") == {"name": "bad_name"}
    assert code(entity_type="no type") == {"entity_type": "bad_type"}
    assert code(condition=None) == {"condition": "required"}
    assert code(condition={"field": "points", "operator": "is_odd"}) == {"condition.operator": "unknown_operator"}
    of_events = [
        {"field": "event.data.x", "operator": "exists"},
        {"field": "points", "operator": "changed"},
        {"field": "points", "operator": "equals", "value": {"ref": "previous.points"}},
        {"field": "at", "operator": "before", "value": {"base": "event_time"}},
    ]
    assert code(condition={"combinator": "or", "rules": [CONDITION, {"all": of_events}]}) == {
        f"condition.rules[1].rules[{index}].field": "not_of_an_entity" for index in range(4)
    }
    assert surface.post("/segments", VIP).status_code == 201
    assert surface.post("/segments", VIP).status_code == 409
    assert surface.get("/segments?entity=nobody").status_code == 400
    assert surface.get("/segments").json()["items"][0]["status"] == "computing"  # no engine runs


def test_an_automation_of_a_segment_is_checked_described_explained_and_tried_on_the_past(live: Surface) -> None:
    trigger = {"type": "segment_joined", "segment": "VIP"}
    unknown = document(trigger=trigger, condition=None)
    assert refused(live.post("/automations", unknown)) == {"trigger.segment": "unknown_segment"}
    segment = made(live)
    made(live, name="Other", condition={**CONDITION, "value": 0})
    step = {"id": "task", "action": "create_task", "with": {"title": "{{ event.data.segment.name }}: {{ entity.id }}"}}
    whole = {"name": "Welcome", "trigger": trigger, "steps": [step], "status": "active"}
    told = live.post("/automations/validate", {"document": whole}).json()
    assert told["document"]["trigger"] == {"segment": "VIP", "on": "joined"}
    automation = live.post("/automations", whole).json()
    assert automation["trigger"] == {"segment": "VIP", "on": "joined"}
    wrong = {**whole, "trigger": {"segment": "VIP", "on": "seen", "event": "x"}}
    assert refused(live.post("/automations", wrong)) == {"trigger.on": "bad_option", "trigger.event": "unknown_field"}
    live.put("/entities/member/m1", {"fields": {"points": 500}})
    live.settle()
    (run,) = live.get("/runs").json()["items"]
    assert run["status"] == "completed"
    (task,) = live.get("/entities/task").json()["items"]
    assert task["fields"]["title"] == "VIP: m1"
    joined = {one["data"]["segment"]["name"]: one for one in live.get("/events?name=segment.joined").json()["items"]}
    assert set(joined) == {"VIP", "Other"}
    for name, outcome in (("VIP", "started"), ("Other", "condition_false")):
        (explained,) = live.get(f"/events/{joined[name]['id']}/explain").json()["automations"]
        assert explained["outcome"] == outcome
    tried = live.post(f"/automations/{automation['id']}/backtest", {}).json()
    assert (tried["would_start"], tried["counts"]["both"], tried["counts"]["neither"]) == (1, 1, 1)
    exported = live.get(f"/automations/{automation['id']}/export").json()
    assert exported["trigger"] == {"segment": "VIP", "on": "joined"}
    in_use = live.delete(f"/segments/{segment['id']}")
    assert (in_use.status_code, "“Welcome”" in in_use.json()["detail"]) == (409, True)


def test_who_is_in_a_segment_that_is_kept_by_hand_is_said_by_people_and_steps(live: Surface) -> None:
    manual = {"name": "Board", "entity_type": "member", "kind": "manual"}
    assert refused(live.post("/segments", {**manual, "condition": CONDITION})) == {"condition": "bad_combination"}
    board = live.post("/segments", manual).json()
    assert (board["status"], board["condition"], board["kind"]) == ("ready", None, "manual")
    vip, address = made(live), f"/segments/{board['id']}/members"
    for name in ("anna", "bo"):
        live.put(f"/entities/member/{name}", {"fields": {"points": 5}})
    for _ in range(2):
        assert live.call("PUT", f"{address}/anna").status_code == 204
    assert live.call("PUT", f"{address}/nobody").status_code == 404
    assert live.delete(f"{address}/bo").status_code == 204
    assert live.call("PUT", f"/segments/{vip['id']}/members/anna").status_code == 409
    given = {"type": "member", "id": "{{ entity.id }}"}
    steps = [
        {"id": "in", "action": "add_to_segment", "with": {**given, "segment": "Board"}},
        {"id": "again", "action": "add_to_segment", "with": {**given, "segment": "Board"}},
        {"id": "out", "action": "remove_from_segment", "with": {**given, "segment": "{{ event.data.which }}"}},
    ]
    trigger = {"event": "chosen"}
    assert live.post("/automations", {"name": "x", "trigger": trigger, "steps": steps, "status": "active"}).is_success
    about = {"name": "chosen", "entity": {"type": "member", "id": "bo"}}
    for which in ("VIP", "None", "Board"):
        live.post("/events", {**about, "data": {"which": which}})
        live.settle()
    runs = live.get("/runs").json()["items"]
    details = [live.get(f"/runs/{run['id']}").json() for run in reversed(runs)]
    assert [run["status"] for run in details] == ["failed", "failed", "completed"]
    assert [run["error"]["message"] for run in details if run["error"]] == [
        "segment: who is in 'VIP' is said by its condition; change the entity",
        "segment: there is no segment 'None' of entities of type member",
    ]
    assert live.delete(f"/segments/{board['id']}").status_code == 409  # a step names it
    live.delete("/entities/member/anna")
    crossed = reversed(live.get("/events?limit=100").json()["items"])
    told = [
        (one["name"], one["entity"]["id"], one["data"]["reason"])
        for one in crossed
        if one["name"].startswith("segment.")
    ]
    assert told == [
        ("segment.joined", "anna", "by_hand"),
        ("segment.joined", "bo", "by_hand"),
        ("segment.left", "bo", "by_hand"),
        ("segment.left", "anna", "deleted"),
    ]
    assert live.get(address).json()["items"] == []
    actions = [one["action"] for one in live.get(f"/audit?noun=segment&noun_id={board['id']}").json()["items"]]
    assert actions == ["add", "create"]
    renamed = live.put(f"/segments/{vip['id']}", {"name": "Gold", "condition": CONDITION}, headers={"If-Match": "*"})
    assert renamed.json()["name"] == "Gold"


def test_a_circle_through_segments_that_are_kept_by_hand_is_told_when_it_is_saved(surface: Surface) -> None:
    for name in ("Board", "Friends"):
        assert surface.post("/segments", {"name": name, "entity_type": "member", "kind": "manual"}).status_code == 201

    def saved(name: str, listens_to: tuple[str, str], *steps: tuple[str, str]) -> list[dict[str, str]]:
        given = {"type": "member", "id": "{{ entity.id }}"}
        document = {
            "name": name,
            "trigger": {"type": "segment", "segment": listens_to[0], "on": listens_to[1]},
            "steps": [
                {"id": f"s{at}", "action": action, "with": {**given, "segment": segment}}
                for at, (action, segment) in enumerate(steps)
            ],
            "status": "active",
        }
        answer = surface.post("/automations", document)
        assert answer.status_code == 201, answer.json()
        return answer.json()["warnings"]

    assert saved("There", ("Board", "joined"), ("remove_from_segment", "Friends")) == []
    (warning,) = saved("Back", ("Friends", "left"), ("add_to_segment", "Friends"), ("add_to_segment", "Board"))
    assert warning["path"] == "steps[1]"
    assert warning["message"] == (
        "may go round in a circle: step “s1” makes segment.joined of “Board” happen, which starts “There”, whose step "
        "“s0” makes segment.left of “Friends” happen, which starts “Back” again"
    )
