"""An automation that calls another, and those that end early: built in their forms, and followed in their runs."""

import re

from playwright.sync_api import Page, expect

from tests.browser.test_accessibility import looked_at


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


def test_a_list_calls_an_automation_for_each_item_and_the_runs_are_found_from_its_run(page: Page) -> None:
    say = {"id": "say", "action": "log", "with": {"message": "Packed {{ sku }}"}}
    called = {"name": "Pack a line", "status": "active", "trigger": {"manual": True}, "steps": [say]}
    assert page.request.post("/api/v1/automations", data=called).ok
    page.goto("/automations/new")
    editor = page.get_by_role("dialog", name="New automation")
    editor.get_by_role("textbox", name="Name").first.fill("Packs each")
    editor.get_by_role("combobox", name="Event").fill("test/lines")
    editor.get_by_role("button", name="Add step").press("Enter")
    expect(page.get_by_role("searchbox", name="Add step")).to_be_focused()
    page.keyboard.type("For each")
    page.keyboard.press("Enter")
    expect(editor.get_by_role("heading", name="For each", exact=True)).to_be_focused()
    editor.get_by_role("textbox", name="For each of").fill("{{ lines }}")
    editor.get_by_role("combobox", name="What is done for each item").select_option(label="A run of another automation")
    editor.get_by_role("combobox", name="Automation", exact=True).select_option(label="Pack a line")
    editor.get_by_role("button", name="Add a field").press("Enter")
    editor.get_by_role("textbox", name="Field name").fill("sku")
    editor.get_by_role("textbox", name="sku Value").fill("{{ item.sku }}")
    editor.get_by_role("spinbutton", name="At once").fill("2")
    editor.get_by_role("button", name="Save draft").press("Enter")
    editor = page.get_by_role("dialog", name="Edit Packs each")
    expect(editor.get_by_text("All changes saved")).to_be_visible()
    expect(editor.get_by_role("textbox", name="For each of")).to_have_value("{{ lines }}")
    editor.get_by_role("button", name="Publish & turn on").press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)

    lines = [{"sku": f"s-{number}"} for number in range(3)]
    page.request.post("/api/v1/events", data={"name": "test/lines", "data": {"lines": lines}})
    page.goto("/runs")
    page.get_by_role("row", name=re.compile("Completed Packs each")).get_by_role("link", name="Packs each").click()
    expect(page.get_by_text("3 items")).to_be_visible()
    page.get_by_role("button", name="Show them").press("Enter")
    items = page.get_by_role("list", name="Items of each")
    expect(items.get_by_role("button")).to_have_count(3)
    items.get_by_role("button", name=re.compile(r"each\[2\]")).press("Enter")
    page.get_by_role("link", name="The run that was called").click()
    expect(page.get_by_role("heading", name="Pack a line")).to_be_visible()
    page.get_by_role("tab", name=re.compile("^Log")).click()
    expect(page.get_by_text("Packed s-2")).to_be_visible()
    page.get_by_role("link", name="the step “each[2]” of another run").click()
    expect(page.get_by_role("heading", name="Packs each")).to_be_visible()
    called_runs = page.get_by_role("list", name="Runs called by each")
    expect(called_runs.get_by_role("listitem")).to_have_count(3)
    called_runs.get_by_role("link", name="The run called for item 1").press("Enter")
    expect(page.get_by_role("heading", name="Pack a line")).to_be_visible()


def test_an_event_that_cancels_is_named_in_its_form_and_ends_a_run_that_sleeps(page: Page) -> None:
    nap = {"id": "nap", "delay": "30d"}
    document = {"name": "Called off", "trigger": {"event": "test/begun"}, "steps": [nap]}
    made = page.request.post("/api/v1/automations", data=document).json()["id"]
    page.goto(f"/automations/{made}/edit")
    editor = page.get_by_role("dialog", name="Edit Called off")
    editor.get_by_role("button", name="Nothing ends it early").press("Enter")
    editor.get_by_role("button", name="Add an event").press("Enter")
    editor.get_by_role("combobox", name="Event", exact=True).fill("test/called-off")
    editor.get_by_role("combobox", name="Field of the event that comes").fill("order")
    editor.get_by_role("textbox", name="Value").fill("{{ order }}")
    expect(editor.get_by_role("button", name="Cancelled by test/called-off")).to_be_visible()
    editor.get_by_role("button", name="Publish & turn on").press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.request.post("/api/v1/events", data={"name": "test/begun", "data": {"order": "o-1"}})
    page.goto(f"/runs?automation={made}")
    expect(page.get_by_role("row", name=re.compile("Waiting Called off"))).to_be_visible()
    page.request.post("/api/v1/events", data={"name": "test/called-off", "data": {"order": "o-1"}})
    expect(page.get_by_role("row", name=re.compile("Cancelled Called off"))).to_be_visible()


