"""`upshot dead-letters`: list, show, retry, replay, discard; one or all of a fingerprint."""

from pathlib import Path

import pytest

from tests.cli.conftest import Call
from upshot import Upshot
from upshot.core import dead_letters as letters
from upshot.store import dead_letters as store


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database with three letters of one cause, and one of another."""
    url = f"sqlite:///{tmp_path}/letters.db"
    upshot = Upshot(url)
    upshot.migrate()
    given = [letters.of_delivery("default", n, "shop/paid", "refused", f"row {n} is bad", 10) for n in (1, 2, 3)]
    given.append(letters.of_event("default", "e", "shop/paid", "match_failed", "it broke", 3))
    upshot.commit.run(lambda c: store.add_many(c, given, 1))
    upshot.close()
    return url


def test_letters_are_listed_and_shown(call: Call, url: str) -> None:
    listed = call("dead-letters", "list", "--database", url, "--kind", "event", "--json").json
    assert [letter["id"] for letter in listed["items"]] == ["event:e"]
    groups = call("dead-letters", "list", "--groups", "--database", url, "--json").json["items"]
    assert sorted(group["count"] for group in groups) == [1, 3]
    assert "it broke" in call("dead-letters", "show", "event:e", "--database", url).out
    assert call("dead-letters", "show", "event:none", "--database", url).code == 1
    assert "is one of" in call("dead-letters", "list", "--status", "lost", "--database", url).err


def test_one_is_replayed_and_one_cannot_be_retried(call: Call, url: str) -> None:
    refused = call("dead-letters", "retry", "event:e", "--database", url)
    assert (refused.code, "removed from history" in refused.err) == (1, True)
    replayed = call("dead-letters", "replay", "event:e", '{"order": 1}', "--database", url, "--json").json
    assert (
        call("dead-letters", "show", "event:e", "--database", url, "--json").json["replay_id"] == replayed["event_id"]
    )


def test_all_of_a_cause_are_counted_and_then_discarded(call: Call, url: str) -> None:
    (one, *_) = call("dead-letters", "list", "--kind", "delivery", "--database", url, "--json").json["items"]
    many = ("--fingerprint", one["fingerprint"], "--reason", "known", "--database", url, "--json")
    assert call("dead-letters", "discard", *many, "--dry-run").json["count"] == 3
    done = call("dead-letters", "discard", *many).json
    assert (done["count"], done["done"], done["refused"]) == (3, 3, 0)
    assert call("dead-letters", "discard", *many).json["count"] == 0
    both = call("dead-letters", "discard", one["id"], *many)
    assert (both.code, "either one ID" in both.err) == (1, True)
