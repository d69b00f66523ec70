"""The whole language in the page: steps that branch, delays, schedules; and a document that loses nothing in it."""

import re
from typing import Any

from playwright.sync_api import Page, expect

NOTE = {"action": "create_note", "with": {"patientId": "{{ appointment.patientId }}", "content": "Booked"}}
RICH: dict[str, Any] = {
    "name": "Nothing is lost",
    "trigger": {"event": "crm/appointment.created"},
    "priority": 7,
    "folder": "Clinic/Reminders",
    "tags": ["a", "b"],
    "condition": None,
    "timeout": "30d",
    "queue": "night-batch",
    "flow": {"concurrency": {"key": "{{ entity.id }}", "limit": 2}, "reentry": "skip"},
    "on_failure": "sorry",
    "goal": {"field": "appointment.status", "operator": "equals", "value": "confirmed"},
    "exit": {"combinator": "or", "rules": [{"field": "entity.gone", "operator": "equals", "value": True}]},
    "steps": [
        {"id": "both", "parallel": ["a", "b"], "join": "any", "timeout": "2d", "on_timeout": "late", "next": "answer"},
        {"id": "a", **NOTE, "next": None, "on_error": "retry", "retries": {"count": 2, "backoff_max_seconds": 60}},
        {
            "id": "b",
            "delay": {
                "working": {"hours": 4},
                "after": "2030-01-07T08:00:00Z",
                "within": {"from": "09:00", "to": "17:00", "except": ["2030-01-08"]},
                "zone": "Europe/Paris",
            },
            "next": None,
        },
        {
            "id": "answer",
            "wait_for_event": "task/completed",
            "match": {"taskId": "x"},
            "timeout": "3d",
            "on_timeout": None,
        },
        {"id": "which", "split": [{"weight": 80, "next": "each", "name": "most"}, {"weight": 20, "next": None}]},
        {"id": "each", "for_each": ["x", "y"], **NOTE, "concurrency": 2, "next": None},
        {"id": "late", **NOTE, "delivery": "at_most_once", "next": None},
        {"id": "sorry", "stop": "Sorry"},
    ],
}


def test_branches_at_once_are_built_by_keys_and_kept(page: Page) -> None:
    page.goto("/automations/new")
    editor = page.get_by_role("dialog", name="New automation")
    editor.get_by_role("textbox", name="Name").first.fill("Both at once")
    editor.get_by_role("button", name="Appointment created").press("Enter")
    add_step(page, editor.get_by_role("button", name="Add step"), "At once")
    expect(editor.get_by_role("heading", name="At once")).to_be_focused()
    outline = editor.get_by_role("list", name="Steps")
    for _ in range(2):
        add_step(page, editor.get_by_role("button", name="Add branch"), "Wait")
        expect(editor.get_by_role("heading", name="Wait", exact=True)).to_be_focused()
        outline.get_by_role("button", name=re.compile("^At once")).press("Enter")
        expect(editor.get_by_role("heading", name="At once")).to_be_focused()
    expect(outline.get_by_text("branch 2 of 2")).to_be_visible()
    expect(outline.get_by_text("when all have ended")).to_be_visible()
    editor.get_by_role("combobox", name="Goes on when").select_option("any")
    add_step(page, editor.get_by_role("button", name="New step for “Then go to”"), "Stop")
    expect(outline.get_by_text("where the branches of at once join")).to_be_visible()
    editor.get_by_role("button", name="Save draft").press("Enter")
    page.wait_for_url(re.compile(r"/edit(\?|$)"))
    kept = page.request.get(f"/api/v1/automations/{page.url.split('/')[-2]}").json()["steps"]
    assert kept[0] == {"id": "at once", "parallel": ["wait", "wait 2"], "join": "any", "next": "stop"}
    assert [step["id"] for step in kept] == ["at once", "wait", "wait 2", "stop"]


def test_a_schedule_is_built_in_its_form_and_tells_its_next_times(page: Page) -> None:
    page.goto("/automations/new")
    editor = page.get_by_role("dialog", name="New automation")
    editor.get_by_role("combobox", name="How it starts").select_option("schedule")
    editor.get_by_role("combobox", name="How often").select_option("weekly")
    editor.get_by_role("button", name="Thursday").press("Enter")
    editor.get_by_role("combobox", name="Time zone").fill("Europe/Paris")
    times = editor.get_by_role("region", name="Next times").get_by_role("listitem")
    expect(times).to_have_count(5)
    expect(times.first).to_contain_text(re.compile(r"^(Mon|Thu), .* 09:00$"))
    expect(editor.get_by_role("button", name=re.compile("Every Monday, Thursday at 09:00"))).to_be_visible()
    editor.get_by_role("combobox", name="How often").select_option("cron")
    editor.get_by_role("textbox", name="Cron expression").fill("0 9 * *")
    expect(editor.get_by_text("has five fields")).to_be_visible()
    expect(times).to_have_count(0)


