"""Every understood shape of an automation, and what is refused."""

from typing import Any

import pytest

from tests.core.automations.catalogue import ACTIONS, NOTE, document
from upshot.core.automations import normalise, read
from upshot.core.conditions import normalise as normalise_condition
from upshot.core.errors import Refused


def canonical(given: Any, **options: Any) -> dict[str, Any]:
    """The canonical document; that a second time changes nothing, and that it reads, is checked with it."""
    result, _ = normalise(given, actions=ACTIONS, **options)
    assert normalise(result, actions=ACTIONS) == (result, [])
    read(result, actions=ACTIONS)
    return result


def steps_of(steps: list[Any]) -> list[dict[str, Any]]:
    return canonical({"name": "Imported", "trigger": "e", "steps": steps})["steps"]


def problems_of(given: Any, **options: Any) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        normalise(given, actions=ACTIONS, **options)
    return [(problem.path, problem.code) for problem in refused.value.problems]


CLINIC_STEPS = [
    {
        "id": "create_note",
        "action": "create_note",
        "with": {"patientId": "{{ appointment.patientId }}", "content": "Consultation on {{ appointment.startsAt }}"},
    },
    {"id": "draft_email", "action": "draft_email", "with": {"to": "{{ patient.email }}", "subject": "See you soon"}},
]
CLINIC_RULES = [
    {"field": "appointment.status", "operator": "equals", "value": "scheduled"},
    {"field": "appointment.visitType", "operator": "equals", "value": "Consultation"},
]
CLINIC_CONDITION = normalise_condition(CLINIC_RULES)
CLINIC_ACTIONS = [
    {
        "type": "create_note",
        "args": {"patientId": "{appointment.patientId}", "content": "Consultation on {appointment.startsAt}"},
    },
    {"type": "draft_email", "args": {"to": "{patient.email}", "subject": "See you soon"}},
]


@pytest.mark.parametrize(
    "given",
    [
        {
            "trigger": "crm/appointment.created",
            "conditions": {"operator": "and", "conditions": CLINIC_RULES},
            "actions": CLINIC_ACTIONS,
            "enabled": True,
        },
        {
            "triggerEvent": "crm/appointment.created",
            "conditions": CLINIC_RULES,
            "actions": [{"orderIndex": 2, **CLINIC_ACTIONS[1]}, {"orderIndex": 1, **CLINIC_ACTIONS[0]}],
            "isActive": True,
        },
        {
            "eventName": "crm/appointment.created",
            "triggerConditions": CLINIC_CONDITION,
            "actions": [{"type": each["type"], "config": each["args"]} for each in CLINIC_ACTIONS],
            "status": "active",
        },
        {
            "trigger": {"type": "crm/appointment.created", "conditions": CLINIC_RULES, "schedule": None},
            "steps": [{"type": each["type"], "params": each["args"]} for each in CLINIC_ACTIONS],
            "status": "ACTIVE",
        },
        {
            "trigger": {"event": "crm/appointment.created"},
            "condition": CLINIC_CONDITION,
            "steps": [{"actionType": each["type"], "actionConfig": each["args"]} for each in CLINIC_ACTIONS],
            "enabled": True,
        },
        {
            "trigger": {"type": "event", "eventName": "crm/appointment.created"},
            "condition": CLINIC_CONDITION,
            "actions": [{"action": each} for each in CLINIC_ACTIONS],
            "enabled": True,
        },
    ],
)
def test_the_clinics_sample_is_understood_in_every_shape(given: dict[str, Any]) -> None:
    assert canonical({"name": "Consultation booked", **given}) == {
        "name": "Consultation booked",
        "trigger": {"event": "crm/appointment.created"},
        "priority": 5,
        "condition": CLINIC_CONDITION,
        "steps": CLINIC_STEPS,
        "status": "active",
    }


def test_a_canonical_document_stays_as_it_is() -> None:
    given = document(
        {"id": "note", "name": "Write it down", **NOTE, "on_error": "retry", "retries": 3, "note": "why"},
        {"id": "later", "delay": "24h"},
        {"id": "still on?", "branch": CLINIC_CONDITION, "if_true": "end", "if_false": None},
        {"id": "end", "stop": "all said"},
        description="d",
        status="active",
    )
    assert normalise(given, actions=ACTIONS) == (given, [])


