"""Queues: a worker drives runs of those it serves, and leaves the others to the workers that do."""

from tests.engine.conftest import Bench

OTHERS, ALL = frozenset({"notifications"}), frozenset({"automation", "notifications"})


def serve(bench: Bench, queues: frozenset[str]) -> None:
    bench.upshot.stop()
    bench.upshot = bench.open()
    bench.upshot.engine.process.limits.queues = queues
    bench.start()


def test_a_run_waits_for_a_worker_that_serves_its_queue(bench: Bench) -> None:
    serve(bench, OTHERS)
    bench.automation({"id": "note", "action": "note"})
    bench.happen()
    assert (bench.run()["status"], bench.calls) == ("pending", [])
    serve(bench, ALL)
    bench.settle()
    assert (bench.run()["status"], len(bench.calls)) == ("completed", 1)


def test_a_run_that_wakes_elsewhere_waits_for_one_too(bench: Bench) -> None:
    bench.automation({"id": "nap", "delay": "1h"}, {"id": "note", "action": "note"})
    bench.happen()
    serve(bench, OTHERS)
    bench.advance(3_600)
    assert bench.calls == []
    serve(bench, ALL)
    bench.settle()
    assert (bench.run()["status"], len(bench.calls)) == ("completed", 1)


def test_so_does_one_whose_time_is_over(bench: Bench) -> None:
    bench.automation({"id": "nap", "delay": "1d"}, {"id": "note", "action": "note"}, timeout="1h")
    bench.happen()
    serve(bench, OTHERS)
    bench.advance(3_600)
    assert bench.run()["status"] not in ("completed", "failed")
    serve(bench, ALL)
    bench.settle()
    assert (bench.run()["status"], bench.calls) == ("failed", [])
