"""What comes in from elsewhere, what was deleted, and many runs at once."""

import json
import re

from playwright.sync_api import Page, Route, expect

from tests.browser.test_accessibility import looked_at

OTHERS = [
    {
        "name": "Consultation booked",
        "trigger": "crm/appointment.created",
        "actions": [{"type": "create_note", "args": {"patientId": "{appointment.patientId}", "content": "Booked"}}],
    },
    {"name": "Not understood", "trigger": "x", "steps": [{"action": "no_such_action"}]},
]


def test_an_import_says_what_it_would_change_before_anything_is_kept(page: Page) -> None:
    page.goto("/automations")
    page.get_by_role("button", name="Import").press("Enter")
    dialog = page.get_by_role("dialog", name="Import automations")
    text = dialog.get_by_role("textbox", name="JSON")
    text.fill(json.dumps(OTHERS))
    dialog.get_by_role("button", name="Check").press("Enter")
    there = dialog.get_by_role("region", name="Consultation booked")
    expect(there).to_contain_text("There already, and different")
    expect(there).to_contain_text("Step “confirm” is gone: draft email.")
    expect(dialog.get_by_role("region", name="Not understood")).to_contain_text("no_such_action")
    text.fill(json.dumps({**OTHERS[0], "name": "Booked elsewhere"}))
    dialog.get_by_role("button", name="Check").press("Enter")
    expect(dialog.get_by_role("region", name="Booked elsewhere")).to_contain_text("New")
    dialog.get_by_role("button", name="Import 1 automation").press("Enter")
    row = page.get_by_role("row", name=re.compile("Booked elsewhere"))
    expect(row).to_be_visible()

    row.get_by_role("button", name="Actions for Booked elsewhere").press("Enter")
    page.get_by_role("menuitem", name="Delete").press("Enter")
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Deleted", exact=True).press("Enter")
    expect(row).to_be_visible()
    row.get_by_role("button", name="Bring back").press("Enter")
    expect(row).to_have_count(0)
    page.goto("/automations")
    expect(row).to_be_visible()


def test_an_import_makes_copies_or_updates_and_says_when_somebody_was_faster(page: Page) -> None:
    say = {"id": "say", "action": "log", "with": {"message": "Hello"}}
    document = {"name": "Twice there", "trigger": {"event": "test/twice"}, "steps": [say]}
    made = page.request.post("/api/v1/automations", data=document).json()["id"]
    page.goto("/automations")
    rows = page.get_by_role("link", name="Twice there", exact=True)
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Import").press("Enter")
    dialog = page.get_by_role("dialog", name="Import automations")
    dialog.get_by_role("textbox", name="JSON").fill(json.dumps({**document, "priority": 9}))
    dialog.get_by_role("button", name="Check").press("Enter")
    will = dialog.get_by_role("status").filter(has_text="Importing")
    expect(will).to_have_text("Importing changes 1 that is there.")
    dialog.get_by_role("radio", name="Make copies").check()
    expect(will).to_have_text("Importing makes 1 new automation, and changes none that is there.")
    expect(dialog.get_by_role("region", name="Twice there")).to_contain_text("New")
    dialog.get_by_role("button", name="Import 1 automation").press("Enter")
    expect(dialog).to_have_count(0)
    expect(rows).to_have_count(2)
    assert page.request.get(f"/api/v1/automations/{made}").json()["priority"] == 5, "that one is as it was"

    other = page.context.new_page()  # its console says that it was refused
    other.goto("/automations")
    other.get_by_role("button", name="Import").press("Enter")
    dialog = other.get_by_role("dialog", name="Import automations")
    dialog.get_by_role("textbox", name="JSON").fill(json.dumps({**document, "priority": 8}))
    dialog.get_by_role("button", name="Check").press("Enter")
    there = dialog.get_by_role("region", name="Twice there")
    expect(there).to_contain_text("5")
    saved = page.request.put(f"/api/v1/automations/{made}", data={**document, "priority": 3}, headers={"If-Match": "*"})
    assert saved.ok, saved.text()
    dialog.get_by_role("button", name="Import 1 automation").press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("Somebody changed these automations since you looked")
    expect(there).to_contain_text("3")
    assert page.request.get(f"/api/v1/automations/{made}").json()["priority"] == 3, "nothing was imported"
    dialog.get_by_role("button", name="Import 1 automation").press("Enter")
    expect(dialog).to_have_count(0)
    assert page.request.get(f"/api/v1/automations/{made}").json()["priority"] == 8


