"""The page without a mouse, and on a phone."""

import re

from playwright.sync_api import Browser, Page, expect

PATHS = ["/", "/automations", "/automations/new", "/runs", "/events", "/entities", "/segments", "/settings/event-types"]


def test_a_picked_step_has_the_focus_and_escape_leads_back_to_its_row(page: Page) -> None:
    page.goto("/automations/new")
    editor = page.get_by_role("dialog", name="New automation")
    add = editor.get_by_role("button", name="Add step")
    add.press("Enter")
    expect(page.get_by_role("searchbox", name="Add step")).to_be_focused()
    page.keyboard.press("Escape")
    expect(add).to_be_focused()
    add.press("Enter")
    page.keyboard.type("log line")
    page.keyboard.press("Enter")
    heading = editor.get_by_role("heading", name="Write a log line")
    expect(heading).to_be_focused()
    page.keyboard.press("Tab")
    expect(editor.get_by_role("textbox", name="Step name")).to_be_focused()
    page.keyboard.press("Escape")
    row = editor.get_by_role("button", name=re.compile("^Write a log line"))
    expect(row).to_be_focused()
    page.keyboard.press("Enter")
    expect(heading).to_be_focused()


def test_a_step_is_moved_and_removed_by_keys_and_the_focus_stays_in_the_list(page: Page) -> None:
    page.goto("/automations/new")
    editor = page.get_by_role("dialog", name="New automation")
    for kind in ("Wait", "Stop"):
        editor.get_by_role("button", name="Add step").press("Enter")
        page.get_by_role("button", name=re.compile(f"^{kind}(?! for)")).last.press("Enter")
        expect(editor.get_by_role("heading", name=kind, exact=True)).to_be_focused()
    steps = editor.get_by_role("list", name="Steps").get_by_role("button", name=re.compile("^(Wait|Stop)"))
    steps.last.focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(steps.first).to_be_focused()
    expect(steps.first).to_contain_text("Stop")
    page.keyboard.press("Delete")
    expect(steps).to_have_count(1)
    expect(steps.first).to_be_focused()
    page.keyboard.press("Delete")
    expect(editor.get_by_role("button", name="Add step")).to_be_focused()


def test_the_focus_lands_in_the_new_form_while_answers_are_still_being_shown(page: Page) -> None:
    """React then owes the effects of an earlier render; they used to take up what this key press asked for."""
    page.add_init_script(
        "const post = MessagePort.prototype.postMessage;"
        "MessagePort.prototype.postMessage = function (...given) { setTimeout(() => post.apply(this, given), 700) };"
    )
    page.goto("/automations/new")
    editor = page.get_by_role("dialog", name="New automation")
    editor.get_by_role("button", name="Add step").press("Enter")
    wait = page.get_by_role("button", name=re.compile("^Wait(?! for)")).last
    expect(wait).to_be_visible()
    editor.get_by_text("Still to do").wait_for()
    wait.press("Enter")
    expect(editor.get_by_role("heading", name="Wait", exact=True)).to_be_focused()


def test_an_event_and_conditions_are_chosen_by_keys(page: Page) -> None:
    page.goto("/automations/new")
    editor = page.get_by_role("dialog", name="New automation")
    editor.get_by_role("button", name="Appointment created").press("Enter")
    expect(editor.get_by_role("heading", name="When this happens")).to_be_focused()
    editor.get_by_role("button", name="Runs on every event").press("Enter")
    expect(editor.get_by_role("heading", name="Only if")).to_be_focused()
    expect(editor.get_by_text("runs on every event of its type")).to_be_visible()
    add = editor.get_by_role("button", name="Add condition")
    add.press("Enter")
    editor.get_by_role("button", name="Condition actions").press("Enter")
    page.get_by_role("menuitem", name="Remove").press("Enter")
    expect(add).to_be_focused()


def test_the_focus_goes_back_to_what_opened_the_editor(page: Page) -> None:
    page.goto("/automations")
    link = page.get_by_role("link", name="Keep appointments")
    link.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("textbox", name="Name")).to_have_value("Keep appointments")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(link).to_be_focused()


def test_no_page_is_wider_than_a_phone_and_names_can_be_read(chromium: Browser, server: str) -> None:
    context = chromium.new_context(base_url=server, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page = context.new_page()
    for path in PATHS:
        page.goto(path)
        expect(page.locator("h1, [role=dialog]").first).to_be_visible()
        expect(page.get_by_role("status", name="Loading")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    page.goto("/automations")
    name = page.get_by_role("link", name="Consultation booked")
    expect(name).to_be_visible()
    assert name.evaluate("name => name.scrollWidth <= name.clientWidth"), "the name is cut off"
    menu = page.get_by_role("button", name="Actions for Consultation booked")
    assert menu.evaluate("menu => menu.getBoundingClientRect().right <= 390"), "the menu is beside the screen"
    context.close()
