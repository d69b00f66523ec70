"""What changed, in words: each kind of change, and that none goes untold."""

from typing import Any

import pytest

from upshot.core.automations.diff import diff

NOTE: dict[str, Any] = {"id": "note", "action": "create_note", "with": {"content": "New", "fields": {"a": 1, "b": 2}}}
LATER: dict[str, Any] = {"id": "later", "delay": "2h"}
PAID = {"field": "order.paid", "operator": "equals", "value": True}
LARGE = {"field": "order.total", "operator": "greater_than", "value": 100}


def document(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": "Orders",
        "trigger": {"event": "shop/order.placed"},
        "priority": 5,
        "condition": {"combinator": "and", "rules": [LARGE]},
        "steps": [NOTE, LATER],
    }
    return {**made, **changes}


def both(*rules: Any, **more: Any) -> dict[str, Any]:
    return {"combinator": "and", "rules": list(rules), **more}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "Large orders"}, [("name", "changed", "Name is “Large orders”, was “Orders”.")]),
        ({"priority": 9}, [("priority", "changed", "Priority is 9, was 5.")]),
        ({"description": "Why"}, [("description", "added", "Description is “Why”, was not set.")]),
        (
            {"trigger": {"event": "shop/order.paid"}},
            [("trigger.event", "changed", "It starts on shop/order.paid instead of shop/order.placed.")],
        ),
        ({"condition": None}, [("condition", "removed", "The condition “order.total greater than 100” is gone.")]),
        ({"condition": both(LARGE, PAID)}, [("condition", "added", "“order.paid equals true” is needed too.")]),
        (
            {"condition": both({**LARGE, "value": 150})},
            [
                (
                    "condition",
                    "changed",
                    "The condition asks for “order.total greater than 150”, was “order.total greater than 100”.",
                )
            ],
        ),
        (
            {"condition": {"combinator": "or", "rules": [PAID, PAID]}},
            [
                (
                    "condition",
                    "changed",
                    "The condition is “order.paid equals true or order.paid equals true”, was “order.total greater than 100”.",
                )
            ],
        ),
        ({"steps": [NOTE]}, [("steps.later", "removed", "Step “later” is gone: wait 2h.")]),
        (
            {"steps": [NOTE, {"id": "stop", "stop": True}, LATER]},
            [("steps.stop", "added", "Step “stop” is new, after “note”: stop.")],
        ),
        (
            {"steps": [LATER, NOTE]},
            [("steps.later", "moved", "Step “later” stands as the first step now.")],
        ),
        (
            {"steps": [NOTE, {**LATER, "delay": {"days": 2}}]},
            [("steps.later.delay", "changed", "Step “later”: it waits 2 days instead of 2h.")],
        ),
        (
            {"steps": [NOTE, {**LATER, "id": "a day"}]},
            [("steps.a day", "changed", "Step “later” is called “a day” now.")],
        ),
        (
            {"steps": [{**NOTE, "with": {"content": "Paid", "fields": {"a": 1, "b": 3}}}, LATER]},
            [
                ("steps.note.with.content", "changed", "Step “note”: content is “Paid”, was “New”."),
                ("steps.note.with.fields.b", "changed", "Step “note”: fields.b is 3, was 2."),
            ],
        ),
        (
            {"steps": [{**NOTE, "on_error": "continue", "next": None}, LATER]},
            [
                ("steps.note.on_error", "added", "Step “note”: on error is “continue”, was not set."),
                ("steps.note.next", "changed", "Step “note”: goes on to the end instead of the step below."),
            ],
        ),
        (
            {"steps": [{**NOTE, "with": {"content": True, "fields": {"a": True, "b": 2}}}, LATER]},
            [
                ("steps.note.with.content", "changed", "Step “note”: content is true, was “New”."),
                ("steps.note.with.fields.a", "changed", "Step “note”: fields.a is true, was 1."),
            ],
        ),
    ],
)
def test_a_change_is_told_in_words(changes: dict[str, Any], told: list[tuple[str, str, str]]) -> None:
    assert [(change.path, change.kind, change.text) for change in diff(document(), document(**changes))] == told


def test_a_branch_s_condition_and_paths() -> None:
    branch = {"id": "paid?", "branch": both(PAID), "if_true": "note"}
    before, after = document(steps=[branch, NOTE, LATER]), document()
    after["steps"] = [{**branch, "branch": both(PAID, LARGE), "if_true": "later", "if_false": "note"}, NOTE, LATER]
    assert [change.text for change in diff(before, after)] == [
        "Step “paid?”: “order.total greater than 100” is needed too.",
        "Step “paid?”: if true, goes on to “later” instead of “note”.",
        "Step “paid?”: if not, goes on to “note” instead of the end.",
    ]


def test_rules_are_the_same_whatever_their_ids() -> None:
    before = document(condition={"v": 1, "id": "g1", **both({"id": "c1", **LARGE})})
    after = document(condition={"v": 1, "id": "g1", **both({"id": "c1", **PAID}, {"id": "c2", **LARGE})})
    assert [change.text for change in diff(before, after)] == ["“order.paid equals true” is needed too."]
    items = {"field": "items", "operator": "match", "value": both({"id": "c2", **LARGE}), "match": {"mode": "some"}}
    renumbered = {**items, "value": both({"id": "c9", **LARGE})}
    assert diff(document(condition=both(items)), document(condition=both(renumbered))) == []


def test_the_same_document_has_no_changes_and_a_first_one_is_new() -> None:
    assert diff(document(), document()) == []
    (change,) = diff(None, document())
    assert (change.path, change.kind, change.text) == (
        "",
        "added",
        "Everything is new: it starts on shop/order.placed.",
    )


def test_what_a_step_does_besides_is_told_by_name() -> None:
    before = document(steps=[{"id": "each", "for_each": "items", "limit": 10}])
    after = document(steps=[{"id": "each", "for_each": "items", "limit": 20}])
    assert [change.text for change in diff(before, after)] == ["Step “each”: limit is 20, was 10."]
