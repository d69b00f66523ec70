"""`/packs` and `/stats`."""

from tests.surfaces.conftest import Surface
from upshot.core.statuses import AUTOMATION, DEAD_LETTER, OUTBOX, RUN


def test_a_pack_is_listed_shown_and_installed_into_the_callers_tenant(surface: Surface) -> None:
    listed = surface.get("/packs", role="viewer").json()
    (clinic,) = (pack for pack in listed["items"] if pack["name"] == "clinic")
    assert listed["next"] is None
    assert surface.get("/packs/clinic").json() == clinic
    names = {automation["name"] for automation in clinic["automations"]}
    installed = surface.post("/packs/clinic/install", role="editor")
    assert (installed.status_code, installed.json()["name"]) == (200, "clinic")
    assert set(installed.json()["created"]) == names
    again = surface.post("/packs/clinic/install").json()
    assert (again["created"], set(again["present"])) == ([], names)
    automations = surface.get("/automations?limit=200").json()["items"]
    assert {one["name"] for one in automations} == names
    assert {one["status"] for one in automations} == {"active"}
    assert surface.get("/automations", tenant="beta").json()["items"] == []
    told = [entry for entry in surface.get("/audit?limit=200").json()["items"] if entry["noun"] == "automation"]
    assert len(told) >= len(names)
    assert all("editor" in entry["actor"] for entry in told), "the key that asked is named"


def test_a_pack_that_is_not_there_is_named(surface: Surface) -> None:
    for answered in (surface.get("/packs/nothing"), surface.post("/packs/nothing/install")):
        assert answered.status_code == 404
        assert "nothing" in answered.json()["detail"]


def test_the_counts_name_every_status(surface: Surface) -> None:
    assert surface.get("/stats").json() == {
        "runs": dict.fromkeys(RUN, 0),
        "events": {"accepted": 0},
        "outbox": dict.fromkeys(OUTBOX, 0),
        "dead_letters": dict.fromkeys([*DEAD_LETTER, "over_cap"], 0),
        "automations": dict.fromkeys(AUTOMATION, 0),
    }
