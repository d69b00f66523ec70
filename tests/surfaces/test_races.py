"""Two processes of one PostgreSQL make the same change at once: one wins, the other is told, and nothing is half done."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.stores import store
from tests.surfaces.conftest import document
from upshot import Conflict, Refused, Settings, Upshot
from upshot.core import dead_letters as letters
from upshot.http.app import create_app
from upshot.store import dead_letters

TIMES = 50
TENANT = "default"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[list[Upshot]]:
    """Two processes' worth: each has its own connections, writer and memory."""
    with store("postgresql", tmp_path) as url:
        made = [Upshot(url, settings=Settings(secret_key="k" * 32)) for _ in range(2)]
        made[0].migrate()
        yield made
        for upshot in made:
            upshot.stop()


def race(two: list[Upshot], change: Callable[[Upshot, int], Any]) -> list[Any]:
    """What each of them is answered, or raised, when both make this change at the same moment."""
    together = threading.Barrier(len(two))
    answers: list[Any] = [None] * len(two)

    def run(number: int) -> None:
        together.wait()
        try:
            answers[number] = change(two[number], number)
        except Exception as error:
            answers[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(two))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def one_wins(answers: list[Any], error: type[Exception] = Conflict) -> tuple[Any, Exception]:
    """The winner's answer and what the other was told."""
    won, told = sorted(answers, key=lambda answer: isinstance(answer, Exception))
    assert not isinstance(won, Exception), answers
    assert type(told) is error, answers
    return won, told


def changes(upshot: Upshot, noun: str, noun_id: str, action: str) -> int:
    """How often the audit says that this was done."""
    entries = upshot.audit.page(TENANT, noun=noun, noun_id=noun_id, limit=200).items
    return sum(entry["action"] == action for entry in entries)


def test_two_editors_of_one_revision(two: list[Upshot]) -> None:
    made = two[0].automations.create(TENANT, document())["id"]
    for at in range(1, TIMES + 1):
        answers = race(
            two,
            lambda upshot, n, at=at: upshot.automations.save(TENANT, made, document(name=f"{at} by {n}"), revision=at),
        )
        won, told = one_wins(answers)
        assert getattr(told, "code", None) == "stale_revision"
        kept = two[0].automations.get(TENANT, made)
        assert (kept["draft_revision"], kept["name"]) == (at + 1, won["name"])
    assert changes(two[0], "automation", made, "save") == TIMES


def test_a_draft_is_published_once(two: list[Upshot]) -> None:
    made = two[0].automations.create(TENANT, document())["id"]
    for number in range(1, TIMES + 1):
        two[0].automations.save(TENANT, made, document(name=f"draft {number}"))
        answers = race(two, lambda upshot, _: upshot.automations.publish(TENANT, made))
        assert [answer["version"] for answer in answers] == [number, number]
        newest = two[0].automations.versions(TENANT, made, limit=1).items[0]
        assert (newest["version"], newest["document"]["name"]) == (number, f"draft {number}")
    assert changes(two[0], "automation", made, "publish") == TIMES


def test_what_is_published_is_what_was_looked_at(two: list[Upshot]) -> None:
    made = two[0].automations.create(TENANT, document(name="draft 1"))["id"]
    for at in range(1, TIMES + 1):
        answers = race(
            two,
            lambda upshot, n, at=at: (
                upshot.automations.publish(TENANT, made, revision=at)
                if n
                else upshot.automations.save(TENANT, made, document(name=f"draft {at + 1}"), revision=at)
            ),
        )
        assert isinstance(answers[0], dict), "a save is never lost"
        kept = two[0].automations.get(TENANT, made)
        assert (kept["draft_revision"], kept["name"]) == (at + 1, f"draft {at + 1}")
        if isinstance(answers[1], dict):
            newest = two[0].automations.versions(TENANT, made, limit=1).items[0]
            assert newest["document"]["name"] == f"draft {at}", "not what came a moment later"
        else:
            assert getattr(answers[1], "code", None) == "stale_revision"


def test_two_who_save_and_publish_make_two_versions(two: list[Upshot]) -> None:
    made = two[0].automations.create(TENANT, document())["id"]
    for number in range(TIMES):
        answers = race(
            two,
            lambda upshot, n, number=number: upshot.automations.save(
                TENANT, made, document(name=f"{number} by {n}", status="active")
            ),
        )
        assert sorted(answer["version"] for answer in answers) == [2 * number + 1, 2 * number + 2]


