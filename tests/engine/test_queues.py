"""Queues: a worker drives runs of those it serves, and leaves the others to the workers that do; who names none serves all."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from tests.engine.conftest import Bench
from tests.engine.test_control_forks import until
from upshot import Refused
from upshot.app.replays import Wanted
from upshot.app.settings import Settings
from upshot.core.queues import EVERY, HELD, THROTTLED, served_problems, serves
from upshot.store import hints, queues, snapshot, workers

pytestmark = pytest.mark.usefixtures("own_ids")

OWN, OTHER = "automation", "notifications"
OTHERS, ALL = frozenset({OTHER}), frozenset({OWN, OTHER})
NAP = {"id": "nap", "delay": "1h"}
LEASE_SECONDS = 86_400.0
"""Longer than any test: its clock jumps by hours, and neither of a pair is to think that the other is gone."""


def serve(bench: Bench, served: frozenset[str]) -> None:
    bench.upshot.stop()
    bench.upshot = bench.open()
    bench.upshot.engine.process.limits.queues = served
    bench.start()


def note(of: str) -> dict[str, Any]:
    return {"id": "note", "action": "note", "with": {"of": of}}


def test_a_run_waits_for_a_worker_that_serves_its_queue(bench: Bench) -> None:
    serve(bench, OTHERS)
    bench.automation({"id": "note", "action": "note"})
    bench.happen()
    assert (bench.run()["status"], bench.calls) == ("pending", [])
    serve(bench, ALL)
    bench.settle()
    assert (bench.run()["status"], len(bench.calls)) == ("completed", 1)


def test_a_run_that_wakes_elsewhere_waits_for_one_too(bench: Bench) -> None:
    bench.automation(NAP, {"id": "note", "action": "note"})
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


class Pair:
    """A worker that serves only `automation` and one that serves only `notifications`: both at once on a server, by turns on a
    file, which one engine has at a time."""

    def __init__(self, url: str) -> None:
        self.is_at_once = not url.startswith("sqlite")
        self.benches = {OWN: Bench(url), OTHER: Bench(url)}
        self.clock = self.benches[OWN].clock
        self.turn_of = ""
        for queue, bench in self.benches.items():
            bench.clock = self.clock
            if self.is_at_once:
                self._start(queue)
        self.turn(OWN)

    def _start(self, queue: str) -> None:
        bench = self.benches[queue]
        bench.upshot = bench.open()
        limits = bench.upshot.engine.process.limits
        limits.queues, limits.lease_seconds = frozenset({queue}), LEASE_SECONDS
        bench.start()

    def turn(self, queue: str) -> Bench:
        """The worker that serves this queue, which runs now."""
        if not self.is_at_once and self.turn_of != queue:
            if self.turn_of:
                self.benches[self.turn_of].upshot.stop()
            self._start(queue)
            self.turn_of = queue
        return self.benches[queue]

    def settle(self, is_over: Callable[[], bool] = lambda: True) -> None:
        """Let both do all that can be done now, and what is awaited."""
        for queue in (OWN, OTHER, OWN, OTHER):
            self.turn(queue).advance(0)
        until(is_over, "what is awaited")
        for queue in (OWN, OTHER):
            self.turn(queue).settle()

    def advance(self, seconds: float, is_over: Callable[[], bool] = lambda: True) -> None:
        self.clock.advance(seconds)
        self.settle(is_over)

    def automations(self, *steps: dict[str, Any], **more: Any) -> dict[str, str]:
        """One automation of each queue, alike but for that and for what it notes; the id of each."""
        one = self.turn(OWN)
        made = {queue: one.automation(*steps, note(queue), **more, name=queue, queue=queue) for queue in (OWN, OTHER)}
        if self.is_at_once:
            self.settle()
        return made

    def happen(self, *, number: int = 1) -> None:
        for _ in range(number):
            self.turn(OWN).happen()
        self.settle()

    def noted(self) -> dict[str, list[str]]:
        """What each worker's actions were given, as the queue that it was of."""
        return {queue: [args["of"] for _, args in bench.calls] for queue, bench in self.benches.items()}

    def each(self, number: int) -> Callable[[], bool]:
        """Whether each worker noted so often."""
        return lambda: all(len(found) >= number for found in self.noted().values())

    def standing(self) -> dict[str, int]:
        """How many unfinished runs stand in each queue."""
        with self.benches[self.turn_of or OWN].upshot.database.reading() as connection:
            found = connection.execute(text("SELECT queue, count(*) FROM upshot_active GROUP BY queue"))
            return {row[0]: row[1] for row in found}

    def runs(self) -> list[dict[str, Any]]:
        return self.benches[self.turn_of or OWN].runs()

    def stop(self) -> None:
        for bench in self.benches.values():
            bench.upshot.stop()


