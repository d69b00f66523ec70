"""Publishing over runs that are under way, going back to a version, and two people at one automation."""

import re
from typing import Any

from playwright.sync_api import Page, expect

SAY = {"id": "say", "action": "log", "with": {"message": "Well?"}}
NAP = {"id": "nap", "delay": "30d"}


def made(page: Page, **fields: Any) -> str:
    """The id of an automation with this document."""
    answer = page.request.post("/api/v1/automations", data={"priority": 5, "steps": [NAP, SAY], **fields})
    assert answer.ok, answer.text()
    return answer.json()["id"]


def saved_by_another(page: Page, automation_id: str, **changes: Any) -> None:
    path = f"/api/v1/automations/{automation_id}"
    document = {**page.request.get(f"{path}/export").json(), **changes}
    document.pop("status", None)
    assert page.request.put(path, data=document, headers={"If-Match": "*"}).ok


def test_publishing_says_what_changes_and_takes_the_runs_under_way_along(page: Page) -> None:
    automation = made(page, name="Taken along", trigger={"event": "test/along"}, status="active")
    page.request.post("/api/v1/events", data={"name": "test/along", "data": {}})
    page.goto(f"/runs?automation={automation}")
    expect(page.get_by_role("row", name=re.compile("Waiting Taken along"))).to_be_visible()

    page.goto(f"/automations/{automation}/edit")
    editor = page.get_by_role("dialog", name="Edit Taken along")
    editor.get_by_role("button", name="Publish…").press("Enter")
    same = page.get_by_role("dialog", name="Publish “Taken along”")
    expect(same.get_by_text("1 run is under way on this version, and goes on.")).to_be_visible()
    expect(same.get_by_role("radio")).to_have_count(0)
    expect(same.get_by_role("button", name="Publish", exact=True)).to_be_enabled()
    page.keyboard.press("Escape")
    expect(same).to_have_count(0)
    editor.get_by_role("list", name="Steps").get_by_role("button", name="Write a log line").press("Enter")
    editor.get_by_role("textbox", name="Line").fill("Better now?")
    editor.get_by_role("button", name="Publish…").press("Enter")
    ahead = page.get_by_role("dialog", name="Publish “Taken along”")
    expect(ahead.get_by_text("message is “Better now?”, was “Well?”")).to_be_visible()
    expect(ahead.get_by_text("1 run is under way: 1 on version 1.")).to_be_visible()
    ahead.get_by_role("radio", name="Move to the new version").check()
    ahead.get_by_role("button", name="Publish", exact=True).press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    row = page.get_by_role("row", name=re.compile("Taken along"))
    expect(row.get_by_text("v2", exact=True)).to_be_visible()

    page.get_by_role("button", name="Actions for Taken along").press("Enter")
    page.get_by_role("menuitem", name="Versions").press("Enter")
    page.get_by_role("button", name="Compare version 1 with the draft").press("Enter")
    page.get_by_role("button", name="Make version 1 the draft").press("Enter")
    expect(ahead.get_by_text("message is “Well?”, was “Better now?”")).to_be_visible()
    ahead.get_by_role("radio", name="Cancel them").check()
    ahead.get_by_role("button", name="Publish and cancel 1 run").press("Enter")
    expect(row.get_by_text("v3", exact=True)).to_be_visible()
    row.get_by_role("link", name="Cancelled").press("Enter")
    expect(page.get_by_role("link", name="v2 · Open the automation")).to_be_visible()


def test_two_people_at_one_automation_are_told_of_each_other_and_lose_nothing(page: Page) -> None:
    automation = made(page, name="For two", trigger={"event": "test/two"})
    page.goto(f"/automations/{automation}/edit")
    editor = page.get_by_role("dialog", name=re.compile("^Edit"))
    name = editor.get_by_role("textbox", name="Name").first
    expect(name).to_have_value("For two")

    saved_by_another(page, automation, priority=8)
    expect(editor.get_by_text("you see their version now")).to_be_visible()
    expect(editor.get_by_role("button", name="Priority 8")).to_be_visible()
    editor.get_by_role("button", name="Dismiss").press("Enter")

    name.fill("For two, by me")
    saved_by_another(page, automation, name="For two, by them", steps=[NAP, SAY, {"id": "end", "stop": "Done"}])
    told = editor.get_by_role("alert")
    expect(told.get_by_text("Name is “For two, by them”, was “For two”.")).to_be_visible()
    expect(told.get_by_text("Step “end” is new")).to_be_visible()
    expect(name).to_have_value("For two, by me")
    told.get_by_role("button", name="Put both together").press("Enter")
    expect(editor.get_by_text("Both changed name: yours was kept")).to_be_visible()
    expect(editor.get_by_role("list", name="Steps").get_by_role("button", name="Stop end")).to_be_visible()
    editor.get_by_role("button", name="Save draft").press("Enter")
    expect(editor.get_by_text("All changes saved")).to_be_visible()
    kept = page.request.get(f"/api/v1/automations/{automation}").json()
    assert (kept["name"], kept["priority"], [step["id"] for step in kept["steps"]]) == (
        "For two, by me",
        8,
        ["nap", "say", "end"],
    )