def test_single_braces_are_only_placeholders_in_imported_arguments() -> None:
    kept = {"id": "n", "action": "anything", "with": {"css": "{color}"}}
    assert canonical(document(kept))["steps"] == [kept]
    assert steps_of([{"type": "anything", "args": {"a": "{x.y}"}}])[0]["with"] == {"a": "{{ x.y }}"}


def test_conditions_of_the_trigger_and_of_the_rule_must_all_hold() -> None:
    joined = canonical(
        {
            "name": "n",
            "trigger": {"type": "e", "conditions": [CLINIC_RULES[0]]},
            "conditions": {"any": [CLINIC_RULES[1], {"field": "vip", "operator": "==", "value": {"id": 7}}]},
            "actions": ["anything"],
        }
    )["condition"]
    assert joined["combinator"] == "and"
    assert [rule["combinator"] for rule in joined["rules"]] == ["and", "or"]
    assert joined["rules"][1]["rules"][1]["value"] == {"id": 7}


def test_next_steps_make_the_graph() -> None:
    steps = steps_of(
        [
            {"id": "a", "type": "action", "action": "anything", "condition": None, "delay": None, "nextSteps": ["b"]},
            {"id": "b", "type": "condition", "condition": CLINIC_CONDITION, "nextSteps": ["yes", "no"]},
            {"id": "yes", "type": "action", "action": {"type": "anything", "args": {"a": "{x}"}}, "nextSteps": []},
            {"id": "no", "type": "delay", "delay": {"value": 2, "unit": "days"}, "nextSteps": ["yes"]},
        ]
    )
    assert steps == [
        {"id": "a", "action": "anything", "with": {}, "next": "b"},
        {"id": "b", "branch": CLINIC_CONDITION, "if_true": "yes", "if_false": "no"},
        {"id": "yes", "action": "anything", "with": {"a": "{{ x }}"}, "next": None},
        {"id": "no", "delay": {"days": 2}, "next": "yes"},
    ]


def test_several_next_steps_run_one_after_another_with_all_that_follows_each() -> None:
    steps = steps_of(
        [
            {"id": "a", "type": "anything", "nextSteps": ["b", "c"]},
            {"id": "b", "type": "condition", "condition": CLINIC_CONDITION, "nextSteps": ["b1"]},
            {"id": "b1", "type": "anything"},
            {"id": "c", "type": "anything"},
        ]
    )
    assert [(step["id"], step.get("next"), step.get("if_true"), step.get("if_false")) for step in steps] == [
        ("a", "b", None, None),
        ("b", None, "b1", "c"),
        ("b1", "c", None, None),
        ("c", None, None, None),
    ]


def test_the_first_imported_step_is_the_one_that_none_leads_to() -> None:
    steps = steps_of([{"id": 2, "type": "anything"}, {"id": 1, "type": "anything", "nextSteps": [2]}])
    assert [(step["id"], step["next"]) for step in steps] == [("1", "2"), ("2", None)]


def test_a_steps_own_condition_and_delay_become_steps_before_it() -> None:
    steps = steps_of(
        [
            {"id": "a", "type": "action", "action": "anything", "condition": CLINIC_CONDITION, "delay": 60},
            {"id": "b", "type": "action", "action": "anything"},
        ]
    )
    assert steps == [
        {"id": "a-condition", "branch": CLINIC_CONDITION, "if_false": "b"},
        {"id": "a-delay", "delay": {"seconds": 60}},
        {"id": "a", "action": "anything", "with": {}},
        {"id": "b", "action": "anything", "with": {}},
    ]


