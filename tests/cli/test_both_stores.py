"""Commands that look and change, on a SQLite file and on PostgreSQL: events, the states of automations, runs of an entity."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Call
from upshot import Upshot
from upshot.adapters.clock import SystemClock
from upshot.testing import Harness

pytestmark = pytest.mark.usefixtures("own_ids")
NAP = {"id": "nap", "delay": "30d"}


@pytest.fixture
def on(call: Call, url: str, monkeypatch: pytest.MonkeyPatch) -> Call:
    """The command line on this database, which has this release's schema."""
    monkeypatch.setenv("UPSHOT_DATABASE_URL", url)
    assert call("migrate").code == 0
    return call


def imported(on: Call, tmp_path: Path, *documents: dict[str, Any]) -> list[str]:
    """The ids of these automations, which sleep, and begin on `asked` where they say nothing else."""
    plain = {"trigger": {"event": "asked"}, "steps": [NAP], "status": "active"}
    (tmp_path / "given.json").write_text(json.dumps([{**plain, **document} for document in documents]))
    return [one["id"] for one in on("automations", "import", "given.json", "--json").json["automations"]]


def happened(url: str, **patients: str) -> None:
    """An engine that takes in an event of each of these ids, about that patient, and stops."""

    def build(url: str, clock: Any) -> Upshot:
        return Upshot(url, clock=clock)

    with Harness(build, url=url, now=SystemClock().now()) as harness:
        for event_id, patient in patients.items():
            harness.emit("asked", {"patient": patient, "total": 5}, id=event_id)
        harness.settle()


def emitted_alone(on: Call) -> str:
    """What is said of an event that nobody listens for."""
    on("emit", "lone", "--id", "lone")
    return on("events", "show", "lone").out


def test_events_are_listed_shown_and_explained(on: Call, url: str, tmp_path: Path) -> None:
    large = {"field": "total", "operator": "greater_than", "value": 100}
    once = {"key": "{{ patient }}", "per": "1d"}
    sleeper, small, draft, once_id = imported(
        on,
        tmp_path,
        {"name": "Sleeper", "priority": 9},
        {"name": "Large only", "priority": 8, "condition": large},
        {"name": "Never published", "priority": 7, "status": "draft"},
        {"name": "Once", "priority": 6, "flow": {"once": once}},
    )
    upshot = Upshot(url)
    upshot.event_types.put("default", "asked", entity={"type": "patient", "id": "patient"})
    upshot.close()
    happened(url, e1="p1", e2="p2", e3="p1")
    listed = on("events", "list", "--json").json
    assert ([event["id"] for event in listed["items"]], listed["next"]) == (["e3", "e2", "e1"], None)
    first = on("events", "list", "--limit", "2", "--json").json
    assert [event["id"] for event in on("events", "list", "--after", first["next"], "--json").json["items"]] == ["e1"]
    for options, ids in (
        (("--entity", "patient:p1"), ["e3", "e1"]),
        (("--name", "other"), []),
        (("--search", "p2"), ["e2"]),
        (("--since", "2020-01-01T00:00:00Z", "--until", "2020-01-02T00:00:00Z"), []),
    ):
        assert [event["id"] for event in on("events", "list", *options, "--json").json["items"]] == ids, options
    assert "There are no events" in on("events", "list", "--name", "other").out
    assert "patient" in on("events", "list").out
    shown = on("events", "show", "e1", "--json").json
    assert {run["automation"]["id"] for run in shown["runs"]} == {sleeper, once_id}
    assert "Sleeper" in on("events", "show", "e1").out
    told = on("events", "explain", "e1", "--json").json["automations"]
    assert [(one["automation_id"], one["outcome"]) for one in told[:3]] == [
        (sleeper, "started"),
        (small, "condition_false"),
        (draft, "not_published"),
    ]
    said = on("events", "explain", "e1").out.splitlines()
    at = said.index("Large only (version 1): condition false")
    assert said[at + 1].startswith("  Did not start: ")
    assert said[at + 2].startswith("  at: ")
    assert f"  automation: {small}" in said
    assert f"  run: {shown['runs'][0]['id']}" in said
    assert "Never published: not published" in said
    said = on("events", "explain", "e3").out.splitlines()
    at = said.index("Once (version 1): duplicate key")
    assert said[at + 2] == "  key: p1"
    assert "Why: upshot events explain lone" in emitted_alone(on)
    about = on("runs", "list", "--entity", "patient:p1", "--json").json["items"]
    assert [run["event"]["id"] for run in about] == ["e3", "e1", "e1"]
    assert "3 found, 3 done" in on("runs", "bulk", "pause", "--entity", "patient:p1").out
    assert {run["status"] for run in on("events", "show", "e2", "--json").json["runs"]} == {"waiting"}
    for command in (("events", "show", "none"), ("events", "explain", "none")):
        assert (on(*command).code, "There is no event 'none'" in on(*command).err) == (1, True)
    for command in (("events", "list"), ("runs", "list"), ("runs", "bulk", "pause")):
        refused = on(*command, "--entity", "patient")
        assert (refused.code, "--entity: is written type:id" in refused.err) == (1, True)
    assert "--since" in on("events", "list", "--since", "whenever").err


