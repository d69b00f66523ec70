"""What people do to runs over HTTP: runs that really sleep or failed, with a real engine beside, on both stores."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.surfaces.conftest import Surface, make_surface
from upshot import ActionError
from upshot.app import bulk_runs
from upshot.http.shapes.runs import BulkRuns, Rerun, RunDetail
from upshot.testing import VirtualClock

DAY = 86_400
NAP = {"id": "nap", "delay": "1d"}
SHIP = {"id": "ship", "action": "ship", "with": {"order": "{{ order }}"}, "on_error": "stop"}
AFTER = {"id": "after", "action": "ship", "with": {"order": "{{ steps.ship.output.shipped }}!"}}
FORK = [
    {"id": "fork", "parallel": ["nap", "rest"], "next": "ship"},
    {**NAP, "next": "ship"},
    {"id": "rest", "delay": "2d", "next": "ship"},
    SHIP,
]
WAIT_SECONDS = 30


class Desk(Surface):
    """An installation whose action `ship` fails while the carrier is down, and who looks after its runs."""

    is_down = False

    def __init__(self, surface: Surface, clock: VirtualClock) -> None:
        super().__init__(surface.upshot, surface.client, surface.keys)
        self.clock, self.shipped = clock, list[tuple[str, str]]()
        self.upshot.event_types.put("alpha", "asked", entity={"type": "order", "id": "order"})

        @self.upshot.action("ship")
        async def ship(args: dict, context: Any) -> dict[str, Any]:  # type: ignore[type-arg] - an action may take plain arguments
            self.shipped.append((args["order"], context.idempotency_key))
            if self.is_down:
                raise ActionError("the carrier is down")
            return {"shipped": args["order"]}

    def automation(self, *steps: dict[str, Any]) -> str:
        """The id of an active automation that begins on `asked`."""
        document = {"name": "Ship", "trigger": {"event": "asked"}, "steps": list(steps), "status": "active"}
        made = self.post("/automations", document)
        assert made.status_code == 201, made.text
        return made.json()["id"]

    def begin(self, order: str, status: str) -> str:
        """The id of the run that this order begins, which came to this status."""
        assert self.post("/events", {"events": [{"name": "asked", "data": {"order": order}, "id": order}]}).is_success
        self.forward()
        (run,) = self.get("/runs", params={"event": order}).json()["items"]
        self.comes_to(run["id"], status)
        return run["id"]

    def forward(self, seconds: float = 0) -> None:
        """Move time on, and let every service look again."""
        self.clock.advance(seconds)
        assert self.upshot.engine.loop is not None
        self.upshot.engine.loop.call_soon_threadsafe(self.upshot.engine.wake)
        self.settle()

    def run(self, run_id: str) -> Any:
        """The run as it is shown."""
        return self.get(f"/runs/{run_id}", role="viewer").json()

    def comes_to(self, run_id: str, status: str) -> None:
        """Let the engine do what can be done, until the run is of this status."""
        deadline = time.monotonic() + WAIT_SECONDS
        self.forward()
        while (found := self.run(run_id)["status"]) != status:
            assert time.monotonic() < deadline, f"it is {found}, not {status}"
            self.forward()

    def act(self, run_id: str, action: str, body: Any = None) -> Any:
        """Do this to the run, as an operator; the run afterwards."""
        answered = self.post(f"/runs/{run_id}/{action}", body, role="operator")
        assert answered.status_code == 200, answered.text
        RunDetail.model_validate(answered.json())
        return answered.json()

    def again(self, run_id: str, body: Any, status: int) -> Any:
        """What running it again tells."""
        answered = self.post(f"/runs/{run_id}/rerun", body, role="operator")
        assert answered.status_code == status, answered.text
        Rerun.model_validate(answered.json())
        return answered.json()

    def conflict(self, run_id: str, action: str, body: Any = None) -> str:
        """Why the run, as it stands, does not allow this."""
        answered = self.post(f"/runs/{run_id}/{action}", body, role="operator")
        assert answered.status_code == 409, answered.text
        return answered.json()["detail"]

    def bulk(self, action: str, **more: Any) -> Any:
        """What acting on many runs tells."""
        answered = self.post("/runs/bulk", {"action": action, **more}, role="operator")
        assert answered.status_code == 200, answered.text
        BulkRuns.model_validate(answered.json())
        return answered.json()

    def refused(self, run_id: str, action: str, body: Any) -> tuple[str, str]:
        """Where and why this is refused."""
        answered = self.post(f"/runs/{run_id}/{action}", body, role="operator")
        assert answered.status_code == 422, answered.text
        (error,) = answered.json()["errors"]
        return error["path"], error["message"]

    def audited(self, noun_id: str, noun: str = "run") -> list[tuple[str, str, Any, Any]]:
        """Who did what to it, in order: actor, action, before and after."""
        entries = self.get("/audit", params={"noun": noun, "noun_id": noun_id}).json()["items"]
        return [(one["actor"], one["action"], one["before"], one["after"]) for one in reversed(entries)]


@pytest.fixture
def desk(url: str) -> Iterator[Desk]:
    clock = VirtualClock()
    for surface in make_surface(url, engine=True, clock=clock):
        yield Desk(surface, clock)


def test_a_run_that_sleeps_is_paused_and_resumed(desk: Desk) -> None:
    desk.automation(NAP, SHIP)
    run = desk.begin("a", "waiting")
    assert "only a paused run is resumed" in desk.conflict(run, "resume")
    assert "it is waiting; only a failed run is retried" in desk.conflict(run, "retry")
    assert "only a run that is over is run again" in desk.conflict(run, "rerun")
    assert desk.act(run, "pause")["status"] == "paused"
    assert "it is paused already" in desk.conflict(run, "pause")
    desk.forward(2 * DAY)
    assert (desk.run(run)["status"], desk.shipped) == ("paused", [])
    assert desk.act(run, "resume")["status"] in {"pending", "running", "completed"}
    desk.comes_to(run, "completed")
    assert [order for order, _ in desk.shipped] == ["a"]
    assert "it is completed" in desk.conflict(run, "pause")
    assert "can be skipped: it is completed" in desk.conflict(run, "skip")
    assert desk.audited(run) == [
        ("key:operator", "pause", {"status": "waiting"}, {"status": "paused"}),
        ("key:operator", "resume", {"status": "paused"}, {"status": "pending"}),
    ]
    for action in ("pause", "resume", "retry", "skip", "rerun"):
        assert desk.post(f"/runs/none/{action}").status_code == 404
        assert desk.post(f"/runs/{run}/{action}", role="editor").status_code == 403
        assert desk.post(f"/runs/{run}/{action}", tenant="beta").status_code == 404


def test_a_run_that_failed_is_retried_under_the_same_key_or_goes_on_past_the_step(desk: Desk) -> None:
    desk.automation(SHIP, AFTER)
    desk.is_down = True
    first, second = desk.begin("a", "failed"), desk.begin("b", "failed")
    assert "only a paused run is resumed" in desk.conflict(first, "resume")
    assert "not at 'after'" in desk.conflict(first, "skip", {"step": "after"})
    desk.act(first, "retry")
    desk.comes_to(first, "failed")
    desk.is_down = False
    desk.act(first, "retry")
    desk.comes_to(first, "completed")
    assert len({key for order, key in desk.shipped if order == "a"}) == 1
    desk.act(second, "skip", {"output": {"shipped": "by hand"}})
    desk.comes_to(second, "completed")
    assert desk.shipped[-1][0] == "by hand!"
    shown = {step["id"]: (step["status"], step["output"]) for step in desk.run(second)["steps"]}
    assert shown["ship"] == ("skipped", {"shipped": "by hand"})
    assert [entry[:2] for entry in desk.audited(first)] == [("key:operator", "retry")] * 2
    assert desk.audited(second) == [
        ("key:operator", "skip", {"status": "failed"}, {"step": "ship", "output": {"shipped": "by hand"}})
    ]


def test_a_run_that_sleeps_at_several_places_says_which_there_are_to_skip(desk: Desk) -> None:
    desk.automation(*FORK)
    run = desk.begin("a", "waiting")
    assert "several steps, 'fork', 'nap', 'rest': say which one in `step`" in desk.conflict(run, "skip")
    assert "'fork', 'nap', 'rest', not at 'ship'" in desk.conflict(run, "skip", {"step": "ship"})
    desk.act(run, "skip", {"step": "nap"})
    desk.comes_to(run, "waiting")
    desk.act(run, "skip")
    desk.comes_to(run, "completed")
    assert [order for order, _ in desk.shipped] == ["a"]
    assert {step["status"] for step in desk.run(run)["steps"] if step["id"] in {"nap", "rest"}} == {"skipped"}


def test_a_run_that_is_over_is_run_again_from_a_step_it_came_to(desk: Desk) -> None:
    branch = {"id": "which", "branch": {"field": "order", "operator": "equals", "value": "a"}, "if_true": "ship"}
    desk.automation({**branch, "if_false": "other"}, {**SHIP, "next": None}, {**SHIP, "id": "other"})
    run = desk.begin("a", "completed")
    place, why = desk.refused(run, "rerun", {"from_step": "other"})
    assert (place, "never came to" in why) == ("from_step", True)
    told = desk.again(run, {"from_step": "ship", "dry_run": True}, 200)
    assert told == {"run_id": None, "event_id": None, "version": 1, "kept": ["which"], "repeats": ["ship"]}
    assert desk.audited(run) == []
    again = desk.again(run, {"from_step": "ship"}, 201)
    desk.comes_to(again["run_id"], "completed")
    assert ([order for order, _ in desk.shipped], len({key for _, key in desk.shipped})) == (["a", "a"], 2)
    ((actor, action, _, after),) = desk.audited(run)
    assert (actor, action, after["run_id"]) == ("key:operator", "rerun", again["run_id"])


def test_runs_that_a_filter_names_are_acted_on_batch_by_batch(desk: Desk) -> None:
    automation = desk.automation(NAP, SHIP)
    runs = [desk.begin(order, "waiting") for order in "abcde"]
    bulk = desk.bulk
    named = {"automation": automation, "status": "waiting"}
    counted = bulk("pause", filter=named)
    assert (counted["count"], counted["done"], desk.run(runs[0])["status"]) == (5, 0, "waiting")
    first = bulk("pause", filter=named, dry_run=False, limit=2)
    assert (first["count"], first["done"], first["left"], first["next"]) == (5, 2, 3, runs[1])
    desk.clock.advance(1)
    late = desk.begin("late", "waiting")
    told, done = first, [2]
    while told["next"] is not None:
        told = bulk("pause", filter=named, dry_run=False, limit=2, until=first["until"], after=told["next"])
        done.append(told["done"])
    assert (done, [desk.run(run)["status"] for run in runs]) == ([2, 2, 1], ["paused"] * 5)
    assert desk.run(late)["status"] == "waiting", "it began after the first batch"
    assert bulk("retry", dry_run=False)["count"] == 0
    assert bulk("resume", filter={"entity": {"type": "order", "id": "b"}}, dry_run=False)["done"] == 1
    desk.comes_to(runs[1], "waiting")
    assert bulk("cancel", filter={"event": "c"}, dry_run=False)["done"] == 1
    assert desk.run(runs[2])["status"] == "cancelled"
    assert [(actor, action, after["count"]) for actor, action, _, after in desk.audited(automation)] == [
        ("key:operator", "bulk_pause", number) for number in (2, 2, 1)
    ]
    ((_, action, before, after),) = desk.audited("all")
    assert (action, before) == ("bulk_resume", {"status": {runs[1]: "paused"}})
    assert after == {"count": 1, "filter": {"entity": {"type": "order", "id": "b"}}}
    assert desk.post("/runs/bulk", {"action": "pause"}, role="editor").status_code == 403
    refused = desk.post("/runs/bulk", {"action": "explode"})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (400, "action")
    for other, field, value in (
        ("cancel", "step", "ship"),
        ("rerun", "output", 1),
        ("skip", "from_step", "ship"),
        ("retry", "version", "same"),
    ):
        refused = desk.post("/runs/bulk", {"action": other, field: value, "dry_run": False})
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, field)
    refused = desk.post("/runs/bulk", {"action": "rerun", "after": runs[0], "dry_run": False})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "until")


def test_a_step_is_skipped_in_all_runs_that_a_filter_names(desk: Desk) -> None:
    automation = desk.automation(SHIP, NAP, AFTER)
    desk.is_down = True
    failed = [desk.begin(order, "failed") for order in "ab"]
    desk.is_down = False
    asleep = desk.begin("c", "waiting")
    asked = {"filter": {"automation": automation}, "step": "ship", "output": {"shipped": "by hand"}}
    assert (desk.bulk("skip", **asked)["count"], desk.run(failed[0])["status"]) == (3, "failed")
    first = desk.bulk("skip", **asked, dry_run=False, limit=2)
    assert (first["count"], first["done"], first["left"], first["next"]) == (3, 2, 1, failed[1])
    last = desk.bulk("skip", **asked, dry_run=False, until=first["until"], after=first["next"])
    (problem,) = last["problems"]
    assert (last["done"], last["refused"], last["next"], problem["id"]) == (0, 1, None, asleep)
    assert "stands at 'nap', not at 'ship'" in problem["reason"]
    for run in failed:
        desk.comes_to(run, "waiting")
    assert desk.bulk("skip", filter={"status": "waiting"}, dry_run=False)["done"] == 3, "each where it stands"
    for run in (*failed, asleep):
        desk.comes_to(run, "completed")
    assert sorted(order for order, _ in desk.shipped if "!" in order) == ["by hand!", "by hand!", "c!"]
    ((actor, action, before, after),) = desk.audited(automation)
    assert (actor, action, before) == ("key:operator", "bulk_skip", {"status": dict.fromkeys(failed, "failed")})
    assert after == {
        "count": 2,
        "filter": {"automation": automation},
        "steps": dict.fromkeys(failed, "ship"),
        "output": {"shipped": "by hand"},
    }


def test_runs_that_are_over_are_run_again_by_filter_and_never_those_that_it_began(desk: Desk) -> None:
    automation = desk.automation(SHIP, AFTER)
    whole = [desk.begin(order, "completed") for order in "abc"]
    desk.is_down = True
    failed = desk.begin("d", "failed")
    desk.is_down = False
    asked: dict[str, Any] = {"filter": {"automation": automation}, "from_step": "after"}

    def repeated(told: Any) -> list[tuple[str, str, int]]:
        return [(one["automation"], one["step"], one["runs"]) for one in told["repeats"]]

    shipped = len(desk.shipped)
    dry = desk.bulk("rerun", **asked)
    assert (dry["count"], dry["done"], dry["refused"], dry["next"]) == (4, 0, 1, None)
    assert repeated(dry) == [(automation, "after", 3)]
    assert (len(desk.shipped), desk.audited(automation)) == (shipped, [])
    first = desk.bulk("rerun", **asked, dry_run=False, limit=2)
    assert (first["count"], first["done"], first["left"], first["next"]) == (4, 2, 2, whole[1])
    assert repeated(first) == [(automation, "after", 2)]
    ((actor, action, before, after),) = desk.audited(automation)
    assert (actor, action, before) == ("key:operator", "bulk_rerun", {"status": dict.fromkeys(whole[:2], "completed")})
    began = after.pop("runs")
    assert after == {"count": 2, "filter": {"automation": automation}, "from_step": "after", "version": "current"}
    assert list(began) == whole[:2]
    for run in began.values():
        desk.comes_to(run, "completed")
    last = desk.bulk("rerun", **asked, dry_run=False, until=first["until"], after=first["next"])
    assert (last["count"], last["done"], last["next"]) == (2, 1, None), "those that it began are over, and left out"
    assert [(one["id"], "never came to" in one["reason"]) for one in last["problems"]] == [(failed, True)]
    for run in desk.audited(automation)[1][3]["runs"].values():
        desk.comes_to(run, "completed")
    again = [(order, key) for order, key in desk.shipped if "!" in order]
    assert (sorted(order for order, _ in again), len(set(again))) == (["a!", "a!", "b!", "b!", "c!", "c!"], 6)


def test_a_batch_is_smaller_where_runs_have_kept_much(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_runs, "STEPS_MAX", 4)
    desk.automation(SHIP, AFTER)
    runs = [desk.begin(order, "completed") for order in "abc"]
    first = desk.bulk("rerun", dry_run=False)
    assert (first["count"], first["done"], first["left"], first["next"]) == (3, 2, 1, runs[1])
    monkeypatch.setattr(bulk_runs, "STEPS_MAX", 1)
    last = desk.bulk("rerun", dry_run=False, until=first["until"], after=first["next"])
    assert (last["count"], last["done"], last["next"]) == (1, 1, None), "one at least"


def test_runs_are_run_again_on_their_own_version_or_the_live_one(desk: Desk) -> None:
    automation = desk.automation(SHIP)
    run = desk.begin("a", "completed")
    path = f"/automations/{automation}"
    draft = {**desk.get(f"{path}/export").json(), "steps": [SHIP, AFTER]}
    draft.pop("status")
    assert desk.put(path, draft, headers={"If-Match": "*"}).is_success
    assert desk.post(f"{path}/publish", {}, role="editor").json()["version"] == 2
    for version, given in ((2, {}), (1, {"version": "same"}), (2, {"version": "current"})):
        assert desk.bulk("rerun", filter={"event": "a"}, dry_run=False, **given)["done"] == 1
        began = desk.audited("a")[-1][3]["runs"][run]
        assert desk.run(began)["automation"]["version"] == version


def test_a_run_that_sleeps_moves_to_the_version_that_is_published(desk: Desk) -> None:
    automation = desk.automation(NAP, SHIP)
    asleep = desk.begin("a", "waiting")
    path = f"/automations/{automation}"
    draft = desk.get(f"{path}/export").json()
    draft.pop("status")
    moved = {**draft, "steps": [{**NAP, "delay": "9d"}, {**SHIP, "with": {"order": "new {{ order }}"}}]}
    assert desk.put(path, moved, headers={"If-Match": "*"}).is_success
    told = desk.get(f"{path}/diff").json()
    assert (told["runs_in_flight"], told["in_flight"]) == (1, [{"version": 1, "runs": 1}])
    published = desk.post(f"{path}/publish", {"runs": "move"}, role="editor").json()
    assert (published["version"], published["runs_in_flight"]) == (
        2,
        {"action": "move", "count": 1, "done": 1, "under_way": 0, "left": 0, "reasons": []},
    )
    assert desk.run(asleep)["automation"]["version"] == 2
    assert desk.put(path, {**draft, "steps": [SHIP]}, headers={"If-Match": "*"}).is_success
    told = desk.post(f"{path}/publish", {"runs": "move"}, role="editor").json()["runs_in_flight"]
    assert (told["done"], told["left"], [one["id"] for one in told["reasons"]]) == (0, 1, [asleep])
    desk.forward(DAY)
    desk.comes_to(asleep, "completed")
    assert [order for order, _ in desk.shipped] == ["new a"]
    moves = [entry for entry in desk.audited(automation, "automation") if entry[1] == "move_runs"]
    assert moves == [("key:editor", "move_runs", {"runs": [asleep]}, {"count": 1, "version": 2})]
