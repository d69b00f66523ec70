"""Dead letters over HTTP: what was given up on is kept, tried again under the same key, replayed, discarded; one or many."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from tests.surfaces.conftest import Surface, make_surface
from upshot import ActionError
from upshot.core import dead_letters as letters
from upshot.store import dead_letters as store
from upshot.testing import VirtualClock

ORDER = "shop/order.paid"
SCHEMA = {"type": "object", "required": ["total"], "properties": {"total": {"type": "number"}}}


class Shop(Surface):
    """An installation whose action `ship` fails until the carrier works again."""

    clock: VirtualClock
    is_down = True

    def __init__(self, surface: Surface, clock: VirtualClock) -> None:
        super().__init__(surface.upshot, surface.client, surface.keys)
        self.clock, self.keys_seen = clock, list[str]()

        @surface.upshot.action("ship")
        async def ship(args: dict, context: Any) -> dict[str, Any]:  # type: ignore[type-arg] - an action may take plain arguments
            self.keys_seen.append(context.idempotency_key)
            if self.is_down:
                raise ActionError(f"carrier 17 refused parcel {args['order']} of ann@example.com")
            return {"shipped": args["order"]}

    def automation(self, *more: dict[str, Any], retries: int = 0) -> str:
        """An active automation that ships what was paid."""
        errors = {"on_error": "retry", "retries": retries} if retries else {"on_error": "stop"}
        ship = {"id": "ship", "action": "ship", "with": {"order": "{{ order }}"}, **errors}
        document = {"name": "Ship", "trigger": {"event": ORDER}, "steps": [ship, *more], "status": "active"}
        made = self.post("/automations", document)
        assert made.status_code == 201, made.text
        return made.json()["id"]

    def paid(self, *orders: int) -> None:
        """These orders are paid, and all that follows is done."""
        events = [{"name": ORDER, "data": {"order": order, "total": 1}} for order in orders]
        for at in range(0, len(events), 1_000):
            assert self.post("/events", {"events": events[at : at + 1_000]}).status_code == 202
        self.settle()

    def letters(self, **wanted: str) -> list[dict[str, Any]]:
        """The first page of letters."""
        return self.get("/dead-letters", params={"limit": 200, **wanted}).json()["items"]

    def letter(self) -> dict[str, Any]:
        """The only letter."""
        (one,) = self.letters()
        return self.get(f"/dead-letters/{one['id']}").json()

    def act(self, letter: dict[str, Any], action: str, body: Any = None, **more: Any) -> Any:
        """Do something about a letter, and settle."""
        answered = self.post(f"/dead-letters/{letter['id']}/{action}", body, **more)
        self.forward_twice()
        return answered

    def forward_twice(self) -> None:
        """What the first look brought to its end is seen by the second."""
        self.forward()
        self.forward()

    def forward(self, seconds: float = 5.0) -> None:
        """Move time on, and let every service look again."""
        self.clock.advance(seconds)
        loop = self.upshot.engine.loop
        assert loop is not None
        loop.call_soon_threadsafe(self.upshot.engine.wake)
        self.settle()

    def sql(self, statement: str, **parameters: Any) -> Any:
        """What the store holds, or a change that no surface makes."""
        with self.upshot.database.writing() as connection:
            found = connection.execute(text(statement), parameters)
            return found.all() if found.returns_rows else None

    def runs(self) -> list[dict[str, Any]]:
        """All runs with their steps."""
        found = self.get("/runs", params={"limit": 200}).json()["items"]
        return [self.get(f"/runs/{run['id']}").json() for run in found]

    def stats(self) -> dict[str, int]:
        """How many letters stand in each status, those that are not naught."""
        return {name: number for name, number in self.get("/stats").json()["dead_letters"].items() if number}


@pytest.fixture
def shop(url: str) -> Iterator[Shop]:
    clock = VirtualClock()
    for surface in make_surface(url, engine=True, clock=clock):
        yield Shop(surface, clock)


def test_a_step_that_ends_its_run_is_kept_redacted_with_its_attempts(shop: Shop) -> None:
    automation = shop.automation(retries=1)
    shop.paid(1001)
    shop.forward(600)
    letter = shop.letter()
    assert letter["reference"] == {"noun": "run", "id": shop.runs()[0]["id"]}
    assert (letter["status"], letter["attempts"], letter["step_id"], letter["version"]) == ("open", 2, "ship", 1)
    assert letter["message"] == "carrier 17 refused parcel 1001 of [email]"
    assert letter["automation"] == {"id": automation, "name": "Ship"}
    assert letter["data"] == {"order": 1001, "total": 1}
    assert [attempt["attempt"] for attempt in letter["tries"]] == [1, 2]
    assert letter["blocked"] is None
    assert shop.stats() == {"open": 1}


def test_one_cause_is_one_group_whatever_ids_its_text_names(shop: Shop) -> None:
    shop.automation()
    shop.paid(1, 22, 333)
    (group,) = shop.get("/dead-letters/groups").json()["items"]
    assert (group["count"], group["step_id"], group["kind"]) == (3, "ship", "run")
    assert len(shop.letters(fingerprint=group["fingerprint"])) == 3
    assert shop.letters(kind="event") == []
    assert len(shop.letters(automation=group["automation"]["id"], status="open", kind="run")) == 3
    first = shop.get("/dead-letters", params={"limit": 2}).json()
    second = shop.get("/dead-letters", params={"limit": 2, "cursor": first["next"]}).json()
    assert len({one["id"] for one in first["items"] + second["items"]}) == 3
    assert second["next"] is None


def test_a_retry_goes_on_at_the_failed_step_under_the_same_key(shop: Shop) -> None:
    shop.automation({"id": "after", "action": "ship", "with": {"order": "after"}})
    shop.paid(7)
    shop.is_down = False
    answered = shop.act(shop.letter(), "retry")
    assert (answered.status_code, answered.json()["status"]) == (200, "retrying")
    (run,) = shop.runs()
    assert run["status"] == "completed"
    assert [(step["id"], step["status"]) for step in run["steps"]] == [("ship", "completed"), ("after", "completed")]
    assert [attempt["status"] for attempt in run["steps"][0]["attempts"]] == ["failed", "completed"]
    assert shop.keys_seen[0] == shop.keys_seen[1] != shop.keys_seen[2]
    letter = shop.letter()
    assert (letter["status"], letter["actor"]) == ("resolved", "key:admin")
    assert shop.stats() == {"resolved": 1}
    runs = shop.get("/stats").json()["runs"]
    assert (runs["completed"], runs["failed"], runs["pending"], runs["running"]) == (1, 0, 0, 0)


def test_a_retry_that_fails_opens_the_letter_again_and_loses_no_attempt(shop: Shop) -> None:
    shop.automation()
    shop.paid(7)
    for number in (2, 3):
        shop.act(shop.letter(), "retry")
        letter = shop.letter()
        assert (letter["status"], letter["attempts"]) == ("open", number)
        assert [attempt["attempt"] for attempt in letter["tries"]] == list(range(1, number + 1))
    assert shop.stats() == {"open": 1}
    assert len(set(shop.keys_seen)) == 1


def test_retry_pressed_twice_is_once(shop: Shop) -> None:
    shop.automation()
    shop.paid(7)
    letter = shop.letter()
    shop.is_down = False
    told = [shop.post(f"/dead-letters/{letter['id']}/retry") for _ in range(2)]
    assert {one.status_code for one in told} <= {200, 409}
    shop.forward_twice()
    assert len(shop.keys_seen) == 2  # the failure, and one retry
    assert shop.runs()[0]["status"] == "completed"
    assert shop.act(letter, "retry").status_code == 409  # it is resolved
    assert len(shop.keys_seen) == 2


def test_a_run_whose_version_is_gone_is_not_retried_and_says_why(shop: Shop) -> None:
    shop.automation()
    shop.paid(7)
    shop.sql("DELETE FROM upshot_automation_versions")
    letter = shop.letter()
    assert "version" in letter["blocked"]
    answered = shop.act(letter, "retry")
    assert answered.status_code == 409
    assert letter["blocked"] in answered.json()["detail"]
    assert shop.letter()["status"] == "open"
    assert shop.runs()[0]["status"] == "failed"


def test_a_replay_of_edited_data_is_a_new_event_that_starts_this_automation_alone(shop: Shop) -> None:
    shop.automation()
    other = shop.automation()
    shop.post(f"/automations/{other}/pause")
    shop.paid(7)
    shop.post(f"/automations/{other}/activate")
    shop.is_down = False
    letter = shop.letter()
    answered = shop.act(letter, "replay", {"data": {"order": 8, "total": 2}})
    assert answered.status_code == 201, answered.text
    replay = answered.json()
    assert shop.get(f"/runs/{replay['run_id']}").json()["status"] == "completed"
    event = shop.get(f"/events/{replay['event_id']}").json()
    assert (event["data"], event["root_id"], event["replay_of"]) == (
        {"order": 8, "total": 2},
        replay["event_id"],
        letter["id"],
    )
    assert len(shop.runs()) == 2
    done = shop.letter()
    assert (done["status"], done["replay_id"]) == ("resolved", replay["event_id"])
    assert shop.act(letter, "replay", {"data": {"order": 9, "total": 2}}).status_code == 409
    assert len(shop.runs()) == 2


def test_a_replay_that_does_not_meet_its_schema_is_refused_by_path_and_the_letter_stays_open(shop: Shop) -> None:
    shop.automation()
    shop.put("/event-types/shop/order.paid", {"title": "Paid", "schema": SCHEMA, "on_invalid": "refuse"})
    shop.paid(7)
    letter = shop.letter()
    refused = shop.act(letter, "replay", {"data": {"order": 8, "total": "many"}})
    assert refused.status_code == 422
    assert [error["path"] for error in refused.json()["errors"]] == ["data.total"]
    renamed = shop.act(letter, "replay", {"data": {"total": 1}, "name": "shop/other"})
    assert [error["path"] for error in renamed.json()["errors"]] == ["name"]
    assert shop.letter()["status"] == "open"
    assert len(shop.runs()) == 1


def test_a_discard_has_a_reason_and_is_audited(shop: Shop) -> None:
    shop.automation()
    shop.paid(7)
    letter = shop.letter()
    assert shop.act(letter, "discard", {"reason": "   "}).status_code == 422
    assert shop.act(letter, "discard", {}).status_code == 400
    assert shop.act(letter, "discard", {"reason": "sent by hand"}).json()["reason"] == "sent by hand"
    (entry,) = shop.get("/audit", params={"noun": "dead_letter", "noun_id": letter["id"]}).json()["items"]
    assert (entry["action"], entry["before"]["status"]) == ("discard", "open")
    assert entry["after"] == {"status": "discarded", "reason": "sent by hand"}
    assert shop.runs()[0]["status"] == "failed"
    shop.is_down = False
    shop.act(letter, "retry")  # somebody thinks better of it
    assert shop.letter()["status"] == "resolved"


def test_a_test_run_is_nobodys_dead_letter(shop: Shop) -> None:
    automation = shop.automation()
    shop.post(f"/automations/{automation}/run", {"data": {"order": 1}, "test": True})
    shop.settle()
    assert shop.runs()[0]["status"] == "failed"
    assert shop.letters() == []


def test_an_event_that_was_given_up_on_is_matched_again(shop: Shop) -> None:
    shop.is_down = False
    shop.automation()
    event_id = shop.post("/events", {"name": ORDER, "data": {"order": 1}}).json()["ids"][0]
    shop.settle()
    shop.sql("DELETE FROM upshot_active")
    shop.sql("DELETE FROM upshot_steps")
    shop.sql("DELETE FROM upshot_runs")
    letter = letters.of_event("alpha", event_id, ORDER, "match_failed", "the matcher broke", 3)
    shop.upshot.commit.run(lambda c: store.add_many(c, [letter], shop.clock.now()))
    assert shop.get(f"/events/{event_id}").json()["status"] == "failed"
    shop.act(shop.letter(), "retry")
    shop.forward()
    assert [run["status"] for run in shop.runs()] == ["completed"]
    assert shop.letter()["status"] == "resolved"
    assert shop.get(f"/events/{event_id}").json()["status"] == "matched"


def refused_rows(shop: Shop, *payloads: str) -> None:
    """Outbox rows that the relay refused until it gave up."""
    now = shop.clock.now()
    for number, payload in enumerate(payloads):
        shop.sql(
            "INSERT INTO upshot_outbox (id, tenant_id, payload, created_at, next_attempt_at)"
            " VALUES (:id, 'alpha', :payload, :now, :now)",
            id=f"row-{number}",
            payload=payload,
            now=now,
        )
    for _ in range(12):
        shop.forward(3_700)


def test_an_outbox_row_that_was_refused_at_last_is_relayed_again(shop: Shop) -> None:
    shop.is_down = False
    shop.automation()
    shop.put("/event-types/shop/order.paid", {"title": "Paid", "schema": SCHEMA, "on_invalid": "refuse"})
    refused_rows(shop, json.dumps({"name": ORDER, "data": {"order": 5}}))
    letter = shop.letter()
    assert (letter["kind"], letter["code"], letter["attempts"]) == ("delivery", "refused", 10)
    assert letter["event"] == {"id": None, "name": ORDER}
    assert (letter["data"], shop.get("/outbox").json()["failed"]) == ({"order": 5}, 1)
    shop.put("/event-types/shop/order.paid", {"title": "Paid", "schema": SCHEMA, "on_invalid": "warn"})
    shop.act(letter, "retry")
    shop.forward()
    assert shop.letter()["status"] == "resolved"
    assert [run["status"] for run in shop.runs()] == ["completed"]


def test_an_outbox_row_that_cannot_be_read_is_replayed_by_hand(shop: Shop) -> None:
    shop.is_down = False
    shop.automation()
    refused_rows(shop, "{not json")
    letter = shop.letter()
    assert (letter["data"], letter["payload"], letter["event"]) == (None, "{not json", None)
    unnamed = shop.act(letter, "replay", {"data": {"order": 6}})
    assert [error["path"] for error in unnamed.json()["errors"]] == ["name"]
    assert shop.act(letter, "replay", {"data": {"order": 6}, "name": ORDER}).status_code == 201
    assert [run["status"] for run in shop.runs()] == ["completed"]
    assert shop.letter()["status"] == "resolved"


def test_another_tenants_letter_is_not_there(shop: Shop) -> None:
    shop.automation()
    shop.paid(7)
    letter = shop.letter()
    for action, body in (("retry", None), ("discard", {"reason": "x"}), ("replay", {"data": {}})):
        assert shop.act(letter, action, body, tenant="beta").status_code == 404
    assert shop.get(f"/dead-letters/{letter['id']}", tenant="beta").status_code == 404
    assert shop.get("/dead-letters", tenant="beta").json()["items"] == []
    counted = bulk(shop, letter["fingerprint"], "retry", tenant="beta")
    assert (counted["count"], shop.letter()["status"]) == (0, "open")


def bulk(shop: Shop, fingerprint: str, action: str, **more: Any) -> dict[str, Any]:
    """One call for many letters."""
    tenant = more.pop("tenant", "alpha")
    answered = shop.post("/dead-letters/bulk", {"fingerprint": fingerprint, "action": action, **more}, tenant=tenant)
    assert answered.status_code == 200, answered.text
    return answered.json()


def all_of(shop: Shop, fingerprint: str, action: str, **more: Any) -> list[dict[str, Any]]:
    """Call until all is done, as a page does."""
    answers = [bulk(shop, fingerprint, action, dry_run=False, **more)]
    while answers[-1]["next"] is not None:
        shop.clock.advance(answers[-1]["wait_seconds"])
        last = answers[-1]
        answers.append(bulk(shop, fingerprint, action, dry_run=False, until=last["until"], after=last["next"], **more))
    return answers


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # it takes long; the other batches are small
def test_ten_thousand_letters_are_counted_and_then_retried_in_batches(shop: Shop) -> None:
    shop.automation()
    shop.paid(*range(10_000))
    fingerprint = shop.letters()[0]["fingerprint"]
    shop.forward(60)
    counted = bulk(shop, fingerprint, "retry")
    assert (counted["count"], counted["done"]) == (10_000, 0)
    assert shop.stats() == {"open": 10_000}
    shop.is_down = False
    answers = all_of(shop, fingerprint, "retry")
    assert [answer["done"] for answer in answers] == [500] * 20
    assert [answer["left"] for answer in answers] == list(range(9_500, -1, -500))
    for _ in range(12):
        shop.forward(2)
    assert shop.stats() == {"resolved": 10_000}
    runs = shop.get("/stats").json()["runs"]
    assert (runs["completed"], runs["failed"], runs["pending"]) == (10_000, 0, 0)
    assert len(shop.keys_seen) == 20_000
    assert len(set(shop.keys_seen)) == 10_000


def test_a_bulk_retry_ends_though_everything_fails_again(shop: Shop) -> None:
    shop.automation()
    shop.paid(*range(1_200))
    shop.forward(60)
    answers = all_of(shop, shop.letters()[0]["fingerprint"], "retry")
    assert sum(answer["done"] for answer in answers) == 1_200
    shop.forward()
    assert shop.stats() == {"open": 1_200}


def test_a_bulk_retry_leaves_what_cannot_be_retried_and_keeps_its_rate(shop: Shop) -> None:
    automation = shop.automation()
    shop.paid(1, 2, 3)
    fingerprint = shop.letters()[0]["fingerprint"]
    gone = shop.runs()[0]["id"]
    shop.sql("UPDATE upshot_runs SET version = 99 WHERE id = :id", id=gone)
    shop.forward(60)
    did = bulk(shop, fingerprint, "retry", dry_run=False)
    assert (did["done"], did["refused"], did["left"]) == (2, 1, 0)
    assert [problem["id"] for problem in did["problems"]] == [f"run:{gone}"]
    too_soon = shop.post("/dead-letters/bulk", {"fingerprint": fingerprint, "action": "retry", "dry_run": False})
    assert (too_soon.status_code, too_soon.headers["retry-after"]) == (503, "1")
    (entry,) = [one for one in shop.get("/audit").json()["items"] if one["action"] == "bulk_retry"]
    assert (entry["noun_id"], entry["after"]["count"]) == (fingerprint, 2)
    assert automation


def test_a_bulk_discard_needs_a_reason(shop: Shop) -> None:
    shop.automation()
    shop.paid(*range(700))
    fingerprint = shop.letters()[0]["fingerprint"]
    unsaid = shop.post("/dead-letters/bulk", {"fingerprint": fingerprint, "action": "discard", "dry_run": False})
    assert [error["path"] for error in unsaid.json()["errors"]] == ["reason"]
    answers = all_of(shop, fingerprint, "discard", reason="a test order")
    assert [answer["done"] for answer in answers] == [500, 200]
    assert shop.stats() == {"discarded": 700}
    assert shop.letters(status="discarded")[0]["reason"] == "a test order"


def test_beyond_the_cap_the_oldest_are_kept_and_the_others_counted(shop: Shop) -> None:
    def given_up(number: int) -> letters.Letter:
        return letters.of_run("alpha", f"run-{number}", "a", "boom", "it broke", 1, step_id="s", epoch=1)

    for number in range(5):
        shop.upshot.commit.run(lambda c, n=number: store.add_many(c, [given_up(n)], n, most=3))
    assert {one["reference"]["id"] for one in shop.letters()} == {"run-0", "run-1", "run-2"}
    assert shop.stats() == {"open": 3, "over_cap": 2}
    shop.upshot.commit.run(lambda c: store.add_many(c, [given_up(1)], 9, most=3))  # kept already: it is open again
    event = letters.of_event("alpha", "e", ORDER, "match_failed", "it broke", 3)
    shop.upshot.commit.run(lambda c: store.add_many(c, [event], 9, most=3))  # nothing else would tell of it
    assert shop.stats() == {"open": 4, "over_cap": 2}


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("refused by https://user:hunter2@host/x?key=abc", "refused by https://[redacted]@host/x?[redacted]"),
        ("Authorization: Bearer abcdef123456", "Authorization: [redacted] [redacted]"),
        ("call +49 170 1234567 or ann@example.com", "call [number] or [email]"),
        ("two\nlines\x00", "two lines"),
    ],
)
def test_what_looks_like_a_secret_is_not_kept(told: str, kept: str) -> None:
    assert letters.redacted(told) == kept
    assert len(letters.redacted("x y " * 5_000)) == letters.TEXT_MAX


def test_fingerprints_tell_causes_apart_and_cases_not() -> None:
    def of(text: str, code: str = "boom", step: str = "s") -> str:
        return letters.fingerprint("run", code, text, "automation", step)

    assert of("order 12 of 'Ann' refused") == of("order 9913 of 'Bo Li' refused")
    assert len({of("a"), of("b"), of("a", code="late"), of("a", step="t")}) == 4
