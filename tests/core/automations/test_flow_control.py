"""The `flow` of a document: what is read, what is refused at which path, and how it is told."""

from typing import Any

import pytest

from upshot.core.automations import describe, examine, normalise, read, to_document
from upshot.core.automations.diff import diff
from upshot.core.automations.flow_control import outcome_words
from upshot.core.flow.outcomes import CONTROL_OF, OUTCOMES
from upshot.core.instants import HOUR, MINUTE, SECOND

WHO = "{{ who }}"


def document(flow: Any, **more: Any) -> dict[str, Any]:
    return {"name": "x", "trigger": {"event": "a"}, "steps": [{"id": "end", "stop": True}], "flow": flow, **more}


ALL = {
    "once": {"key": WHO, "per": "1h"},
    "rate_limit": {"limit": 3, "per": {"minutes": 5}},
    "throttle": {"key": "{{ entity.id }}-{{ event.name }}", "limit": 2, "per": "PT1M"},
    "concurrency": {"limit": 7},
    "reentry": "restart",
}


def test_what_is_written_is_read_and_written_back() -> None:
    automation = read(document(ALL))
    assert automation.flow is not None
    told = {one.name: (one.key, one.number, one.period) for one in automation.flow.controls}
    assert told["once"] == (WHO, 1, HOUR)
    assert told["rate_limit"] == (None, 3, 5 * MINUTE)
    assert told["concurrency"] == (None, 7, 0)
    assert automation.flow.reentry == "restart"
    assert read(to_document(automation)) == automation
    assert to_document(automation)["flow"] == ALL
    debounced = read(document({"debounce": {"for": "90s", "max": "1h"}})).flow
    assert debounced is not None
    assert [(one.period, one.most) for one in debounced.controls] == [(90 * SECOND, HOUR)]


def test_no_flow_is_none() -> None:
    for given in (None, {}):
        canonical, _ = normalise(document(given), actions={})
        assert "flow" not in canonical
        assert read(canonical).flow is None


def test_camel_case_is_read() -> None:
    canonical, _ = normalise(document({"rateLimit": {"key": WHO, "limit": 1, "per": "1h"}}), actions={})
    assert canonical["flow"] == {"rate_limit": {"key": WHO, "limit": 1, "per": "1h"}}


@pytest.mark.parametrize(
    ("flow", "path", "code"),
    [
        ([], "flow", "wrong_type"),
        ({"slow": {}}, "flow.slow", "unknown_field"),
        ({"once": "1h"}, "flow.once", "wrong_type"),
        ({"once": {"key": WHO}}, "flow.once.per", "required"),
        ({"once": {"key": "who", "per": "1h"}}, "flow.once.key", "bad_path"),
        ({"once": {"key": 1, "per": "1h"}}, "flow.once.key", "wrong_type"),
        ({"once": {"key": "{{ steps.one.output }}", "per": "1h"}}, "flow.once.key", "bad_path"),
        ({"once": {"key": "{{ who", "per": "1h"}}, "flow.once.key", "template_syntax"),
        ({"once": {"key": WHO + "x" * 1000, "per": "1h"}}, "flow.once.key", "too_long"),
        ({"once": {"per": "a while"}}, "flow.once.per", "bad_duration"),
        ({"once": {"per": "0s"}}, "flow.once.per", "out_of_range"),
        ({"once": {"per": "2y"}}, "flow.once.per", "out_of_range"),
        ({"once": {"per": "1h", "limit": 1}}, "flow.once.limit", "unknown_field"),
        ({"rate_limit": {"limit": 0, "per": "1h"}}, "flow.rate_limit.limit", "out_of_range"),
        ({"rate_limit": {"limit": True, "per": "1h"}}, "flow.rate_limit.limit", "wrong_type"),
        ({"rate_limit": {"per": "1h"}}, "flow.rate_limit.limit", "required"),
        ({"throttle": {"limit": 1001, "per": "1h"}}, "flow.throttle.limit", "out_of_range"),
        ({"debounce": {"for": "1h", "max": "1m"}}, "flow.debounce.max", "bad_combination"),
        ({"debounce": {"for": "40d"}}, "flow.debounce.for", "out_of_range"),
        ({"batch": {"size": 1, "within": "1h"}}, "flow.batch.size", "out_of_range"),
        ({"batch": {"size": 5}}, "flow.batch.within", "required"),
        ({"batch": {"size": 5, "within": "1h"}, "debounce": {"for": "1h"}}, "flow.batch", "bad_combination"),
        ({"batch": {"size": 5, "within": "1h"}, "reentry": "skip"}, "flow.batch", "bad_combination"),
        ({"debounce": {"for": "1h"}, "once": {"per": "1h"}}, "flow.debounce", "bad_combination"),
        ({"concurrency": {"limit": 1.5}}, "flow.concurrency.limit", "wrong_type"),
        ({"reentry": "maybe"}, "flow.reentry", "bad_option"),
    ],
)
def test_nonsense_is_refused_at_its_path(flow: Any, path: str, code: str) -> None:
    assert [(problem.path, problem.code) for problem in examine(document(flow))[1]] == [(path, code)]


def test_it_is_told_in_words() -> None:
    words = describe(read(document({"concurrency": {"key": WHO, "limit": 1}, "reentry": "skip"})))
    assert words == (
        "When a (at most 1 run at once for each {{ who }}, the rest waits; not while a run for the same entity is under "
        "way): stop"
    )


def test_what_changed_is_told_in_words() -> None:
    old = document({"once": {"key": WHO, "per": "1h"}, "concurrency": {"limit": 2}})
    new = document({"concurrency": {"limit": 3}, "batch": {"size": 5, "within": "1m"}})
    assert [(one.path, one.kind, one.text) for one in diff(old, new)] == [
        ("flow.once", "removed", "No once any more, was: once in 1h for each {{ who }}."),
        (
            "flow.concurrency",
            "changed",
            "Concurrency: at most 3 runs at once, the rest waits, was: at most 2 runs at once, the rest waits.",
        ),
        ("flow.batch", "added", "Batch: 5 events together, at the latest after 1m."),
    ]


@pytest.mark.parametrize("outcome", [one for one in OUTCOMES if one != "loop_stopped"])
def test_every_outcome_has_a_control_and_a_sentence(outcome: str) -> None:
    assert CONTROL_OF[outcome]
    for has_run in (True, False):
        said = outcome_words(outcome, "ann", 1_800_000_000_000_000, {}, has_run=has_run, has_begun=has_run)
        assert said.endswith(".")
        assert "'ann'" in said or outcome in {"throttled", "rate_limited"}