@pytest.mark.parametrize(
    ("step", "delay"),
    [
        ({"type": "delay_seconds", "args": {"seconds": 90}}, {"seconds": 90}),
        (
            {"type": "delay_seconds", "params": {"seconds": "{wait}"}, "onError": "stop", "retryCount": 2},
            {"seconds": "{{ wait }}"},
        ),
        ({"action": "wait_days", "with": {"count": 3}}, {"days": 3}),
        ({"type": "delay", "delay": "24h"}, "24h"),
        ({"type": "delay", "delay": 30}, {"seconds": 30}),
        ({"type": "wait", "config": {"duration": 2, "unit": "hours"}}, {"hours": 2}),
        ({"type": "delay", "delayMinutes": 5}, {"minutes": 5}),
        ({"type": "delay", "config": {"delaySeconds": 5}}, {"seconds": 5}),
        ({"delay": {"until": "{{ event.data.at }}"}}, {"until": "{{ event.data.at }}"}),
    ],
)
def test_delays_in_every_spelling(step: dict[str, Any], delay: Any) -> None:
    (result,) = steps_of([step])
    assert result["delay"] == delay


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"onError": "continue", "retryCount": 2}, {"on_error": "continue", "retries": 2}),
        ({"continueOnError": True}, {"on_error": "continue"}),
        ({"onError": "fail", "timeout": "30s"}, {"on_error": "stop", "timeout_seconds": 30}),
        ({"timeoutMs": 1_500}, {"timeout_seconds": 1.5}),
        (
            {"retries": {"count": 5, "backoff": "exponential", "backoffSeconds": 2}},
            {"retries": {"count": 5, "backoff_seconds": 2}},
        ),
        ({"retries": 4, "backoff": "10s"}, {"retries": {"count": 4, "backoff_seconds": 10}}),
        (
            {"retry": {"maxRetries": 2, "backoff": "fixed", "delaySeconds": 7}},
            {"retries": {"count": 2, "backoff_seconds": 7, "backoff_max_seconds": 7}},
        ),
    ],
)
def test_error_options_in_every_spelling(options: dict[str, Any], expected: dict[str, Any]) -> None:
    (step,) = steps_of([{"id": "a", "type": "anything", **options}])
    assert step == {"id": "a", "action": "anything", "with": {}, **expected}


def test_missing_ids_are_made_from_the_action_and_collide_with_nothing() -> None:
    steps = steps_of([{"type": "anything"}, {"id": "anything-2", "type": "anything"}, "anything", {"stop": True}])
    assert [step["id"] for step in steps] == ["anything", "anything-2", "anything-3", "stop"]


def test_what_another_system_keeps_for_itself_is_left_out_of_an_import_and_refused_in_a_write() -> None:
    given = {"id": "r1", "practiceId": "p", "createdAt": "2026", "orderIndex": 3, **document()}
    assert canonical(given, imported=True) == document()
    assert problems_of(given) == [(name, "unknown_field") for name in ("id", "practiceId", "createdAt", "orderIndex")]


def test_a_switched_off_automation_stays_a_draft() -> None:
    for off in ({"enabled": False}, {"status": "paused"}, {"isActive": False}):
        assert "status" not in canonical({**document(), **off})


def test_one_that_is_run_by_hand_only_says_so() -> None:
    for given in ({"manual": True}, {"type": "manual"}):
        read = canonical(document(trigger=given))
        assert read["trigger"] == {"manual": True}
        assert canonical(read) == read


@pytest.mark.parametrize(
    ("change", "event", "rules"),
    [
        ({"type": "patient", "kind": "created"}, "patient.created", None),
        ({"type": "patient"}, "patient.updated", None),
        ({"type": "patient", "field": "status"}, "patient.updated", [("changed", ...)]),
        ({"type": "patient", "field": "status", "to": "gone"}, "patient.updated", [("changed_to", "gone")]),
        (
            {"entityType": "patient", "field": "status", "from": "in", "to": None},
            "patient.updated",
            [("changed_from", "in"), ("changed_to", None)],
        ),
    ],
)
def test_a_change_is_its_event_and_the_condition_it_means(change: Any, event: str, rules: Any) -> None:
    read = canonical(document(trigger={"change": change}))
    assert read["trigger"] == {"event": event}
    found = [(rule["operator"], rule.get("value", ...)) for rule in (read["condition"] or {"rules": []})["rules"]]
    assert found == (rules or [])
    assert canonical(read) == read


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (5, ("trigger.change", "wrong_type")),
        ({"type": "no type"}, ("trigger.change.type", "bad_type")),
        ({"type": "patient", "kind": "seen"}, ("trigger.change.kind", "bad_option")),
        ({"type": "patient", "to": 5}, ("trigger.change.to", "required")),
        ({"type": "patient", "field": "a..b"}, ("trigger.change.field", "bad_path")),
        ({"type": "patient", "kind": "deleted", "field": "status"}, ("trigger.change.field", "bad_option")),
        ({"type": "patient", "colour": 1}, ("trigger.change.colour", "unknown_field")),
    ],
)
def test_a_change_that_cannot_be_meant_is_refused_at_its_path(change: Any, problem: tuple[str, str]) -> None:
    assert problems_of(document(trigger={"change": change})) == [problem]