def test_two_publishers_close_no_circle_of_calls(two: list[Upshot]) -> None:
    end = {"trigger": {"manual": True}, "steps": [{"id": "end", "stop": True}]}
    ids = [two[0].automations.create(TENANT, {**end, "name": n, "status": "active"})["id"] for n in "ab"]
    for _ in range(10):
        for at, name in enumerate("ab"):
            two[0].automations.save(TENANT, ids[at], {**end, "name": name, "status": "active"})
            calls = {**end, "name": name, "steps": [{"id": "ask", "call": ids[1 - at]}]}
            two[0].automations.save(TENANT, ids[at], calls)
        _, told = one_wins(race(two, lambda upshot, n: upshot.automations.publish(TENANT, ids[n])), Refused)
        assert isinstance(told, Refused)
        assert [(problem.path, problem.code) for problem in told.problems] == [("steps[0].call", "cycle")]


def test_two_imports_of_one_file_make_its_automations_once(two: list[Upshot]) -> None:
    for number in range(10):
        file = [document(name=f"{number}"), document(name=f"{number} too", status="active")]
        answers = race(two, lambda upshot, _, file=file: upshot.automations.import_documents(TENANT, file))
        assert any(isinstance(answer, dict) for answer in answers), answers
        assert all(getattr(answer, "code", "stale_revision") == "stale_revision" for answer in answers), answers
        names = [item["name"] for item in two[0].automations.page(TENANT, limit=200).items]
        assert sorted(names) == sorted(set(names))


def test_a_run_is_paused_or_cancelled_by_one_of_two(two: list[Upshot]) -> None:
    """Cancel always wins in the end; a pause that came first was a pause, and one that came later is told."""
    nap = {"name": "nap", "trigger": {"event": "e"}, "steps": [{"id": "nap", "delay": "30d"}], "status": "active"}
    made = two[0].automations.create(TENANT, nap)["id"]
    for _ in range(TIMES):
        run_id = two[0].runs.start_by_hand(TENANT, made, {})["run_id"]
        answers = race(
            two, lambda upshot, n, run_id=run_id: (upshot.runs.pause if n else upshot.runs.cancel)(TENANT, run_id)
        )
        assert answers[0] is None
        assert answers[1] is None or type(answers[1]) is Conflict
        assert two[0].runs.get(TENANT, run_id)["status"] == "cancelled"
        assert changes(two[0], "run", run_id, "pause") == (answers[1] is None)
    counted = two[0].stats.get(TENANT)["runs"]
    assert {status: number for status, number in counted.items() if number} == {"cancelled": TIMES}


def test_a_run_is_paused_once_and_resumed_once(two: list[Upshot]) -> None:
    nap = {"name": "nap", "trigger": {"event": "e"}, "steps": [{"id": "nap", "delay": "30d"}], "status": "active"}
    made = two[0].automations.create(TENANT, nap)["id"]
    run_id = two[0].runs.start_by_hand(TENANT, made, {})["run_id"]
    for number in range(1, TIMES + 1):
        one_wins(race(two, lambda upshot, _: upshot.runs.pause(TENANT, run_id) or "paused"))
        one_wins(race(two, lambda upshot, _: upshot.runs.resume(TENANT, run_id) or "resumed"))
        assert changes(two[0], "run", run_id, "pause") == changes(two[0], "run", run_id, "resume") == number


def test_pause_and_archive_leave_the_one_that_came_last_as_the_audit_says(two: list[Upshot]) -> None:
    made = two[0].automations.create(TENANT, document(status="active"))["id"]
    for _ in range(TIMES):
        race(two, lambda upshot, n: (upshot.automations.pause if n else upshot.automations.archive)(TENANT, made))
        entries = two[0].audit.page(TENANT, noun="automation", noun_id=made, limit=2).items
        status = two[0].automations.get(TENANT, made)["status"]
        assert entries[0]["after"]["status"] == status
        before = two[0].audit.page(TENANT, noun="automation", noun_id=made, limit=3).items
        assert [later["before"]["status"] for later in before[:2]] == [e["after"]["status"] for e in before[1:3]]
        two[0].automations.activate(TENANT, made)


def test_two_changes_of_one_revision_of_an_entity(two: list[Upshot]) -> None:
    two[0].entities.create(TENANT, "bird", id="a")
    for at in range(1, TIMES + 1):
        answers = race(
            two,
            lambda upshot, n, at=at: upshot.entities.patch(
                TENANT, "bird", "a", fields={"by": f"{at}/{n}"}, revision=at
            ),
        )
        won, told = one_wins(answers)
        assert getattr(told, "code", None) == "stale_revision"
        kept = two[0].entities.get(TENANT, "bird", "a")
        assert (kept["revision"], kept["fields"]) == (at + 1, won["fields"])
    assert changes(two[0], "entity", "bird/a", "patch") == TIMES


def test_an_id_is_given_once(two: list[Upshot]) -> None:
    for number in range(TIMES):
        one_wins(race(two, lambda upshot, _, n=number: upshot.entities.create(TENANT, "bird", id=f"b{n}")))
        one_wins(race(two, lambda upshot, _, n=number: upshot.tenants.create(f"t{n}", name="t")))
        assert two[0].audit.page(f"t{number}").items[0]["action"] == "create"
        assert len(two[0].audit.page(f"t{number}").items) == 1
    assert two[0].entities.types(TENANT) == [{"type": "bird", "count": TIMES}]
    assert two[0].stats.get(TENANT)["events"]["accepted"] == TIMES, "each one's event, once"