def test_a_goal_and_an_exit_are_built_like_any_condition_and_end_runs(page: Page) -> None:
    say = {"id": "say", "action": "log", "with": {"message": "Pay"}}
    document = {"name": "Until paid", "trigger": {"event": "test/bill"}, "steps": [say]}
    made = page.request.post("/api/v1/automations", data=document).json()["id"]
    page.goto(f"/automations/{made}/edit")
    editor = page.get_by_role("dialog", name="Edit Until paid")
    editor.get_by_role("button", name="Nothing ends it early").press("Enter")
    for name, value in (("Goal", "paid"), ("Exit", "void")):
        part = editor.get_by_role("region", name=name, exact=True)
        part.get_by_role("button", name="Add condition").press("Enter")
        part.get_by_role("combobox", name="Field", exact=True).fill("state")
        part.get_by_role("textbox", name="Value", exact=True).fill(value)
    row = editor.get_by_role("button", name=re.compile("^Done once state .*“paid”; Given up once state .*“void”"))
    expect(row).to_be_visible()
    editor.get_by_role("button", name="Save draft").press("Enter")
    expect(editor.get_by_text("All changes saved")).to_be_visible()
    page.keyboard.press("Escape")  # for the dialogue, not for the notice of the saving that came after it
    expect(page.get_by_role("dialog")).to_have_count(0)
    kept = page.request.get(f"/api/v1/automations/{made}").json()
    for name, value in (("goal", "paid"), ("exit", "void")):
        [rule] = kept[name]["rules"]
        assert (rule["field"], rule["operator"], rule["value"]) == ("state", "equals", value)
    assert page.request.post(f"/api/v1/automations/{made}/publish").ok
    bills = [{"name": "test/bill", "data": {"state": state}} for state in ("paid", "void", "open")]
    page.request.post("/api/v1/events", data=bills)
    page.goto(f"/runs?automation={made}")
    expect(page.get_by_role("row", name=re.compile("Completed Until paid"))).to_have_count(2)
    expect(page.get_by_role("row", name=re.compile("Cancelled Until paid"))).to_have_count(1)


def test_the_dry_run_says_what_could_end_a_run_early_and_why(page: Page) -> None:
    document = {
        "name": "Might end early",
        "trigger": {"event": "test/might-end"},
        "goal": {"field": "paid", "operator": "equals", "value": True},
        "exit": {"field": "stock", "operator": "less_than", "value": 1},
        "cancel_on": [{"event": "order/cancelled", "match": {"order": "{{ order }}"}}],
        "steps": [{"id": "nap", "delay": "1d"}, {"id": "say", "action": "log", "with": {"message": "Pay"}}],
    }
    made = page.request.post("/api/v1/automations", data=document).json()["id"]
    event = {"name": "test/might-end", "data": {"order": "o-1", "paid": False, "stock": 3}}
    assert page.request.post("/api/v1/events", data=event).ok
    page.goto(f"/automations/{made}/edit")
    editor = page.get_by_role("dialog", name="Edit Might end early")
    endings = editor.get_by_role("region", name="What could end it early").filter(visible=True)
    goal, exit_, cancel = (
        endings.get_by_role("listitem").filter(has=page.get_by_text(name, exact=True))
        for name in ("Goal", "Exit", "order/cancelled")
    )
    expect(goal).to_contain_text("Not met")
    expect(goal.get_by_role("list", name="Why")).to_contain_text("paid")
    expect(exit_).to_contain_text("stock was 3")
    expect(cancel).to_contain_text("It would be cancelled by order/cancelled where order is")
    assert looked_at(page) == []

    sample = editor.get_by_role("textbox", name="Event data").filter(visible=True)
    editor.get_by_text("Edit the sample's data").filter(visible=True).click()
    sample.fill('{"paid": true, "stock": 0}')
    expect(goal).to_contain_text("Would be done")
    expect(goal).to_contain_text("Its goal is met before step 'nap'")
    expect(exit_).to_have_count(0)  # the goal is asked first, and nothing is asked after it
    expect(cancel).to_contain_text("Would never cancel it")
