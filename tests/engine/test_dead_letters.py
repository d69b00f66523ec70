"""What is given up on becomes a dead letter in the same transaction, and goes on when a person says so; on both stores."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.engine.conftest import Bench
from upshot import Conflict
from upshot.core import dead_letters as letters
from upshot.core.commands import StepError
from upshot.core.invariants import Snapshot, violations
from upshot.engine import recover
from upshot.store import dead_letters as store
from upshot.store.database import Database
from upshot.store.migrate import migrate
from upshot.store.schema import active, events, steps, timers, unmatched, waits
from upshot.store.schema import runs as runs_table


def only(bench: Bench, **wanted: Any) -> dict[str, Any]:
    """The only letter."""
    (letter,) = bench.upshot.dead_letters.page("default", **wanted).items
    return bench.upshot.dead_letters.get("default", letter["id"])


def broken(bench: Bench) -> list[str]:
    """What of the stored state is not as it must be."""
    with bench.upshot.database.reading() as connection:
        tables = (events, unmatched, runs_table, active, steps, timers, waits)
        return violations(Snapshot(*([dict(r) for r in connection.execute(t.select()).mappings()] for t in tables)))


def look(bench: Bench) -> None:
    """Let time pass until every service has looked twice."""
    bench.advance(5)
    bench.advance(5)


def test_a_failed_step_is_retried_as_often_as_somebody_asks_and_then_goes_on(bench: Bench) -> None:
    bench.automation(
        {"id": "first", "action": "note", "with": {}},
        {"id": "try", "action": "raise_until", "with": {"attempt": 3}, "on_error": "stop"},
        {"id": "last", "action": "note", "with": {}},
    )
    bench.happen()
    for attempts in (1, 2):
        letter = only(bench)
        assert (letter["status"], letter["attempts"], letter["step_id"]) == ("open", attempts, "try")
        assert broken(bench) == []
        bench.upshot.dead_letters.retry("default", letter["id"])
        look(bench)
    assert bench.run()["status"] == "completed"
    assert [step for step, _ in bench.calls] == ["first", "try", "try", "try", "last"]
    (tried,) = [step for step in bench.run()["steps"] if step["id"] == "try"]
    assert [one["attempt"] for one in tried["attempts"]] == [1, 2, 3]
    assert len({one["idempotency_key"] for one in tried["attempts"]}) == 1
    assert only(bench)["status"] == "resolved"
    assert broken(bench) == []


def test_a_retried_run_that_sleeps_after_the_step_is_resolved_before_it_wakes(bench: Bench) -> None:
    bench.automation(
        {"id": "try", "action": "raise_until", "with": {"attempt": 2}, "on_error": "stop"},
        {"id": "nap", "delay": "30d"},
    )
    bench.happen()
    bench.upshot.dead_letters.retry("default", only(bench)["id"])
    look(bench)
    assert (bench.run()["status"], only(bench)["status"]) == ("waiting", "resolved")
    assert broken(bench) == []


def test_a_retried_run_survives_a_restart_in_between(bench: Bench) -> None:
    bench.automation({"id": "try", "action": "raise_until", "with": {"attempt": 2}, "on_error": "stop"})
    bench.happen()
    letter = only(bench)
    bench.upshot.stop()
    bench.upshot = bench.open()
    bench.upshot.dead_letters.retry("default", letter["id"])  # no engine runs
    assert broken(bench) == []
    bench.start()
    look(bench)
    assert (bench.run()["status"], only(bench)["status"]) == ("completed", "resolved")


def test_a_sleeping_run_whose_version_is_gone_fails_and_says_so(bench: Bench) -> None:
    bench.automation({"id": "nap", "delay": "1d"}, {"id": "note", "action": "note", "with": {}})
    bench.happen()
    with bench.upshot.database.writing() as connection:
        connection.execute(text("DELETE FROM upshot_automation_versions"))
    bench.restart()
    bench.advance(86_400)
    look(bench)
    run = bench.upshot.runs.get("default", bench.run()["id"])
    assert (run["status"], run["error"]["code"], bench.calls) == ("failed", "missing_version", [])
    assert "Version 1 of its automation is not in the store" in run["error"]["message"]
    assert (only(bench)["code"], only(bench)["status"]) == ("missing_version", "open")
    assert broken(bench) == []


def test_a_run_whose_version_this_release_cannot_read_waits_for_one_that_can(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.automation({"id": "nap", "delay": "1d"}, {"id": "note", "action": "note", "with": {}})
    bench.happen()
    write = text("UPDATE upshot_automation_versions SET document = :document")
    with bench.upshot.database.writing() as connection:
        known = connection.execute(text("SELECT document FROM upshot_automation_versions")).scalar_one()
        connection.execute(write, {"document": known.replace('"action"', '"kind_of_a_later_release"')})
    bench.restart()
    bench.advance(86_400)
    assert (bench.run()["status"], bench.calls) == ("waiting", [])
    assert f"run {bench.run()['id']} waits for a release that can drive it" in caplog.text
    with bench.upshot.database.writing() as connection:
        connection.execute(write, {"document": known})
    bench.restart()
    bench.advance(60)
    assert (bench.run()["status"], len(bench.calls)) == ("completed", 1)
    assert broken(bench) == []


def test_a_run_that_nobody_could_drive_is_retried(bench: Bench) -> None:
    bench.automation({"id": "nap", "delay": "1d"}, {"id": "note", "action": "note", "with": {}})
    bench.happen()
    run_id = bench.run()["id"]
    error = StepError("gave_up", "no step could be kept")
    lost = recover.Hopeless("default", run_id, 9, bench.run()["automation"]["id"], False, 4, error)

    def give_up(connection: Any) -> None:
        connection.execute(text("DELETE FROM upshot_timers"))
        connection.execute(text("UPDATE upshot_active SET worker_id = 'gone', parked = 0, epoch = 9"))
        recover.give_up(connection, [lost], "gone", bench.clock.now())

    bench.upshot.commit.run(give_up)
    letter = only(bench)
    assert (letter["code"], letter["step_id"], bench.run()["status"]) == ("gave_up", None, "failed")
    bench.upshot.dead_letters.retry("default", letter["id"])
    look(bench)
    assert bench.run()["status"] == "waiting"
    bench.advance(86_400)
    look(bench)
    assert (bench.run()["status"], only(bench)["status"]) == ("completed", "resolved")
    assert broken(bench) == []


def test_cancelling_a_run_settles_its_letter(bench: Bench) -> None:
    bench.automation({"id": "raise", "action": "raise", "with": {}, "on_error": "stop"})
    bench.happen()
    bench.upshot.stop()
    bench.upshot = bench.open()
    bench.upshot.dead_letters.retry("default", only(bench)["id"])
    bench.upshot.runs.cancel("default", bench.run()["id"])
    bench.start()
    look(bench)
    assert (bench.run()["status"], only(bench)["status"]) == ("cancelled", "resolved")
    with pytest.raises(Conflict, match="resolved"):
        bench.upshot.dead_letters.retry("default", only(bench)["id"])


def test_the_failure_and_its_letter_are_one_transaction(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.automation({"id": "raise", "action": "raise", "with": {}, "on_error": "stop"})
    seen: list[tuple[int, int]] = []
    keep = store.add_many

    def counted(connection: Any, given: Any, now: int) -> None:
        keep(connection, given, now)
        with bench.upshot.database.reading() as other:  # what is not committed is not there for others
            failed = other.execute(text("SELECT count(*) FROM upshot_runs WHERE status = 'failed'")).scalar_one()
            kept = other.execute(text("SELECT count(*) FROM upshot_dead_letters")).scalar_one()
            seen.append((failed, kept))

    monkeypatch.setattr(store, "add_many", counted)
    bench.happen()
    assert seen == [(0, 0)]
    assert (bench.run()["status"], only(bench)["status"]) == ("failed", "open")


def test_one_commit_keeps_many_letters_and_what_comes_again_is_open_again(bench: Bench) -> None:
    def given_up(number: int) -> letters.Letter:
        return letters.of_run("default", f"r{number}", "a", "boom", f"it broke at {number}", 1, step_id="s", epoch=1)

    bench.upshot.commit.run(lambda c: store.add_many(c, [given_up(n) for n in range(300)], 5))
    groups = bench.upshot.dead_letters.groups("default").items
    assert [group["count"] for group in groups] == [300]
    bench.upshot.dead_letters.discard("default", "run:r7", "known")
    bench.upshot.commit.run(lambda c: store.add_many(c, [given_up(7), given_up(300)], 9))
    again = bench.upshot.dead_letters.get("default", "run:r7")
    assert (again["status"], again["reason"], again["first_at"] < again["last_at"]) == ("open", None, True)
    assert bench.upshot.stats.get("default")["dead_letters"]["open"] == 301
    first = bench.upshot.dead_letters.page("default", limit=200)
    rest = bench.upshot.dead_letters.page("default", limit=200, after=first.next)
    assert len({one["id"] for one in first.items + rest.items}) == 301


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("status = 'open' ORDER BY last_at DESC, id DESC LIMIT 50", "tenant_id_status_last_at_id"),
        ("fingerprint = 'f' AND status = 'open' AND id > '' ORDER BY id LIMIT 500", "tenant_id_fingerprint_status_id"),
        ("replay_id = 'e'", "replay"),
    ],
)
def test_lists_and_batches_use_their_index(tmp_path: Path, query: str, index: str) -> None:
    database = Database(f"sqlite:///{tmp_path}/plans.db")
    migrate(database)
    explained = f"EXPLAIN QUERY PLAN SELECT id FROM upshot_dead_letters WHERE tenant_id = 'default' AND {query}"
    with database.reading() as connection:
        told = [row[-1] for row in connection.execute(text(explained))]
    assert f"ix_upshot_dead_letters_{index}" in told[0]
    assert not any("TEMP B-TREE" in line for line in told)