def test_working_hours_are_counted_as_the_form_says(page: Page) -> None:
    page.goto("/automations/new")
    editor = page.get_by_role("dialog", name="New automation")
    editor.get_by_role("textbox", name="Name").first.fill("In working hours")
    editor.get_by_role("button", name="Appointment created").press("Enter")
    add_step(page, editor.get_by_role("button", name="Add step"), "Wait")
    editor.get_by_role("combobox", name="Wait", exact=True).select_option("For working hours")
    editor.get_by_role("textbox", name="Working time").fill("6")
    editor.get_by_role("textbox", name="Counted from").fill("{{ appointment.startsAt }}")
    editor.get_by_role("textbox", name="Closed on").fill("2026-12-25, 2027-01-01")
    editor.get_by_label("Opens at").fill("08:00")
    expect(editor.get_by_role("list", name="Steps")).to_contain_text("for 6 hours of working time from")
    expect(editor.get_by_role("list", name="Steps")).to_contain_text("(closed on 2 dates)")
    editor.get_by_role("button", name="Save draft").press("Enter")
    page.wait_for_url(re.compile(r"/edit(\?|$)"))
    kept = page.request.get(f"/api/v1/automations/{page.url.split('/')[-2]}").json()["steps"]
    assert kept[0]["delay"] == {
        "working": "6h",
        "after": "{{ appointment.startsAt }}",
        "within": {"from": "08:00", "to": "17:00", "except": ["2026-12-25", "2027-01-01"]},
    }


def test_a_document_goes_through_the_page_without_a_loss(page: Page) -> None:
    made = page.request.post("/api/v1/automations", data=RICH).json()
    page.goto(f"/automations/{made['id']}/edit")
    editor = page.get_by_role("dialog")
    for kind in ("At once", "Wait", "Wait for an event", "Split", "For each", "Stop"):
        editor.get_by_role("list", name="Steps").get_by_role("button", name=re.compile(f"^{kind}")).first.press("Enter")
        expect(editor.get_by_role("heading", name=kind, exact=True)).to_be_focused()
    editor.get_by_role("button", name=re.compile("^Done once")).press("Enter")
    expect(editor.get_by_role("heading", name="Ends early")).to_be_focused()
    editor.get_by_role("button", name=re.compile("^Priority 7")).press("Enter")
    queue = editor.get_by_role("textbox", name="Queue of its runs")
    expect(queue).to_have_value("night-batch")
    queue.fill("Loud")
    expect(editor.get_by_text("lower-case letters").first).to_be_visible()
    queue.fill("day-batch")
    editor.get_by_role("textbox", name="Name").first.fill("Still nothing is lost")
    editor.get_by_role("button", name="Save draft").press("Enter")
    expect(editor.get_by_text("All changes saved")).to_be_visible()
    saved = page.request.get(f"/api/v1/automations/{made['id']}").json()
    for name in ("name", "draft_revision", "has_draft_changes", "updated_at"):
        made.pop(name)
        assert saved.pop(name)
    assert saved == made | {"queue": "day-batch"}


def test_a_webhook_shows_its_address_once_and_its_settings_are_changed(page: Page) -> None:
    page.goto("/settings/webhooks")
    page.get_by_role("button", name="New webhook").press("Enter")
    made = page.get_by_role("dialog", name="New webhook")
    made.get_by_role("textbox", name="Name", exact=True).fill("Repository")
    made.get_by_role("textbox", name="Event", exact=True).fill("repository/pushed")
    made.get_by_role("button", name="Create webhook").press("Enter")
    shown = page.get_by_role("dialog", name=re.compile("Repository"))
    expect(shown.get_by_text(re.compile("/hooks/"))).to_be_visible()
    shown.get_by_role("button", name="I have copied it").press("Enter")
    expect(page.get_by_role("row", name="repository/pushed")).to_contain_text("Nothing yet")
    for before, after in (("300", "60"), ("60", "120")):
        page.get_by_role("button", name="Actions for Repository").press("Enter")
        page.get_by_role("menuitem", name="Edit").press("Enter")
        edited = page.get_by_role("dialog", name="Edit “Repository”")
        tolerance = edited.get_by_role("spinbutton", name="A signed time may be off by")
        expect(tolerance).to_have_value(before)
        tolerance.fill(after)
        edited.get_by_role("button", name="Save").press("Enter")
        expect(page.get_by_role("dialog")).to_have_count(0)


def add_step(page: Page, button: Any, kind: str) -> None:
    button.press("Enter")
    expect(page.get_by_role("searchbox", name="Add step")).to_be_focused()
    page.keyboard.type(f":{kind.lower()}" if kind == "Stop" else kind)
    page.keyboard.press("Enter")
