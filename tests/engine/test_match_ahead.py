"""What is accepted on the engine's own loop is matched in the transaction that accepts it; whatever cannot be waits as ever."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from tests.engine.conftest import Bench

NOTE = {"id": "note", "action": "note", "with": {"n": "{{ n }}"}}


def on_loop(bench: Bench, work: Coroutine[Any, Any, Any]) -> Any:
    """What this gives on the engine's event loop."""
    loop = bench.upshot.engine.loop
    assert loop is not None
    return asyncio.run_coroutine_threadsafe(work, loop).result(30)


def accept(bench: Bench, *envelopes: dict[str, Any]) -> list[Any]:
    """Accept these events of `test/happened` where the engine runs."""
    given = [{"name": "test/happened", "data": {"n": 1}, **envelope} for envelope in envelopes]
    return on_loop(bench, bench.upshot.events.accept_async("default", given))


def has_all_its_room(bench: Bench) -> bool:
    return bench.upshot.engine.run.room == bench.upshot.engine.process.limits.runs_max


def test_its_runs_are_kept_with_it(bench: Bench) -> None:
    bench.automation(NOTE)
    bench.automation(NOTE, condition={"field": "n", "operator": "equals", "value": 2})
    (accepted,) = accept(bench, {"data": {"n": 1}})
    (run_id,) = accepted.made
    assert bench.upshot.runs.get("default", run_id)["event"]["id"] == accepted.event.public_id
    bench.settle()
    assert (bench.run()["id"], bench.run()["status"]) == (run_id, "completed")
    assert bench.calls == [("note", {"n": 1})]
    assert has_all_its_room(bench)


def test_an_event_that_nothing_listens_to_is_matched_too(bench: Bench) -> None:
    (accepted,) = accept(bench, {"name": "test/unheard"})
    assert accepted.made == frozenset()


def test_a_duplicate_starts_nothing(bench: Bench) -> None:
    bench.automation(NOTE)
    first, again = accept(bench, {"id": "one"}), accept(bench, {"id": "one"}, {"id": "two"})
    assert [one.duplicate for one in [*first, *again]] == [False, True, False]
    assert again[0].made is None
    bench.settle()
    assert len(bench.runs()) == 2
    assert has_all_its_room(bench)


def test_definitions_that_changed_meanwhile_are_not_gone_by(bench: Bench) -> None:
    first = bench.automation(NOTE)
    accept(bench, {})
    bench.settle()
    other = bench.open()  # another process, whose change this one has not heard of
    document = {"name": "new", "trigger": {"event": "test/happened"}, "steps": [NOTE], "status": "active"}
    second = other.automations.create("default", document)["id"]
    other.close()
    accept(bench, {})
    bench.settle()
    assert Counter(run["automation"]["id"] for run in bench.runs()) == {first: 2, second: 1}
    assert has_all_its_room(bench)


def test_of_many_at_once_each_is_matched_once(bench: Bench) -> None:
    bench.automation(NOTE)
    accepted = accept(bench, *({"data": {"n": n}} for n in range(250)))
    assert 0 < sum(one.made is not None for one in accepted) < 250
    bench.settle()
    assert sorted(args["n"] for _, args in bench.calls) == list(range(250))
    assert has_all_its_room(bench)


def test_a_giver_that_goes_away_does_not_take_the_run_along(bench: Bench) -> None:
    bench.automation(NOTE)

    async def give_and_go() -> None:
        given = [{"name": "test/happened", "data": {"n": 1}}]
        giving = asyncio.ensure_future(bench.upshot.events.accept_async("default", given))
        while not bench.upshot.engine.accept.is_taking:  # noqa: ASYNC110 - it has no event to wait for, and takes a turn or two
            await asyncio.sleep(0)
        giving.cancel()
        await asyncio.gather(giving, return_exceptions=True)
        assert giving.cancelled()
        await bench.upshot.engine.accept.drain()

    on_loop(bench, give_and_go())
    bench.settle()
    assert bench.run()["status"] == "completed"


def test_a_condition_on_the_entity_reads_what_is_kept_of_it(bench: Bench) -> None:
    on_vip = {"field": "entity.tier", "operator": "equals", "value": "gold"}
    bench.automation(NOTE, condition=on_vip)
    bench.upshot.entities.create("default", "member", id="m1", fields={"tier": "gold"})
    bench.upshot.entities.create("default", "member", id="m2", fields={"tier": "tin"})
    bench.settle()
    made = [accept(bench, {"entity": {"type": "member", "id": name}})[0].made for name in ("m1", "m2")]
    assert [len(runs) for runs in made] == [1, 0]


def test_a_giver_that_goes_away_while_its_call_is_read_or_matched_keeps_no_room(bench: Bench) -> None:
    bench.automation(NOTE)
    accept(bench, {})

    async def give_and_go(turns: int) -> None:
        events = [{"name": "test/happened", "data": {"n": number}} for number in range(60)]
        giving = asyncio.create_task(bench.upshot.events.accept_async("default", events))
        for _ in range(turns):
            await asyncio.sleep(0)  # a turn of the loop
        giving.cancel()
        await asyncio.gather(giving, return_exceptions=True)

    for turns in range(16):
        on_loop(bench, give_and_go(turns))
    bench.settle()
    assert len(bench.calls) % 60 == 1  # each call as a whole, or not at all
    assert has_all_its_room(bench)


def test_others_have_their_turn_while_a_large_call_is_taken(bench: Bench) -> None:
    async def turns_meanwhile() -> int:
        events = [{"name": "test/unheard", "data": {}} for _ in range(1_000)]
        giving, turns = asyncio.create_task(bench.upshot.events.accept_async("default", events)), 0
        while not giving.done():
            await asyncio.sleep(0)  # a turn of the loop
            turns += 1
        return turns

    accept(bench, {})
    assert on_loop(bench, turns_meanwhile()) >= 100