def test_automations_are_paused_activated_archived_deleted_and_run(on: Call, url: str, tmp_path: Path) -> None:
    one, draft = imported(on, tmp_path, {"name": "one"}, {"name": "draft", "status": "draft"})
    happened(url, e1="p1")
    assert on("automations", "pause", one).out == f"The automation {one} is paused.\n"
    (run,) = on("runs", "list", "--json").json["items"]
    assert run["status"] == "waiting"
    assert on("automations", "activate", one, "--json").json["status"] == "active"
    assert on("automations", "pause", one, "--runs", "--json").json["status"] == "paused"
    assert on("runs", "show", run["id"], "--json").json["status"] == "paused"
    told = on("automations", "run", one, "--data", '{"patient": "p9"}', "--entity", "patient:p9", "--json").json
    by_hand = on("runs", "show", told["run_id"], "--json").json
    assert (by_hand["test"], by_hand["entity"]) == (True, {"type": "patient", "id": "p9"})
    assert on("automations", "run", one, "--no-test").out.startswith("Started as run ")
    assert [run["test"] for run in on("runs", "list", "--json").json["items"]] == [False, True, False]
    assert on("automations", "run", one, "--data", "[]").code == 1
    assert "is archived" in on("automations", "archive", one).out
    assert "is draft; from there" in on("automations", "pause", draft).err
    assert "never published" in on("automations", "run", draft).err
    assert "is deleted" in on("automations", "delete", one).out
    assert [item["id"] for item in on("automations", "list", "--json").json["items"]] == [draft]
    for command in ("pause", "activate", "archive", "delete", "run"):
        ended = on("automations", command, one)
        assert (ended.code, f"There is no automation '{one}'" in ended.err) == (1, True), command
        assert on("automations", command).code == 2
    upshot = Upshot(url)
    entries = upshot.audit.page("default", noun="automation", limit=20).items
    upshot.close()
    assert [(entry["actor"], entry["action"]) for entry in reversed(entries)] == [
        ("cli", action)
        for action in ("create", "create", "pause", "activate", "pause", "run", "run", "archive", "delete")
    ]


def test_runs_are_paused_resumed_retried_and_acted_on_in_bulk(on: Call, url: str, tmp_path: Path) -> None:
    imported(on, tmp_path, {"name": "nap"})
    happened(url, e1="p1", e2="p2")
    one, other = (run["id"] for run in on("runs", "list", "--json").json["items"])
    assert on("runs", "pause", one).out == f"The run {one} is paused.\n"
    assert on("runs", "pause", one).code == 1
    assert on("runs", "resume", one, "--json").json == {"id": one, "status": "pending"}
    assert "only a failed run" in on("runs", "retry", one).err
    assert "2 found, 0 done" in on("runs", "bulk", "pause", "--event", "asked", "--dry-run").out
    assert on("runs", "bulk", "pause", "--json").json == {"count": 2, "done": 2, "refused": 0, "problems": []}
    assert on("runs", "show", other, "--json").json["status"] == "paused"
    assert "is paused" in on("runs", "skip", other, "--step", "nap", "--output", "1").out
    assert "2 found, 2 done" in on("runs", "bulk", "cancel", "--status", "paused").out
    assert "again: nothing" in on("runs", "rerun", one, "--from-step", "nap").out
    assert on("runs", "bulk", "explode").code == 1
    assert on("runs", "bulk", "pause", "--status", "odd").code == 1


