"""`/automations/{id}/insights`: where the time of an automation's runs goes, and what is advised."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.surfaces.conftest import Surface, document, make_surface
from upshot import ActionError, PermanentError
from upshot.core.instants import from_text, to_text
from upshot.testing import VirtualClock

pytestmark = pytest.mark.usefixtures("own_ids")
ORDERS = 24
LINES = 3_000
WAIT_SECONDS = 30
STEPS = [
    {
        "id": "charge",
        "action": "charge",
        "with": {"order": "{{ order }}"},
        "timeout_seconds": 10,
        "retries": {"count": 1},
    },
    {"id": "tell", "action": "tell", "with": {"order": "{{ order }}"}, "on_error": "continue"},
    {
        "id": "listed",
        "branch": {"field": "steps.charge.output.lines", "operator": "contains", "value": -1},
        "if_true": "nap",
        "if_false": "nap",
    },
    {"id": "nap", "delay": "1d"},
]
CONDITION = {
    "combinator": "and",
    "rules": [
        {"field": "note", "operator": "regex", "value": "^gift"},
        {"field": "kind", "operator": "equals", "value": "order"},
    ],
}
PAID = {"name": "Paid", "trigger": {"event": "paid"}, "condition": CONDITION, "steps": STEPS}


class Till(Surface):
    """An installation whose actions take their time: `charge` 9 s, and for each fourth order in two attempts, `tell` 1 s."""

    def __init__(self, surface: Surface, clock: VirtualClock) -> None:
        super().__init__(surface.upshot, surface.client, surface.keys)
        self.clock, self.charged = clock, list[int]()

        @self.upshot.action("charge")
        async def charge(args: dict, context: Any) -> dict[str, Any]:  # type: ignore[type-arg] - an action may take plain arguments
            self.clock.advance(9)
            self.charged.append(args["order"])
            if args["order"] % 4 == 0 and self.charged.count(args["order"]) == 1:
                raise ActionError("the bank does not answer")
            return {"lines": list(range(LINES))}

        @self.upshot.action("tell")
        async def tell(args: dict, context: Any) -> None:  # type: ignore[type-arg] - an action may take plain arguments
            self.clock.advance(1)
            if args["order"] % 8 == 3:
                raise PermanentError("nobody is there")

    def forward(self, seconds: float = 0) -> None:
        """Move time on, and let every service look again."""
        self.clock.advance(seconds)
        assert self.upshot.engine.loop is not None
        self.upshot.engine.loop.call_soon_threadsafe(self.upshot.engine.wake)
        self.settle()

    def paid(self, order: int) -> None:
        """One order is paid, and its run comes to the delay."""
        data = {"order": order, "note": "gift", "kind": "order"}
        assert self.post("/events", {"name": "paid", "id": f"paid-{order}", "data": data}).status_code == 202
        self.settle()
        self.until(lambda: self.charged.count(order) == (2 if order % 4 == 0 else 1), 5)

    def until(self, is_so: Any, seconds: float) -> None:
        """Move time on until this is so."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not is_so():
            assert time.monotonic() < deadline
            self.forward(seconds)

    def insights(self, automation_id: str, since: str | None = None) -> Any:
        """As a viewer is told."""
        window = f"?since={since}" if since is not None else ""
        answer = self.get(f"/automations/{automation_id}/insights{window}", role="viewer")
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def till(url: str) -> Iterator[Till]:
    clock = VirtualClock()
    for surface in make_surface(url, engine=True, clock=clock):
        yield Till(surface, clock)


