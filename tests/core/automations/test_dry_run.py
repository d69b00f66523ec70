"""What would happen, without any of it happening, and an automation in words."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.core.automations.catalogue import ACTIONS, NOTE, document
from upshot.core.automations import describe, describe_step, dry_run, read
from upshot.core.facts import Facts
from upshot.core.instants import from_text

FACTS = Facts(
    data={"appointment": {"patientId": "p1", "status": "scheduled"}, "total": 80},
    event={"id": "e1"},
    now=from_text("2026-11-21T09:00:00Z"),
)
SCHEDULED = {
    "combinator": "and",
    "rules": [{"field": "appointment.status", "operator": "equals", "value": "scheduled"}],
}
DEAR = {"combinator": "and", "rules": [{"field": "total", "operator": "greater_than", "value": 100}]}


def tried(*steps: Any, condition: Any = None) -> dict[str, Any]:
    return dry_run(read(document(*steps, condition=condition), actions=ACTIONS), FACTS, actions=ACTIONS)


def test_each_step_says_what_it_would_do() -> None:
    result = tried(
        {"id": "note", **NOTE},
        {"id": "later", "delay": "24h"},
        {"id": "dear?", "branch": DEAR, "if_true": "mail", "if_false": "end"},
        {"id": "mail", "action": "anything", "with": {}},
        {"id": "end", "stop": "cheap"},
        condition=SCHEDULED,
    )
    assert result["would_start"]
    assert result["explanation"] is not None
    assert [(step["id"], step["kind"], step["would"]) for step in result["steps"]] == [
        ("note", "action", "perform"),
        ("later", "delay", "sleep"),
        ("dear?", "branch", "branch"),
        ("end", "stop", "stop"),
        ("mail", "action", "skip"),
    ]
    assert result["steps"][0]["arguments"] == {"patientId": "p1", "content": "Booked"}
    assert result["steps"][1]["due_at"] == "2026-11-22T09:00:00.000000Z"
    assert result["steps"][2]["explanation"] is not None
    assert all(step["problems"] == [] for step in result["steps"])


def test_when_the_condition_does_not_hold_every_step_is_passed_over_and_the_reason_given() -> None:
    result = tried({"id": "note", **NOTE}, condition=DEAR)
    assert not result["would_start"]
    assert result["explanation"] is not None
    assert [step["would"] for step in result["steps"]] == ["skip"]


def test_time_moves_on_with_each_delay() -> None:
    result = tried({"id": "a", "delay": "2d"}, {"id": "b", "action": "anything", "with": {"on": "{{ now.date }}"}})
    assert result["steps"][1]["arguments"] == {"on": "2026-11-23"}


@pytest.mark.parametrize(
    ("step", "path", "code"),
    [
        (
            {"id": "a", "action": "anything", "with": {"n": "{{ total | divided_by: 0 }}"}},
            "steps[0].with.n",
            "template_failed",
        ),
        (
            {"id": "a", "action": "draft_email", "with": {"to": "x", "body": "Hi {{ name }}"}},
            "steps[0].with.body",
            "template_failed",
        ),
        ({"id": "a", "action": "draft_email", "with": {"to": "{{ total }}"}}, "steps[0].with.to", "wrong_type"),
        ({"id": "a", "delay": {"seconds": "{{ nothing }}"}}, "steps[0].delay.seconds", "wrong_type"),
        ({"id": "a", "delay": {"until": "{{ appointment.status }}"}}, "steps[0].delay.until", "bad_instant"),
        ({"id": "a", "delay": {"seconds": "{{ total | divided_by: 0 }}"}}, "steps[0].delay.seconds", "template_failed"),
        (
            {"id": "a", "action": "anything", "with": {"n": "{{ steps.b.output.id }}"}},
            "steps[0].with",
            "output_not_known",
        ),
    ],
)
def test_a_step_that_would_fail_carries_its_problem_and_the_others_go_on(step: Any, path: str, code: str) -> None:
    result = tried(step, {"id": "b", "stop": True})
    assert [(problem["path"], problem["code"]) for problem in result["steps"][0]["problems"]] == [(path, code)]
    assert result["steps"][1]["would"] == "stop"


def test_an_automation_in_words() -> None:
    automation = read(
        document(
            {"id": "a", **NOTE},
            {"id": "b", "delay": {"hours": 1}},
            {"id": "c", "name": "Say it", "action": "draft_email", "with": {"to": "x"}},
            condition=SCHEDULED,
        ),
        actions=ACTIONS,
    )
    assert describe(automation) == (
        "When crm/appointment.created and appointment.status equals scheduled: "
        "create note, then wait 1 hour, then Say it"
    )
    assert describe_step(read(document({"id": "a", "stop": "enough"}), actions=ACTIONS).steps[0]) == "stop (enough)"
    assert describe_step(read(document({"id": "a", "branch": DEAR}), actions=ACTIONS).steps[0]) == (
        "go on by whether total greater than 100"
    )


PAID = {"field": "entity.state", "operator": "equals", "value": "paid"}
GONE = {"field": "total", "operator": "equals", "value": 80}


def told(*, entity: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    steps = ({"id": "note", **NOTE}, {"id": "later", "delay": "1d"}, {"id": "end", "stop": "done"})
    automation = read({**document(*steps), **more}, actions=ACTIONS)
    return dry_run(automation, replace(FACTS, entity=entity), actions=ACTIONS)


def condition(rule: dict[str, Any]) -> dict[str, Any]:
    return {"combinator": "and", "rules": [rule]}


def test_a_goal_that_is_met_ends_it_before_its_first_step() -> None:
    result = told(entity={"state": "paid"}, goal=condition(PAID), exit=condition(GONE))
    (goal,) = result["endings"]
    assert (goal["ending"], goal["met_before"]) == ("goal", "note")
    assert goal["explanation"]["result"] is True
    assert goal["text"].startswith("Its goal is met before step 'note': ")
    assert [step["would"] for step in result["steps"]] == ["skip", "skip", "skip"]


def test_an_exit_that_is_met_ends_it_and_a_goal_that_is_not_says_why() -> None:
    result = told(entity={"state": "open"}, goal=condition(PAID), exit=condition(GONE))
    assert [(one["ending"], one["met_before"]) for one in result["endings"]] == [("goal", None), ("exit", "note")]
    assert result["endings"][0]["text"].startswith("Its goal is not met: ")


def test_they_are_asked_as_time_moves_on() -> None:
    tomorrow = {"field": "now.date", "operator": "equals", "value": "2026-11-22"}
    steps = ({"id": "nap", "delay": "1d"}, {"id": "note", **NOTE}, {"id": "more", **NOTE})
    automation = read({**document(*steps), "exit": condition(tomorrow)}, actions=ACTIONS)
    result = dry_run(automation, FACTS, actions=ACTIONS)
    assert [one["met_before"] for one in result["endings"]] == ["note"]
    assert [(step["id"], step["would"]) for step in result["steps"]] == [
        ("nap", "sleep"),
        ("note", "skip"),
        ("more", "skip"),
    ]


def test_the_events_that_would_cancel_it_are_told_with_their_values() -> None:
    by_patient = {"event": "patient/left", "match": {"patient.id": "{{ appointment.patientId }}"}}
    result = told(
        cancel_on=[by_patient, {"event": "all/over", "match": {}}, {"event": "x/y", "match": {"id": "{{ none }}"}}]
    )
    assert [(one["event"], one["match"]) for one in result["cancel_on"][:2]] == [
        ("patient/left", {"patient.id": "p1"}),
        ("all/over", {}),
    ]
    assert [one["text"] for one in result["cancel_on"]] == [
        "It would be cancelled by patient/left where patient.id is p1",
        "It would be cancelled by all/over",
        "No x/y would cancel it: what it must match has no value here",
    ]
    assert [problem["code"] for problem in result["cancel_on"][2]["problems"]] == ["never_matches"]


def test_what_would_not_start_is_neither_ended_nor_cancelled() -> None:
    result = told(condition=DEAR, goal=condition(GONE), cancel_on=[{"event": "all/over", "match": {}}])
    assert (result["endings"], result["cancel_on"]) == ([], [])
