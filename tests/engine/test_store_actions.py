"""Steps that change our own store do so in the transaction that keeps their outcome."""

from typing import Any

from tests.engine.conftest import Bench


def step(step_id: str, action: str, **arguments: Any) -> dict[str, Any]:
    return {"id": step_id, "action": action, "with": arguments}


def test_a_created_entity_is_the_steps_output_and_an_event(bench: Bench) -> None:
    bench.automation(step("make", "create_entity", type="note", fields={"text": "{{ text }}"}))
    bench.automation(step("seen", "note", text="{{ note.text }}"), trigger={"event": "note.created"})
    bench.happen({"text": "Booked"})
    (note,) = bench.upshot.entities.page("default", "note").items
    assert note["fields"] == {"text": "Booked"}
    assert bench.calls == [("seen", {"text": "Booked"})]
    made = next(run for run in bench.runs() if run["steps"][0]["id"] == "make")
    assert made["steps"][0]["output"]["id"] == note["id"]


def test_a_refused_change_fails_its_step_and_changes_nothing(bench: Bench) -> None:
    bench.automation(
        step("make", "create_entity", type="patient", id="p-1", fields={"name": "Ada"}),
        step("again", "create_entity", type="patient", id="p-1", fields={"name": "Eve"}),
    )
    bench.happen()
    run = bench.run()
    assert run["status"] == "failed"
    assert "exists already" in run["error"]["message"]
    assert bench.upshot.entities.get("default", "patient", "p-1")["fields"] == {"name": "Ada"}


def test_an_emitted_event_starts_what_listens_and_knows_its_cause(bench: Bench) -> None:
    bench.automation(step("tell", "emit_event", name="test/second", data={"n": "{{ n }}"}))
    bench.automation(step("heard", "note", n="{{ n }}"), trigger={"event": "test/second"})
    first_id = bench.happen({"n": 5})
    assert bench.calls == [("heard", {"n": 5})]
    (second,) = bench.events("test/second")
    assert second["cause"]["step_id"] == "tell"
    assert second["root_id"] == first_id
    assert second["depth"] == 1


def test_an_automation_that_feeds_itself_is_stopped_and_explained(bench: Bench) -> None:
    bench.automation(step("again", "emit_event", name="test/happened", data={}))
    bench.happen()
    runs = bench.runs()
    assert len(runs) == 17, "the first event and sixteen it caused"
    newest = bench.events("test/happened")[0]
    (explained,) = bench.upshot.events.explain("default", newest["id"])["automations"]
    assert explained["outcome"] == "loop_stopped"


def test_a_write_that_changes_nothing_is_no_event(bench: Bench) -> None:
    bench.upshot.entities.create("default", "patient", id="p-1", fields={}, tags=["vip"])
    bench.settle()
    bench.automation(step("tag", "add_tag", type="patient", id="p-1", tag="vip"))
    bench.happen()
    assert bench.run()["status"] == "completed"
    assert bench.events("patient.updated") == []


def test_a_condition_reads_the_entity_the_event_is_about(bench: Bench) -> None:
    bench.upshot.entities.create("default", "patient", id="p-1", fields={"risk": "high"})
    bench.automation(
        step("act", "note", risk="{{ entity.risk }}"),
        condition={"field": "entity.risk", "operator": "equals", "value": "high"},
    )
    bench.upshot.events.accept(
        "default", [{"name": "test/happened", "data": {}, "entity": {"type": "patient", "id": "p-1"}}]
    )
    bench.settle()
    assert bench.calls == [("act", {"risk": "high"})]
