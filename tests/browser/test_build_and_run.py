"""What a practice manager does: build an automation by hand, try it on a sample, and watch it run."""

import re

from playwright.sync_api import Page, expect


def build(page: Page, name: str, status: str) -> None:
    """Fill the editor: trigger, one condition, one step."""
    page.goto("/automations")
    page.get_by_role("link", name="New automation").or_(page.get_by_role("button", name="New automation")).first.click()
    editor = page.get_by_role("dialog", name="New automation")
    editor.get_by_role("textbox", name="Name").fill(name)
    editor.get_by_role("button", name="Appointment created").click()
    editor.get_by_role("button", name="Always (no condition)").click()
    editor.get_by_role("button", name="Add condition").first.click()
    condition = editor.get_by_role("group", name="Condition 1")
    condition.get_by_role("combobox", name="Field").fill("appointment.status")
    page.get_by_role("option", name="appointment.status").click()
    condition.get_by_role("combobox", name="Value").or_(condition.get_by_role("textbox", name="Value")).fill(status)
    editor.get_by_role("heading", name="Only if").click()
    editor.get_by_role("button", name="Add step").click()
    page.get_by_role("button", name=re.compile("^Write a log line")).click()
    editor.get_by_role("textbox", name="Message").fill("Booked {{ appointment.patientId }}")


def test_an_automation_is_built_by_hand_and_its_run_is_watched(page: Page) -> None:
    build(page, "Built in a browser", "scheduled")
    editor = page.get_by_role("dialog")
    expect(editor.get_by_role("region", name="Try it")).to_contain_text(re.compile("would start|starts", re.I))
    editor.get_by_role("button", name="Publish & turn on").click()
    expect(page.get_by_role("row", name=re.compile("Built in a browser"))).to_be_visible()

    page.goto("/events")
    page.get_by_role("button", name=re.compile("Emit|Send")).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").first.fill("crm/appointment.created")
    dialog.get_by_role("heading").first.click()
    dialog.get_by_role("button", name=re.compile("^(Emit|Send)")).last.click()

    page.goto("/runs")
    row = page.get_by_role("row", name=re.compile("Built in a browser"))
    expect(row.first).to_contain_text("Completed")
    row.first.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Built in a browser")).to_be_visible()
    expect(page.get_by_text("Completed").first).to_be_visible()
