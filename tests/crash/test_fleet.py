"""Several workers from the start, orderly restarts, poison, and a large backlog."""

import signal
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.crash.ledgers import Look, Provider, check_end, check_now, expected_runs
from tests.crash.load import AUTOMATIONS, TENANT, Work, automation, build, event, line
from tests.crash.processes import Engine, Processes, until
from upshot.adapters.clock import new_id

WORKERS, EVENTS = 3, 300
STORM, BACKLOG = 8_000, 100_000


def test_three_of_every_service_do_everything_once(
    fleet: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    each = EVENTS // WORKERS
    fleet = fleet.but(lease_seconds=45.0)  # however slow the machine, nobody loses what it holds
    engines = [
        processes.start(fleet.but(name=f"worker-{n}", first=n * each, events=each, host_rows=0 if n else 20))
        for n in range(WORKERS)
    ]
    upshot = build(fleet)
    upshot.emit_many([event(10_000 + n, "crash/nap") | {"data": {"number": 1}} for n in range(50)])
    upshot.close()
    for engine in engines:
        engine.wait_for("given")
    engines[0].until(look.is_over, "all is over")
    for engine in engines:
        engine.stop()
    assert len(check_end(look, tmp_path).runs) == expected_runs(EVENTS) + 50 + 20
    retried = {f"{row['run_id']}:{row['step_id']}" for row in look.rows("SELECT run_id, step_id FROM upshot_attempts")}
    calls = Provider(tmp_path).callers()
    assert {key for key, names in calls.items() if len(names) > 1} == retried, "nobody died, so nothing was done twice"


def test_a_restart_in_order_does_nothing_twice(work: Work, look: Look, processes: Processes, tmp_path: Path) -> None:
    provider = Provider(tmp_path)
    for number in range(3):
        engine = processes.start(work.but(first=number * 60, events=60, event="crash/three", lease_seconds=45.0))
        engine.until(lambda least=100 * (number + 1): len(provider.calls()) >= least, "work is under way")
        engine.wait_for("given")
        engine.stop()
        check_now(look, tmp_path)
    last = processes.start(work)
    last.until(look.is_over, "all is over")
    last.stop()
    check_end(look, tmp_path)
    assert {key: names for key, names in provider.callers().items() if len(names) > 1} == {}


@pytest.mark.parametrize(("end", "rescues"), [(Engine.stop, 0), (Engine.kill, 5)])
def test_runs_of_a_worker_that_died_are_rescues_and_those_handed_back_in_order_are_not(
    work: Work, look: Look, processes: Processes, tmp_path: Path, end: Callable[[Engine], None], rescues: int
) -> None:
    provider = Provider(tmp_path)
    before = processes.start(work.but(name="before", events=5, event="crash/held", drain_seconds=0.1))
    before.until(lambda: len(provider.calls()) == 5, "five steps are being performed")
    before.wait_for("given")
    end(before)
    after = build(work)
    after.start()
    try:
        until(lambda: len(provider.calls()) == 10, "they are performed again")
        assert f"\nupshot_rescues_total {rescues}.0\n" in after.operations.metrics()
        (tmp_path / "go").touch()
        until(look.is_over, "all is over")
    finally:
        after.stop()


def test_nobody_waits_for_the_lease_of_a_process_that_is_gone_from_this_machine(
    fleet: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    provider, long = Provider(tmp_path), fleet.but(lease_seconds=3_600.0)
    dead = processes.start(long.but(name="dead", events=5, event="crash/held"))
    dead.until(lambda: len(provider.calls()) == 5, "five steps are being performed")
    dead.wait_for("given")
    dead.kill()
    (tmp_path / "go").touch()
    other = processes.start(long.but(name="other"))
    other.until(look.is_over, "all is over long before the lease would end")
    other.stop()
    check_end(look, tmp_path)


def test_what_a_dead_worker_drove_waits_for_one_that_serves_its_queue(
    fleet: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    provider, upshot = Provider(tmp_path), build(fleet)
    aside = automation("aside", line("one", "hold"), line("two")) | {"queue": "notifications"}
    upshot.automations.create(TENANT, aside)
    other = processes.start(fleet.but(name="other", queues=("automation",)))
    dead = processes.start(fleet.but(name="dead", queues=("notifications",), events=5, event="crash/aside"))
    dead.until(lambda: len(provider.calls()) == 5, "five steps are being performed")
    dead.wait_for("given")
    dead.kill()
    (tmp_path / "go").touch()
    free = "SELECT count(*) FROM upshot_active WHERE queue = 'notifications' AND worker_id IS NULL"
    other.until(lambda: look.number(free) == 5, "they are nobody's")
    upshot.emit_many([event(100 + n, "crash/three") for n in range(20)])
    upshot.close()
    other.until(lambda: len(provider.calls()) == 5 + 60, "its own runs are done")
    assert look.number(free) == 5
    heir = processes.start(fleet.but(name="heir", queues=("notifications",)))
    heir.until(look.is_over, "all is over")
    for engine in (other, heir):
        engine.stop()
    asides = {
        row["id"]
        for row in look.rows(
            "SELECT r.id FROM upshot_runs r JOIN upshot_automations a ON a.id = r.automation_id WHERE a.name = 'aside'"
        )
    }
    named = {True: set[str](), False: set[str]()}
    for key, names in provider.callers().items():
        named[key.partition(":")[0] in asides] |= set(names)
    assert named == {True: {"dead", "heir"}, False: {"other"}}


def test_a_run_that_kills_its_process_is_given_up_and_the_others_go_on(
    work: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    upshot = build(work)
    upshot.events.accept(TENANT, [event(0, "crash/deadly"), *(event(n, "crash/three") for n in range(1, 40))])
    upshot.close()
    deaths, provider = 0, Provider(tmp_path)
    while True:
        engine = processes.start(work.but(strikes_max=3, lease_seconds=0.5))
        until(lambda engine=engine: engine.exit_code is not None or look.is_over(), "it died, or all is over")
        if engine.exit_code is None:
            break
        assert engine.ended() == -signal.SIGKILL, engine.log()
        deaths += 1
        assert deaths <= 5, "the poison was never given up"
    engine.stop()
    snapshot = check_end(look, tmp_path)
    (failed,) = [run for run in snapshot.runs if run["status"] != "completed"]
    assert "gave_up" in failed["error"]
    assert look.rows("SELECT kind, noun_id FROM upshot_dead_letters") == [{"kind": "run", "noun_id": failed["id"]}]
    assert provider.calls().count(f"{failed['id']}:one") == deaths


def test_events_matched_beside_one_that_kills_the_process_are_not_given_up_with_it(
    work: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    upshot = build(work)
    upshot.events.accept(TENANT, [event(n, "crash/three") for n in range(60)])
    upshot.close()
    for _ in range(7):
        engine = processes.start(work.but(strikes_max=3, lease_seconds=0.5, crash_at="match.before_commit"))
        assert engine.ended() == -signal.SIGKILL, engine.log()
    engine = processes.start(work.but(strikes_max=3))
    engine.until(look.is_over, "all is over")
    engine.stop()
    given_up = look.number("SELECT count(*) FROM upshot_dead_letters")
    assert given_up <= 3, "only what was alone when its process ended, with its last strike, is given up"
    assert look.number("SELECT count(*) FROM upshot_runs WHERE status = 'completed'") == 60 - given_up


def test_an_event_that_cannot_be_read_is_given_up_and_the_others_go_on(
    work: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    upshot = build(work)
    poison = upshot.events.accept(TENANT, [event(n, "crash/three") for n in range(40)])[7].event.id
    upshot.close()
    assert look.run(f"UPDATE upshot_events SET data = '{{' WHERE id = '{poison}'") == 1
    engine = processes.start(work.but(strikes_max=3))
    engine.until(lambda: look.number("SELECT count(*) FROM upshot_runs") == 39, "the others are matched")
    engine.until(look.is_over, "all is over")
    engine.stop()
    check_end(look, tmp_path)
    assert look.rows("SELECT kind, noun_id FROM upshot_dead_letters") == [{"kind": "event", "noun_id": poison}]


def test_a_storm_of_one_tenant_leaves_another_its_share(
    work: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    upshot = build(work)
    upshot.tenants.ensure("quiet")
    upshot.automations.create("quiet", AUTOMATIONS[0])
    for first in range(0, STORM, 500):
        upshot.events.accept(TENANT, [event(number, "crash/three") for number in range(first, first + 500)])
    engine = processes.start(work.but(runs_max=200))
    engine.until(Provider(tmp_path).calls, "the storm is under way")
    upshot.events.accept("quiet", [event(number, "crash/three") for number in range(5)])
    upshot.close()
    completed = "SELECT count(*) FROM upshot_runs WHERE status = 'completed' AND tenant_id = '{}'"
    engine.until(lambda: look.number(completed.format("quiet")) == 5, "the quiet tenant is served")
    assert look.number(completed.format(TENANT)) < STORM // 2, "long before the storm is over"
    engine.kill()
    check_now(look, tmp_path)


def test_a_host_that_commits_late_is_not_passed_over(
    fleet: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    """Its row has the lower number, and appears after the higher one was relayed."""
    upshot = build(fleet)
    engine = processes.start(fleet)
    with psycopg.connect(fleet.url) as late, psycopg.connect(fleet.url) as early:
        upshot.emit("crash/three", {"number": 1}, id="late", connection=late)
        upshot.emit("crash/three", {"number": 2}, id="early", connection=early)
        early.commit()
        relayed = "SELECT count(*) FROM upshot_events WHERE source_id = '{}'"
        engine.until(lambda: look.number(relayed.format("early")) == 1, "the later row is relayed")
        late.commit()
        engine.until(lambda: look.number(relayed.format("late")) == 1, "the earlier row is relayed too")
    upshot.close()
    engine.until(look.is_over, "all is over")
    engine.stop()
    assert len(check_end(look, tmp_path).runs) == 2


@pytest.mark.timeout(240)
def test_a_backlog_of_a_hundred_thousand_rows_drains(
    work: Work, look: Look, processes: Processes, tmp_path: Path
) -> None:
    made = new_id(0)
    rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {most})"
    look.run(
        f"""INSERT INTO upshot_outbox (id, tenant_id, format, payload, created_at, next_attempt_at)
        {rows.format(most=BACKLOG)} SELECT '{made[:-12]}' || i, '{TENANT}', 1, '{{"name": "crash/none"}}', 0, 0 FROM n"""
    )
    engine = processes.start(work)
    engine.until(look.is_over, "the backlog is drained", 200)
    engine.stop()
    assert look.number("SELECT count(*) FROM upshot_events") == BACKLOG
    published = "SELECT count(*) FROM upshot_outbox WHERE status = 'published' AND attempts = 1"
    assert look.number(published) == BACKLOG