def test_runs_are_skipped_and_run_again_in_bulk(on: Call, url: str, tmp_path: Path) -> None:
    say = {"id": "say", "action": "emit_event", "with": {"name": "said", "data": {}}}
    (automation,) = imported(on, tmp_path, {"name": "nap", "steps": [NAP, say]})
    happened(url, e1="p1", e2="p2")
    refused = on("runs", "bulk", "cancel", "--step", "nap")
    assert (refused.code, "step: goes with 'skip', not with 'cancel'" in refused.err) == (1, True)
    assert on("runs", "bulk", "skip", "--step", "nap", "--output", "{").code == 1
    assert "2 found, 0 done" in on("runs", "bulk", "skip", "--step", "nap", "--dry-run").out
    assert on("runs", "bulk", "skip", "--step", "say").out.count("not at 'say'") == 2
    done = on("runs", "bulk", "skip", "--step", "nap", "--output", '{"by": "hand"}', "--json").json
    assert done == {"count": 2, "done": 2, "refused": 0, "problems": []}
    happened(url)
    of_it = ("runs", "list", "--automation", automation, "--json")
    assert [run["status"] for run in on(*of_it).json["items"]] == ["completed"] * 2
    asked = ("runs", "bulk", "rerun", "--from-step", "say", "--same-version")
    repeats = [{"automation": automation, "step": "say", "runs": 2}]
    told = on(*asked, "--dry-run", "--json").json
    assert told == {"count": 2, "done": 0, "refused": 0, "problems": [], "repeats": repeats}
    said = on(*asked).out.splitlines()
    assert said[0] == "2 found, 2 done, 0 left as they are."
    assert said[1:] == ["Effects that happen again:", f"  say of {automation}: 2 runs"]
    happened(url)
    assert [run["status"] for run in on(*of_it).json["items"]] == ["completed"] * 4
    assert "again: nothing" in on("runs", "bulk", "rerun", "--event", "none").out


def test_runs_that_a_run_called_are_listed(on: Call, url: str, tmp_path: Path) -> None:
    each = {"id": "each", "for_each": [4, 5, 6], "call": "callee", "with": {}, "concurrency": 2}
    late = {"id": "late", "call": "callee", "with": {}}
    imported(
        on,
        tmp_path,
        {"name": "callee", "trigger": {"manual": True}},
        {"name": "one", "steps": [each]},
        {"name": "two", "steps": [each, late]},
    )
    happened(url, e1="p1")
    run_of = {run["automation"]["name"]: run["id"] for run in on("runs", "list", "--json").json["items"]}
    first = on("runs", "called", run_of["one"], "--limit", "2", "--json").json
    assert [(one["id"], one["item"], one["called_run"]["status"]) for one in first["items"]] == [
        ("each[0]", 0, "waiting"),
        ("each[1]", 1, "waiting"),
    ]
    last = on("runs", "called", run_of["one"], "--after", str(first["next"]), "--json").json
    assert last == {"items": [{"id": "each[2]", "item": 2, "called_run": None}], "next": None}
    assert first["items"][1]["called_run"]["id"] in on("runs", "called", run_of["one"]).out
    unnamed = on("runs", "called", run_of["two"])
    assert (unnamed.code, "step: is one of each, late" in unnamed.err) == (1, True)
    assert "each[1]" in on("runs", "called", run_of["two"], "--step", "each").out
    assert "called no run yet" in on("runs", "called", run_of["two"], "--step", "late").out
    assert "There is no run 'none'" in on("runs", "called", "none").err


def test_a_circle_is_warned_of_by_import_and_publish(on: Call, tmp_path: Path) -> None:
    def emits(name: str) -> dict[str, Any]:
        return {"steps": [{"id": "go", "action": "emit_event", "with": {"name": name, "data": {}}}]}

    there = {"name": "There", "trigger": {"event": "first"}, **emits("second")}
    back = {"name": "Back", "trigger": {"event": "second"}, **emits("first"), "status": "active"}
    imported(on, tmp_path, there)
    (tmp_path / "back.json").write_text(json.dumps(back))
    for options in (("--dry-run",), ()):
        assert "  warning: steps[0]: may go round in a circle" in on("automations", "import", "back.json", *options).out
    (tmp_path / "back.json").write_text(json.dumps({**back, "name": "Again", "status": "draft"}))
    (again,) = on("automations", "import", "back.json", "--json").json["automations"]
    assert again["warnings"][0]["path"] == "steps[0]"
    assert "  warning: steps[0]: may go round in a circle" in on("automations", "publish", again["id"]).out
    assert "warning" in on("automations", "activate", again["id"]).out


