"""Conditions in the running engine: what one tenant can read, what one event may cost, and what causes itself."""

import json
import logging
from typing import Any

import pytest

from tests.engine.conftest import Bench
from upshot.core.errors import Refused

CANARY = "canary-of-the-other-tenant"
ROWS = list(range(2_000))


def step(step_id: str, action: str = "note", **arguments: Any) -> dict[str, Any]:
    return {"id": step_id, "action": action, "with": arguments}


def leaf(field: str, operator: str, *value: Any, **options: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, **({"value": value[0]} if value else {}), **options}


def every_row_of(*rules: Any) -> dict[str, Any]:
    return leaf("event.data.rows", "match", {"combinator": "and", "rules": list(rules)}, match={"mode": "all"})


EVERY_PAIR = every_row_of(every_row_of(leaf(".", "exists")))
"""Over 1,000 rows this asks a million pairs."""


def told(bench: Bench, event_id: str) -> dict[str, dict[str, Any]]:
    """The explanation of an event by the name of the automation."""
    automations = bench.upshot.events.explain("default", event_id)["automations"]
    return {item["name"]: item for item in automations}


# --- C2, C6: work and dates without end -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        (EVERY_PAIR, "too_much_work"),
        ({"not": EVERY_PAIR}, "too_much_work"),
        (leaf("at", "before", {"mode": "relative", "offset": 1_000_000, "unit": "year"}), "out_of_range"),
    ],
    ids=["pairs", "pairs turned round", "year 1,002,026"],
)
def test_c2_c6_what_cannot_be_decided_starts_nothing_harms_no_other_and_is_told(
    bench: Bench, caplog: pytest.LogCaptureFixture, condition: Any, code: str
) -> None:
    bench.automation(step("never"), name="heavy", condition=condition)
    bench.automation(step("plain"), name="plain", condition=leaf("at", "exists"))
    with caplog.at_level(logging.WARNING, "upshot.engine"):
        event_id = bench.happen({"rows": ROWS, "at": "2026-11-21"})
    assert [step_id for step_id, _ in bench.calls] == ["plain"]
    assert "1 conditions undecided" in caplog.text
    explained = told(bench, event_id)
    assert explained["plain"]["outcome"] == "started"
    assert explained["heavy"]["outcome"] == "error"
    assert explained["heavy"]["explanation"]["error"]["code"] == code
    assert "Could not be decided" in explained["heavy"]["reason"]


def test_c2_a_branch_that_cannot_be_decided_goes_the_way_of_no_and_says_so(bench: Bench) -> None:
    bench.automation({"id": "look", "branch": EVERY_PAIR, "if_true": "one", "if_false": None}, step("one"))
    bench.happen({"rows": ROWS})
    output = bench.run()["steps"][0]["output"]
    assert output["result"] is False
    assert output["explanation"]["error"]["code"] == "too_much_work"
    assert bench.calls == []


# --- C7: only what is the event's own ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["secrets.key", "tenants.other.name", "tenant.secrets.key", "tenant.name", "now.secrets"]
)
def test_c7_what_is_not_offered_is_refused_on_save_by_its_path(bench: Bench, path: str) -> None:
    with pytest.raises(Refused) as caught:
        bench.automation(step("one"), condition={"all": [leaf("a", "exists"), leaf(path, "exists")]})
    assert caught.value.problems[0].path == "condition.all[1].field"
    with pytest.raises(Refused) as caught:
        bench.automation({"id": "look", "branch": leaf(path, "exists"), "if_true": None, "if_false": None})
    assert caught.value.problems[0].path.startswith("steps[0].branch")


PROBES = [
    "name", "patient.name", "entity", "entity.name", "entity.other.name", 'entity["other:p-1"].name', "entity[0]",
    'entity["../other/p-1"].name', "previous", "changed", "event", "event.entity", "event.tenant", "event.data.name",
    "steps", "run", "run.tenant", "tenant", "tenant.id",
]  # fmt: skip


