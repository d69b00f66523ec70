"""Segments: made with the condition builder, counted, looked into, changed and deleted."""

import re

from playwright.sync_api import Page, expect

from tests.browser.test_accessibility import looked_at


def test_a_segment_is_made_its_members_are_seen_and_it_is_changed_and_deleted(page: Page) -> None:
    for number, points in enumerate((50, 120, 300)):
        put = page.request.put(f"/api/v1/entities/guest/g-{number}", data={"fields": {"points": points}})
        assert put.ok, put.text()
    page.goto("/segments")
    page.get_by_role("button", name="New segment").press("Enter")
    dialog = page.get_by_role("dialog", name="New segment")
    dialog.get_by_role("textbox", name="Name").fill("Best guests")
    dialog.get_by_role("combobox", name="Type of entity").fill("guest")
    dialog.get_by_role("button", name="Add condition").press("Enter")
    dialog.get_by_role("combobox", name="Field", exact=True).fill("points")
    dialog.get_by_role("combobox", name="Operator").select_option(value="greater_than")
    dialog.get_by_role("textbox", name="Value", exact=True).fill("100")
    dialog.get_by_role("button", name="Save").press("Enter")
    expect(dialog).to_have_count(0)
    row = page.get_by_role("row", name=re.compile("Best guests"))
    count = row.get_by_role("button", name="Members of “Best guests”")
    expect(count).to_have_text("2")
    count.press("Enter")
    members = page.get_by_role("list", name="Members of “Best guests”")
    expect(members.get_by_role("link")).to_have_text(["g-1", "g-2"])
    page.keyboard.press("Escape")

    row.get_by_role("button", name="Best guests", exact=True).press("Enter")
    dialog = page.get_by_role("dialog", name="Edit “Best guests”")
    dialog.get_by_role("textbox", name="Value", exact=True).fill("200")
    dialog.get_by_role("button", name="Save").press("Enter")
    expect(dialog).to_have_count(0)
    expect(count).to_have_text("1")
    row.get_by_role("button", name="Actions for Best guests").press("Enter")
    page.get_by_role("menuitem", name="Delete").press("Enter")
    page.get_by_role("button", name="Delete", exact=True).press("Enter")
    expect(row).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name="Segments", level=1)).to_be_visible()
    expect(row).to_have_count(0)
    assert looked_at(page) == []


def test_joining_a_segment_starts_an_automation_that_was_built_in_the_form(page: Page) -> None:
    condition = {"field": "points", "operator": "greater_than", "value": 100}
    segment = {"name": "Regulars", "entity_type": "patron", "condition": condition}
    assert page.request.post("/api/v1/segments", data=segment).ok
    page.goto("/automations/new")
    editor = page.get_by_role("dialog", name="New automation")
    editor.get_by_role("textbox", name="Name").first.fill("Greets regulars")
    editor.get_by_role("combobox", name="How it starts").select_option(label="Joining or leaving a segment")
    editor.get_by_role("combobox", name="Segment", exact=True).select_option(value="Regulars")
    expect(editor.get_by_role("region", name="When").get_by_role("button")).to_contain_text("joins “Regulars”")
    editor.get_by_role("button", name="Add step").press("Enter")
    expect(page.get_by_role("searchbox", name="Add step")).to_be_focused()
    page.keyboard.type("Stop")
    page.keyboard.press("Enter")
    expect(editor.get_by_role("heading", name="Stop", exact=True)).to_be_focused()
    editor.get_by_role("button", name="Publish & turn on").press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.request.put("/api/v1/entities/patron/p-1", data={"fields": {"points": 120}}).ok
    page.goto("/runs")
    row = page.get_by_role("row", name=re.compile("Completed Greets regulars"))
    expect(row).to_contain_text("p-1")


