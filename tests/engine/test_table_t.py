"""Table T of the threats, row by row, as far as a run decides it."""

from collections.abc import Iterator
from typing import Any

import pytest

from upshot.testing import Harness

EVENT = "shop/order.placed"
TENANT = "default"
MAIL = {"to": "{{ to }}", "subject": "Hi {{ name }}", "body": "Hi {{ name }}"}
SCHEMA = {"type": "object", "properties": {"note": {"type": "string"}}}


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness() as running:
        yield running


def automation(harness: Harness, *steps: dict[str, Any]) -> str:
    named = [{"id": f"s{place}", **step} for place, step in enumerate(steps)]
    document = {"name": "A", "trigger": {"event": EVENT}, "steps": named, "status": "active"}
    return harness.upshot.automations.create(TENANT, document)["id"]


def test_t5_a_run_says_which_argument_was_refused(harness: Harness) -> None:
    automation(harness, {"action": "draft_email", "with": MAIL})
    harness.emit(EVENT, {"to": "ada@example.org\r\nBcc: eve@example.org", "name": "Ada"})
    (run,) = harness.runs()
    assert run["status"] == "failed"
    assert run["error"]["code"] == "bad_template"
    assert "steps[0].with.to" in run["error"]["message"]
    assert harness.entities("message_draft") == []


def test_t6_a_template_edited_while_a_run_waits_is_for_later_runs() -> None:
    with Harness() as harness:
        wait = {"id": "wait", "delay": "24h"}

        def document(text: str) -> dict[str, Any]:
            tell = {"id": "tell", "action": "create_task", "with": {"title": text}}
            return {"name": "A", "trigger": {"event": EVENT}, "steps": [wait, tell], "status": "active"}

        made = harness.upshot.automations.create(TENANT, document("first {{ n }}"))
        harness.emit(EVENT, {"n": 1})
        harness.upshot.automations.save(TENANT, made["id"], document("second {{ n }}"))
        harness.emit(EVENT, {"n": 2})
        harness.restart()
        harness.advance(24 * 3600)
        assert {task["fields"]["title"] for task in harness.entities("task")} == {"first 1", "second 2"}
        assert [run["automation"]["version"] for run in harness.runs()] == [1, 2]


def test_t7_validating_and_importing_give_the_warnings_as_notes(harness: Harness) -> None:
    upshot = harness.upshot
    upshot.event_types.put(TENANT, EVENT, schema=SCHEMA)
    document = {
        "name": "A",
        "trigger": {"event": EVENT},
        "actions": [{"type": "create_task", "args": {"title": "{note}"}}],
    }
    told = upshot.automations.validate(document, tenant_id=TENANT)
    assert told["valid"]
    assert [note["path"] for note in told["notes"] if "may be missing" in note["message"]] == ["actions[0].args.title"]
    (imported,) = upshot.automations.import_documents(TENANT, document)["automations"]
    assert imported["id"]
    assert any("may be missing" in note["message"] for note in imported["notes"])
    assert not any("may be missing" in note["message"] for note in upshot.automations.validate(document)["notes"])


def test_t7_a_run_without_the_value_fails_and_sends_nothing(harness: Harness) -> None:
    automation(
        harness, {"action": "draft_email", "with": {"to": "a@example.org", "subject": "x", "body": "Hi {{ name }}"}}
    )
    for data in ({}, {"name": None}, {"name": ["Ada"]}):
        harness.emit(EVENT, data)
    runs = harness.runs()
    assert [run["status"] for run in runs] == ["failed"] * 3
    assert all("{{ name }}" in run["error"]["message"] for run in runs)
    assert harness.entities("message_draft") == []