def test_c7_nothing_of_another_tenant_is_read(bench: Bench) -> None:
    for tenant in ("default", "other"):
        if tenant == "other":
            bench.upshot.tenants.create("other", name=CANARY)
        bench.upshot.event_types.put(tenant, "test/happened", entity={"type": "patient", "id": "patient.id"})
    bench.upshot.entities.create("other", "patient", id="p-1", fields={"name": CANARY, "other": {"name": CANARY}})
    bench.emit("test/happened", {"name": CANARY, "patient": {"id": "p-1"}}, tenant="other", id="e-1")
    own = {"name": "Ada"}
    for own_entity in (False, True):
        if own_entity:
            bench.upshot.entities.create("default", "patient", id="p-1", fields=own)
        for probe in PROBES:
            bench.automation(step("own"), name=f"{probe} {own_entity}", condition=leaf(probe, "contains", "canary"))
            bench.automation(step("any"), name=f"{probe} {own_entity} any", condition=leaf(probe, "exists"))
        event_id = bench.happen({"patient": {"id": "p-1"}}, id=f"e-{own_entity}")
        explained = told(bench, event_id)
        assert len(explained) == 2 * len(PROBES) * (1 + own_entity)
        assert explained[f"entity.name {own_entity} any"]["outcome"] == ("started" if own_entity else "condition_false")
        assert CANARY not in json.dumps(explained)
    assert "own" not in {step_id for step_id, _ in bench.calls}
    assert CANARY not in json.dumps(bench.runs())


# --- C8: thousands on one event ---------------------------------------------------------------------------------------------


def test_c8_an_event_whose_conditions_cost_too_much_together_is_given_up_on_and_says_why(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(12):
        bench.automation(step("never"), name=f"heavy {number}", condition=EVERY_PAIR)
    bench.automation(step("plain"), name="plain", condition=leaf("rows", "exists"))
    with caplog.at_level(logging.ERROR, "upshot.engine"):
        event_id = bench.happen({"rows": ROWS})
    why = "its comparisons need more than 2,000,000 steps of work together"
    assert caplog.text.count(why) == 1, "trying again would cost the same"
    assert bench.calls == []
    assert why in told(bench, event_id)["plain"]["reason"]
    assert {item["outcome"] for item in told(bench, event_id).values()} == {"error"}
    assert bench.upshot.events.get("default", event_id)["status"] == "failed"
    bench.happen({"rows": [1]})
    assert len(bench.calls) == 13, "an event that costs little is matched as ever"


def test_c8_of_many_automations_on_one_event_type_those_that_hold_start(bench: Bench) -> None:
    for number in range(1_000):
        bench.automation(step(f"s{number % 5}"), name=f"a{number}", condition=leaf("kind", "equals", number // 2))
    bench.happen({"kind": 7})
    assert sorted(step_id for step_id, _ in bench.calls) == ["s0", "s4"]


# --- C9: what causes itself -------------------------------------------------------------------------------------------------


def test_c9_an_automation_that_matches_its_own_output_is_stopped(bench: Bench) -> None:
    again = step("again", "emit_event", name="test/happened", data={"n": "{{ n }}"})
    bench.automation(again, name="loop", condition=leaf("n", "equals", 1))
    bench.happen({"n": 1})
    assert len(bench.runs()) == 17, "the first event and sixteen it caused"
    last = bench.events("test/happened")[0]
    assert told(bench, last["id"])["loop"]["outcome"] == "loop_stopped"
    bench.happen({"n": 1})
    assert len(bench.runs()) == 34, "another event of a host starts it anew"


def test_c9_two_automations_that_match_each_others_output_are_stopped(bench: Bench) -> None:
    there = step("there", "emit_event", name="test/second", data={})
    back = step("back", "emit_event", name="test/happened", data={})
    bench.automation(there, name="there")
    bench.automation(back, name="back", trigger={"event": "test/second"})
    bench.happen({})
    assert len(bench.runs()) == 17
    assert {item["depth"] for item in bench.events()} == set(range(18))


def test_c9_an_automation_that_changes_the_entity_it_listens_to_is_stopped(bench: Bench) -> None:
    bench.upshot.entities.create("default", "patient", id="p-1", fields={"n": 0})
    bench.settle()
    change = step("change", "update_entity", type="patient", id="p-1", fields={"n": "{{ run.id }}"})
    condition = leaf("entity.n", "changed")
    bench.automation(change, name="loop", trigger={"event": "patient.updated"}, condition=condition)
    bench.upshot.entities.patch("default", "patient", "p-1", fields={"n": 1})
    bench.settle()
    assert len(bench.runs()) == 17