def test_all_runs_that_a_filter_names_are_acted_on(page: Page) -> None:
    document = {"name": "Many", "status": "active", "trigger": {"event": "test/many"}}
    made = page.request.post("/api/v1/automations", data={**document, "steps": [{"id": "nap", "delay": "30d"}]})
    page.request.post("/api/v1/events", data=[{"name": "test/many", "data": {}} for _ in range(2)])
    page.goto(f"/runs?automation={made.json()['id']}")
    waiting = page.get_by_role("row", name=re.compile("Waiting Many"))
    expect(waiting).to_have_count(2)
    for what, becomes in (("Pause", "Paused"), ("Resume", "Waiting"), ("Cancel", "Cancelled")):
        page.get_by_role("button", name="All of these…").press("Enter")
        dialog = page.get_by_role("dialog", name="Act on all of these runs")
        dialog.get_by_role("radio", name=what).check()
        dialog.get_by_role("button", name=f"{what} 2").press("Enter")
        expect(page.get_by_role("row", name=re.compile(f"{becomes} Many"))).to_have_count(2)


def test_all_runs_of_a_filter_go_past_a_step_or_again_and_what_repeats_is_said_before(page: Page) -> None:
    nap = {"id": "nap", "delay": "30d"}
    say = {"id": "say", "action": "log", "with": {"message": "Good morning {{ steps.nap.output.to }}"}}
    document = {"name": "Sleepers", "status": "active", "trigger": {"event": "test/sleepers"}, "steps": [nap, say]}
    made = page.request.post("/api/v1/automations", data=document).json()["id"]
    page.request.post("/api/v1/events", data=[{"name": "test/sleepers", "data": {}} for _ in range(2)])
    page.goto(f"/runs?automation={made}")
    expect(page.get_by_role("row", name=re.compile("Waiting Sleepers"))).to_have_count(2)
    opener = page.get_by_role("button", name="All of these…")
    dialog = page.get_by_role("dialog", name="Act on all of these runs")

    opener.press("Enter")
    dialog.get_by_role("radio", name="Skip a step").check()
    output = dialog.get_by_role("textbox", name="Output, as JSON")
    output.fill("{")
    expect(dialog.get_by_role("button", name="Skip in 2")).to_be_disabled()
    output.fill('{"to": "you"}')
    dialog.get_by_role("button", name="Skip in 2").press("Enter")
    done = page.get_by_role("row", name=re.compile("Completed Sleepers"))
    expect(done).to_have_count(2)

    opener.press("Enter")
    dialog.get_by_role("radio", name="Run again").check()
    told = dialog.get_by_role("status")
    expect(told).to_contain_text("2 runs it can be done to.")
    expect(told).to_contain_text("say of “Sleepers”, 2 times")
    dialog.get_by_role("textbox", name="From").fill("nowhere")
    expect(told).to_contain_text("2 runs stay as they are")
    expect(dialog.get_by_role("button", name="Run 0 again")).to_be_disabled()
    dialog.get_by_role("textbox", name="From").fill("say")
    expect(told).to_contain_text("say of “Sleepers”, 2 times")
    dialog.get_by_role("button", name="Run 2 again").press("Enter")
    expect(done).to_have_count(4)


def test_the_look_at_what_happens_again_shows_how_far_it_is_and_can_be_stopped(page: Page) -> None:
    say = {"id": "say", "action": "log", "with": {"message": "Good morning"}}
    document = {"name": "Crowd", "status": "active", "trigger": {"event": "test/crowd"}, "steps": [say]}
    made = page.request.post("/api/v1/automations", data=document).json()["id"]
    page.request.post("/api/v1/events", data=[{"name": "test/crowd", "data": {}} for _ in range(70)])
    held: list[Route] = []  # what asks for the second batch

    def hold_the_second(route: Route) -> None:
        if "after" in (route.request.post_data_json or {}):
            held.append(route)
        else:
            route.continue_()

    page.route("**/api/v1/runs/bulk", hold_the_second)
    page.goto(f"/runs?automation={made}&status=completed")
    done = page.get_by_role("row", name=re.compile("Completed Crowd"))
    expect(done).to_have_count(50)
    page.get_by_role("button", name="Show more").press("Enter")
    expect(done).to_have_count(70)
    page.get_by_role("button", name="All of these…").press("Enter")
    dialog = page.get_by_role("dialog", name="Act on all of these runs")
    again = dialog.get_by_role("button", name="Run 70 again")
    dialog.get_by_role("radio", name="Run again").check()
    expect(dialog.get_by_role("progressbar", name="Looked at 50 of 70 runs")).to_be_visible()
    expect(again).to_be_disabled()
    dialog.get_by_role("button", name="Stop looking").press("Enter")
    expect(dialog.get_by_text("Only 50 of 70 runs were looked at")).to_be_visible()
    told = dialog.get_by_role("status")
    expect(told).to_contain_text("say of “Crowd”, 50 times")
    expect(again).to_be_enabled()
    assert looked_at(page) == []

    rest = dialog.get_by_role("button", name="Look at the rest")
    expect(rest).to_be_focused()
    rest.press("Enter")
    expect(dialog.get_by_role("progressbar")).to_be_visible()
    [second] = held
    second.continue_()
    expect(told).to_contain_text("say of “Crowd”, 70 times")
    expect(dialog.get_by_role("progressbar")).to_have_count(0)
    expect(again).to_be_enabled()
