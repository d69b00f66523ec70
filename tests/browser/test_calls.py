"""An automation that calls another: built in its form, and followed from run to run."""

import re

from playwright.sync_api import Page, expect


def test_a_call_is_built_in_its_form_and_its_runs_lead_to_each_other(page: Page) -> None:
    say = {"id": "say", "action": "log", "with": {"message": "Paid {{ order }}"}}
    called = {"name": "Settle it", "status": "active", "trigger": {"manual": True}, "steps": [say]}
    assert page.request.post("/api/v1/automations", data=called).ok
    page.goto("/automations/new")
    editor = page.get_by_role("dialog", name="New automation")
    editor.get_by_role("textbox", name="Name").first.fill("Calls it")
    editor.get_by_role("combobox", name="Event").fill("test/call")
    editor.get_by_role("button", name="Add step").press("Enter")
    expect(page.get_by_role("searchbox", name="Add step")).to_be_focused()
    page.keyboard.type("Call an automation")
    page.keyboard.press("Enter")
    expect(editor.get_by_role("heading", name="Call", exact=True)).to_be_focused()
    editor.get_by_role("combobox", name="Automation", exact=True).select_option(label="Settle it")
    editor.get_by_role("button", name="Add a field").press("Enter")
    editor.get_by_role("textbox", name="Field name").fill("order")
    editor.get_by_role("textbox", name="order Value").fill("{{ order }}")
    expect(editor.get_by_role("list", name="Steps")).to_contain_text("“Settle it”")
    editor.get_by_role("button", name="Publish & turn on").press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)

    page.request.post("/api/v1/events", data={"name": "test/call", "data": {"order": "o-7"}})
    page.goto("/runs")
    page.get_by_role("row", name=re.compile("Completed Calls it")).get_by_role("link", name="Calls it").click()
    page.get_by_role("link", name="The run that was called").click()
    expect(page.get_by_role("heading", name="Settle it")).to_be_visible()
    page.get_by_role("tab", name=re.compile("^Log")).click()
    expect(page.get_by_text("Paid o-7")).to_be_visible()
    page.get_by_role("link", name="the step “call” of another run").click()
    expect(page.get_by_role("heading", name="Calls it")).to_be_visible()