def test_who_is_in_a_segment_kept_by_hand_is_put_in_and_taken_out(page: Page) -> None:
    assert page.request.put("/api/v1/entities/helper/h-1", data={"fields": {}}).ok
    page.goto("/segments")
    page.get_by_role("button", name="New segment").press("Enter")
    dialog = page.get_by_role("dialog", name="New segment")
    dialog.get_by_role("textbox", name="Name").fill("Chosen")
    dialog.get_by_role("combobox", name="Type of entity").fill("helper")
    dialog.get_by_role("radio", name="Kept by hand").check()
    dialog.get_by_role("button", name="Save").press("Enter")
    expect(dialog).to_have_count(0)
    row = page.get_by_role("row", name=re.compile("Chosen"))
    expect(row).to_contain_text("by hand")
    count = row.get_by_role("button", name="Members of “Chosen”")
    count.press("Enter")
    members = page.get_by_role("dialog", name="Members of “Chosen”")
    members.get_by_role("textbox", name="Id of the entity").fill("h-1")
    members.get_by_role("textbox", name="Id of the entity").press("Enter")
    expect(members.get_by_role("link")).to_have_text(["h-1"])
    expect(count).to_have_text("1")
    members.get_by_role("button", name="Take out h-1").press("Enter")
    expect(members.get_by_text("Nobody is in it.")).to_be_visible()


def test_a_schedule_is_for_who_is_in_a_segment_that_is_made_on_the_way(page: Page) -> None:
    fields = {"points": 120, "renews_on": "2027-03-01"}
    assert page.request.put("/api/v1/entities/walker/w-1", data={"fields": fields}).ok
    page.goto("/automations/new")
    editor = page.get_by_role("dialog", name="New automation")
    editor.get_by_role("textbox", name="Name").first.fill("Every walker")
    editor.get_by_role("combobox", name="How it starts").select_option(label="A schedule")
    editor.get_by_role("combobox", name="For whom").select_option(label="One run for each entity in a segment")
    editor.get_by_role("button", name="New segment").press("Enter")
    made = page.get_by_role("dialog", name="New segment")
    made.get_by_role("textbox", name="Name").fill("Walkers")
    made.get_by_role("combobox", name="Type of entity").fill("walker")
    made.get_by_role("button", name="Save").press("Enter")
    expect(made).to_have_count(0)
    expect(editor.get_by_role("button", name="New segment")).to_be_focused()
    segment = editor.get_by_role("combobox", name="Segment", exact=True)
    expect(segment.locator("option:checked")).to_have_text("Walkers · walker")
    when = editor.get_by_role("region", name="When").get_by_role("button")
    expect(when).to_contain_text("Every day at 09:00, for each entity in “Walkers”")

    editor.get_by_role("region", name="If", exact=True).get_by_role("button").press("Enter")
    editor.get_by_role("button", name="Add condition").press("Enter")
    field = editor.get_by_role("combobox", name="Field", exact=True)
    field.fill("points")  # and the fields of its entities are known
    expect(page.get_by_role("option", name=re.compile("entity.points"))).to_be_visible()
    page.keyboard.press("Escape")
    editor.get_by_role("button", name="Undo").press("Enter")

    when.press("Enter")
    editor.get_by_role("combobox", name="How it starts").select_option(label="A date of an entity")
    editor.get_by_role("combobox", name="For whom").select_option(label="One run for each entity in a segment")
    segment.select_option(value="Walkers")
    editor.get_by_role("combobox", name="Field with the date").fill("renews_on")
    editor.get_by_role("button", name="Add step").press("Enter")
    expect(page.get_by_role("searchbox", name="Add step")).to_be_focused()
    page.keyboard.type("Stop")
    page.keyboard.press("Enter")
    expect(editor.get_by_role("heading", name="Stop", exact=True)).to_be_focused()
    editor.get_by_role("button", name="Save draft").press("Enter")
    editor = page.get_by_role("dialog", name="Edit Every walker")
    expect(editor.get_by_text("All changes saved")).to_be_visible()
    [kept] = page.request.get("/api/v1/automations?q=Every+walker").json()["items"]
    assert kept["trigger"]["schedule"] == {
        "daily": "09:00",
        "each": {"segment": "Walkers", "before": {"field": "renews_on", "days": 7}},
    }
    page.reload()
    editor.get_by_role("region", name="When").get_by_role("button").press("Enter")
    segment = editor.get_by_role("combobox", name="Segment", exact=True)
    expect(segment.locator("option:checked")).to_have_text("Walkers · walker")
    assert looked_at(page) == []
