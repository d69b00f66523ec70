"""The `cancel_on` of a document: what is read, what is refused at which path, how it is told, and what runs watch for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upshot.core.automations import describe, examine, inspect, normalise, read, to_document
from upshot.core.automations.diff import diff
from upshot.core.automations.gaps import wait_problems
from upshot.core.errors import Problem
from upshot.core.facts import Facts
from upshot.core.waits import event_key
from upshot.core.watches import Watch, Watching, shapes_of

MATCH = {"orderId": "{{ order.id }}"}


def document(cancel_on: Any, **more: Any) -> dict[str, Any]:
    steps = [{"id": "end", "stop": True}]
    return {"name": "x", "trigger": {"event": "a"}, "steps": steps, "cancel_on": cancel_on, **more}


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("order/cancelled", [{"event": "order/cancelled"}]),
        ({"event": "b"}, [{"event": "b"}]),
        ([{"event": "b", "match": "order.id"}, "c"], [{"event": "b", "match": {"order.id": "{{ order.id }}"}}, {"event": "c"}]),
        ([{"Event": "b", "Match": MATCH}], [{"event": "b", "match": MATCH}]),
    ],
)  # fmt: skip
def test_every_shape_is_read_and_written_back(written: Any, canonical: Any) -> None:
    for name in ("cancel_on", "cancelOn"):
        given = {**document(None), name: written}
        if name != "cancel_on":
            del given["cancel_on"]
        read_as, _ = normalise(given, actions={})
        assert read_as["cancel_on"] == canonical
        assert normalise(read_as, actions={})[0] == read_as
        automation = read(read_as)
        assert read(to_document(automation)) == automation


def test_none_is_none() -> None:
    for nothing in (None, []):
        assert "cancel_on" not in normalise(document(nothing), actions={})[0]
        assert read(document(nothing)).cancel_on == ()


@pytest.mark.parametrize(
    ("cancel_on", "path", "code"),
    [
        (5, "cancel_on", "wrong_type"),
        ([5], "cancel_on[0]", "wrong_type"),
        ([{}], "cancel_on[0].event", "required"),
        ([{"event": 5}], "cancel_on[0].event", "wrong_type"),
        ([{"event": "a"}, {"event": "b", "when": 1}], "cancel_on[1].when", "unknown_field"),
        ([{"event": "b", "match": {"a..b": 1}}], "cancel_on[0].match.a..b", "bad_path"),
        ([{"event": "b", "match": {"a": None}}], "cancel_on[0].match.a", "never_matches"),
        ([{"event": "b", "match": {"a": ["x"]}}], "cancel_on[0].match.a", "never_matches"),
        ([{"event": "b", "match": {"a": "{{ x"}}], "cancel_on[0].match.a", "template_syntax"),
        ([{"event": "b", "match": {"a": "{{ run.id }}"}}], "cancel_on[0].match.a", "bad_path"),
        ([{"event": "b", "match": {"a": "{{ steps.x.output }}"}}], "cancel_on[0].match.a", "bad_path"),
        ([{"event": "b", "match": {str(n): 1 for n in range(11)}}], "cancel_on[0].match", "too_many"),
        ([{"event": f"e{n}"} for n in range(21)], "cancel_on", "too_many"),
    ],
)
def test_what_is_wrong_is_refused_at_its_path(cancel_on: Any, path: str, code: str) -> None:
    _, findings = inspect(document(cancel_on), actions={})
    assert [(problem.path.replace('["', ".").replace('"]', ""), problem.code) for problem in findings.problems] == [
        (path, code)
    ]


@given(st.recursive(st.none() | st.integers() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=3)
       | st.dictionaries(st.sampled_from(["event", "match", "a"]), inner, max_size=3)))  # fmt: skip
def test_junk_is_read_or_refused(junk: Any) -> None:
    automation, problems = examine(document(junk))
    assert (automation is None) == bool(problems)
    inspect(document(junk), actions={})


def test_a_field_that_no_event_has_can_never_match() -> None:
    schema = {"type": "object", "properties": {"orderId": {"type": "string"}}, "additionalProperties": False}
    automation = read(document([{"event": "b", "match": MATCH}, {"event": "b", "match": {"other": 1}}]))
    said = "can never match: the schema of b does not know it"
    assert wait_problems(automation, lambda _: schema) == [Problem("cancel_on[1].match.other", said, "never_matches")]


def test_it_is_told_in_words() -> None:
    one = {"event": "order/cancelled", "match": MATCH}
    words = "order/cancelled where orderId is {{ order.id }}"
    assert describe(read(document([one, {"event": "b"}]))).endswith(f", cancelled by {words} or b")
    told = [(change.kind, change.text) for change in diff(document([one]), document([{"event": "b"}]))]
    assert told == [
        ("removed", "The event order/cancelled where orderId is {{ order.id }} does not cancel runs any more."),
        ("added", "The event b cancels runs under way."),
    ]
    (moved,) = diff(document([one, {"event": "b"}]), document([{"event": "b"}, one]))
    assert (moved.kind, moved.path) == ("moved", "cancel_on")


def facts(data: dict[str, Any], entity: dict[str, Any] | None = None) -> Facts:
    return Facts(data=data, event={"name": "a", "data": data}, now=0, entity=entity)


def test_a_run_watches_for_what_can_match() -> None:
    automation = read(
        document([{"event": "b", "match": MATCH}, {"event": "c"}, {"event": "d", "match": {"x": "{{ entity.x }}"}}])
    )
    watching = Watching(automation)
    assert watching.reads_entity
    assert {name for name, _ in shapes_of(automation)} == {"b", "c", "d"}
    found = watching.of(facts({"order": {"id": "o-1"}}))
    assert [(one.place, one.event_name) for one in found] == [("0", "b"), ("1", "c")]
    assert watching.of(facts({}, {"x": 1}))[1] == Watch(
        "cancel", "2", "d", event_key(("x",), {"data": {"x": 1.0}}) or ""
    )


VALUES = st.text(max_size=3) | st.integers(-3, 3) | st.booleans() | st.none() | st.just(2.0)


@given(VALUES, VALUES, VALUES)
def test_an_event_is_found_by_the_key_of_exactly_the_equal_values(own: Any, other: Any, came: Any) -> None:
    match = {"one": "{{ own }}", "two": "{{ other }}"}
    watching = Watching(read(document([{"event": "b", "match": match}])))
    watched = watching.of(facts({"own": own, "other": other}))
    if own in (None, "") or other in (None, ""):
        assert watched == ()
        return
    event = {"name": "b", "data": {"one": own, "two": came}}
    key = event_key(watching.fields("0"), event)
    is_equal = came == other and isinstance(came, bool) == isinstance(other, bool)
    assert (key == watched[0].match_key) == is_equal