def test_they_tell_where_the_time_goes_and_what_to_do(till: Till) -> None:
    automation = till.post("/automations", {**PAID, "status": "active"}).json()["id"]
    for order in range(ORDERS):
        till.paid(order)
    till.until(lambda: len(till.get("/runs?status=waiting&limit=200").json()["items"]) == ORDERS, 0)
    assert till.insights(automation)["runs"] == 0, "they are not over"
    is_over = lambda: till.get(f"/automations/{automation}").json()["run_count"] == ORDERS  # noqa: E731 - read once
    till.until(is_over, 90_000)
    told = till.insights(automation)
    assert (told["version"], told["runs"], told["runs_needed"]) == (1, ORDERS, 20)
    first = min(run["created_at"] for run in till.get("/runs?limit=200").json()["items"])
    assert told["since"] == first
    assert told["outcomes"] == {"completed": ORDERS - 3, "partial": 3, "failed": 0}
    assert till.insights(automation, since=first) == told
    later = till.insights(automation, since=to_text(from_text(first, "first") + 1))
    assert (later["runs"], later["outcomes"]["completed"]) == (ORDERS - 1, ORDERS - 4)
    assert till.insights(automation, since="2100-01-01T00:00:00Z")["outcomes"] == dict.fromkeys(told["outcomes"], 0)
    assert till.get(f"/automations/{automation}/insights?since=yesterday").status_code == 400
    assert told["durations"]["work"] == {"p50_seconds": 10, "p95_seconds": 19}
    assert told["durations"]["asleep"]["p50_seconds"] >= 86_400
    assert told["durations"]["whole"]["p50_seconds"] >= 86_410
    charge, tell = told["steps"]
    assert charge == {
        "id": "charge",
        "path": "steps[0]",
        "action": "charge",
        "timeout_seconds": 10,
        "runs": ORDERS,
        "times": ORDERS,
        "failed": 0,
        "retried": 6,
        "p50_seconds": 9,
        "p95_seconds": 9,
        "work_seconds": 270,
    }
    assert (tell["id"], tell["failed"], tell["retried"], tell["p95_seconds"]) == ("tell", 3, 0, 1)
    branch, whole = told["conditions"]
    assert (branch["path"], branch["events"], branch["comparisons"]) == ("steps[2].branch", 20, 1)
    assert branch["max_steps"] > LINES
    assert (whole["path"], whole["events"], whole["comparisons"]) == ("condition", 20, 2)
    assert {(advice["code"], advice["path"]) for advice in told["advice"]} == {
        ("near_timeout", "steps[0].timeout_seconds"),
        ("often_retried", "steps[0].retries"),
        ("could_be_parallel", "steps[0]"),
        ("often_fails", "steps[1]"),
        ("costly_rule_first", "condition.rules[0]"),
    }


def test_without_runs_of_the_live_version_nothing_is_advised(surface: Surface) -> None:
    automation = surface.post("/automations", document()).json()["id"]
    told = surface.get(f"/automations/{automation}/insights").json()
    assert (told["version"], told["runs"], told["since"], told["advice"]) == (None, 0, None, [])
    assert told["durations"]["work"] == {"p50_seconds": None, "p95_seconds": None}
    assert [(step["path"], step["times"]) for step in told["steps"]] == [("steps[0]", 0)]
    assert [(one["path"], one["max_steps"]) for one in told["conditions"]] == [("condition", None)]
    surface.post(f"/automations/{automation}/publish")
    assert surface.get(f"/automations/{automation}/insights").json()["version"] == 1
    assert surface.get(f"/automations/{automation}/insights", tenant="beta").status_code == 404


def test_test_runs_and_earlier_versions_do_not_count(running: Surface) -> None:
    automation = running.post("/automations", document(status="active")).json()["id"]
    for is_test in (True, False, False):
        body = {"data": {"appointment": {"id": 1}}, "test": is_test}
        assert running.post(f"/automations/{automation}/run", body).status_code == 202
    running.settle()
    assert running.get(f"/automations/{automation}/insights").json()["runs"] == 2
    saved = running.put(
        f"/automations/{automation}", document(status="active", condition=None), headers={"If-Match": "*"}
    )
    assert saved.json()["version"] == 2
    assert running.get(f"/automations/{automation}/insights").json()["runs"] == 0
