"""Steps that are written in Python: what they give, how they fail, and what is refused before they run."""

import sys
from typing import Any

import pytest

from tests.engine.conftest import Bench
from upshot import Refused, Upshot


def code(source: str, step_id: str = "code", **more: Any) -> dict[str, Any]:
    arguments = {"source": source, **more.pop("arguments", {})}
    return {"id": step_id, "action": "run_code", "with": arguments, **more}


def test_a_program_computes_from_its_inputs_what_later_steps_read(bench: Bench) -> None:
    total = "print('adding')\nsum(item['price'] * item['count'] for item in inputs['items'])"
    bench.automation(
        code(total, arguments={"inputs": {"items": "{{ items }}"}}),
        {"id": "log", "action": "log", "with": {"message": "total {{ steps.code.output }}"}},
    )
    bench.happen({"items": [{"price": 3, "count": 2}, {"price": 1.5, "count": 4}]})
    run = bench.run()
    assert run["status"] == "completed"
    assert [step["output"] for step in run["steps"]] == [12.0, {"message": "total 12.0"}]
    assert [line["text"] for line in run["steps"][0]["attempts"][0]["log"]] == ["adding"]


def test_no_data_becomes_code_and_braces_are_the_programs_own(bench: Bench) -> None:
    attack = "'); import os; ('{{ 1 }}{% if %}"
    bench.automation(code("f\"{inputs['name']}{{ name }}\"", arguments={"inputs": {"name": "{{ name }}"}}))
    bench.happen({"name": attack})
    assert bench.run()["steps"][0]["output"] == attack + "{ name }"


def test_it_is_the_work_of_a_for_each(bench: Bench) -> None:
    each = code("inputs['n'] ** 2", arguments={"inputs": {"n": "{{ item }}"}}, for_each="{{ numbers }}", concurrency=4)
    bench.automation(each)
    bench.happen({"numbers": list(range(20))})
    outputs = {step["id"]: step["output"] for step in bench.run()["steps"]}
    assert [outputs[f"code[{n}]"] for n in range(20)] == [n**2 for n in range(20)]


@pytest.mark.parametrize(
    ("source", "seconds", "message"),
    [
        ("x = 1\n1 / 0", 5, "Line 2: ZeroDivisionError: division by zero"),
        ("while True: pass", 0.2, "The program was stopped after 0.2 s."),
        ("x = [0]\nwhile True: x += x", 5, "The program took more than 32 MB of memory."),
        ("{1}", 5, "The result is not JSON: Object of type set is not JSON serializable"),
    ],
)
def test_a_program_that_fails_is_not_tried_again(bench: Bench, source: str, seconds: float, message: str) -> None:
    bench.automation(code(source, arguments={"timeout_seconds": seconds}, retries={"count": 3}, on_error="retry"))
    bench.happen()
    run = bench.run()
    assert run["status"] == "failed"
    assert (run["error"]["code"], run["error"]["message"]) == ("program_failed", message)
    assert len(run["steps"][0]["attempts"]) == 1


@pytest.mark.parametrize("wrapped", [{}, {"for_each": [1, 2]}])
def test_a_program_that_cannot_be_read_is_refused_with_its_line(bench: Bench, wrapped: dict[str, Any]) -> None:
    inputs = {"arguments": {"inputs": {"a": "{{ a }}"}}}
    with pytest.raises(Refused) as caught:
        bench.automation(code("x = 1\ny = ]", **inputs, **wrapped))
    (problem,) = caught.value.problems
    assert (problem.path, problem.code) == ("steps[0].with.source", "bad_program")
    assert problem.message == "Line 2: Expected an expression"


@pytest.mark.parametrize("source", ["", "1" * 40_000, "{{ program }}" + " " * 40_000])
def test_a_program_is_neither_empty_nor_too_long(bench: Bench, source: str) -> None:
    with pytest.raises(Refused) as caught:
        bench.automation(code(source))
    assert {problem.path for problem in caught.value.problems} == {"steps[0].with.source"}


def test_inputs_that_grow_too_large_fail_the_step(bench: Bench) -> None:
    bench.automation(code("1", arguments={"inputs": {"all": ["{{ text }}"] * 40}}))
    bench.happen({"text": "x" * 10_000})
    assert "inputs: are larger than 262,144 bytes" in bench.run()["error"]["message"]


def test_without_the_extra_it_is_refused_on_save_and_the_steps_there_are_wait(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.automation(code("40 + 2"))
    bench.upshot.sandbox.close()
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pydantic_monty", None)
        with pytest.raises(Refused, match=r"pip install 'upshot\[code\]'") as caught:
            bench.automation(code("1"))
        assert caught.value.problems[0].code == "missing_part"
        bench.happen()
        assert bench.run()["status"] == "waiting"
    bench.advance(60)
    assert bench.run()["steps"][0]["output"] == 42


def test_an_imported_program_keeps_its_braces(url: str) -> None:
    upshot = Upshot(url)
    source = "name = 'a'\nf'{name}'"
    told = upshot.automations.validate(
        {
            "name": "x",
            "trigger": "a/b",
            "actions": [{"type": "run_code", "args": {"source": source, "inputs": {"a": "{b}"}}}],
        }
    )
    assert told["problems"] == []
    assert told["document"]["steps"][0]["with"] == {"source": source, "inputs": {"a": "{{ b }}"}}
    upshot.close()


def test_a_dry_run_does_it_and_shows_what_it_gives(bench: Bench) -> None:
    steps = [
        code("inputs['n'] + 1", arguments={"inputs": {"n": "{{ n }}"}}),
        {"id": "log", "action": "log", "with": {"message": "it is {{ steps.code.output }}"}},
        code("inputs['x']", "bad", arguments={"inputs": {"n": "{{ steps.code.output }}"}}),
        code("1", "unknown", arguments={"inputs": {"n": "{{ steps.log.output.message }}"}}),
        code("inputs['i'] * 2", "each", arguments={"inputs": {"i": "{{ item }}"}}, for_each=[21, 1]),
    ]
    document = {"name": "x", "trigger": {"event": "test/happened"}, "steps": steps}
    told = {step["id"]: step for step in bench.upshot.automations.try_out("default", document, {"n": 41})["steps"]}
    assert told["code"]["output"] == 42
    assert told["log"]["arguments"] == {"message": "it is 42"}
    assert told["log"]["problems"] == []
    (problem,) = told["bad"]["problems"]
    assert (problem["path"], problem["code"]) == ("steps[2].with", "program_failed")
    assert problem["message"] == "would fail: Line 1: KeyError: x"
    assert [problem["code"] for problem in told["unknown"]["problems"]] == ["output_not_known"]
    assert "output" not in told["unknown"]
    assert told["each"]["output"] == 42