@pytest.fixture
def pair(url: str) -> Iterator[Pair]:
    made = Pair(url)
    yield made
    made.stop()


def each(number: int) -> dict[str, list[str]]:
    return {queue: [queue] * number for queue in (OWN, OTHER)}


def test_each_worker_drives_the_runs_of_its_queue_and_no_others(pair: Pair) -> None:
    pair.automations()
    pair.happen(number=3)
    pair.settle(pair.each(3))
    assert pair.noted() == each(3)
    assert {run["status"] for run in pair.runs()} == {"completed"}


def test_a_run_whose_delay_is_over_goes_on_in_its_queue_whoever_saw_that(pair: Pair) -> None:
    pair.automations(NAP)
    pair.happen()
    pair.settle(lambda: pair.standing() == {OWN: 1, OTHER: 1})
    assert {run["status"] for run in pair.runs()} == {"waiting"}
    pair.advance(3_600, pair.each(1))
    assert pair.noted() == each(1)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)  # on SQLite there is nobody to tell
@pytest.mark.parametrize("document", [{"steps": [NAP]}, {"steps": [{"id": "nap", "delay": "1d"}], "timeout": "1h"}])
def test_who_fires_a_timer_of_a_queue_that_it_does_not_serve_tells_those_who_do(
    bench: Bench, document: dict[str, Any]
) -> None:
    bench.automation(**document)
    bench.happen()
    serve(bench, OTHERS)
    told, is_over = list[str](), threading.Event()
    listening = threading.Thread(target=hints.listen, args=(bench.upshot.database.url, told.append, is_over.is_set))
    listening.start()
    try:
        until(lambda: bool(told), "the beginning")
        bench.advance(3_600)
        until(lambda: hints.RUNS in told, "the hint")
    finally:
        is_over.set()
        listening.join()


def test_a_throttled_run_goes_back_to_its_queue(pair: Pair) -> None:
    pair.automations(flow={"throttle": {"limit": 1, "per": "1m"}})
    pair.happen(number=2)
    pair.settle(pair.each(1))
    assert (pair.noted(), pair.standing()) == (each(1), {THROTTLED: 2})
    pair.advance(60, pair.each(2))
    assert pair.noted() == each(2)


def test_a_run_that_gets_its_place_goes_back_to_its_queue(pair: Pair) -> None:
    pair.automations(NAP, flow={"concurrency": {"limit": 1}})
    pair.happen(number=2)
    pair.settle(lambda: sorted(run["status"] for run in pair.runs()) == ["pending"] * 2 + ["waiting"] * 2)
    assert pair.standing() == {HELD: 2, OWN: 1, OTHER: 1}
    pair.advance(3_600, pair.each(1))
    pair.settle(lambda: pair.standing() == {OWN: 1, OTHER: 1})
    pair.advance(3_600, pair.each(2))
    assert pair.noted() == each(2)


def test_what_was_gathered_starts_in_its_queue(pair: Pair) -> None:
    pair.automations(flow={"debounce": {"for": "1m"}})
    pair.happen(number=2)
    pair.advance(60, pair.each(1))
    assert pair.noted() == each(1)