def test_an_import_changes_what_is_there_and_copies_on_wish(on: Call, tmp_path: Path) -> None:
    (one,) = imported(on, tmp_path, {"name": "one"})
    (tmp_path / "given.json").write_text(on("automations", "export").out.replace('"30d"', '"40d"'))
    asked = ("automations", "import", "given.json")
    dry = on(*asked, "--dry-run")
    assert f"one: would change {one}\n  would change: Step “nap”" in dry.out
    revision = dry.out.rsplit(" ", 1)[1].removesuffix(".\n")
    assert f"one: has changed {one}" in on(*asked, "--revision", revision).out
    assert f"one: is the same as {one}" in on(*asked).out
    stale = on(*asked, "--revision", revision)
    assert (stale.code, "somebody changed them" in stale.err) == (1, True)
    (copy,) = on(*asked, "--copy", "--json").json["automations"]
    assert (copy["state"], len(on("automations", "list", "--json").json["items"])) == ("new", 2)


def test_events_of_the_past_are_replayed(on: Call, url: str, tmp_path: Path) -> None:
    for event_id, patient in (("e1", "p1"), ("e2", "p2")):
        on("emit", "asked", json.dumps({"patient": patient}), "--id", event_id)
    (one,) = imported(on, tmp_path, {"name": "one", "steps": [{"id": "end", "stop": True}]})
    happened(url)  # an engine takes in what was emitted before it was built
    assert [run["event"]["id"] for run in on("runs", "list", "--json").json["items"]] == ["e2", "e1"]
    (other,) = imported(on, tmp_path, {"name": "other", "steps": [{"id": "end", "stop": True}]})
    only = '{"field": "patient", "operator": "equals", "value": "p2"}'
    asked = ("automations", "replay", other, "--since", "1d", "--condition", only)
    said = on(*asked, "--dry-run").out
    assert said == "It would start 1 runs on version 1. Of 2 events: started 1, left out 1.\n"
    assert on(*asked, "--dry-run", "--json").json["id"] is None
    replay = on(*asked, "--per-minute", "120", "--json").json
    assert (replay["status"], replay["per_minute"], replay["created_by"]) == ("running", 120, "cli")
    assert "of this automation is running" in on(*asked).err
    for verb, status in (("pause", "paused"), ("resume", "running")):
        assert on("replays", verb, replay["id"], "--json").json["status"] == status
    happened(url)
    assert on("replays", "show", replay["id"]).out.startswith(f"Replay {replay['id']} is completed\n")
    (run,) = on("runs", "list", "--replay", replay["id"], "--json").json["items"]
    assert (run["event"]["id"], run["automation"]["id"]) == ("e2", other)
    assert "0 found" in on("runs", "bulk", "cancel", "--replay", replay["id"]).out
    assert replay["id"] in on("replays", "list", other).out
    assert "There are no replays" in on("replays", "list", one).out
    assert "from there it cannot become cancelled" in on("replays", "cancel", replay["id"]).err
    assert "Replay " in on("automations", "replay", one, "--since", "2020-01-01T00:00:00Z").out
    for options, at in (
        (("--since", "soon"), "--since"),
        (("--since", "1d", "--entity", "p1"), "--entity"),
        (("--since", "2021-01-01T00:00:00Z", "--until", "2020-01-01T00:00:00Z"), "since"),
    ):
        refused = on("automations", "replay", other, *options)
        assert (refused.code, at in refused.err) == (1, True), refused.err


def test_segments_are_made_looked_at_and_deleted(on: Call, url: str) -> None:
    condition = json.dumps({"field": "points", "operator": "greater_than", "value": 10})
    made = ("segments", "create", "--name", "VIP", "--type", "member", "--condition")
    assert "There are no segments" in on("segments", "list").out
    assert on(*made, "{").code == 1
    segment = on(*made, condition, "--json").json
    assert (segment["status"], segment["created_by"]) == ("computing", "cli")
    assert on(*made, condition).code == 1
    with Harness(lambda at, clock: Upshot(at, clock=clock), url=url, now=SystemClock().now()) as harness:
        harness.upshot.entities.create("default", "member", id="anna", fields={"points": 50})
        harness.settle()
    assert "1 are in it." in on("segments", "show", segment["id"]).out
    assert "anna" in on("segments", "members", segment["id"]).out
    for asked in ((), ("--type", "member"), ("--entity", "member:anna")):
        assert [one["name"] for one in on("segments", "list", *asked, "--json").json["items"]] == ["VIP"]
    assert "VIP" in on("segments", "list").out
    assert on("segments", "list", "--entity", "member:bo", "--json").json["items"] == []
    assert on("segments", "members", segment["id"], "--json").json["items"][0]["entity"]["fields"] == {"points": 50}
    assert on("segments", "delete", segment["id"]).code == 0
    assert on("segments", "delete", segment["id"]).code == 1


