"""A program in the form of its step: lines with numbers, keys, and what is wrong at its line."""

import re

from playwright.sync_api import Page, expect

from tests.browser.test_accessibility import looked_at

LOOP = "total = 0\nfor price in inputs.get('prices', []):\n    total += price"


def test_a_program_is_written_with_the_keyboard_and_its_fault_stands_at_its_line(page: Page) -> None:
    page.goto("/automations/new")
    editor = page.get_by_role("dialog", name="New automation")
    editor.get_by_role("textbox", name="Name").first.fill("Adds up")
    editor.get_by_role("combobox", name="Event").fill("test/adds")
    editor.get_by_role("button", name="Add step").press("Enter")
    expect(page.get_by_role("searchbox", name="Add step")).to_be_focused()
    page.keyboard.type("Run code")
    page.keyboard.press("Enter")
    expect(editor.get_by_role("heading", name="Run code")).to_be_focused()
    program = page.get_by_role("textbox", name="Program")
    program.focus()
    page.keyboard.type("total = 0\nfor price in inputs.get('prices', []):\ntotal += price")
    expect(program).to_have_value(LOOP)
    page.keyboard.press("Control+]")
    expect(program).to_have_value("total = 0\nfor price in inputs.get('prices', []):\n        total += price")
    page.keyboard.press("Control+[")
    page.keyboard.type("\n{'total': total}")
    page.keyboard.press("Control+[")
    expect(program).to_have_value(f"{LOOP}\n{{'total': total}}")
    editor.get_by_role("button", name="Save draft").press("Enter")
    editor = page.get_by_role("dialog", name="Edit Adds up")
    expect(editor.get_by_text("All changes saved")).to_be_visible()

    page.reload()  # and it opens where it was
    expect(program).to_have_value(f"{LOOP}\n{{'total': total}}")
    program.press("Control+End")
    page.keyboard.press("Backspace")
    wrong = editor.locator("[data-line].text-bad")
    expect(wrong).to_have_text("4")
    expect(program).to_have_attribute("aria-invalid", "true")
    expect(program).to_have_accessible_description(re.compile("^Line 4: "))
    assert looked_at(page) == []
    program.press("Control+End")
    page.keyboard.type("}")
    expect(wrong).to_have_count(0)
    expect(program).not_to_have_attribute("aria-invalid", "true")
    page.keyboard.press("Tab")
    expect(program).not_to_be_focused()


def test_a_fault_that_was_refused_is_gone_once_it_is_mended(page: Page) -> None:
    other = page.context.new_page()  # its console says that it was refused
    other.goto("/automations/new")
    editor = other.get_by_role("dialog", name="New automation")
    editor.get_by_role("textbox", name="Name").first.fill("Refused at first")
    editor.get_by_role("combobox", name="Event").fill("test/refused")
    editor.get_by_role("button", name="Add step").press("Enter")
    expect(other.get_by_role("searchbox", name="Add step")).to_be_focused()
    other.keyboard.type("Run code")
    other.keyboard.press("Enter")
    program = editor.get_by_role("textbox", name="Program")
    program.fill("1 +")
    editor.get_by_role("button", name="Save draft").press("Enter")
    wrong = editor.locator("[data-line].text-bad")
    expect(wrong).to_have_text("1")
    program.fill("1 + 1")
    expect(wrong).to_have_count(0)
    expect(editor.get_by_text("Ready to publish")).to_be_visible()


def test_a_program_that_fails_has_its_line_marked_in_the_editor_and_in_its_run(page: Page) -> None:
    code = {"id": "sum", "action": "run_code", "with": {"source": LOOP, "inputs": {"prices": "{{ prices }}"}}}
    document = {"name": "Fails at a line", "trigger": {"event": "test/fails-at"}, "steps": [code], "status": "active"}
    made = page.request.post("/api/v1/automations", data=document).json()["id"]
    assert page.request.post("/api/v1/events", data={"name": "test/fails-at", "data": {"prices": ["one"]}}).ok
    page.goto(f"/runs?automation={made}")
    page.get_by_role("row", name=re.compile("Failed Fails at a line")).get_by_role("link").first.click()
    program = page.get_by_role("group", name="Program")
    expect(program.locator("[aria-current]")).to_have_text("3 total += price")
    expect(page.get_by_role("alert")).to_contain_text("Line 3: TypeError")
    assert looked_at(page) == []

    page.goto(f"/automations/{made}/edit?step=sum")
    editor = page.get_by_role("dialog", name="Edit Fails at a line")
    wrong = editor.locator("[data-line].text-bad")
    expect(wrong).to_have_text("3")
    program = editor.get_by_role("textbox", name="Program")
    expect(program).to_have_accessible_description(re.compile("^With the sample it would fail: Line 3: TypeError"))
    program.fill(LOOP.replace("+= price", "+= len(price)"))
    expect(wrong).to_have_count(0)
