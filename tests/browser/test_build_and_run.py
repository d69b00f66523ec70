"""What a practice manager does: build an automation by hand, try it on a sample, and watch it run."""

import re

from playwright.sync_api import Page, expect

TRIED = {
    "name": "Only tried",
    "status": "active",
    "trigger": {"event": "test/never"},
    "steps": [{"id": "say", "action": "log", "with": {"message": "{{ nothing.here }}"}}],
}


def build(page: Page, name: str, status: str) -> None:
    """Fill the editor: trigger, one condition, one step."""
    page.goto("/automations")
    page.get_by_role("link", name="New automation").or_(page.get_by_role("button", name="New automation")).first.click()
    editor = page.get_by_role("dialog", name="New automation")
    editor.get_by_role("textbox", name="Name").fill(name)
    editor.get_by_role("button", name="Appointment created").click()
    editor.get_by_role("button", name="Runs on every event").click()
    editor.get_by_role("button", name="Add condition").first.click()
    condition = editor.get_by_role("group", name="Condition 1")
    condition.get_by_role("combobox", name="Field").fill("appointment.status")
    page.get_by_role("option", name="appointment.status").click()
    condition.get_by_role("combobox", name="Value").or_(condition.get_by_role("textbox", name="Value")).fill(status)
    editor.get_by_role("heading", name="Only if").click()
    editor.get_by_role("button", name="Add step").click()
    page.get_by_role("button", name=re.compile("^Write a log line")).click()
    editor.get_by_role("textbox", name="Line").fill("Booked {{ appointment.patientId }}")


def test_an_automation_is_built_by_hand_and_its_run_completes_live(page: Page) -> None:
    build(page, "Built in a browser", "scheduled")
    editor = page.get_by_role("dialog")
    expect(editor.get_by_role("region", name="Try it")).to_contain_text("Would start")
    editor.get_by_role("button", name="Publish & turn on").click()
    expect(page.get_by_role("row", name=re.compile("Built in a browser"))).to_be_visible()

    watching = page.context.new_page()
    watching.goto("/runs")
    expect(watching.get_by_role("row").nth(1)).to_be_visible()  # the runs that there are, whichever those are
    expect(watching.get_by_role("row", name=re.compile("Built in a browser"))).to_have_count(0)

    page.goto("/events")
    page.get_by_role("button", name="Emit event").click()
    dialog = page.get_by_role("dialog", name="Emit an event")
    expect(dialog.get_by_role("textbox", name="Data")).to_have_value(re.compile("Consultation"))
    dialog.get_by_role("button", name="Emit", exact=True).click()

    row = watching.get_by_role("row", name=re.compile("Built in a browser"))
    expect(row).to_contain_text("Completed")
    row.get_by_role("link", name="Built in a browser").click()
    expect(watching.get_by_role("heading", name="Built in a browser")).to_be_visible()
    watching.get_by_role("tab", name=re.compile("^Log")).click()
    expect(watching.get_by_text("Booked p-1")).to_be_visible()


def test_a_condition_that_fails_says_so_before_and_after(page: Page) -> None:
    build(page, "Only for no-shows", "no_show")
    editor = page.get_by_role("dialog")
    expect(editor.get_by_role("region", name="Try it")).to_contain_text("Would not start")
    editor.get_by_role("button", name="Publish & turn on").click()
    expect(page.get_by_role("row", name=re.compile("Only for no-shows"))).to_be_visible()

    page.goto("/events")
    page.get_by_role("button", name="Emit event").click()
    page.get_by_role("dialog").get_by_role("button", name="Emit", exact=True).click()
    page.goto("/events")
    page.get_by_role("link", name="crm/appointment.created", exact=True).first.click()
    expect(page.get_by_text("Only for no-shows")).to_be_visible()
    expect(page.get_by_text(re.compile("needs .no_show.")).first).to_be_visible()


def test_an_automation_is_turned_off_and_deleted_and_the_deletion_undone(page: Page) -> None:
    page.goto("/automations")
    row = page.get_by_role("row", name=re.compile("After the visit"))
    row.get_by_role("switch").click()
    expect(row.get_by_role("switch")).not_to_be_checked()
    row.get_by_role("button").last.click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_role("row", name=re.compile("After the visit"))).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("row", name=re.compile("After the visit"))).to_be_visible()


def test_a_test_run_is_real_and_kept(page: Page) -> None:
    page.goto("/automations")
    page.get_by_role("link", name="Consultation booked").click()
    editor = page.get_by_role("dialog")
    editor.get_by_role("button", name="Run for real as a test").click()
    expect(page.get_by_role("heading", name="Consultation booked")).to_be_visible()
    expect(page.get_by_text("Completed").first).to_be_visible()
    expect(page.get_by_text("Test", exact=True).first).to_be_visible()


def test_a_test_run_that_fails_needs_nobody_and_counts_for_nothing(page: Page) -> None:
    page.goto("/")
    failed = page.get_by_role("link", name=re.compile("^Runs failed"))
    expect(failed).to_contain_text(re.compile(r"\d"))
    before = failed.inner_text()
    made = page.request.post("/api/v1/automations", data=TRIED)
    started = page.request.post(f"/api/v1/automations/{made.json()['id']}/run", data={"data": {}, "test": True})
    page.goto(f"/runs/{started.json()['run_id']}")
    expect(page.get_by_role("main").get_by_text("Failed").first).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("row", name=re.compile("Only tried")).get_by_text("Failed")).to_be_visible()
    expect(failed).to_have_text(before, use_inner_text=True)
    expect(page.get_by_role("region", name="Needs you").get_by_text("Only tried")).to_have_count(0)


def test_a_step_that_would_fail_on_the_sample_says_so(page: Page) -> None:
    page.goto("/automations")
    page.get_by_role("link", name="Keep appointments").click()
    sample = page.get_by_role("region", name="Try it")
    sample.get_by_text("Edit the sample's data").click()
    sample.get_by_role("textbox", name="Event data").fill("{}")
    expect(sample.get_by_text("Would fail").first).to_be_visible()
    expect(sample.get_by_text("could not be rendered: there is no value").first).to_be_visible()