def test_segments_are_changed_and_kept_by_hand(on: Call, url: str) -> None:
    made = ("segments", "create", "--name", "Picked", "--type", "member")
    refused = on(*made)
    assert (refused.code, "condition" in refused.err) == (1, True)
    picked = on(*made, "--manual", "--json").json["id"]
    assert "kept by hand" in on("segments", "show", picked).out
    missing = on("segments", "add", picked, "anna")
    assert (missing.code, "anna" in missing.err) == (1, True)
    with Harness(lambda at, clock: Upshot(at, clock=clock), url=url, now=SystemClock().now()) as harness:
        harness.upshot.entities.create("default", "member", id="anna", fields={"points": 50})
    for members in (1, 1):
        assert on("segments", "add", picked, "anna", "--json").json["members"] == members
    assert "anna" in on("segments", "members", picked).out
    assert "0 are in it." in on("segments", "remove", picked, "anna").out
    assert on("segments", "change", picked, "--description", "by hand", "--json").json["revision"] == 2
    assert on("segments", "change", picked, "--name", "Chosen", "--revision", "1").code == 1
    condition = json.dumps({"field": "points", "operator": "greater_than", "value": 10})
    assert on("segments", "change", picked, "--condition", condition).code == 1
    vip = on("segments", "create", "--name", "VIP", "--type", "member", "--condition", condition, "--json").json["id"]
    assert on("segments", "add", vip, "anna").code == 1
    wider = json.dumps({"field": "points", "operator": "greater_than", "value": 5})
    changed = on("segments", "change", vip, "--condition", wider, "--json").json
    assert (changed["name"], "than 5" in changed["words"], changed["revision"]) == ("VIP", True, 2)


