"""Steps that call another automation: awaited or not, ended well or badly, cancelled, retried, too deep."""

from typing import Any

import pytest

from tests.engine.conftest import Bench
from tests.engine.test_dead_letters import broken
from tests.engine.test_runs import statuses, step
from tests.engine.test_waits import rows

Run = dict[str, Any]


def callee(bench: Bench, *steps: dict[str, Any], name: str = "Settle", **more: Any) -> str:
    """An automation that starts by a call only; its id."""
    return bench.automation(*steps, name=name, trigger={"manual": True}, **more)


def call(automation_id: str, step_id: str = "settle", **more: Any) -> dict[str, Any]:
    return {"id": step_id, "call": automation_id, "with": {"number": "{{ number }}"}, **more}


def family(bench: Bench) -> tuple[Run, Run]:
    """The run that calls, and the one that it called."""
    parent, child = bench.runs()
    return parent, child


def shown(run: Run, step_id: str) -> dict[str, Any]:
    return next(one for one in run["steps"] if one["id"] == step_id)


def test_what_nobody_waits_for_is_started_once_and_left_alone(bench: Bench) -> None:
    settle = callee(bench, {"id": "nap", "delay": "1h"}, step("pay", arguments={"n": "{{ number }}"}))
    bench.automation(call(settle, **{"await": False}), step("after"))
    event_id = bench.happen({"number": 7})
    parent, child = family(bench)
    assert (parent["status"], child["status"]) == ("completed", "waiting")
    assert shown(parent, "settle")["output"] == {"run_id": child["id"], "status": "pending"}
    assert shown(parent, "settle")["input"] == {"automation": settle, "data": {"number": 7}}
    assert (child["automation"]["id"], child["depth"]) == (settle, 1)
    assert child["cause"] == {"run_id": parent["id"], "step_id": "settle"}
    assert shown(parent, "settle")["called_run"] == {"id": child["id"], "status": "waiting"}
    assert [(link["event"]["id"], link["run_id"]) for link in child["path"]] == [(event_id, parent["id"])]
    bench.upshot.runs.cancel("default", child["id"])
    assert family(bench)[0]["status"] == "completed"
    assert broken(bench) == []


def test_a_run_sleeps_until_the_run_it_called_is_over(bench: Bench) -> None:
    settle = callee(bench, {"id": "nap", "delay": "40d"}, step("pay", arguments={"n": "{{ number }}"}))
    bench.automation(call(settle), step("after", arguments={"got": "{{ steps.settle.output.outputs.pay.noted.n }}"}))
    bench.happen({"number": 7})
    parent, child = family(bench)
    assert (parent["status"], child["status"]) == ("waiting", "waiting")
    assert statuses(parent) == {"settle": "waiting", "after": "pending"}
    assert broken(bench) == []
    bench.restart()
    bench.advance(40 * 86400)
    parent, child = family(bench)
    assert (parent["status"], child["status"]) == ("completed", "completed")
    assert [name for name, _ in bench.calls] == ["pay", "after"]
    assert bench.calls[1] == ("after", {"got": 7})
    output = shown(parent, "settle")["output"]
    assert (output["run_id"], output["status"]) == (child["id"], "completed")
    assert output["outputs"]["pay"]["noted"] == {"n": 7}
    assert (rows(bench, "waits"), rows(bench, "timers"), rows(bench, "active")) == (0, 0, 0)
    assert broken(bench) == []
