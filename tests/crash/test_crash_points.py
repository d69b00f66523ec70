"""Each named point of each transaction, on each database: an engine dies there, is started again, and nothing is lost,
nothing is doubled, and no kept step is performed again."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.crash.databases import Copies, prepared
from tests.crash.ledgers import Kept, Look, check_end, check_now, unknown_of
from tests.crash.load import TENANT, Work, automation, build, event, line, prepare
from tests.crash.processes import Processes, until
from tests.stores import STORES
from upshot.adapters.clock import ids_from
from upshot.app.replays import Wanted
from upshot.core.instants import SECOND, to_text
from upshot.engine.crash_points import POINTS

EVENTS, HOST_ROWS, BY_HAND = 12, 3, 3
AT_ONCE = 5
SOON = SECOND // 2
MEMBERS = 3
TOLD = """SELECT count(*) FROM upshot_events WHERE name LIKE 'system.schedule.%' OR name = 'segment.joined'"""
TOLD_IN_ALL = 1 + 2 * MEMBERS
"""An occurrence, one for each member, and that each joined a segment."""
TIMES = {"accept": 2, "match": 2, "record": 4, "act": 4, "change": 3, "segment": 2, "beat": 2}
"""Where a point is passed often, which time the engine dies; else the first."""

IS_LOST = {"begin.before_commit": False, "begin.after_commit": True}
"""Whether an engine that dies there leaves a step at most once of which nobody knows how it ended."""


def prepare_all_kinds(work: Work) -> None:
    """Beside the automations: events and runs that wait to be claimed, some of them hopeless, some held by a worker that is
    gone, and some that cannot be read; and entities to be gone through, by a schedule and by a segment."""
    prepare(work)
    upshot, look = build(work), Look(work.url)
    upshot.events.accept(TENANT, [event(number) for number in (-1, -2, -4)])
    hopeless = upshot.events.accept(TENANT, [event(-8)])[0].event.id
    automation_id = next(a["id"] for a in upshot.automations.page(TENANT).items if a["name"] == "three")
    soon = {"schedule": {"run_at": to_text(upshot.clock.now() + SOON)}}
    later = {"debounce": {"for": "1s"}}  # so that there is something to release
    steps = [
        {"id": "say", "action": "emit_event", "with": {"name": "crash/none", "data": {"run": "{{ run.id }}"}}},
        {"id": "hear", "wait_for_event": "crash/none", "match": {"run": "{{ run.id }}"}},
        {"id": "leave", "call": "called", "with": {"number": 1000}, "await": False},
        {"id": "wait", "call": "called", "with": {"number": 1001}, "timeout": "1h"},
        {
            "id": "each",
            "for_each": [1002, 1003, 1004],
            "call": "called",
            "with": {"number": "{{ item }}"},
            "concurrency": 2,
        },
    ]
    upshot.automations.create(
        TENANT, {"name": "soon", "trigger": soon, "flow": later, "steps": steps, "status": "active"}
    )
    past = upshot.events.accept(TENANT, [event(-number, "crash/past") for number in (16, 17, 18)])
    leave = {
        "name": "leave",
        "trigger": {"event": "crash/leave"},
        "cancel_on": [{"event": "crash/none", "match": "of"}],
        "steps": [
            {"id": "say", "action": "emit_event", "with": {"name": "crash/none", "data": {"of": "{{ of }}"}}},
            {"id": "nap", "delay": "30d"},
        ],
    }
    upshot.automations.create(TENANT, {**leave, "status": "active"})
    upshot.events.accept(TENANT, [{"name": "crash/leave", "data": {"of": number}} for number in range(3)])
    for ending in ("goal", "exit"):
        kept = {"field": "steps.one.output.number", "operator": "exists"}
        upshot.automations.create(TENANT, {**automation(ending, line("one"), line("two")), ending: kept})
    upshot.events.accept(TENANT, [event(-20, "crash/goal"), event(-21, "crash/exit")])
    upshot.events.accept(TENANT, [event(-number, "crash/once") for number in (24, 25, 26)])
    unreadable = upshot.events.accept(TENANT, [event(-28, "crash/three")])[0].event.id
    for number in range(MEMBERS):
        upshot.entities.create(TENANT, "member", id=f"member-{number}", fields={"points": number})
    everybody = {"field": "points", "operator": "greater_than_or_equal", "value": 0}
    upshot.segments.create(TENANT, name="all", entity_type="member", condition=everybody, announce=True)
    for name, trigger in (
        ("joined", {"type": "segment", "segment": "all", "on": "joined"}),
        ("each", {"schedule": {"run_at": to_text(upshot.clock.now() + SOON), "each": "member"}}),
    ):
        steps = [{**line("one"), "with": {"number": "{{ entity.points }}"}}]
        upshot.automations.create(TENANT, {"name": name, "trigger": trigger, "steps": steps, "status": "active"})
    made = [upshot.runs.start_by_hand(TENANT, automation_id, {"number": number}) for number in range(4)]
    listed = ", ".join(f"'{one.event.id}'" for one in past)  # nobody listened when they came
    assert look.run(f"DELETE FROM upshot_unmatched WHERE event_id IN ({listed})") == len(past)
    end = {
        "name": "past",
        "trigger": {"event": "crash/past"},
        "steps": [{"id": "end", "stop": True}],
        "status": "active",
    }
    upshot.replays.start(TENANT, upshot.automations.create(TENANT, end)["id"], Wanted(since=1, per_minute=120))
    upshot.close()
    assert look.run(f"UPDATE upshot_unmatched SET strikes = 99 WHERE event_id = '{hopeless}'") == 1
    assert look.run(f"UPDATE upshot_active SET strikes = 99 WHERE run_id = '{made[0]['run_id']}'") == 1
    assert look.run(f"UPDATE upshot_events SET data = '{{' WHERE id = '{unreadable}'") == 1
    gone = "INSERT INTO upshot_workers (id, host, pid, concurrency, started_at, expires_at) VALUES ('gone', '', 0, 1, 1, 2)"
    assert look.run(gone) == 1
    assert look.run(f"UPDATE upshot_active SET worker_id = 'gone' WHERE run_id = '{made[2]['run_id']}'") == 1
    strikes = work.strikes_max - 1
    assert look.run(f"UPDATE upshot_active SET strikes = {strikes} WHERE run_id = '{made[1]['run_id']}'") == 1
    assert look.run(f"UPDATE upshot_events SET data = '{{' WHERE id = '{made[1]['event_id']}'") == 1
    if work.url.startswith("sqlite"):
        look.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    look.close()


def is_over(look: Look) -> bool:
    """Whether nothing is left to do, what the time brings included."""
    return look.number(TOLD) >= TOLD_IN_ALL and look.is_over()  # in this order: what is told last is yet to be matched


def die_and_go_on(copies: Copies, folder: Path, point: str) -> dict[str, int]:
    """Let an engine die at this point, and another one end the work; the counts of what there is then."""
    times = TIMES.get(point.partition(".")[0], 1)
    with copies.copy(folder) as url, Processes() as processes:
        work = Work(
            url=url,
            folder=str(folder),
            events=EVENTS,
            host_rows=HOST_ROWS,
            by_hand=BY_HAND,
            crash_at=f"{point}:{times}",
            lease_seconds=0.5,
        )
        look = Look(url)
        first = processes.start(work)
        until(lambda: first.exit_code is not None or ("given" in first.said() and is_over(look)), "it died or was done")
        if first.exit_code is None:
            first.send(signal.SIGTERM)
        assert first.ended() == -signal.SIGKILL, f"{point} was not reached {times} times: {first.log()}"
        check_now(look, folder)
        kept = Kept(look, folder)

        second = processes.start(work.but(crash_at="", by_hand=0))
        second.wait_for("given")
        second.until(lambda: is_over(look), "all is over")
        second.stop()
        kept.raise_if_called_again()
        snapshot = check_end(look, folder)
        failed = [run for run in snapshot.runs if run["status"] == "failed"]
        letters = look.number("SELECT count(*) FROM upshot_dead_letters")
        started = set((folder / "started").read_text().split()) if (folder / "started").exists() else set[str]()
        assert started <= {run["id"] for run in snapshot.runs}
        relayed = {event["source_id"] for event in snapshot.events}
        if point in IS_LOST:
            assert bool(unknown_of(snapshot)) == IS_LOST[point]
        told = look.number(TOLD)
        look.close()
        return {
            "events": sum(1 for n in range(EVENTS) if f"event-{n}" in relayed),
            "host rows": sum(1 for n in range(HOST_ROWS) if f"row-{n}" in relayed),
            "told": told,
            "failed": len(failed),
            "letters": letters,
        }


@pytest.fixture(
    scope="module", params=[pytest.param(kind, marks=pytest.mark.xdist_group(f"points {kind}")) for kind in STORES]
)
def died(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Any]]]:
    """All points of one database, several at a time, since an engine mostly waits for its disk."""
    wanted = {item.callspec.params["point"] for item in request.session.items if item.originalname == TEST}  # type: ignore[attr-defined] - each is a parametrised function
    folder = tmp_path_factory.mktemp("prepared")
    with (
        ids_from(os.urandom),
        prepared(request.param, folder, prepare_all_kinds) as url,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        copies = Copies(url)
        yield {
            point: pool.submit(die_and_go_on, copies, tmp_path_factory.mktemp("died"), point)
            for point in sorted(wanted)
        }


TEST = "test_an_engine_that_dies_there_loses_and_repeats_nothing"


@pytest.mark.timeout(300)  # the first of them waits for its turn among the engines that die
@pytest.mark.parametrize("point", sorted(POINTS))
def test_an_engine_that_dies_there_loses_and_repeats_nothing(died: dict[str, Future[Any]], point: str) -> None:
    assert died[point].result() == {
        "events": EVENTS,
        "host rows": HOST_ROWS,
        "told": TOLD_IN_ALL,
        "failed": 2,
        "letters": 4,
    }
