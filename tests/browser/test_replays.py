"""Real runs of events of the past: foreseen, started, held and ended in the page."""

import re

from playwright.sync_api import Page, expect


def test_the_past_is_replayed_as_fast_as_was_asked_and_ended_by_hand(page: Page) -> None:
    events = [{"name": "test/past", "data": {"n": number}} for number in range(40)]
    assert page.request.post("/api/v1/events", data=events).ok
    above = {"combinator": "and", "rules": [{"field": "n", "operator": "greater_than", "value": 9}]}
    say = {"id": "say", "action": "log", "with": {"message": "{{ n }}"}}
    document = {"name": "Too late", "status": "active", "trigger": {"event": "test/past"}, "condition": above}
    assert page.request.post("/api/v1/automations", data={**document, "steps": [say]}).ok
    page.goto("/automations")
    page.get_by_role("button", name="Actions for Too late").press("Enter")
    page.get_by_role("menuitem", name="Replay the past").press("Enter")
    dialog = page.get_by_role("dialog", name="Replay the past over “Too late”")
    dialog.get_by_role("textbox", name="Only about").fill("nobody")
    dialog.get_by_role("button", name="See what it would start").press("Enter")
    expect(dialog.get_by_text("Write it as type:id.")).to_be_visible()
    dialog.get_by_role("textbox", name="Only about").fill("")
    dialog.get_by_role("spinbutton", name="Runs a minute").fill("1")
    dialog.get_by_role("button", name="See what it would start").press("Enter")
    expect(dialog.get_by_text("It would start 30 runs.")).to_be_visible()
    expect(dialog.get_by_text("Its condition does not hold: 10")).to_be_visible()
    dialog.get_by_role("button", name="Start 30 runs").press("Enter")
    own = dialog.get_by_role("region", name="Its replays")
    expect(own.get_by_text(re.compile(r"^[1-9]\d* runs? started$"))).to_be_visible()
    own.get_by_role("button", name="Pause").press("Enter")
    expect(own.get_by_text("Paused", exact=True)).to_be_visible()
    own.get_by_role("button", name="Cancel the replay").press("Enter")
    asked = page.get_by_role("dialog", name="Cancel this replay?")
    asked.get_by_role("button", name="Cancel the replay").press("Enter")
    expect(own.get_by_text("Cancelled", exact=True)).to_be_visible()
    own.get_by_role("link", name="See its runs").press("Enter")
    expect(page.get_by_role("row", name="Too late").first).to_contain_text("Replayed")
