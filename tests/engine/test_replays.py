"""Replays: events of the past start an automation, with its effects, so many in a minute and each event once."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.engine.conftest import Bench
from upshot import Conflict, NotFound, Refused
from upshot.app.replays import Wanted
from upshot.core.instants import MINUTE, SECOND
from upshot.engine import replay as replaying
from upshot.engine.past import read_page
from upshot.store import replays as store

NOTE = {"id": "note", "action": "note", "with": {"n": "{{ n }}"}}
NAP = {"id": "nap", "delay": "1h"}
LONG_AGO = 1_000_000
pytestmark = pytest.mark.usefixtures("own_ids")


def emitted(bench: Bench, *numbers: int, **more: Any) -> list[str]:
    """Events of the past, one a second."""
    ids: list[str] = []
    for number in numbers:
        ids.append(bench.happen({"n": number}, **more))
        bench.advance(1)
    return ids


def begun(bench: Bench, automation_id: str, **wanted: Any) -> dict[str, Any]:
    """A replay of all that was up to now, as quick as may be."""
    asked = Wanted(**{"since": LONG_AGO, "per_minute": 6_000, **wanted})
    made = bench.upshot.replays.start("default", automation_id, asked)
    bench.settle()
    return made


def shown(bench: Bench, replay: dict[str, Any]) -> dict[str, Any]:
    return bench.upshot.replays.get("default", replay["id"])


def counted(told: dict[str, Any]) -> dict[str, int]:
    return {kind: number for kind, number in told["counts"].items() if number}


def noted(bench: Bench) -> list[int]:
    return [args["n"] for _, args in bench.calls]


def above(number: int) -> dict[str, Any]:
    return {"field": "n", "operator": "greater_than", "value": number}


def test_what_happened_before_it_was_built_is_acted_on_once_and_marked(bench: Bench) -> None:
    emitted(bench, 1, 2, 3, 4)
    automation_id = bench.automation(NOTE, condition=above(2))
    emitted(bench, 5)
    replay = begun(bench, automation_id)
    bench.advance(1)
    told = shown(bench, replay)
    assert (told["status"], told["progress"], told["version"]) == ("completed", {"events": 5, "of": 5}, 1)
    assert counted(told) == {"started": 2, "already": 1, "not_met": 2}
    assert sorted(noted(bench)) == [3, 4, 5]
    assert {run["replay_id"] for run in bench.runs()} == {None, replay["id"]}
    marked = bench.upshot.runs.page("default", replay=replay["id"]).items
    assert len(marked) == 2
    again = begun(bench, automation_id)
    bench.advance(1)
    assert counted(shown(bench, again)) == {"already": 3, "not_met": 2}
    assert len(bench.runs()) == 3


def test_oldest_first_and_never_faster_than_it_may(bench: Bench) -> None:
    emitted(bench, *range(6))
    automation_id = bench.automation(NOTE)
    replay = begun(bench, automation_id, per_minute=2)
    seen = [noted(bench)]
    for _ in range(6):
        bench.advance(30)
        seen.append(noted(bench))
    assert seen == [list(range(n)) for n in range(1, 7)] + [list(range(6))]
    assert shown(bench, replay)["status"] == "completed"


def test_the_window_the_entity_the_condition_and_the_limit_narrow_it(bench: Bench) -> None:
    first = bench.clock.now()
    for number in range(6):
        bench.upshot.events.accept(
            "default",
            [{"name": "test/happened", "data": {"n": number}, "entity": {"type": "cart", "id": str(number % 2)}}],
        )
        bench.advance(10)
    automation_id = bench.automation(NOTE)
    window = {"since": first + 10 * SECOND, "until": first + 50 * SECOND}
    told = shown(bench, begun(bench, automation_id, **window, entity=("cart", "1"), condition=above(1)))
    assert (counted(told), noted(bench)) == ({"started": 1, "left_out": 1}, [3])
    assert told["progress"] == {"events": 2, "of": 2}
    told = shown(bench, begun(bench, automation_id, **window, limit=2))
    assert (told["status"], told["reason"], sorted(noted(bench))) == ("completed", replaying.AS_MANY, [1, 2, 3])
    assert told["progress"] == {"events": 2, "of": 4}


def test_now_is_the_instant_of_the_event_and_the_entity_is_as_it_is(bench: Bench) -> None:
    bench.upshot.entities.create("default", "cart", id="c", fields={"total": 1})
    bench.upshot.events.accept(
        "default", [{"name": "test/happened", "data": {"n": 1}, "entity": {"type": "cart", "id": "c"}}]
    )
    bench.settle()
    bench.upshot.entities.patch("default", "cart", "c", fields={"total": 9})
    bench.advance(5 * 3_600)
    rules = [
        {"field": "entity.total", "operator": "equals", "value": 9},
        {"field": "now.hour", "operator": "equals", "value": 8},
    ]
    replay = begun(bench, bench.automation(NOTE, condition={"combinator": "and", "rules": rules}))
    assert counted(shown(bench, replay)) == {"started": 1}
    run = bench.run()
    assert run["explanation"]["result"] is True
    (told,) = bench.upshot.events.explain("default", run["event"]["id"])["automations"]
    assert (told["outcome"], told["replay_id"], told["run_id"]) == ("started", replay["id"], run["id"])
    assert told["reason"].startswith("Started by a replay: ")


def test_what_flow_control_dropped_is_left_alone_unless_asked(bench: Bench) -> None:
    automation_id = bench.automation(NOTE, flow={"rate_limit": {"limit": 1, "per": "1h"}})
    emitted(bench, 1, 2, 3)
    assert noted(bench) == [1]
    assert counted(shown(bench, begun(bench, automation_id))) == {"already": 1, "dropped": 2}
    replay = begun(bench, automation_id, dropped=True)
    assert (counted(shown(bench, replay)), sorted(noted(bench))) == ({"started": 2, "already": 1}, [1, 2, 3])
    outcomes = [
        bench.upshot.events.explain("default", event["id"])["automations"][0] for event in bench.events("test/happened")
    ]
    assert [told["outcome"] for told in outcomes] == ["started"] * 3


def test_what_was_gathered_into_another_run_is_not_started_again(bench: Bench) -> None:
    automation_id = bench.automation(NOTE, flow={"batch": {"size": 2, "within": "1h"}})
    emitted(bench, 1, 2, 3)
    assert counted(shown(bench, begun(bench, automation_id))) == {"already": 3}
    assert len(bench.runs()) == 1


def test_places_are_heeded_and_what_waits_for_one_says_so(bench: Bench) -> None:
    emitted(bench, 1, 2, 3)
    automation_id = bench.automation(NOTE, NAP, flow={"concurrency": {"limit": 1}, "once": {"per": "1d"}})
    replay = begun(bench, automation_id)
    assert counted(shown(bench, replay)) == {"started": 3}
    assert sorted(run["status"] for run in bench.runs()) == ["pending", "pending", "waiting"]
    told = bench.upshot.events.explain("default", bench.runs()[1]["event"]["id"])["automations"][0]
    assert told["outcome"] == "held_by_concurrency"
    for _ in range(3):
        bench.advance(3_601)
    assert noted(bench) == [1, 2, 3]


def test_it_is_paused_and_resumed_where_it_stands_and_cancelled_for_good(bench: Bench) -> None:
    emitted(bench, *range(5))
    replays, automation_id = bench.upshot.replays, bench.automation(NOTE)
    replay = begun(bench, automation_id, per_minute=60)
    replays.pause("default", replay["id"])
    bench.advance(60)
    assert noted(bench) == [0]
    with pytest.raises(Conflict, match="is paused"):
        begun(bench, automation_id)
    with pytest.raises(Conflict, match="cannot become paused"):
        replays.pause("default", replay["id"])
    replays.resume("default", replay["id"])
    bench.settle()
    bench.advance(1)
    assert noted(bench) == [0, 1, 2]
    assert replays.cancel("default", replay["id"])["finished_at"] is not None
    bench.advance(60)
    assert noted(bench) == [0, 1, 2]
    for act in (replays.resume, replays.cancel):
        with pytest.raises(Conflict, match="is cancelled"):
            act("default", replay["id"])
    audited = bench.upshot.audit.page("default", noun="replay").items
    assert [(entry["action"], entry["after"]["status"]) for entry in reversed(audited)] == [
        ("start", "running"),
        ("pause", "paused"),
        ("resume", "running"),
        ("cancel", "cancelled"),
    ]


@pytest.mark.parametrize("action", ["pause", "archive", "delete"])
def test_it_ends_with_its_automation(bench: Bench, action: str) -> None:
    emitted(bench, 1, 2)
    automation_id = bench.automation(NOTE)
    replay = begun(bench, automation_id, per_minute=1)
    getattr(bench.upshot.automations, action)("default", automation_id)
    told = shown(bench, replay)
    assert (told["status"], counted(told)) == ("cancelled", {"started": 1})
    assert told["reason"] == f"The automation is {action.removesuffix('e')}ed.".replace("pauseed", "paused")
    bench.advance(120)
    assert noted(bench) == [1]


def test_it_goes_on_on_the_version_it_began_with(bench: Bench) -> None:
    emitted(bench, 1, 2)
    automation_id = bench.automation(NOTE)
    replay = begun(bench, automation_id, per_minute=1)
    draft = bench.upshot.automations.draft("default", automation_id)
    bench.upshot.automations.save("default", automation_id, {**draft, "condition": above(100), "status": "active"})
    bench.advance(60)
    assert (noted(bench), shown(bench, replay)["version"]) == ([1, 2], 1)
    assert {run["automation"]["version"] for run in bench.runs()} == {1}


def test_a_version_that_is_gone_ends_it(bench: Bench) -> None:
    emitted(bench, 1, 2)
    replay = begun(bench, bench.automation(NOTE), per_minute=1)
    with bench.upshot.database.writing() as connection:
        connection.execute(text("DELETE FROM upshot_automation_versions"))
    bench.advance(60)
    told = shown(bench, replay)
    assert (told["status"], told["reason"]) == (
        "cancelled",
        "Version 1 of the automation is not in the store any more.",
    )


def test_what_was_pruned_is_counted_as_gone(bench: Bench) -> None:
    automation_id = bench.automation(NOTE)
    emitted(bench, 1, 2, 3)
    since_then = bench.clock.now()
    bench.upshot.automations.pause("default", automation_id)
    emitted(bench, 4)
    bench.upshot.automations.activate("default", automation_id)
    with bench.upshot.database.writing() as connection:  # the runs are gone, and one of the events
        connection.execute(text("DELETE FROM upshot_runs"))
        connection.execute(text("UPDATE upshot_tenants SET runs_pruned_until = :until"), {"until": since_then})
    told = bench.upshot.replays.preview("default", automation_id, Wanted(since=LONG_AGO))[0]
    assert counted(told) == {"started": 1, "gone": 3}
    replay = begun(bench, automation_id, per_minute=1)
    assert (counted(shown(bench, replay)), noted(bench)) == ({"started": 1, "gone": 3}, [1, 2, 3, 4])


def test_events_that_are_pruned_meanwhile_are_counted(bench: Bench) -> None:
    emitted(bench, 1, 2, 3)
    replay = begun(bench, bench.automation(NOTE), per_minute=1)
    with bench.upshot.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM upshot_events WHERE data = '{\"n\":2}'")
    bench.advance(60)
    bench.advance(60)
    told = shown(bench, replay)
    assert (told["status"], counted(told), noted(bench)) == ("completed", {"started": 2, "gone": 1}, [1, 3])


def test_a_page_is_done_once_whoever_else_does_it(bench: Bench) -> None:
    emitted(bench, *range(4))
    bench.upshot.stop()
    upshot = bench.upshot = bench.open()
    automation_id = bench.automation(NOTE)
    now = bench.clock.now()
    replay = upshot.replays.start("default", automation_id, Wanted(since=LONG_AGO, per_minute=120))
    taken: list[store.Due] = upshot.commit.run(lambda c: store.take(c, now, now + MINUTE, 10))
    assert upshot.commit.run(lambda c: store.take(c, now, now + MINUTE, 10)) == [], "it is the taker's"
    service = upshot.engine.replay
    asked = service._asked(taken[0], taken[0].document or "")
    with upshot.database.reading() as connection:
        page = read_page(connection, asked, "", 500, 2)
    first = upshot.commit.run(lambda c: replaying.keep_page(c, taken[0], page, now))
    assert first is not None
    assert (first.counts.started, first.place) == (2, page.place)
    assert upshot.commit.run(lambda c: replaying.keep_page(c, taken[0], page, now)) is None
    assert upshot.replays.get("default", replay["id"])["counts"]["started"] == 2
    upshot.close()
    bench.upshot = bench.open()
    bench.start()
    bench.advance(120)
    assert sorted(noted(bench)) == [0, 1, 2, 3]


def test_it_goes_on_after_a_restart_and_waits_while_its_tenant_is_suspended(bench: Bench) -> None:
    emitted(bench, 1, 2, 3)
    replay = begun(bench, bench.automation(NOTE), per_minute=1)
    bench.upshot.tenants.change("default", status="suspended")
    bench.advance(60)
    bench.restart()
    assert (noted(bench), shown(bench, replay)["status"]) == ([1], "running")
    bench.upshot.tenants.change("default", status="active")
    for _ in range(3):
        bench.advance(60)
    assert noted(bench) == [1, 2, 3]


def test_thousands_are_gone_through_in_pages(bench: Bench) -> None:
    number = 2 * replaying.EVENTS_MAX + 7
    for first in range(0, number, 500):
        envelopes = [{"name": "test/happened", "data": {"n": n}} for n in range(first, min(first + 500, number))]
        bench.upshot.events.accept("default", envelopes)
    bench.advance(1)
    automation_id = bench.automation({"id": "end", "stop": True}, condition=above(number - 20))
    replay = begun(bench, automation_id)
    bench.advance(1)
    told = shown(bench, replay)
    assert (told["status"], counted(told)) == ("completed", {"started": 19, "not_met": number - 19})
    assert {run["status"] for run in bench.runs()} == {"completed"}


def test_a_run_looks_back_from_its_event(bench: Bench) -> None:
    """What came after the event of a replayed run meets its wait."""
    emitted(bench, 1)
    bench.emit("test/paid", {"n": 1})
    bench.automation({"id": "paid", "wait_for_event": "test/paid", "match": {"n": "{{ n }}"}})
    begun(bench, bench.upshot.automations.page("default").items[0]["id"])
    assert (bench.run()["status"], bench.run()["steps"][0]["output"]) == ("completed", {"n": 1})


def test_what_cannot_be_replayed_is_refused(bench: Bench) -> None:
    replays, now = bench.upshot.replays, bench.clock.now()
    draft = bench.upshot.automations.create("default", {"name": "d", "trigger": {"event": "e"}, "steps": [NAP]})["id"]
    by_hand = bench.automation(NAP, trigger={"manual": True})
    with pytest.raises(NotFound):
        replays.start("default", "nobody", Wanted(since=LONG_AGO))
    with pytest.raises(Conflict, match="is draft"):
        replays.start("default", draft, Wanted(since=LONG_AGO))
    with pytest.raises(Conflict, match="by hand only"):
        replays.start("default", by_hand, Wanted(since=LONG_AGO))
    active = bench.automation(NAP)
    for wanted, path in (
        (Wanted(since=now), "since"),
        (Wanted(since=LONG_AGO, until=LONG_AGO), "since"),
        (Wanted(since=LONG_AGO, per_minute=0), "per_minute"),
        (Wanted(since=LONG_AGO, per_minute=6_001), "per_minute"),
        (Wanted(since=LONG_AGO, limit=0), "limit"),
        (Wanted(since=LONG_AGO, condition={"field": "n", "operator": "nonsense"}), "condition.operator"),
    ):
        with pytest.raises(Refused) as refused:
            replays.start("default", active, wanted)
        assert refused.value.problems[0].path == path
    assert replays.page("default", active).items == []