def test_notes_say_what_was_understood_how() -> None:
    _, notes = normalise(
        {"name": "n", "trigger": "e", "conditions": CLINIC_RULES, "actions": CLINIC_ACTIONS, "enabled": True},
        actions=ACTIONS,
    )
    assert {note["path"] for note in notes} >= {"trigger", "conditions", "actions", "actions[0].args", "enabled"}


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ([], [("", "wrong_type")]),
        (None, [("", "wrong_type")]),
        ({}, [("name", "required"), ("trigger.event", "required"), ("steps", "required")]),
        (document(tenant_id="t", role="admin"), [("tenant_id", "unknown_field"), ("role", "unknown_field")]),
        (
            document(trigger={"type": "schedule", "schedule": {"cron": "* * *"}}),
            [("trigger.schedule.cron", "bad_cron")],
        ),
        (document(trigger={"type": "schedule"}), [("trigger.schedule", "bad_schedule")]),
        (document(trigger={"event": "e", "schedule": {"daily": "09:00"}}), [("trigger.event", "unknown_field")]),
        (document(trigger={"type": "webhook"}), [("trigger.type", "not_available")]),
        (document(trigger={"manual": "yes"}), [("trigger.manual", "wrong_type")]),
        (document(trigger={"manual": True, "event": "e"}), [("trigger.event", "unknown_field")]),
        (document(trigger=5), [("trigger", "wrong_type")]),
        (document(trigger={"event": "e", "colour": 1}), [("trigger.colour", "unknown_field")]),
        (document(trigger={"event": 5}), [("trigger.event", "wrong_type")]),
        (document(priority="high"), [("priority", "wrong_type")]),
        (document(priority=True), [("priority", "wrong_type")]),
        (document(priority=11), [("priority", "out_of_range")]),
        (document(status="sleeping"), [("status", "bad_status")]),
        (document(name="x" * 201), [("name", "too_long")]),
        (document(name="a\x00b"), [("name", "bad_text")]),
        (document(description="x" * 262_144), [("", "too_large")]),
        ({**document(), "actions": [NOTE]}, [("actions", "unknown_field")]),
        ({**document(), "event": "other"}, [("event", "unknown_field")]),
        (document(5), [("steps[0]", "wrong_type")]),
        (document({"id": "a"}), [("steps[0]", "bad_step")]),
        (document({"id": "a", "delay": "1h", "stop": True}), [("steps[0]", "bad_step")]),
        (
            document({"id": "a", "branch": {"field": "x", "operator": "no"}}),
            [("steps[0].branch.operator", "unknown_operator")],
        ),
        (document({"id": "a", "branch": {}}), [("steps[0].branch", "required")]),
        (document({"id": "a", "task": {"name": "e"}}), [("steps[0].task", "not_available")]),
        (document({"id": "a", "wait_for_event": {"name": "e"}}), [("steps[0].wait_for_event", "wrong_type")]),
        (document({"id": "a", "type": "parallel", "branches": []}), [("steps[0].type", "not_available")]),
        (document({"id": "a", "call": " "}, {"id": "b", **NOTE}), [("steps[0].call", "required")]),
        (document({"id": "a", "call": "{{ which }}"}), [("steps[0].call", "bad_text")]),
        (document({"id": "a", "call": "x", "with": ["y"]}), [("steps[0].with", "wrong_type")]),
        (document({"id": "a", "call": "x", "with": {"y": "{{ y"}}), [("steps[0].with.y", "template_syntax")]),
        (document({"id": "a", "call": "x", "await": "yes"}), [("steps[0].await", "wrong_type")]),
        (document({"id": "a", "call": "x", "await": False, "timeout": "1h"}), [("steps[0].timeout", "bad_option")]),
        (document({"id": "a", "call": "x", "timeout": "soon"}), [("steps[0].timeout", "bad_duration")]),
        (document({"id": "a", "call": "x", "onTimeout": None}), [("steps[0].timeout", "required")]),
        (document({"id": "a", "call": "x", "on_error": "retry"}), [("steps[0].on_error", "bad_option")]),
        (document({"id": "a", "call": "x", "on_error": "explode"}), [("steps[0].on_error", "bad_option")]),
        (
            document(
                {"id": "a", "call": "x", "on_error": "continue", "on_failure": "b", "next": "b"}, {"id": "b", **NOTE}
            ),
            [("steps[0].on_failure", "bad_option")],
        ),
        (document({"id": "a", "call": "x", "retries": 3}), [("steps[0].retries", "unknown_field")]),
        (document({"id": ["a"], **NOTE}), [("steps[0].id", "wrong_type")]),
        (document({"id": "a", **NOTE, "enabled": False}), [("steps[0].enabled", "not_available")]),
        (document({"id": "a", **NOTE, "colour": 1}), [("steps[0].colour", "unknown_field")]),
        (document({"id": "a", **NOTE, "onError": "explode"}), [("steps[0].onError", "bad_option")]),
        (document({"id": "a", **NOTE, "retryCount": 1_000}), [("steps[0].retryCount", "out_of_range")]),
        (document({"id": "a", **NOTE, "timeout": "soon"}), [("steps[0].timeout", "bad_duration")]),
    ],
)
def test_what_is_not_understood_is_refused_by_its_path(given: Any, problems: list[tuple[str, str]]) -> None:
    found = problems_of(given)
    for problem in problems:
        assert problem in found
    assert len(found) == len(problems)