def test_what_a_worker_held_that_is_gone_is_taken_over_in_its_queue(pair: Pair) -> None:
    pair.automations(NAP)
    pair.happen()
    pair.settle(lambda: {run["status"] for run in pair.runs()} == {"waiting"})
    with pair.turn(OWN).upshot.database.writing() as connection:
        connection.execute(text("UPDATE upshot_active SET parked = 0, worker_id = 'gone'"))
        connection.execute(text("DELETE FROM upshot_timers"))
        workers.free(connection, ["gone"])
    pair.settle(lambda: {run["status"] for run in pair.runs()} == {"waiting"})
    pair.advance(3_600, pair.each(1))
    assert pair.noted() == each(1)


def test_a_failed_run_that_is_retried_and_a_run_that_is_run_again_are_of_its_queue(pair: Pair) -> None:
    broken = {"id": "broken", "action": "raise_for_good"}
    one = pair.turn(OWN)
    for queue in (OWN, OTHER):
        one.automation({**note(queue), "id": "before"}, {**broken, "with": {"of": queue}}, name=queue, queue=queue)
    pair.happen()
    pair.settle(pair.each(2))
    for run in pair.runs():
        pair.turn(OWN).upshot.runs.retry("default", run["id"])
    pair.settle(pair.each(3))
    for run in pair.runs():
        pair.turn(OWN).upshot.runs.rerun("default", run["id"])
    pair.settle(pair.each(5))
    assert pair.noted() == each(5)


def test_a_run_that_is_called_started_by_hand_or_replayed_is_of_its_automations_queue(pair: Pair) -> None:
    pair.happen()
    pair.advance(1)
    one = pair.turn(OWN)
    called = one.automation(note(OTHER), name=OTHER, queue=OTHER, trigger={"manual": True})
    caller = one.automation({"id": "call", "call": called}, note(OWN), name=OWN)
    one.upshot.runs.start_by_hand("default", caller, {})
    pair.settle(pair.each(1))
    assert pair.noted() == each(1)
    pair.turn(OWN).upshot.runs.start_by_hand("default", called, {})
    pair.settle(lambda: len(pair.noted()[OTHER]) == 2)
    late = pair.turn(OWN).automation(note(OTHER), name="late", queue=OTHER)
    pair.turn(OWN).upshot.replays.start("default", late, Wanted(since=1_000_000, per_minute=6_000))
    pair.advance(1, lambda: len(pair.noted()[OTHER]) == 3)
    assert pair.noted() == {OWN: [OWN], OTHER: [OTHER] * 3}


def test_a_run_that_goes_on_on_another_version_is_of_that_versions_queue(pair: Pair) -> None:
    one = pair.turn(OWN)
    held = {"concurrency": {"limit": 1}}
    automation = one.automation(NAP, note(OTHER), flow=held)
    pair.happen(number=2)
    pair.settle(lambda: pair.standing() == {OWN: 1, HELD: 1})
    one = pair.turn(OWN)
    document = {**one.upshot.automations.draft("default", automation), "queue": OTHER}
    one.upshot.automations.save("default", automation, document)
    one.upshot.automations.publish("default", automation, runs="move")
    pair.settle(lambda: pair.standing() == {OTHER: 1, HELD: 1})
    pair.advance(3_600, lambda: len(pair.noted()[OTHER]) == 1)
    pair.advance(3_600, lambda: len(pair.noted()[OTHER]) == 2)
    assert pair.noted() == {OWN: [], OTHER: [OTHER] * 2}


def test_who_names_no_queue_serves_every_one(bench: Bench) -> None:
    assert Settings(secret_key="x" * 16).worker_queues == bench.upshot.engine.process.limits.queues == {EVERY}
    for queue in ("zz-late", OTHER, OWN, "0"):
        bench.automation(NAP, note(queue), queue=queue, name=queue)
    bench.happen()
    bench.advance(3_600)
    assert sorted(args["of"] for _, args in bench.calls) == ["0", OWN, OTHER, "zz-late"]


