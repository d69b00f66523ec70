"""What was claimed again and again by workers that vanished: none of it is given up that was not tried alone, at whatever
moment they vanish."""

from sqlalchemy import text

from tests.engine.conftest import Bench
from upshot.engine import match, recover
from upshot.store import workers

MOST = 3
NUMBER = 120
DEATHS = 20


def test_workers_that_vanish_right_after_they_claimed_give_up_no_run_that_was_not_alone(url: str) -> None:
    bench = Bench(url)
    with bench:
        bench.automation({"id": "nap", "delay": "1h"})
        bench.upshot.emit_many([{"name": "test/happened", "data": {}} for _ in range(NUMBER)])
        bench.settle()
        bench.upshot.stop()
        alone, given_up = set[str](), list[str]()
        with bench.upshot.database.writing() as connection:
            connection.execute(text("UPDATE upshot_active SET parked = 0"))
        for _ in range(DEATHS):
            with bench.upshot.database.writing() as connection:
                now = bench.clock.now()
                taken = recover.claim(connection, "w", "automation", now, 500, strikes_max=MOST, on_trial={})
            found = taken.found
            hopeless = [run.run_id for run in found.hopeless]
            assert set(hopeless) <= alone, "it was tried beside others"
            given_up += hopeless
            alone |= {run_id for (_, run_id), left in found.on_trial.items() if left == 0 and len(found.on_trial) == 1}
            with bench.upshot.database.writing() as connection:
                workers.free(connection, ["w"])
                for run_id in hopeless:
                    connection.execute(text("DELETE FROM upshot_active WHERE run_id = :id"), {"id": run_id})
        assert 0 < len(given_up) < DEATHS


def test_nor_any_event(url: str) -> None:
    bench = Bench(url)
    bench.upshot.migrate()
    bench.upshot.emit_many([{"name": "test/happened", "data": {}} for _ in range(match.BATCH_MAX)])
    alone, given_up = set[str](), list[str]()
    for _ in range(DEATHS):
        with bench.upshot.database.writing() as connection:
            _, found = match.claim(connection, "w", "", MOST)
        hopeless = [event.event_id for event in found.hopeless]
        assert set(hopeless) <= alone, "it was tried beside others"
        given_up += hopeless
        alone |= {event_id for (_, event_id), left in found.on_trial.items() if left == 0 and len(found.on_trial) == 1}
        with bench.upshot.database.writing() as connection:
            workers.free(connection, ["w"])
            for event_id in hopeless:
                connection.execute(text("DELETE FROM upshot_unmatched WHERE event_id = :id"), {"id": event_id})
    assert 0 < len(given_up) < DEATHS
    bench.upshot.close()
