"""The automation as a picture: built, drawn and walked through, with the same document as the outline's."""

import json
import re

from playwright.sync_api import Locator, Page, expect

SAY = {"action": "log", "with": {"message": "Hello"}}


def picture(page: Page) -> Locator:
    page.get_by_role("radio", name="Canvas").check(force=True)  # the radio itself is only for screen readers
    shown = page.get_by_role("region", name="Picture of the automation")
    expect(shown).to_be_visible()
    return shown


def test_steps_are_put_into_the_ways_of_the_picture(page: Page) -> None:
    page.goto("/automations/new")
    shown = picture(page)
    form = page.get_by_role("dialog", name="New automation")
    for place, wanted in (
        ("Add step", "Branch"),
        ("Add a step after decide if not", "log"),
        ("Add a step after decide if true", ":stop"),
        ("Add a step after If", ":delay"),
    ):
        shown.get_by_role("button", name=place).press("Enter")
        expect(page.get_by_role("searchbox", name="Add step")).to_be_focused()
        page.keyboard.type(wanted)
        page.keyboard.press("Enter")
        expect(page.get_by_role("searchbox", name="Add step")).to_have_count(0)
    expect(form.get_by_role("heading", name="Wait", exact=True)).to_be_focused()
    page.get_by_role("radio", name="JSON").check(force=True)
    steps = json.loads(page.get_by_role("textbox", name="Automation as JSON").input_value())["steps"]
    by_id = {step["id"]: step for step in steps}
    assert set(by_id) == {"wait", "decide", "stop", "log"}
    assert (steps[0]["id"], by_id["decide"]["if_true"], by_id["decide"]["if_false"]) == ("wait", "stop", "log")


def test_a_link_is_drawn_elsewhere_and_arrow_keys_go_along_the_links(page: Page) -> None:
    branch = {"field": "a", "operator": "equals", "value": 1}
    steps = [
        {"id": "which", "branch": branch, "if_true": "yes", "if_false": "no"},
        {"id": "yes", **SAY, "next": None},
        {"id": "no", **SAY, "next": None},
    ]
    document = {"name": "Drawn", "trigger": {"event": "test/drawn"}, "steps": steps}
    made = page.request.post("/api/v1/automations", data=document).json()["id"]
    page.goto(f"/automations/{made}/edit")
    shown = picture(page)
    yes, no = (shown.get_by_role("button", name=re.compile(f"^Write a log line {name}")) for name in ("yes", "no"))
    knob = shown.locator('[data-way="yes next"]')
    knob.drag_to(no)
    expect(shown.locator('[data-node^="end:"]')).to_have_count(1)
    shown.get_by_role("button", name=re.compile("^Branch which")).focus()
    page.keyboard.press("ArrowDown")
    expect(yes).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(no).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Write a log line")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(no).to_be_focused()
    page.keyboard.press("Delete")
    expect(no).to_have_count(0)
    expect(shown.get_by_role("button", name=re.compile("^Branch which"))).to_be_focused()
    page.get_by_role("button", name="Undo (Ctrl Z)").press("Enter")
    page.get_by_role("button", name="Save draft").press("Enter")
    expect(page.get_by_text("All changes saved")).to_be_visible()
    kept = page.request.get(f"/api/v1/automations/{made}").json()["steps"]
    assert kept[1] == {"id": "yes", **SAY, "next": "no"}
