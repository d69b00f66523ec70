"""Flow control by two workers of one PostgreSQL, of which one is killed in the middle of it: no limit is exceeded at any
moment, and no event is lost or counted twice."""

from pathlib import Path
from typing import Any

import msgspec

from tests.crash.ledgers import Look, Provider, check_now
from tests.crash.load import GROUPS, TENANT, Work, build, line, rest
from tests.crash.processes import Processes
from upshot.core.instants import SECOND

EVENT, EACH = "crash/controlled", 30
PLACES, STARTS = 2, 20
FLOWS: dict[str, dict[str, Any]] = {
    "placed": {"concurrency": {"limit": PLACES}},
    "batched": {"batch": {"size": 4, "within": "1s"}},
    "calm": {"debounce": {"for": "1s"}},
    "slowed": {"throttle": {"limit": STARTS, "per": "1s"}},
    "limited": {"rate_limit": {"limit": 7, "per": "1h"}},
    "single": {"once": {"key": "{{ group }}", "per": "1d"}},
    "skipping": {"reentry": "skip"},
    "restarting": {"reentry": "restart"},
}
RESTS = {"placed": 10, "skipping": 200, "restarting": 200}
"""How long the runs of these sleep, in milliseconds; the others' are over at once."""
BEGUN = f"""SELECT count(*) FROM upshot_runs WHERE finished_at IS NULL AND status <> 'pending'
    AND automation_id = (SELECT id FROM upshot_automations WHERE name = 'placed') HAVING count(*) > {PLACES}"""
BESIDE = """SELECT automation_id, entity_id, count(*) FROM upshot_runs WHERE finished_at IS NULL AND automation_id IN
    (SELECT id FROM upshot_automations WHERE name IN ('skipping', 'restarting')) GROUP BY 1, 2 HAVING count(*) > 1"""
WAITING = "SELECT count(*) FROM upshot_flow_outcomes WHERE due_at IS NOT NULL"


def test_limits_hold_and_nothing_is_lost_when_a_worker_is_killed(
    fleet: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    upshot = build(fleet)
    upshot.event_types.put(TENANT, EVENT, entity={"type": "group", "id": "group"})
    for name, flow in FLOWS.items():
        steps = (
            [line("one"), rest("rest", RESTS[name]), line("two")] if name in RESTS else [{"id": "end", "stop": True}]
        )
        document = {"name": name, "trigger": {"event": EVENT}, "flow": flow, "steps": steps, "status": "active"}
        upshot.automations.create(TENANT, document)
    upshot.close()
    provider = Provider(tmp_path)
    work = fleet.but(event=EVENT, events=EACH)
    killed = processes.start(work.but(name="killed"))
    other = processes.start(work.but(name="other", first=EACH))
    killed.wait_for("given")
    killed.until(lambda: holds(look) and len(provider.calls()) >= EACH // 2, "half of it is done")
    killed.kill()
    check_now(look, tmp_path)
    third = processes.start(work.but(name="third", first=2 * EACH))
    third.wait_for("given")
    other.until(lambda: holds(look) and look.is_over() and look.number(WAITING) == 0, "all is over")
    for engine in (other, third):
        engine.stop()
    snapshot = check_now(look, tmp_path)
    check_outcomes(look, snapshot.runs, snapshot.events)


def holds(look: Look) -> bool:
    """At this moment no more runs than there are places have begun and are not over, and no two are about one entity that may
    not be."""
    assert (look.rows(BEGUN), look.rows(BESIDE)) == ([], [])
    return True


def check_outcomes(look: Look, runs: Any, events: Any) -> None:
    """Each control did to each event one thing, once."""
    given = {event["id"] for event in events if event["name"] == EVENT}
    assert len(given) == 3 * EACH
    ids = {row["name"]: row["id"] for row in look.rows("SELECT id, name FROM upshot_automations")}
    of = {name: [run for run in runs if run["automation_id"] == ids[name]] for name in FLOWS}
    told = {
        name: {
            row["event_id"]: row
            for row in look.rows(f"SELECT * FROM upshot_flow_outcomes WHERE automation_id = '{ids[name]}'")
        }
        for name in FLOWS
    }
    started = {name: {run["event_id"] for run in of[name]} for name in FLOWS}

    ended = {name: {run["status"] for run in of[name]} for name in FLOWS}
    assert ended.pop("restarting") <= {"completed", "cancelled"}
    assert set(map(frozenset, ended.values())) == {frozenset({"completed"})}

    assert started["placed"] == started["slowed"] == given
    assert set(told["placed"]) < given

    batches = {
        event["id"]: msgspec.json.decode(event["data"])["events"] for event in events if event["id"] not in given
    }
    numbers = sorted(one["number"] for batch in batches.values() for one in batch)
    assert numbers == list(range(3 * EACH))
    assert max(len(batch) for batch in batches.values()) <= 4
    assert (started["batched"], set(told["batched"])) == (set(batches), given)

    assert started["calm"] | set(told["calm"]) == given
    assert not started["calm"] & set(told["calm"])
    assert {row["run_id"] for row in told["calm"].values()} <= {run["id"] for run in of["calm"]}

    begun = sorted(
        told["slowed"][run["event_id"]]["until"] if run["event_id"] in told["slowed"] else run["created_at"]
        for run in of["slowed"]
    )
    assert all(later - at >= SECOND for at, later in zip(begun, begun[STARTS:], strict=False))

    assert len(started["limited"]) == 7
    assert set(told["limited"]) == given - started["limited"]

    group_of = {event["id"]: msgspec.json.decode(event["data"]).get("group") for event in events}
    assert sorted(group_of[event_id] for event_id in started["single"]) == sorted(GROUPS)
    assert set(told["single"]) == given - started["single"]
    assert {row["outcome"] for row in told["single"].values()} == {"duplicate_key"}

    assert {group_of[event_id] for event_id in started["skipping"]} == set(GROUPS)
    assert set(told["skipping"]) == given - started["skipping"]
    assert {row["outcome"] for row in told["skipping"].values()} <= {"already_running"}

    assert started["restarting"] == given
    cancelled = [run for run in of["restarting"] if run["status"] == "cancelled"]
    assert len(cancelled) <= len(told["restarting"])
    assert {row["outcome"] for row in told["restarting"].values()} <= {"restarted"}
    completed = {group_of[run["event_id"]] for run in of["restarting"] if run["status"] == "completed"}
    assert completed == set(GROUPS), "nobody came after the last of each"
