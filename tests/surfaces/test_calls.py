"""Automations that call others, over HTTP: what is refused and where, how they travel, and how their runs are shown."""

import time
from collections.abc import Sequence
from typing import Any

import pytest

from tests.surfaces.conftest import Surface, document
from upshot.http.shapes.runs import RunDetail

LOG = {"id": "log", "action": "log", "with": {"message": "{{ number }}"}}


def made(surface: Surface, name: str, *steps: dict[str, Any], **more: Any) -> Any:
    """The answer to a new automation that is run by hand."""
    given = {"name": name, "trigger": {"manual": True}, "steps": list(steps or (LOG,)), "status": "active", **more}
    return surface.post("/automations", {key: value for key, value in given.items() if value is not None})


def id_of(answer: Any) -> str:
    assert answer.status_code == 201, answer.json()
    return answer.json()["id"]


def call(automation: str, **more: Any) -> dict[str, Any]:
    return {"id": "ask", "call": automation, "with": {"number": 7}, **more}


def refused(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.json()
    return [(error["path"], error["code"]) for error in answer.json()["errors"]]


def test_what_cannot_be_called_is_refused_with_its_path(surface: Surface) -> None:
    archived, deleted = (id_of(made(surface, name)) for name in ("Archived", "Deleted"))
    draft = id_of(made(surface, "Draft", status=None))
    surface.post(f"/automations/{archived}/archive")
    surface.delete(f"/automations/{deleted}")
    callees = [archived, deleted, draft, "Draft", "nobody", "Deleted"]
    steps = [{**call(callee), "id": str(at)} for at, callee in enumerate(callees)]
    problems = [
        (f"steps[{at}].call", code) for at, code in enumerate(["not_callable"] * 4 + ["unknown_automation"] * 2)
    ]
    assert refused(made(surface, "Caller", *steps)) == problems
    assert refused(made(surface, "Caller", *steps, status=None)) == problems
    told = surface.post("/automations/validate", {"document": document(steps=steps)}).json()
    assert [(one["path"], one["code"]) for one in told["problems"]] == problems
    dry = surface.post("/automations/import?dry_run=true", document(steps=steps)).json()["automations"][0]
    assert [(one["path"], one["code"]) for one in dry["problems"]] == problems
    surface.post(f"/automations/{archived}/activate")
    assert made(surface, "Caller", steps[0]).status_code == 201


def test_a_name_becomes_the_id_and_a_name_of_two_is_refused(surface: Surface) -> None:
    callee = id_of(made(surface, "Settle"))
    caller = made(surface, "Caller", call("Settle")).json()
    assert caller["steps"][0]["call"] == callee
    made(surface, "Settle")
    assert refused(made(surface, "Caller", call("Settle"))) == [("steps[0].call", "ambiguous_name")]
    assert surface.get(f"/automations/{caller['id']}/export").json()["steps"][0]["call"] == callee


def test_who_is_called_is_neither_archived_nor_deleted(surface: Surface) -> None:
    callee = id_of(made(surface, "Settle"))
    caller = id_of(made(surface, "Caller", call(callee)))
    for answer in (surface.post(f"/automations/{callee}/archive"), surface.delete(f"/automations/{callee}")):
        assert answer.status_code == 409
        assert "“Caller” would call it in vain" in answer.json()["detail"]
    surface.post(f"/automations/{caller}/pause")
    assert surface.post(f"/automations/{callee}/archive").status_code == 200


def test_automations_that_wait_for_each_other_are_refused_and_others_are_warned(surface: Surface) -> None:
    first = id_of(made(surface, "First"))
    second = id_of(made(surface, "Second", call(first)))
    path, loose = f"/automations/{first}", {**call(second), "await": False}
    given = {"name": "First", "trigger": {"manual": True}, "status": "active"}
    match = {"headers": {"If-Match": "*"}}
    answer = surface.put(path, {**given, "steps": [call(second)]}, **match)
    assert refused(answer) == [("steps[0].call", "cycle")]
    said = "circle without a delay: step “ask” calls “Second”, whose step “ask” calls “First” again"
    assert said in answer.json()["errors"][0]["message"]
    for steps in ([{"id": "nap", "delay": "1h"}, call(second)], [loose]):
        saved = surface.put(path, {**given, "steps": steps}, **match)
        assert saved.status_code == 200, saved.json()
        (warning,) = saved.json()["warnings"]
        assert warning["path"] == f"steps[{len(steps) - 1}]"
        assert "may go round in a circle" in warning["message"]


def test_what_becomes_live_again_closes_no_circle(surface: Surface) -> None:
    first, second = id_of(made(surface, "First")), id_of(made(surface, "Second"))
    match = {"headers": {"If-Match": "*"}}
    given = {"name": "First", "trigger": {"manual": True}, "status": "active", "steps": [call(second)]}
    assert surface.put(f"/automations/{first}", given, **match).status_code == 200
    surface.post(f"/automations/{first}/pause")
    turned = {**given, "name": "Second", "steps": [call(first)]}
    assert surface.put(f"/automations/{second}", turned, **match).status_code == 200
    answer = surface.post(f"/automations/{first}/activate")
    assert refused(answer) == [("steps[0].call", "cycle")]
    assert surface.get(f"/automations/{first}").json()["status"] == "paused"
    surface.post(f"/automations/{second}/pause")
    assert surface.post(f"/automations/{first}/activate").status_code == 200


def exported(*documents: dict[str, Any]) -> dict[str, Any]:
    return {"automations": list(documents)}


def doc(name: str, *steps: dict[str, Any], is_active: bool = True) -> dict[str, Any]:
    status = {"status": "active"} if is_active else {}
    return {"name": name, "trigger": {"manual": True}, "steps": list(steps or (LOG,)), **status}


@pytest.mark.parametrize(
    ("documents", "problems"),
    [
        ([doc("A", call("B")), doc("B", is_active=False)], [("automations[0].steps[0].call", "not_callable")]),
        ([doc("A", call("B")), doc("B"), doc("B")], [("automations[0].steps[0].call", "unknown_automation")]),
        ([doc("A", call("B")), doc("B", call("A"))],
         [("automations[0].steps[0].call", "cycle"), ("automations[1].steps[0].call", "cycle")]),
        ([doc("A", call("A"))], [("automations[0].steps[0].call", "cycle")]),
    ],
)  # fmt: skip
def test_a_file_that_calls_in_vain_is_refused_as_a_whole(
    surface: Surface, documents: Sequence[dict[str, Any]], problems: list[tuple[str, str]]
) -> None:
    assert refused(surface.post("/automations/import", exported(*documents))) == problems


def test_automations_that_call_each_other_travel_together(surface: Surface) -> None:
    callee = id_of(made(surface, "Settle"))
    id_of(made(surface, "Caller", call(callee), {"id": "on", **LOG, "action": "log"}))
    file = surface.get("/automations/export").json()
    assert sorted(step["call"] for one in file["automations"] for step in one["steps"] if "call" in step) == ["Settle"]
    alone = [one for one in file["automations"] if one["name"] == "Caller"]
    assert refused(surface.post("/automations/import", exported(*alone), tenant="beta")) == [
        ("automations[0].steps[0].call", "unknown_automation")
    ]
    told = surface.post("/automations/import", exported(*file["automations"][::-1]), tenant="beta").json()[
        "automations"
    ]
    kept = {one["document"]["name"]: one for one in told}
    assert kept["Caller"]["document"]["steps"][0]["call"] == kept["Settle"]["id"]
    dry = surface.post("/automations/import?dry_run=true", file, tenant="beta").json()["automations"]
    assert [one["state"] for one in dry] == ["same", "same"]
    drafts = [{name: value for name, value in one.items() if name != "status"} for one in file["automations"]]
    assert surface.post("/automations/import", exported(*drafts), tenant="alpha").status_code == 200


def test_a_change_and_a_dry_run_tell_the_name(surface: Surface) -> None:
    first, second = id_of(made(surface, "First")), id_of(made(surface, "Second"))
    caller = id_of(made(surface, "Caller", call(first)))
    path = f"/automations/{caller}"
    changed = {"name": "Caller", "trigger": {"manual": True}, "steps": [call(second, **{"await": False})]}
    surface.put(path, changed, headers={"If-Match": "*"})
    texts = [change["text"] for change in surface.get(f"{path}/diff").json()["changes"]]
    assert texts == ["Step “ask”: it calls “Second” instead of “First”.", "Step “ask”: it goes on at once."]
    (step,) = surface.post(f"{path}/test", {"data": {}}).json()["steps"]
    assert (step["would"], step["text"], step["arguments"]) == ("call", "would call “Second”", {"number": 7})


def comes_to(surface: Surface, run_id: str, status: str) -> Any:
    """The run, once the engine has brought it to this status."""
    deadline = time.monotonic() + 30
    while (run := surface.get(f"/runs/{run_id}").json())["status"] != status:
        assert time.monotonic() < deadline, run
        surface.settle()
    RunDetail.model_validate(run)
    return run


def test_a_run_and_the_run_it_called_lead_to_each_other(running: Surface) -> None:
    callee = id_of(made(running, "Settle", {"id": "nap", "delay": "1d"}))
    caller = id_of(made(running, "Caller", call(callee)))
    run_id = running.post(f"/automations/{caller}/run", {"data": {}}).json()["run_id"]
    (step,) = comes_to(running, run_id, "waiting")["steps"]
    child = comes_to(running, step["called_run"]["id"], "waiting")
    assert (step["kind"], step["status"]) == ("call", "waiting")
    assert (child["cause"], child["automation"]["id"]) == ({"run_id": run_id, "step_id": "ask"}, callee)
    assert child["event"]["name"] == f"system.call.{callee}"
    running.post(f"/runs/{run_id}/cancel")
    assert comes_to(running, child["id"], "cancelled")["error"] is None


def each(automation: str, **more: Any) -> dict[str, Any]:
    return {"id": "each", "for_each": [4, 5, 6, 7, 8], "call": automation, "with": {"number": "{{ item }}"}, **more}


def test_who_is_called_for_each_item_is_held_to_the_same(surface: Surface) -> None:
    first = id_of(made(surface, "First"))
    archived = id_of(made(surface, "Archived"))
    surface.post(f"/automations/{archived}/archive")
    for callee, code in (("nobody", "unknown_automation"), (archived, "not_callable")):
        assert refused(made(surface, "Caller", each(callee))) == [("steps[0].call", code)]
    second = made(surface, "Second", each("First")).json()
    assert second["steps"][0]["call"] == first
    assert surface.post(f"/automations/{first}/archive").status_code == 409
    given = {"name": "First", "trigger": {"manual": True}, "status": "active"}
    for steps in ([call(second["id"])], [{"id": "nap", "delay": "1h"}, {**call(second["id"]), "await": False}]):
        answer = surface.put(f"/automations/{first}", {**given, "steps": steps}, headers={"If-Match": "*"})
        assert refused(answer) == [(f"steps[{len(steps) - 1}].call", "cycle")]
        assert "calls “First” for each item of a list" in answer.json()["errors"][0]["message"]
    file = surface.get("/automations/export").json()
    (told,) = [one["steps"][0]["call"] for one in file["automations"] if one["name"] == "Second"]
    assert told == "First"


def test_the_runs_called_for_each_item_are_listed_page_by_page(running: Surface) -> None:
    callee = id_of(made(running, "Settle", {"id": "nap", "delay": "1d"}))
    caller = id_of(made(running, "Caller", each(callee, concurrency=3)))
    run_id = running.post(f"/automations/{caller}/run", {"data": {}}).json()["run_id"]
    comes_to(running, run_id, "waiting")
    path = f"/runs/{run_id}/called?step=each&limit=2"
    pages = [running.get(path).json()]
    while pages[-1]["next"] is not None:
        pages.append(running.get(f"{path}&cursor={pages[-1]['next']}").json())
    items = [item for page in pages for item in page["items"]]
    assert [len(page["items"]) for page in pages] == [2, 2, 1]
    assert [(item["id"], item["item"]) for item in items] == [(f"each[{at}]", at) for at in range(5)]
    ids = [item["called_run"] and item["called_run"]["id"] for item in items]
    assert ids[3:] == [None, None]
    for child in ids[:3]:
        comes_to(running, child, "waiting")
    assert running.get(f"/runs/{ids[1]}").json()["cause"] == {"run_id": run_id, "step_id": "each[1]"}
    told = {"id": ids[1], "status": "waiting"}
    one = running.get(f"/runs/{run_id}/called?step=each%5B1%5D").json()
    assert one == {"items": [{"id": "each[1]", "item": None, "called_run": told}], "next": None}
    assert running.get(f"/runs/{run_id}/called").json()["items"][1] == {"id": "each[1]", "item": 1, "called_run": told}
    assert running.get(f"/runs/{run_id}/called?step=nothing").json() == {"items": [], "next": None}
    assert refused(running.get(f"/runs/{ids[0]}/called")) == [("step", "missing")]
    assert running.get("/runs/nobody/called?step=each").status_code == 404
    assert running.get(f"/runs/{run_id}/called?step=").status_code == 400
    other = running.get(f"/runs/{ids[0]}/called?step=each&cursor={pages[0]['next']}")
    assert other.status_code == 400, "a cursor of another list"
