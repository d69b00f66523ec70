"""How an automation did: figures, the slowest steps, the costliest conditions, and advice that leads to its place."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.browser.test_accessibility import looked_at

RUNS = 24
GIFT = {"field": "note", "operator": "regex", "value": "^gift"}
ORDER = {"field": "kind", "operator": "equals", "value": "order"}
LATE = {"field": "late", "operator": "equals", "value": True}
PAID = {
    "name": "Paid in full",
    "status": "active",
    "trigger": {"event": "test/insight"},
    "condition": {"combinator": "and", "rules": [GIFT, ORDER]},
    "steps": [
        {"id": "say", "action": "log", "with": {"message": "Paid"}},
        {"id": "late", "branch": LATE, "if_true": "complain", "if_false": "thank"},
        {"id": "complain", "action": "log", "with": {"message": "Late"}, "next": None},
        {"id": "thank", "action": "log", "with": {"message": "Thank you"}},
    ],
}


def paid(page: Page) -> str:
    """An automation that ran often enough for advice."""
    made = page.request.post("/api/v1/automations", data=PAID)
    assert made.ok, made.text()
    data = {"note": "gift", "kind": "order", "late": False}
    events = [{"name": "test/insight", "data": data} for _ in range(RUNS)]
    assert page.request.post("/api/v1/events", data=events).ok
    automation: str = made.json()["id"]
    page.goto(f"/runs?automation={automation}")
    expect(page.get_by_role("row", name=re.compile("Completed Paid in full"))).to_have_count(RUNS)
    return automation


def test_insights_say_where_time_goes_and_advice_leads_to_its_place(page: Page, chromium: Browser, server: str) -> None:
    automation = paid(page)
    page.goto("/automations")
    page.get_by_role("button", name="Actions for Paid in full").press("Enter")
    page.get_by_role("menuitem", name="Insights").press("Enter")
    expect(page.get_by_role("heading", name="Paid in full", level=1)).to_be_visible()
    figures = page.get_by_role("definition")
    expect(figures.filter(has_text="of version 1, the live one")).to_contain_text(str(RUNS))
    expect(figures.filter(has_text="100%")).to_contain_text(f"{RUNS} completed")
    steps = page.get_by_role("table", name="Slowest steps")
    expect(steps.get_by_role("row")).to_have_count(4)
    expect(steps.get_by_role("row", name=re.compile("“say”"))).to_contain_text(str(RUNS))
    conditions = page.get_by_role("table", name="Costliest conditions")
    expect(conditions.get_by_role("row", name=re.compile("“late”"))).to_be_visible()
    expect(page.get_by_text("costs more than that on kind, and is asked before")).to_be_visible()
    assert looked_at(page) == []

    page.get_by_role("link", name="Open “If › 1” in the editor").press("Enter")
    editor = page.get_by_role("dialog", name="Edit Paid in full")
    expect(editor.get_by_role("heading", name="Only if")).to_be_visible()
    editor.get_by_role("link", name="Insights").press("Enter")
    page.get_by_role("link", name="Open “thank” in the editor").press("Enter")
    expect(editor.get_by_role("textbox", name="Step name")).to_have_value("thank")

    phone = chromium.new_context(base_url=server, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    small = phone.new_page()
    small.goto(f"/automations/{automation}/insights")
    expect(small.get_by_role("table", name="Slowest steps")).to_be_visible()
    assert small.evaluate("document.documentElement.scrollWidth") <= 390
    phone.close()


def test_insights_without_runs_say_why_and_an_error_can_be_tried_again(page: Page) -> None:
    quiet = {"name": "Never asked", "trigger": {"event": "test/never"}, "steps": PAID["steps"]}
    made = page.request.post("/api/v1/automations", data=quiet).json()["id"]
    page.goto(f"/automations/{made}/insights")
    expect(page.get_by_role("heading", name="It was never published")).to_be_visible()
    assert page.request.post(f"/api/v1/automations/{made}/publish").ok
    page.reload()
    expect(page.get_by_role("heading", name="No run ended in that time")).to_be_visible()
    page.get_by_role("combobox", name="Look back").select_option(label="All that is kept")
    expect(page.get_by_role("heading", name="No run has ended yet")).to_be_visible()
    expect(page).to_have_url(re.compile("days=all"))

    problem = {"title": "Internal error", "detail": "It is down.", "errors": []}
    address = re.compile(f"/automations/{made}/insights\\?since=")
    broken = page.context.new_page()  # its console says what the server answered
    broken.route(address, lambda route: route.fulfill(status=422, json=problem))
    broken.goto(f"/automations/{made}/insights?days=7")
    error = broken.get_by_role("alert")
    expect(error).to_contain_text("Could not load the insights.")
    broken.unroute(address)
    error.get_by_role("button", name="Try again").press("Enter")
    expect(broken.get_by_role("heading", name="No run ended in that time")).to_be_visible()