def test_what_stands_in_a_queue_that_it_has_not_heard_of_is_found(bench: Bench) -> None:
    serve(bench, frozenset({"neither"}))
    for queue in (OTHER, OWN):
        bench.automation(note(queue), queue=queue, name=queue, flow={"concurrency": {"limit": 1}})
    bench.happen()
    with bench.upshot.database.reading() as connection:
        assert queues.ready_queues(connection) == {OWN, OTHER}
    serve(bench, frozenset({EVERY}))
    until(lambda: len(bench.calls) == 2, "both runs")
    bench.settle()
    assert {run["status"] for run in bench.runs()} == {"completed"}


def test_who_serves_every_queue_looks_at_once_for_a_run_that_it_called_in_another(bench: Bench) -> None:
    bench.settle()  # it has looked already, and by its clock no time goes by
    called = bench.automation(note(OTHER), name=OTHER, queue=OTHER, trigger={"manual": True})
    bench.automation({"id": "call", "call": called}, note(OWN), name=OWN)
    bench.happen()
    assert [args["of"] for _, args in bench.calls] == [OTHER, OWN]


def test_of_two_queues_each_has_its_turn_whatever_waits_in_the_other(bench: Bench) -> None:
    serve(bench, frozenset({"neither"}))
    for queue, event in ((OWN, "test/many"), (OTHER, "test/few")):
        bench.automation(note(queue), queue=queue, name=queue, trigger={"event": event})
    bench.upshot.emit_many([{"name": "test/many", "data": {}} for _ in range(200)])
    bench.upshot.emit_many([{"name": "test/few", "data": {}} for _ in range(5)])
    bench.settle()
    bench.upshot.stop()
    bench.upshot = bench.open()
    bench.upshot.engine.process.limits.runs_max = 10
    bench.start()
    until(lambda: len(bench.calls) == 205, "all runs")
    order = [args["of"] for _, args in bench.calls]
    assert max(at for at, of in enumerate(order) if of == OTHER) < 100


def test_who_serves_every_queue_leaves_alone_what_flow_control_holds(bench: Bench) -> None:
    bench.automation(NAP, note(OTHER), queue=OTHER, flow={"concurrency": {"limit": 1}})
    for _ in range(3):
        bench.happen()
    for _ in range(3):
        bench.advance(0)
        with bench.upshot.database.reading() as connection:
            assert queues.ready_queues(connection) == set()
    assert sorted(run["status"] for run in bench.runs()) == ["pending", "pending", "waiting"]


def test_what_waits_is_counted_in_its_queue(bench: Bench) -> None:
    serve(bench, OTHERS)
    for queue in ("batch", OTHER):
        bench.automation(note(queue), queue=queue, name=queue)
    bench.happen()
    with bench.upshot.database.reading() as connection:
        seen = snapshot.read(connection, bench.upshot.database.path, bench.clock.now())
    assert {name: queue.ready for name, queue in seen.queues.items()} == {"batch": 1}


@pytest.mark.parametrize("served", [set[str](), {""}, {"Loud"}, {HELD}, {"a b"}, {OWN, "x" * 65}])
def test_a_worker_is_told_what_no_queue_is_called(served: set[str]) -> None:
    assert [problem.path for problem in served_problems(served, "--queues")] == ["--queues"]
    with pytest.raises(Refused):
        Settings(secret_key="x" * 16, worker_queues=frozenset(served))


def test_what_serves_a_queue() -> None:
    assert serves({OWN}, OWN)
    assert not serves({OWN}, OTHER)
    assert serves({EVERY}, OTHER)
    assert not serves({EVERY}, HELD)
    assert not serves({EVERY, OWN}, THROTTLED)
