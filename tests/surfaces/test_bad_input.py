"""What could never work is refused with its path when it is saved, over HTTP on both stores, and nothing of it is kept."""

from typing import Any

import pytest

from tests.surfaces.conftest import Surface, document

END = {"id": "end", "stop": True}
SCHEMA = {"type": "object", "properties": {"of": {"type": "string"}}, "additionalProperties": False}
GAP = {"run_at": "2032-03-28T02:30", "zone": "Europe/Paris"}
PAST = {"run_at": "2020-01-01T09:00"}
WAIT = {"id": "hear", "wait_for_event": "closed", "match": {"nobody": 1}}
HALF_HOUR_GAP = {"run_at": "2032-10-03T02:15", "zone": "Australia/Lord_Howe"}


def each(what: Any) -> dict[str, Any]:
    return {"id": "each", "for_each": what, "action": "create_task", "with": {"title": "{{ item }}"}}


def emits(step_id: str, **more: Any) -> dict[str, Any]:
    return {"id": step_id, "action": "emit_event", "with": {"name": "said"}, **more}


def waits(**more: Any) -> dict[str, Any]:
    return {"id": "hear", "wait_for_event": "closed", **more}


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "a wait for a field that no event has": ({"steps": [WAIT]}, "steps[0].match.nobody", "never_matches"),
    "a wait for what nothing equals": ({"steps": [waits(match={"of": None})]}, "steps[0].match.of", "never_matches"),
    "a wait for what no step gives": (
        {"steps": [waits(match={"of": "{{ steps.nobody.output }}"})]}, "steps[0].match.of", "never_matches"),
    "a trigger that no event is called": ({"trigger": {"event": "said\u202e"}}, "trigger.event", "bad_name"),
    "a trigger that looks like another": ({"trigger": {"event": "s\u0430id"}}, "trigger.event", "bad_name"),
    "a wait for what no event is called": (
        {"steps": [{"id": "hear", "wait_for_event": " closed"}]}, "steps[0].wait_for_event", "bad_name"),
    "a cancel that no event is called": ({"cancel_on": [{"event": "closed "}]}, "cancel_on[0].event", "bad_name"),
    "more items than may be": ({"steps": [{**each([1, 2]), "limit": 1}]}, "steps[0].for_each", "too_many"),
    "a stop that says more": ({"steps": [{"id": "end", "stop": {"code": 1}}]}, "steps[0].stop.code", "unknown_field"),
    "a date that has passed": ({"trigger": {"schedule": PAST}}, "trigger.schedule.run_at", "never_due"),
    "a 30 February": ({"trigger": {"schedule": {"cron": "0 9 30 2 *"}}}, "trigger.schedule.cron", "bad_cron"),
    "02:30 in Paris": ({"trigger": {"schedule": GAP}}, "trigger.schedule.run_at", "impossible_time"),
    "02:15 at Lord Howe": ({"trigger": {"schedule": HALF_HOUR_GAP}}, "trigger.schedule.run_at", "impossible_time"),
    "an item for each of a number": ({"steps": [each(5)]}, "steps[0].for_each", "wrong_type"),
    "a circle without a delay": ({"steps": [emits("a"), emits("b", next="a")]}, "steps[1].next", "cycle"),
    "a call of what is archived": ({"steps": [{"id": "ask", "call": "Old"}]}, "steps[0].call", "not_callable"),
    "a call of nobody": ({"steps": [{"id": "ask", "call": "Nobody"}]}, "steps[0].call", "unknown_automation"),
    "a join that is never met": (
        {"steps": [{"id": "fork", "parallel": ["a", "b"], "join": 3, "next": None}, emits("a", next=None), emits("b")]},
        "steps[0].join",
        "join_never_met",
    ),
    "a step that nothing leads to": ({"steps": [{**END, "id": "first"}, END]}, "steps[1]", "unreachable"),
}  # fmt: skip


def test_each_is_refused_at_its_path_wherever_it_is_given(surface: Surface) -> None:
    surface.put("/event-types/closed", {"schema": SCHEMA})
    old = surface.post("/automations", document(name="Old", status="active")).json()["id"]
    assert surface.post(f"/automations/{old}/archive").is_success
    kept = surface.get("/automations").json()["items"]
    for words, (changes, path, code) in REFUSED.items():
        given = {**document(condition=None, steps=[END], status="active"), **changes}
        refused = surface.post("/automations", given)
        assert refused.status_code == 422, (words, refused.text)
        found = [(one["path"], one["code"]) for one in refused.json()["errors"]]
        assert (path, code) in found, (words, found)
        assert surface.post("/automations/import", given).status_code == 422, words
    assert surface.get("/automations").json()["items"] == kept


@pytest.mark.parametrize(
    ("step", "data", "code"),
    [
        (each("{{ items }}"), {"items": 5}, "not_a_list"),
        (waits(match={"of": "{{ missing }}"}), {}, "never_matches"),
        ({"id": "nap", "delay": {"seconds": "{{ wait }}"}}, {"wait": "soon"}, "bad_delay"),
        ({"id": "nap", "delay": {"until": "{{ wait }}"}}, {"wait": "2027-02-30"}, "bad_delay"),
    ],
    ids=["no list", "no value to match", "no duration", "no date"],
)
def test_what_only_the_event_shows_fails_its_step_and_never_sticks(
    running: Surface, step: dict[str, Any], data: dict[str, Any], code: str
) -> None:
    running.post("/automations", document(condition=None, steps=[step], status="active"))
    running.post("/events", {"name": "crm/appointment.created", "data": data})
    running.settle()
    (run,) = running.get("/runs").json()["items"]
    assert (run["status"], run["error"]["step_id"].removesuffix("[]")) == ("failed", step["id"])
    assert run["error"]["code"] == code


def test_what_reads_a_step_that_is_not_there_is_told(surface: Surface) -> None:
    steps = [
        {"id": "ask", "branch": {"field": "steps.nobody.output.done", "operator": "equals", "value": True}},
        {"id": "nap", "delay": {"seconds": "{{ steps.nobody.output.wait }}"}},
        each("{{ steps.nobody.output.items }}"),
        {
            "id": "tell",
            "action": "create_task",
            "with": {"title": "{{ steps.ask.output.result }} {{ steps.no.output }}"},
        },
    ]
    given = document(condition=None, steps=steps, goal={"field": "steps.gone.output", "operator": "exists"})
    told = surface.post("/automations/validate", {"document": given}).json()
    assert told["valid"], told
    found = {note["path"]: note["message"] for note in told["notes"]}
    places = {"steps[0].branch", "steps[1].delay.seconds", "steps[2].for_each", "steps[3].with.title", "goal"}
    assert found.keys() == places
    assert found["steps[3].with.title"] == "steps.no.output is never there: no step has the id 'no'"
    dry = surface.post("/automations/import?dry_run=true", given).json()["automations"][0]
    assert places <= {note["path"] for note in dry["notes"]}