def test_problems_of_meaning_are_told_at_the_places_of_the_given_document() -> None:
    given = {
        "title": "n",
        "trigger": "e",
        "conditions": [{"field": "a", "operator": "resembles", "value": 1}],
        "actions": [
            {"type": "create_note", "args": {"patientId": 5, "content": "{% include 'x' %}", "to": "x"}},
            {"type": "creat_note", "args": {}},
        ],
    }
    assert set(problems_of(given)) == {
        ("conditions[0].operator", "unknown_operator"),
        ("actions[0].args.patientId", "wrong_type"),
        ("actions[0].args.content", "template_tag"),
        ("actions[0].args.to", "unknown_argument"),
        ("actions[1].type", "unknown_action"),
    }


def test_the_arguments_of_a_delays_other_name_are_checked() -> None:
    def given(arguments: Any) -> dict[str, Any]:
        return {"name": "n", "trigger": "e", "actions": [{"type": "delay_seconds", "args": arguments}]}

    assert problems_of(given({})) == [("actions[0].args.seconds", "required")]
    assert problems_of(given({"seconds": 5, "loud": True})) == [("actions[0].args.loud", "unknown_argument")]
    assert problems_of(given({"seconds": -5})) == [("actions[0].args.seconds", "bad_duration")]
    assert problems_of(given({"seconds": "soon"})) == [("actions[0].args.seconds", "wrong_type")]
    assert ("actions[0].args", "wrong_type") in problems_of(given([5]))


def test_a_step_reached_in_two_ways_that_go_on_differently_is_refused() -> None:
    steps = [
        {"id": "a", "type": "condition", "condition": CLINIC_CONDITION, "nextSteps": ["b", "c"]},
        {"id": "b", "type": "anything", "nextSteps": ["d", "e"]},
        {"id": "c", "type": "anything", "nextSteps": ["d"]},
        {"id": "d", "type": "anything"},
        {"id": "e", "type": "anything"},
    ]
    assert ("steps[3].id", "ambiguous_flow") in problems_of({"name": "n", "trigger": "e", "steps": steps})


@pytest.mark.parametrize(
    ("given", "kept"), [("night-batch", "night-batch"), ("automation", None), (None, None), ("", None)]
)
def test_the_queue_is_kept_unless_it_is_that_of_all(given: Any, kept: str | None) -> None:
    assert canonical(document(queue=given)).get("queue") == kept


def test_a_queue_of_the_engines_own_is_refused_with_the_reason() -> None:
    with pytest.raises(Refused) as refused:
        normalise(document(queue=",held"), actions=ACTIONS)
    (problem,) = refused.value.problems
    assert (problem.path, problem.code) == ("queue", "reserved_name")
    assert "flow control" in problem.message