def test_of_two_last_admin_keys_one_stays(two: list[Upshot]) -> None:
    for _ in range(TIMES):
        keys = [two[0].keys.create(TENANT, name="admin", role="admin")["id"] for _ in range(2)]
        answers = race(two, lambda upshot, n, keys=keys: upshot.keys.revoke(TENANT, keys[n], keep_an_admin=True))
        one_wins(answers)
        listed = two[0].keys.page(TENANT, limit=2).items
        (left,) = (key["id"] for key in listed if key["revoked_at"] is None)
        two[0].keys.revoke(TENANT, left)


def test_settings_changed_at_once_are_both_kept(two: list[Upshot]) -> None:
    zones, locales = ("Europe/Berlin", "Asia/Tokyo"), ("de-DE", "ja-JP")
    for number in range(TIMES):
        given = {"zone": zones[number % 2]}, {"locale": locales[number % 2]}
        race(two, lambda upshot, n, given=given: upshot.tenants.change(TENANT, settings=given[n]))
        assert two[0].tenants.get(TENANT)["settings"] == {**given[0], **given[1]}


def test_a_pack_is_installed_once(two: list[Upshot]) -> None:
    for number in range(3):
        tenant = f"clinic{number}"
        two[0].tenants.create(tenant, name=tenant)
        answers = race(two, lambda upshot, _, tenant=tenant: upshot.packs.install(tenant, "clinic"))
        created = answers[0]["created"] + answers[1]["created"]
        names = [item["name"] for item in two[0].automations.page(tenant, limit=200).items]
        assert sorted(names) == sorted(created) == sorted(set(created))


def test_a_letter_that_two_retry_is_retried_once(two: list[Upshot]) -> None:
    for number in range(TIMES):
        event = two[0].emit("x") or ""
        letter = letters.of_event(TENANT, event, "x", "match_failed", f"broken {number}", 3)
        two[0].commit.run(lambda c, letter=letter: dead_letters.add_many(c, [letter], 1))
        found = two[0].dead_letters.page(TENANT, status="open").items[0]["id"]
        if number % 2:
            answers = race(two, lambda upshot, _, found=found: upshot.dead_letters.retry(TENANT, found)["status"])
            assert answers == ["retrying", "retrying"]
            assert changes(two[0], "dead_letter", found, "retry") == 1
        else:
            one_wins(race(two, lambda upshot, _, found=found: upshot.dead_letters.replay(TENANT, found, {"a": 1})))
            assert changes(two[0], "dead_letter", found, "replay") == 1
    assert two[0].stats.get(TENANT)["events"]["accepted"] == TIMES + TIMES // 2


def test_a_request_under_one_idempotency_key_is_done_once(two: list[Upshot]) -> None:
    key = two[0].keys.create(TENANT, name="e", role="editor")["key"]
    clients = [TestClient(create_app(upshot, engine=False), base_url="http://localhost") for upshot in two]
    for number in range(TIMES):
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"k{number}"}

        def post(_: Upshot, n: int, headers: dict[str, str] = headers, number: int = number) -> Any:
            return clients[n].post("/api/v1/automations", json=document(name=f"a{number}"), headers=headers)

        answers = race(two, post)
        done = [answer for answer in answers if answer.status_code == 201]
        assert {answer.status_code for answer in answers} <= {201, 409}
        assert len({answer.json()["id"] for answer in done}) == 1
        again = post(two[0], 0)
        assert (again.status_code, again.json()["id"]) == (201, done[0].json()["id"])
    names = [item["name"] for item in two[0].automations.page(TENANT, limit=200).items]
    assert sorted(names) == sorted(f"a{number}" for number in range(TIMES))


def test_what_was_paused_before_an_event_was_accepted_does_not_start(two: list[Upshot]) -> None:
    here, there = two
    made = here.automations.create(TENANT, document(condition=None, status="active"))["id"]
    there.start()
    for number in range(TIMES):
        name = f"version {number}"
        here.automations.save(TENANT, made, document(condition=None, name=name, status="active"))
        started = settled(there, there.emit("crm/appointment.created") or "")
        here.automations.pause(TENANT, made)
        unstarted = settled(there, there.emit("crm/appointment.created") or "")
        (run,) = started["runs"]
        assert (there.runs.get(TENANT, run["id"])["document"]["name"], unstarted["runs"]) == (name, [])


def settled(upshot: Upshot, event_id: str) -> dict[str, Any]:
    """This event, when the engine has done all that can be done now."""
    assert upshot.engine.loop is not None
    asyncio.run_coroutine_threadsafe(upshot.engine.idle(), upshot.engine.loop).result(30)
    return upshot.events.get(TENANT, event_id)