def test_webhooks_are_made_changed_and_deleted(on: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = ("webhooks", "create", "--name", "Shop", "--event", "order.paid", "--signature")
    refused = on(*made, "github")
    assert refused.code == 1
    assert "UPSHOT_SECRET_KEY" in refused.err
    monkeypatch.setenv("UPSHOT_SECRET_KEY", "k" * 32)
    assert on(*made, "nonsense").code == 1
    (tmp_path / "secret").write_text("what the vendor gave\n")
    shop = on(*made, "shopify", "--secret-from", str(tmp_path / "secret"), "--json").json
    assert (shop["secret"], shop["has_secret"]) == (None, True)
    assert on(*made, "shopify", "--secret-from", str(tmp_path / "nothing")).code == 1
    said = on(*made, "hmac", "--header", "X-Sum")
    assert "url: /hooks/uph_" in said.out
    assert "secret: whsec_" in said.out
    listed = on("webhooks", "list", "--json").json["items"]
    assert [one["signature"]["scheme"] for one in listed] == ["hmac", "shopify"]
    assert "order.paid" in on("webhooks", "list").out
    assert "order.paid" in on("webhooks", "show", shop["id"]).out
    change = ("webhooks", "change", shop["id"])
    assert "is at revision 2" in on(*change, "--name", "Our shop", "--disabled", "--id-from", "header:X-Id").out
    shown = on("webhooks", "show", shop["id"], "--json").json
    assert (shown["name"], shown["event"], shown["enabled"], shown["id_from"]) == (
        "Our shop",
        "order.paid",
        False,
        "header:X-Id",
    )
    assert on(*change, "--id-from", "", "--enabled", "--revision", "2", "--json").json["id_from"] is None
    stale = on(*change, "--event", "order.made", "--revision", "2")
    assert (stale.code, "is at revision 3 now" in stale.err) == (1, True)
    signing = on("webhooks", "change", listed[0]["id"], "--prefix", "v1=", "--json").json["signature"]
    assert (signing["prefix"], signing["header"]) == ("v1=", "X-Sum")
    assert on(*change, "--event", "").code == 1
    assert on("webhooks", "show", "none").code == 1
    turned = on("webhooks", "rotate", shop["id"], "--what", "token", "--overlap-seconds", "0", "--json").json
    assert turned["token"] != shop["token"]
    assert on("webhooks", "rotate", shop["id"], "--what", "nothing").code == 1
    assert on("webhooks", "delete", shop["id"]).code == 0
    assert on("webhooks", "delete", shop["id"]).code == 1


def test_an_automation_is_tried_on_a_sample_event(on: Call, url: str, tmp_path: Path) -> None:
    upshot = Upshot(url)
    upshot.entities.create("default", "patient", id="p1", fields={"tier": "gold"})
    upshot.close()
    dear = {"field": "total", "operator": "greater_than", "value": 100}
    gold = {"field": "entity.tier", "operator": "equals", "value": "gold"}
    branch = {"id": "gold?", "branch": gold, "if_true": "nap", "if_false": None}
    (one,) = imported(on, tmp_path, {"name": "one", "condition": dear, "steps": [branch, NAP]})
    tried = ("automations", "test", one, "--data")
    told = on(*tried, '{"total": 200}', "--entity", "patient:p1", "--json").json
    assert told["would_start"] is True
    assert [(step["id"], step["would"]) for step in told["steps"]] == [("gold?", "branch"), ("nap", "sleep")]
    nobody = on(*tried, '{"total": 200}', "--json").json["steps"]
    assert [(step["id"], step["would"]) for step in nobody] == [("gold?", "branch"), ("nap", "skip")]
    assert "It would not start" in on(*tried, '{"total": 1}').out
    assert on("automations", "test", "none").code == 1
    assert on("runs", "list", "--json").json["items"] == []


def test_a_run_tells_what_it_called_and_what_called_it(on: Call, url: str) -> None:
    with Harness(url=url) as harness:
        document = {"name": "Settle", "trigger": {"manual": True}, "status": "active"}
        callee = harness.upshot.automations.create("default", {**document, "steps": [{"id": "nap", "delay": "1d"}]})
        calling = {**document, "name": "Caller", "steps": [{"id": "ask", "call": callee["id"]}]}
        made = harness.upshot.automations.create("default", calling)
        run_id = harness.upshot.runs.start_by_hand("default", made["id"], {})["run_id"]
        harness.settle()
    child = on("runs", "show", run_id, "--json").json["steps"][0]["called_run"]["id"]
    row = next(line for line in on("runs", "show", run_id).out.splitlines() if line.startswith("ask"))
    assert row.split() == ["ask", "call", "-", "waiting", "-", child, "waiting"]
    assert f"caused by step “ask” of run {run_id}" in on("runs", "show", child).out
    assert "caused by" not in on("runs", "show", run_id).out


def test_scenario_files_are_played(on: Call, tmp_path: Path) -> None:
    text = """title = "a month later"
        start = "2028-01-31T10:00:00Z"
        events = [{ at = "0s", name = "asked" }]
        then = [{ at = "2028-02-29T10:00:00Z", runs = [{ automation = "Later", status = "STATUS" }] }]
        [[automations]]
        name = "Later"
        trigger = "asked"
        steps = [{ id = "wait", delay = { months = 1 } }, { id = "end", stop = true }]
        """
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "one.toml").write_text(text.replace("STATUS", "completed"))
    played = on("automations", "test", "good", "--json")
    assert (played.code, played.json["scenarios"][0]["differences"]) == (0, [])
    (tmp_path / "good" / "two.toml").write_text(text.replace("STATUS", "waiting"))
    differs = on("automations", "test", "good")
    assert differs.code == 1
    assert "ok       good/one.toml: a month later" in differs.out
    assert "the run of 'Later' is completed, not waiting" in differs.out
    (tmp_path / "bad.toml").write_text("title = 5")
    assert on("automations", "test", "bad.toml").code == 1
    assert on("automations", "test").code == 2


def test_a_dry_run_says_what_would_end_or_cancel_it(on: Call, tmp_path: Path) -> None:
    cancel = [{"event": "order/cancelled", "match": {"orderId": "{{ orderId }}"}}]
    paid = {"field": "state", "operator": "equals", "value": "paid"}
    (one,) = imported(on, tmp_path, {"name": "one", "steps": [NAP], "goal": paid, "cancel_on": cancel})
    data = json.dumps({"orderId": "o-1", "state": "paid"})
    told = on("automations", "test", one, "--data", data, "--json").json
    assert [(end["ending"], end["met_before"]) for end in told["endings"]] == [("goal", "nap")]
    assert [(watch["event"], watch["match"]) for watch in told["cancel_on"]] == [
        ("order/cancelled", {"orderId": "o-1"})
    ]
    said = on("automations", "test", one, "--data", data).out
    assert "Its goal is met before step 'nap': " in said
    assert "It would be cancelled by order/cancelled where orderId is o-1.\n" in said
